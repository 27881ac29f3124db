#include "io/zip.h"

#include "base/math.h"
#include "io/inflate.h"

#include <inttypes.h>
#include <string.h>

/* An entry of the central directory. */
typedef struct entry {
    uint16_t flags, method;
    uint32_t checksum;
    uint64_t packed, size; /* bytes in the file; bytes after decompression */
    uint64_t offset;       /* of its local header */
} entry;

enum {
    END_SIZE = 22,
    LOCATOR_SIZE = 20,
    LARGE_END_SIZE = 56,
    ENTRY_SIZE = 46,
    LOCAL_SIZE = 30,
    NAME_SIZE = 32,
    LARGEST_RATIO = 1032 /* the maximum of deflate */
};

/* Smaller members may have any ratio; larger arrays of measurements never compress that much. */
enum { LARGE = 32 << 20, PLAUSIBLE_RATIO = 100 };

static uint16_t get16(const unsigned char *bytes) { return (uint16_t)(bytes[0] | bytes[1] << 8); }
static uint32_t get32(const unsigned char *bytes) { return get16(bytes) | (uint32_t)get16(bytes + 2) << 16; }
static uint64_t get64(const unsigned char *bytes) { return get32(bytes) | (uint64_t)get32(bytes + 4) << 32; }

/* ---- the directory ---- */

/* Reads a record of the archive that begins with a signature. */
static tl_status read_record(tl_source *archive, unsigned char *bytes, size_t size, char kind, char also, const char *what,
                             tl_error *error) {
    if (tl_source_read(archive, bytes, size, what, error) != TL_OK) return error->status;
    const unsigned char signature[] = {'P', 'K', (unsigned char)kind, (unsigned char)also};
    return memcmp(bytes, signature, 4) == 0 ? TL_OK : tl_source_expected(archive, size, "other bytes", error, "%s", what);
}

/* Goes to the central directory of an archive with numbers of 64 bits (zip64): a record before the end of the archive says where
 * another record is, which has these numbers. */
static tl_status find_large_directory(tl_source *archive, uint64_t end, size_t *entries, tl_error *error) {
    unsigned char locator[LOCATOR_SIZE] = {0}, large[LARGE_END_SIZE] = {0};
    tl_source_seek(archive, end > LOCATOR_SIZE ? end - LOCATOR_SIZE : 0, error);
    read_record(archive, locator, sizeof locator, 6, 7, "the place of the end of a zip64 archive", error);
    tl_source_seek(archive, get64(locator + 8), error);
    read_record(archive, large, sizeof large, 6, 6, "the end of a zip64 archive", error);
    *entries = (size_t)get64(large + 32);
    return tl_source_seek(archive, get64(large + 48), error);
}

/* Goes to the central directory and returns its number of entries. */
static tl_status find_directory(tl_source *archive, size_t *entries, tl_error *error) {
    unsigned char end[END_SIZE] = {0};
    const uint64_t size = archive->left, at = size > END_SIZE ? size - END_SIZE : 0;
    tl_source_seek(archive, at, error);
    read_record(archive, end, sizeof end, 5, 6, "the end of a zip archive", error);
    *entries = get16(end + 10);
    if (*entries == UINT16_MAX || get32(end + 16) == UINT32_MAX) return find_large_directory(archive, at, entries, error);
    return tl_source_seek(archive, get32(end + 16), error);
}

/* Reads the extra fields of an entry. Numbers that do not fit into 32 bits are in the field 1, in this order. */
static void read_large_numbers(tl_source *archive, size_t left, entry *found, tl_error *error) {
    uint64_t *const numbers[] = {&found->size, &found->packed, &found->offset};
    while (left >= 4 && !tl_failed(error)) {
        unsigned char field[4] = {0}, number[8] = {0};
        tl_source_read(archive, field, sizeof field, "an extra field in the zip directory", error);
        size_t size = tl_min(get16(field + 2), left - 4);
        left -= 4 + size;
        for (size_t i = 0; get16(field) == 1 && i < 3; i++) {
            if (*numbers[i] != UINT32_MAX || size < sizeof number) continue;
            tl_source_read(archive, number, sizeof number, "a number in the zip directory", error);
            *numbers[i] = get64(number);
            size -= sizeof number;
        }
        tl_source_seek(archive, archive->where.offset + size, error);
    }
}

/* *name [OUT]: NAME_SIZE characters; longer names are cut. */
static tl_status read_entry(tl_source *archive, entry *found, char *name, tl_error *error) {
    unsigned char bytes[ENTRY_SIZE] = {0};
    read_record(archive, bytes, sizeof bytes, 1, 2, "an entry of the zip directory", error);
    *found = (entry){.flags = get16(bytes + 8),
                     .method = get16(bytes + 10),
                     .checksum = get32(bytes + 16),
                     .packed = get32(bytes + 20),
                     .size = get32(bytes + 24),
                     .offset = get32(bytes + 42)};
    const size_t length = get16(bytes + 28), kept = tl_min(length, NAME_SIZE - 1);
    tl_source_read(archive, name, kept, "a name in the zip directory", error);
    name[tl_failed(error) ? 0 : kept] = '\0';
    const uint64_t extra = archive->where.offset + length - kept;
    tl_source_seek(archive, extra, error);
    read_large_numbers(archive, get16(bytes + 30), found, error);
    return tl_source_seek(archive, extra + get16(bytes + 30) + get16(bytes + 32), error);
}

