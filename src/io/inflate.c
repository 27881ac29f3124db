#include "io/inflate.h"

#include "io/crc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct tl_inflate {
    z_stream stream;
    FILE *file;
    bool deflated;
    uint64_t left; /* compressed bytes that are not read yet */
    uint32_t checksum, expected_checksum;
    unsigned char buffer[16384];
};

tl_inflate *tl_inflate_new(FILE *file, uint64_t packed, bool deflated, uint32_t checksum) {
    tl_inflate *self = malloc(sizeof *self);
    if (!self) return NULL;
    self->stream = (z_stream){0};
    self->file = file;
    self->deflated = deflated;
    self->left = packed;
    self->checksum = 0;
    self->expected_checksum = checksum;
    if (!deflated || inflateInit2(&self->stream, -MAX_WBITS) == Z_OK) return self;
    free(self);
    return NULL;
}

void tl_inflate_free(tl_inflate *self) {
    if (self && self->deflated) inflateEnd(&self->stream);
    free(self);
}

static tl_status read_packed(tl_inflate *self, void *to, size_t count, const tl_text *where, tl_error *error) {
    self->left -= count;
    if (fread(to, 1, count, self->file) == count) return TL_OK;
    return tl_fail(error, TL_ERROR_FILE, "%s: %s", where->path,
                   ferror(self->file) ? strerror(errno) : "the file has become shorter");
}

static tl_status inflate_bytes(tl_inflate *self, void *to, size_t count, const tl_text *where, tl_error *error) {
    z_stream *stream = &self->stream;
    stream->next_out = to;
    stream->avail_out = (uInt)count;
    while (stream->avail_out > 0) {
        if (stream->avail_in == 0 && self->left > 0) {
            const size_t part = self->left < sizeof self->buffer ? (size_t)self->left : sizeof self->buffer;
            if (read_packed(self, self->buffer, part, where, error) != TL_OK) return error->status;
            stream->next_in = self->buffer;
            stream->avail_in = (uInt)part;
        }
        const int code = inflate(stream, Z_NO_FLUSH);
        if (code == Z_MEM_ERROR) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", where->path);
        if (code != Z_OK && (code != Z_STREAM_END || stream->avail_out > 0))
            return tl_text_fail(where, NULL, error, "expected compressed data, got %s", stream->msg ? stream->msg : "their end");
    }
    return TL_OK;
}

tl_status tl_inflate_read(tl_inflate *self, void *to, size_t count, bool last, const tl_text *where, tl_error *error) {
    if (count == 0) return TL_OK;
    if ((self->deflated ? inflate_bytes : read_packed)(self, to, count, where, error) != TL_OK) return error->status;
    self->checksum = tl_crc_of(self->checksum, to, count);
    if (!last || self->checksum == self->expected_checksum) return TL_OK;
    return tl_text_fail(where, NULL, error, "expected the checksum %08" PRIx32 ", got %08" PRIx32, self->expected_checksum,
                        self->checksum);
}
