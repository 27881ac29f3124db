#include "read/stored.h"

#include "base/math.h"
#include "base/memory.h"
#include "data/missing_policy.h"
#include "io/system.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tl_stored {
    int file;
    tl_file_state state; /* when it was opened */
    char *path;
    uint64_t begin; /* of the first series, in bytes */
    tl_number_type type;
    tl_missing_policy missing;
    size_t count, length, channels;
    size_t samples;           /* series, or windows */
    const size_t *lengths;    /* (count); NULL: whole series */
    const tl_window *windows; /* what is read instead of series; NULL: series */
    size_t window;            /* steps of each */
    bool each;                /* scale each series by itself */
    tl_rescaling by;          /* scale each channel; empty: not */
};

tl_stored *tl_stored_new(const tl_source *source, const tl_number_type *type, tl_missing_policy missing, size_t count,
                         size_t length, size_t channels, tl_error *error) {
    tl_stored *self = tl_failed(error) ? NULL : calloc(1, sizeof *self);
    if (!self) {
        tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", source->where.path);
        return NULL;
    }
    *self = (tl_stored){.file = tl_system_duplicate(fileno(source->file)),
                        .path = strdup(source->where.path),
                        .begin = source->begin + source->where.offset,
                        .type = *type,
                        .missing = missing,
                        .count = count,
                        .samples = count,
                        .length = length,
                        .channels = channels};
    if (self->path && self->file >= 0 && tl_system_state(self->file, &self->state)) return self;
    tl_fail(error, TL_ERROR_FILE, "%s: %s", source->where.path, strerror(errno));
    tl_stored_free(self);
    return NULL;
}

void tl_stored_free(tl_stored *self) {
    if (!self) return;
    if (self->file >= 0) tl_system_close(self->file);
    tl_rescaling_release(&self->by);
    free(self->path);
    free(self);
}

/* ---- reading ---- */

static size_t steps_of(const tl_stored *self, size_t i) { return self->lengths ? self->lengths[i] : self->length; }

/* What is read in one go: a series, or the part of it that a window needs; and where it goes in the batch. */
typedef struct extent {
    uint32_t sample, place; /* samples have the order of the file, also those that are windows */
} extent;

enum {
    PIECE = 1 << 16,
    GAP = 1 << 12
}; /* bytes: the most that is read at once; reading so many takes less time than another read */

enum { MAX_ROWS = 8, ROWS = 1 << 16 }; /* series that are scaled together, and their bytes, unless one has more */

/* Memory for some series, and for the extents of a batch. */
typedef struct room {
    unsigned char *bytes; /* (piece) as in the file */
    size_t piece;
    double *row; /* (rows, length, channels) */
    size_t rows;
    extent *extents, *sorted; /* (count) each */
    tl_real *x;               /* the batch that is filled: (count, length, channels) */
} room;

static bool begin_room(const tl_stored *self, size_t count, room *to, tl_error *error) {
    const size_t each = self->length * self->channels, bytes = each * self->type.size;
    to->piece = count > 1 ? tl_max(bytes, PIECE) : bytes;
    to->bytes = tl_reserve(to->piece, 1, "a series", error);
    to->rows = tl_min(tl_max(ROWS / (each * sizeof *to->row), 1), tl_min(MAX_ROWS, count));
    to->row = tl_reserve(to->rows * each, sizeof *to->row, "a series", error);
    to->extents = tl_reserve(count, sizeof *to->extents, "the order of series", error);
    to->sorted = tl_reserve(count, sizeof *to->sorted, "the order of series", error);
    return to->bytes && to->row && to->extents && to->sorted;
}

static void end_room(room *of) {
    tl_release(of->bytes);
    tl_release(of->row);
    tl_release(of->extents);
    tl_release(of->sorted);
}

static tl_status changed(const tl_stored *self, tl_error *error) {
    return tl_fail(error, TL_ERROR_FILE, "%s: changed after it was opened; series are read from it while they are needed",
                   self->path);
}

static tl_status check_unchanged(const tl_stored *self, tl_error *error) {
    tl_file_state now;
    if (!tl_system_state(self->file, &now)) return tl_fail(error, TL_ERROR_FILE, "%s: %s", self->path, strerror(errno));
    const bool same =
        now.size == self->state.size && now.seconds == self->state.seconds && now.nanoseconds == self->state.nanoseconds;
    return same ? TL_OK : changed(self, error);
}