/* Returns which of the names it is; `count`: none. */
static size_t which(const char *name, const char *const *names, size_t count) {
    size_t i = 0;
    while (i < count && strcmp(name, names[i]) != 0) i++;
    return i;
}

/* Finds the entry with the first of the names that exists, and its name. */
static tl_status find_entry(tl_source *archive, const char *const *names, size_t count, entry *found, const char **name,
                            tl_error *error) {
    char seen[2 * NAME_SIZE] = "", its[NAME_SIZE];
    size_t entries = 0;
    entry one;
    find_directory(archive, &entries, error);
    const uint64_t begin = archive->where.offset;
    for (size_t e = 0; e < entries && read_entry(archive, &one, its, error) == TL_OK; e++) {
        const size_t match = which(its, names, count);
        if (match < count && *name) return tl_source_expected(archive, 0, "both", error, "either %s or %s", *name, names[match]);
        if (match < count) *name = names[match], *found = one;
        const size_t used = strlen(seen);
        snprintf(seen + used, sizeof seen - used, "%s%s", used ? ", " : "", its);
    }
    if (tl_failed(error) || *name) return error->status;
    archive->where.offset = begin;
    return tl_text_expected(&archive->where, (tl_field){seen, seen + strlen(seen)}, error,
                            "a member %s, as numpy.savez(FILE, x=series, y=labels) names them", names[0]);
}

bool tl_zip_has(tl_source *archive, const char *const *names, size_t count, tl_error *error) {
    size_t entries = 0;
    bool found = false;
    char its[NAME_SIZE];
    entry one;
    find_directory(archive, &entries, error);
    for (size_t e = 0; !found && e < entries && read_entry(archive, &one, its, error) == TL_OK; e++)
        found = which(its, names, count) < count;
    return found;
}

/* ---- a member ---- */

/* Messages are about the archive, at the local header of the member. */
static tl_status check_entry(const tl_source *archive, const entry *found, const char *name, tl_error *error) {
    char got[60];
    if (found->flags & 1) return tl_source_expected(archive, 0, "an encrypted member", error, "an unencrypted member %s", name);
    if (found->method != 0 && found->method != 8) {
        snprintf(got, sizeof got, "method %d", found->method);
        return tl_source_expected(archive, 0, got, error, "%s stored or compressed by deflate", name);
    }
    snprintf(got, sizeof got, "%" PRIu64 " from %" PRIu64, found->size, found->packed);
    if (found->method == 0 ? found->size != found->packed : found->size / LARGEST_RATIO > found->packed)
        return tl_source_expected(archive, 0, got, error, "at most as many bytes of %s as its %s compressed bytes can expand to",
                                  name, found->method ? "deflated" : "stored");
    if (found->size <= LARGE || found->size / PLAUSIBLE_RATIO <= found->packed) return TL_OK;
    return tl_source_expected(archive, 0, got, error,
                              "at most %d bytes of %s from a compressed member; numpy.savez stores members without compression",
                              PLAUSIBLE_RATIO, name);
}

/* Goes to the first byte of a member. */
static tl_status find_bytes(tl_source *archive, const entry *found, const char *name, tl_error *error) {
    unsigned char local[LOCAL_SIZE] = {0};
    if (tl_source_seek(archive, found->offset, error) != TL_OK || check_entry(archive, found, name, error) != TL_OK)
        return error->status;
    read_record(archive, local, sizeof local, 3, 4, "a member of a zip archive", error);
    tl_source_seek(archive, archive->where.offset + get16(local + 26) + get16(local + 28), error);
    if (tl_failed(error) || found->packed <= archive->left) return error->status;
    return tl_source_expected(archive, 0, "the end of the file", error, "%" PRIu64 " bytes of %s", found->packed, name);
}

tl_status tl_zip_enter(tl_source *archive, const char *const *names, size_t count, tl_error *error) {
    entry found = {0};
    const char *name = NULL;
    if (tl_failed(error) || find_entry(archive, names, count, &found, &name, error) != TL_OK ||
        find_bytes(archive, &found, name, error) != TL_OK)
        return error->status;
    archive->begin = archive->where.offset;
    archive->compressed = found.method != 0;
    archive->inflate = tl_inflate_new(archive->file, found.packed, found.method != 0, found.checksum);
    if (!archive->inflate) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", archive->where.path);
    archive->where.member = name;
    archive->where.offset = 0;
    archive->left = found.size;
    return TL_OK;
}
