#include "read/wav.h"

#include <inttypes.h>
#include <string.h>

enum { FORMAT_SIZE = 16, EXTENDED_SIZE = 26, PCM = 1, IEEE_FLOAT = 3, EXTENSIBLE = 0xFFFE };

static uint64_t get(const unsigned char *bytes, size_t size) { return tl_integer_of(bytes, &(tl_number_type){.size = size}); }

/* Goes to the chunk with this name; *size [OUT]: the bytes that it claims to have. */
static tl_status find_chunk(tl_source *source, const char *name, uint64_t *size, tl_error *error) {
    unsigned char head[8] = {0};
    while (tl_source_read(source, head, sizeof head, name, error) == TL_OK) {
        *size = get(head + 4, 4);
        if (memcmp(head, name, 4) == 0) return TL_OK;
        tl_source_seek(source, source->where.offset + *size + *size % 2, error);
    }
    return error->status;
}

/* Fails if the chunk is cut off. */
static tl_status check_chunk(const tl_source *source, const char *name, uint64_t size, tl_error *error) {
    char got[60];
    snprintf(got, sizeof got, "%" PRIu64 " before the end of the file", source->left);
    return size <= source->left ? TL_OK : tl_source_expected(source, 0, got, error, "%" PRIu64 " bytes of %s", size, name);
}

static tl_status set_type(const tl_source *source, tl_wav *wav, unsigned tag, size_t bits, tl_error *error) {
    char got[60];
    wav->type = (tl_number_type){.kind = tag == PCM ? TL_SIGNED : TL_FLOAT, .size = bits / 8, .scale = 1};
    if (tag == PCM && bits == 8) {
        wav->type = (tl_number_type){.kind = TL_UNSIGNED, .size = 1, .zero = 128, .scale = 1.0 / 128};
        return TL_OK;
    }
    if (tag == PCM && (bits == 16 || bits == 24 || bits == 32)) {
        wav->type.scale = 1 / (double)(UINT64_C(1) << (bits - 1));
        return TL_OK;
    }
    if (tag == IEEE_FLOAT && (bits == 32 || bits == 64)) return TL_OK;
    snprintf(got, sizeof got, "format %u of %zu bits", tag, bits);
    return tl_source_expected(source, 0, got, error, "PCM (format 1) of 8, 16, 24 or 32 bits or floats (format 3) of 32 or 64");
}

static tl_status read_format(tl_source *source, tl_wav *wav, tl_error *error) {
    unsigned char bytes[EXTENDED_SIZE] = {0};
    uint64_t size = 0;
    char got[60];
    if (find_chunk(source, "fmt ", &size, error) != TL_OK || check_chunk(source, "fmt ", size, error) != TL_OK)
        return error->status;
    const uint64_t end = source->where.offset + size + size % 2;
    if (tl_source_read(source, bytes, size < EXTENDED_SIZE ? FORMAT_SIZE : EXTENDED_SIZE, "fmt ", error) != TL_OK)
        return error->status;
    const unsigned tag = (unsigned)get(bytes, 2),
                   extended = (unsigned)get(bytes + 24, 2); /* the first bytes of the GUID are the format */
    const size_t bits = get(bytes + 14, 2), frame = get(bytes + 12, 2);
    wav->channels = get(bytes + 2, 2);
    wav->rate = get(bytes + 4, 4);
    if (set_type(source, wav, tag == EXTENSIBLE ? extended : tag, bits, error) != TL_OK) return error->status;
    snprintf(got, sizeof got, "%zu bytes for %zu channels", frame, wav->channels);
    if (wav->channels == 0 || frame != wav->channels * wav->type.size)
        return tl_source_expected(source, 0, got, error, "a frame of %zu bytes for each channel", wav->type.size);
    return tl_source_seek(source, end, error);
}

/* RF64: reads the number of bytes of the samples from its first chunk. */
static tl_status read_long_size(tl_source *source, uint64_t *size, tl_error *error) {
    unsigned char bytes[24] = {0};
    uint64_t own = 0;
    if (find_chunk(source, "ds64", &own, error) != TL_OK) return error->status;
    const uint64_t end = source->where.offset + own + own % 2;
    if (tl_source_read(source, bytes, sizeof bytes, "ds64", error) != TL_OK) return error->status;
    *size = get(bytes + 8, 8);
    return tl_source_seek(source, end, error);
}

/* A program that writes to a pipe does not know the size, and leaves 0 or at least 2 GiB: the samples then extend to the end of the
 * file. If the size of the whole file, `all`, is correct, 0 means that there are no samples. */
static bool is_open(const tl_source *source, uint64_t size, uint64_t all) {
    enum { HEAD = 8, STREAM = 0x7FFF0000 };
    return size == 0 ? all == 0 || all >= STREAM || all + HEAD <= source->where.offset : size > source->left && size >= STREAM;
}

tl_status tl_wav_header(tl_source *source, tl_wav *wav, tl_error *error) {
    unsigned char head[12] = {0};
    uint64_t size = 0, long_size = 0;
    char got[60];
    *wav = (tl_wav){0};
    if (tl_source_read(source, head, sizeof head, "a RIFF header", error) != TL_OK) return error->status;
    const bool is_long = memcmp(head, "RF64", 4) == 0;
    if ((!is_long && memcmp(head, "RIFF", 4) != 0) || memcmp(head + 8, "WAVE", 4) != 0)
        return tl_source_expected(source, sizeof head, "other bytes", error, "a WAVE file (RIFF …WAVE)");
    if ((is_long && read_long_size(source, &long_size, error) != TL_OK) || read_format(source, wav, error) != TL_OK ||
        find_chunk(source, "data", &size, error) != TL_OK)
        return error->status;
    if (is_long && size == UINT32_MAX)
        size = long_size;
    else if (is_open(source, size, get(head + 4, 4)))
        size = source->left;
    if (check_chunk(source, "data", size, error) != TL_OK) return error->status;
    const size_t frame = wav->channels * wav->type.size;
    snprintf(got, sizeof got, "%" PRIu64 " bytes", size);
    wav->frames = frame > 0 ? (size_t)size / frame : 0;
    return wav->frames > 0 ? TL_OK : tl_source_expected(source, 0, got, error, "frames of %zu bytes", frame);
}