static size_t step_bytes(const tl_stored *self) { return self->channels * self->type.size; }

/* Missing values that are replaced by means of the rest of their series need all of it. */
static bool needs_whole(const tl_stored *self) {
    return !self->windows || self->missing == TL_MISSING_INTERPOLATE || self->missing == TL_MISSING_MEAN;
}

static size_t extent_bytes(const tl_stored *self) { return (needs_whole(self) ? self->length : self->window) * step_bytes(self); }

/* Offset of its first byte after the first byte of all series. */
static size_t offset_of(const tl_stored *self, const extent *of) {
    const tl_window window = self->windows ? self->windows[of->sample] : (tl_window){.series = of->sample};
    return (window.series * self->length + (needs_whole(self) ? 0 : window.start)) * step_bytes(self);
}

static tl_status read_bytes(const tl_stored *self, size_t offset, size_t count, room *to, tl_error *error) {
    if (tl_system_read_at(self->file, to->bytes, count, self->begin + offset)) return TL_OK;
    return errno == 0 ? changed(self, error) : tl_fail(error, TL_ERROR_FILE, "%s: %s", self->path, strerror(errno));
}

/* Converts steps to numbers, before scaling; the first `counted` of them were checked when the data set was read. */
static tl_status convert(const tl_stored *self, const unsigned char *bytes, size_t steps, size_t counted, double *row,
                         tl_error *error) {
    if (tl_numbers_of(bytes, &self->type, steps * self->channels, row)) return TL_OK;
    if (self->missing != TL_MISSING_REFUSE && self->missing != TL_MISSING_TAIL)
        tl_missing_fill(self->missing, row, steps, self->channels);
    for (size_t k = 0; k < counted * self->channels; k++)
        if (!tl_number_fits(row[k])) return changed(self, error);
    return TL_OK;
}

/* Scales series, and writes each to its place, rounded. */
static void scale(const tl_stored *self, const tl_series *all) {
    const size_t each = all->length * all->channels;
    if (self->each)
        tl_scale_each(all);
    else if (self->by.shift)
        tl_scale_by(all, &self->by);
    else
        for (size_t i = 0; i < all->count; i++)
            for (size_t k = 0; k < all->lengths[i] * all->channels; k++) all->to[i][k] = (tl_real)all->wide[i * each + k];
}

/* The places of small series are far from each other: they are loaded while other series are converted. */
static void prefetch(const tl_real *to, size_t count) {
    enum { LINE = TL_ALIGNMENT / sizeof *to, MOST = 4 * LINE };
    for (size_t k = 0; k < tl_min(count, (size_t)MOST); k += LINE) __builtin_prefetch(to + k, 1);
}

/* Writes some series that were read to their places in the batch. `bytes`: those that were read, from `from` on after the first
 * byte of all series. */
static tl_status take(const tl_stored *self, const extent *of, size_t count, const unsigned char *bytes, size_t from, room *by,
                      tl_error *error) {
    const size_t whole = needs_whole(self) ? self->length : self->window, channels = self->channels;
    const size_t each = self->windows ? self->window : self->length;
    size_t steps[MAX_ROWS];
    tl_real *to[MAX_ROWS];
    for (size_t i = 0; i < count; i++) {
        to[i] = by->x + of[i].place * each * channels;
        prefetch(to[i], each * channels);
    }
    for (size_t i = 0; i < count; i++) {
        const size_t sample = of[i].sample, counted = self->windows ? whole : steps_of(self, sample);
        const size_t skipped = self->windows && needs_whole(self) ? self->windows[sample].start : 0;
        double *row = by->row + i * whole * channels;
        steps[i] = self->windows ? each : counted;
        if (convert(self, bytes + (offset_of(self, of + i) - from), whole, counted, row, error) != TL_OK) return error->status;
        if (skipped > 0) memmove(row, row + skipped * channels, steps[i] * channels * sizeof *row);
    }
    scale(self, &(tl_series){.wide = by->row, .lengths = steps, .count = count, .length = whole, .channels = channels, .to = to});
    return TL_OK;
}

enum { DIGIT = 8, DIGITS = 1 << DIGIT }; /* bits of a digit, and its values */

static size_t digit_of(const extent *of, int digit) { return (of->sample >> (digit * DIGIT)) % DIGITS; }

