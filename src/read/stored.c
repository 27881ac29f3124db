#include "read/stored.h"

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

/* Memory for a series. */
typedef struct room {
    unsigned char *bytes; /* as in the file */
    double *row;          /* (length, channels) */
} room;

static bool begin_room(const tl_stored *self, room *to, tl_error *error) {
    const size_t each = self->length * self->channels;
    to->bytes = tl_reserve(each, self->type.size, "a series", error);
    to->row = tl_reserve(each, sizeof *to->row, "a series", error);
    return to->bytes && to->row;
}

static void end_room(room *of) {
    tl_release(of->bytes);
    tl_release(of->row);
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

/* Reads `steps` steps of a series, from `at` on, before scaling; the first `counted` of them were checked when the data set was
 * read. */
static tl_status read_steps(const tl_stored *self, tl_window at, size_t steps, size_t counted, room *to, tl_error *error) {
    const size_t each = steps * self->channels, step = self->channels * self->type.size;
    if (!tl_system_read_at(self->file, to->bytes, steps * step, self->begin + (at.series * self->length + at.start) * step))
        return errno == 0 ? changed(self, error) : tl_fail(error, TL_ERROR_FILE, "%s: %s", self->path, strerror(errno));
    if (tl_numbers_of(to->bytes, &self->type, each, to->row)) return TL_OK;
    if (self->missing != TL_MISSING_REFUSE && self->missing != TL_MISSING_TAIL)
        tl_missing_fill(self->missing, to->row, steps, self->channels);
    for (size_t k = 0; k < counted * self->channels; k++)
        if (!tl_number_fits(to->row[k])) return changed(self, error);
    return TL_OK;
}

static tl_status read_series(const tl_stored *self, size_t i, room *to, tl_error *error) {
    return read_steps(self, (tl_window){.series = i}, self->length, steps_of(self, i), to, error);
}

/* Missing values that are replaced by means of the rest of their series need all of it. */
static tl_status read_window(const tl_stored *self, tl_window at, room *to, tl_error *error) {
    const size_t each = self->window * self->channels;
    if (self->missing != TL_MISSING_INTERPOLATE && self->missing != TL_MISSING_MEAN)
        return read_steps(self, at, self->window, self->window, to, error);
    if (read_series(self, at.series, to, error) == TL_OK)
        memmove(to->row, to->row + at.start * self->channels, each * sizeof *to->row);
    return error->status;
}

static void scale(const tl_stored *self, double *row, size_t steps) {
    const tl_series one = {.wide = row, .count = 1, .length = steps, .channels = self->channels};
    if (self->each) tl_scale_each(&one);
    if (self->by.shift) tl_scale_by(&one, &self->by);
}

static tl_status fill(void *user, const uint32_t *index, size_t count, tl_real *x, tl_error *error) {
    const tl_stored *self = user;
    const size_t each = (self->windows ? self->window : self->length) * self->channels;
    room of;
    if (begin_room(self, &of, error)) check_unchanged(self, error);
    for (size_t i = 0; i < count && !tl_failed(error); i++) {
        const size_t steps = self->windows ? self->window : steps_of(self, index[i]);
        if (self->windows)
            read_window(self, self->windows[index[i]], &of, error);
        else
            read_series(self, index[i], &of, error);
        if (tl_failed(error)) break;
        scale(self, of.row, steps);
        for (size_t k = 0; k < steps * self->channels; k++) x[i * each + k] = (tl_real)of.row[k];
    }
    end_room(&of);
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
    if (read_series(self->of, i, &self->room, error) == TL_OK)
        memcpy(to, self->room.row, self->of->length * self->of->channels * sizeof *to);
    return error->status;
}

static tl_status scale_set(tl_stored *self, const tl_scaling *reference, tl_scaling *scaling, tl_error *error) {
    row_reader rows = {.of = self};
    const tl_series_reader reader = {read_row, &rows, self->lengths, self->count, self->length, self->channels};
    if (begin_room(self, &rows.room, error)) tl_scaling_find(&reader, &(tl_scaling){0}, reference, scaling, &self->by, error);
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
