#include "io/zip_write.h"

#include "io/crc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A member, which is written or being written. */
typedef struct member {
    char name[TL_ZIP_NAME + 1];
    uint64_t offset, size; /* of its local header in the archive; of its data */
    uint32_t checksum;
} member;

struct tl_zip_writer {
    tl_writer *file;
    uint64_t written; /* bytes of the archive */
    member member[TL_ZIP_MEMBERS];
    size_t members;
};

/* A record that is composed, in little-endian order. */
typedef struct record {
    unsigned char bytes[160];
    size_t size;
} record;

static void put(record *to, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; i++) to->bytes[to->size++] = (unsigned char)(value >> 8 * i);
}

static void put_name(record *to, const char *name) {
    memcpy(to->bytes + to->size, name, strlen(name));
    to->size += strlen(name);
}

static tl_status append(tl_zip_writer *self, const void *data, size_t size, tl_error *error) {
    self->written += size;
    return tl_writer_add(self->file, data, size, error);
}

tl_zip_writer *tl_zip_writer_new(const char *path, tl_error *error) {
    tl_zip_writer *self = tl_failed(error) ? NULL : calloc(1, sizeof *self);
    if (!self) {
        tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    self->file = tl_writer_new(path, error);
    if (self->file) return self;
    free(self);
    return NULL;
}

void tl_zip_writer_free(tl_zip_writer *self) {
    if (self) tl_writer_free(self->file);
    free(self);
}

/* ---- members ---- */

enum { LOCAL = 0x04034b50, ENTRY = 0x02014b50, END = 0x06054b50, LARGE_END = 0x06064b50, LOCATOR = 0x07064b50 }; /* signatures */
enum { VERSION = 45 /* has numbers of 64 bits */, UTF8 = 0x800, DAY = 0x21 /* 1980-01-01, as NumPy writes */, LARGE_FIELD = 1 };

/* Version, flags, method (stored), time and day of a member. */
static void put_kind(record *to) {
    put(to, VERSION, 2);
    put(to, UTF8, 2);
    put(to, 0, 4);
    put(to, DAY, 2);
}

/* The sizes are in an extra field, with 64 bits, because they are unknown when the header is first written. */
static record local_header(const member *of) {
    record header = {.size = 0};
    put(&header, LOCAL, 4);
    put_kind(&header);
    put(&header, of->checksum, 4);
    put(&header, UINT32_MAX, 4);
    put(&header, UINT32_MAX, 4);
    put(&header, strlen(of->name), 2);
    put(&header, 20, 2);
    put_name(&header, of->name);
    put(&header, LARGE_FIELD, 2);
    put(&header, 16, 2);
    put(&header, of->size, 8);
    put(&header, of->size, 8);
    return header;
}

/* Writes the header of the last member again, with its sizes. */
static tl_status end_member(tl_zip_writer *self, tl_error *error) {
    if (self->members == 0) return error->status;
    const member *last = &self->member[self->members - 1];
    const record header = local_header(last);
    return tl_writer_replace(self->file, last->offset, header.bytes, header.size, error);
}

tl_status tl_zip_writer_begin(tl_zip_writer *self, const char *name, tl_error *error) {
    if (tl_failed(error) || end_member(self, error) != TL_OK) return error->status;
    if (self->members == TL_ZIP_MEMBERS || strlen(name) > TL_ZIP_NAME)
        return tl_fail(error, TL_ERROR_ARGUMENT, "%s: is too long a name, or one member too many, for an archive", name);
    member *fresh = &self->member[self->members++];
    fresh->offset = self->written;
    snprintf(fresh->name, sizeof fresh->name, "%s", name);
    const record header = local_header(fresh);
    return append(self, header.bytes, header.size, error);
}

tl_status tl_zip_writer_add(tl_zip_writer *self, const void *data, size_t size, tl_error *error) {
    member *last = &self->member[self->members - 1];
    last->checksum = tl_crc_of(last->checksum, data, size);
    last->size += size;
    return append(self, data, size, error);
}

/* ---- the directory ---- */

static uint64_t in_32_bits(uint64_t value) { return value < UINT32_MAX ? value : UINT32_MAX; }

/* Numbers that do not fit into 32 bits are in an extra field. */
static record entry_of(const member *of) {
    const uint64_t numbers[] = {of->size, of->size, of->offset};
    record entry = {.size = 0};
    size_t large = 0;
    for (size_t i = 0; i < 3; i++) large += numbers[i] >= UINT32_MAX;
    put(&entry, ENTRY, 4);
    put(&entry, VERSION | 3 << 8 /* Unix */, 2);
    put_kind(&entry);
    put(&entry, of->checksum, 4);
    put(&entry, in_32_bits(of->size), 4);
    put(&entry, in_32_bits(of->size), 4);
    put(&entry, strlen(of->name), 2);
    put(&entry, large > 0 ? 4 + 8 * large : 0, 2);
    put(&entry, 0, 6); /* no comment, disk, attributes */
    put(&entry, (uint64_t)0100644 << 16, 4);
    put(&entry, in_32_bits(of->offset), 4);
    put_name(&entry, of->name);
    if (large > 0) put(&entry, LARGE_FIELD | (uint64_t)(8 * large) << 16, 4);
    for (size_t i = 0; i < 3; i++)
        if (numbers[i] >= UINT32_MAX) put(&entry, numbers[i], 8);
    return entry;
}

/* The end of an archive with numbers of 64 bits, and the place of that record. */
static void put_large_end(record *to, size_t members, uint64_t begin, uint64_t size) {
    put(to, LARGE_END, 4);
    put(to, 44, 8); /* bytes that follow */
    put(to, VERSION, 2);
    put(to, VERSION, 2);
    put(to, 0, 8);
    put(to, members, 8);
    put(to, members, 8);
    put(to, size, 8);
    put(to, begin, 8);
    put(to, LOCATOR, 4);
    put(to, 0, 4);
    put(to, begin + size, 8);
    put(to, 1, 4);
}

static record end_of(size_t members, uint64_t begin, uint64_t size) {
    record end = {.size = 0};
    if (begin >= UINT32_MAX) put_large_end(&end, members, begin, size);
    put(&end, END, 4);
    put(&end, 0, 4);
    put(&end, members, 2);
    put(&end, members, 2);
    put(&end, size, 4);
    put(&end, in_32_bits(begin), 4);
    put(&end, 0, 2);
    return end;
}

tl_status tl_zip_writer_end(tl_zip_writer *self, tl_error *error) {
    if (tl_failed(error) || end_member(self, error) != TL_OK) return error->status;
    const uint64_t begin = self->written;
    for (size_t i = 0; i < self->members; i++) {
        const record entry = entry_of(&self->member[i]);
        append(self, entry.bytes, entry.size, error);
    }
    const record end = end_of(self->members, begin, self->written - begin);
    append(self, end.bytes, end.size, error);
    return tl_writer_end(self->file, error);
}