/* Sorts by a digit of the sample; extents with the same digit keep their order. */
static void sort_by_digit(room *of, size_t count, int digit) {
    extent *const from = of->extents, *const to = of->sorted;
    size_t next[DIGITS + 1] = {0};
    for (size_t i = 0; i < count; i++) next[1 + digit_of(&from[i], digit)]++;
    for (size_t value = 1; value < DIGITS; value++) next[value] += next[value - 1];
    for (size_t i = 0; i < count; i++) to[next[digit_of(&from[i], digit)]++] = from[i];
    of->extents = to;
    of->sorted = from;
}

/* Sorts the extents of a batch by their place in the file, from the last digit to the first. */
static void sort_extents(const tl_stored *self, size_t count, room *of) {
    for (int digit = 0; self->samples >> (digit * DIGIT) > 0; digit++) sort_by_digit(of, count, digit);
}

/* Returns how many of the extents are read together: neighbours that fit in the memory for a piece. */
static size_t count_near(const tl_stored *self, const extent *first, size_t count, size_t piece) {
    const size_t size = extent_bytes(self), begin = offset_of(self, first);
    size_t n = 1;
    while (n < count && offset_of(self, first + n) + size - begin <= piece &&
           offset_of(self, first + n) <= offset_of(self, first + n - 1) + size + GAP)
        n++;
    return n;
}

static tl_status fill(void *user, const uint32_t *index, size_t count, tl_real *x, tl_error *error) {
    const tl_stored *self = user;
    room by = {.x = x};
    if (begin_room(self, count, &by, error)) check_unchanged(self, error);
    for (size_t i = 0; i < count && !tl_failed(error); i++) by.extents[i] = (extent){index[i], (uint32_t)i};
    if (!tl_failed(error)) sort_extents(self, count, &by);
    for (size_t i = 0, near; i < count && !tl_failed(error); i += near) {
        const extent *first = by.extents + i;
        const size_t begin = offset_of(self, first);
        near = count_near(self, first, count - i, by.piece);
        read_bytes(self, begin, offset_of(self, first + near - 1) + extent_bytes(self) - begin, &by, error);
        for (size_t k = 0; k < near && !tl_failed(error); k += by.rows)
            take(self, first + k, tl_min(near - k, by.rows), by.bytes, begin, &by, error);
    }
    end_room(&by);
    return error->status;
}

static void release(void *user) { tl_stored_free(user); }

tl_batches tl_stored_batches(tl_stored *self) { return (tl_batches){fill, self, release}; }

tl_batches tl_stored_windows(tl_batches *series, const tl_dataset *parts) {
    const tl_batches taken = *series;
    tl_stored *self = taken.user;
    self->lengths = NULL; /* of the series, which are freed */
    self->windows = parts->windows;
    self->window = parts->x.shape[1];
    self->samples = parts->x.shape[0];
    *series = (tl_batches){0};
    return taken;
}

/* ---- scaling ---- */

typedef struct row_reader {
    const tl_stored *of;
    room room;
} row_reader;

static tl_status read_row(void *user, size_t i, double *to, tl_error *error) {
    row_reader *self = user;
    const tl_stored *of = self->of;
    const size_t bytes = of->length * step_bytes(of);
    if (read_bytes(of, i * bytes, bytes, &self->room, error) == TL_OK &&
        convert(of, self->room.bytes, of->length, steps_of(of, i), self->room.row, error) == TL_OK)
        memcpy(to, self->room.row, of->length * of->channels * sizeof *to);
    return error->status;
}

static tl_status scale_set(tl_stored *self, const tl_scaling *reference, tl_scaling *scaling, tl_error *error) {
    row_reader rows = {.of = self};
    const tl_series_reader reader = {read_row, &rows, self->lengths, self->count, self->length, self->channels};
    if (begin_room(self, 1, &rows.room, error)) tl_scaling_find(&reader, &(tl_scaling){0}, reference, scaling, &self->by, error);
    end_room(&rows.room);
    return error->status;
}

tl_status tl_stored_scale(tl_stored *self, const size_t *lengths, tl_normalization kind, const tl_scaling *reference,
                          tl_scaling *scaling, tl_error *error) {
    *scaling = (tl_scaling){.kind = kind};
    self->lengths = lengths;
    self->each = kind == TL_NORMALIZE_SERIES;
    return kind == TL_NORMALIZE_SET ? scale_set(self, reference, scaling, error) : error->status;
}
