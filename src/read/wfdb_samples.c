#include "data/missing_policy.h"
#include "read/folder.h"
#include "read/wfdb.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1024, WIDEST = 4 }; /* frames in one read; maximum bytes of a sample */

/* ---- stored samples ---- */

static double sample_of(const unsigned char *bytes, const tl_wfdb_format *format, size_t index) {
    if (format->type.size > 0) return tl_number_of(bytes + index * format->type.size, &format->type);
    const unsigned char *pair = bytes + index / 2 * 3;
    const int value = index % 2 ? pair[2] | (pair[1] & 0xF0) << 4 : pair[0] | (pair[1] & 0x0F) << 8;
    return (value ^ 0x800) - 0x800;
}

/* Returns the bytes from the first of `count` samples to the last; format 212 stores pairs of samples in three bytes. */
static size_t bytes_of(const tl_wfdb_format *format, size_t count) {
    return format->type.size > 0 ? format->type.size * count : count / 2 * 3 + count % 2 * 2;
}

static uint64_t samples_in(const tl_wfdb_format *format, uint64_t bytes) {
    return format->type.size > 0 ? bytes / format->type.size : bytes / 3 * 2 + bytes % 3 / 2;
}

/* Reads at most PIECE frames of the signals of one file; other signals of the row are unchanged. */
static tl_status read_piece(tl_record *self, size_t f, size_t start, size_t frames, tl_missing_policy policy, double *row,
                            tl_error *error) {
    const tl_wfdb_file *file = &self->header.file[f];
    const tl_wfdb_format *format = file->format;
    tl_source *source = &self->file[f];
    const size_t first = start * file->signals, skipped = format->type.size > 0 ? 0 : first % 2,
                 count = frames * file->signals + skipped;
    tl_source_seek(source, file->offset + bytes_of(format, first - skipped), error);
    if (tl_source_read(source, self->block, bytes_of(format, count), "samples", error) != TL_OK) return error->status;
    for (size_t i = skipped; i < count; i++) {
        const size_t signal = file->first + (i - skipped) % file->signals, t = (i - skipped) / file->signals;
        const double sample = sample_of(self->block, format, i);
        const double value = (sample - self->header.signal[signal].baseline) / self->header.signal[signal].gain;
        const bool missing = sample == format->missing;
        if (missing ? policy == TL_MISSING_REFUSE : !tl_number_fits(value))
            return tl_source_expected(source, bytes_of(format, count) - bytes_of(format, i), "none", error,
                                      "a sample" TL_MISSING_HINT);
        row[t * self->header.signals + signal] = missing ? (double)NAN : value;
    }
    return TL_OK;
}

tl_status tl_record_read(tl_record *self, size_t start, size_t count, tl_missing_policy policy, double *row, tl_error *error) {
    for (size_t done = 0, part; done < count && !tl_failed(error); done += part) {
        part = count - done < PIECE ? count - done : PIECE;
        for (size_t f = 0; f < self->header.files && !tl_failed(error); f++)
            read_piece(self, f, start + done, part, policy, row + done * self->header.signals, error);
    }
    return error->status;
}

/* ---- the files ---- */

static tl_status read_header(const char *path, tl_wfdb *header, tl_error *error) {
    tl_text text;
    if (tl_text_open(&text, path, error) == TL_OK) tl_wfdb_header(&text, header, error);
    tl_text_release(&text);
    return error->status;
}

/* Goes to the first sample. Checks that the file has all samples of the header, or sets their number. */
static tl_status check_file(tl_record *self, size_t f, tl_error *error) {
    const tl_wfdb_file *file = &self->header.file[f];
    tl_source *source = &self->file[f];
    char got[40];
    if (tl_source_seek(source, file->offset, error) != TL_OK) return error->status;
    const size_t frames = (size_t)samples_in(file->format, source->left) / file->signals;
    snprintf(got, sizeof got, "%zu", frames);
    if (self->header.frames > frames)
        return tl_source_expected(source, 0, got, error, "%zu samples of each signal, as the header says", self->header.frames);
    if (self->header.frames == 0) self->header.frames = frames;
    return TL_OK;
}

tl_status tl_record_open(tl_record *self, const char *path, tl_error *error) {
    *self = (tl_record){0};
    if (read_header(path, &self->header, error) != TL_OK) return error->status;
    for (size_t f = 0; f < self->header.files && !tl_failed(error); f++)
        if ((self->path[f] = tl_wfdb_beside(path, self->header.file[f].name, error)) &&
            tl_source_open(&self->file[f], self->path[f], error) == TL_OK)
            check_file(self, f, error);
    if (tl_failed(error)) return error->status;
    self->block = malloc((PIECE * self->header.signals + 1) * WIDEST);
    return self->block ? TL_OK : tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
}

void tl_record_close(tl_record *self) {
    for (size_t f = 0; f < TL_WFDB_SIGNALS; f++) {
        tl_source_close(&self->file[f]);
        free(self->path[f]);
    }
    free(self->block);
    *self = (tl_record){0};
}
