#include "data/scaled_batches.h"

#include "base/memory.h"
#include "base/scaling.h"
#include "data/batches.h"
#include "data/scaling.h"

#include <stdlib.h>

/* Batches of another tl_batches, each series of which is scaled after it was filled. */
typedef struct scaled {
    tl_batches of;
    const size_t *lengths; /* those of the data set; NULL: whole series */
    size_t length, channels;
    bool each;       /* each series by itself; else: */
    tl_rescaling by; /* each channel */
} scaled;

static tl_status fill(void *user, const uint32_t *index, size_t count, tl_real *x, tl_error *error) {
    const scaled *self = user;
    const tl_status status = self->of.fill(self->of.user, index, count, x, error);
    for (size_t i = 0; status == TL_OK && i < count; i++) {
        const tl_series one = {.narrow = x + i * self->length * self->channels,
                               .lengths = self->lengths ? &self->lengths[index[i]] : NULL,
                               .count = 1,
                               .length = self->length,
                               .channels = self->channels};
        if (self->each)
            tl_scale_each(&one);
        else
            tl_scale_by(&one, &self->by);
    }
    return status;
}

static void release(void *user) {
    scaled *self = user;
    if (self->of.release) self->of.release(self->of.user);
    tl_rescaling_release(&self->by);
    free(self);
}

/* ---- statistics ---- */

/* Reads series one by one. */
typedef struct row_reader {
    const tl_dataset *data;
    tl_real *row; /* (length, channels) */
} row_reader;

static tl_status read_row(void *user, size_t i, double *to, tl_error *error) {
    const row_reader *self = user;
    const uint32_t index = (uint32_t)i;
    if (tl_series_copy(self->data, &index, 1, self->row, error) != TL_OK) return error->status;
    for (size_t k = 0; k < self->data->x.shape[1] * self->data->x.shape[2]; k++) to[k] = (double)self->row[k];
    return TL_OK;
}

static tl_status find_set(const tl_dataset *data, const tl_scaling *reference, tl_scaling *after, tl_rescaling *by,
                          tl_error *error) {
    const size_t *shape = data->x.shape;
    row_reader rows = {data, tl_reserve(shape[1] * shape[2], sizeof *rows.row, "a series", error)};
    const tl_series_reader reader = {read_row, &rows, data->lengths, shape[0], shape[1], shape[2]};
    if (rows.row) tl_scaling_find(&reader, &data->scaling, reference, after, by, error);
    tl_release(rows.row);
    return error->status;
}

/* ---- scaling ---- */

/* What is done to the series; *after: [OUT] how they are then scaled. */
static tl_status find(const tl_dataset *data, tl_normalization kind, const tl_scaling *reference, tl_scaling *after, scaled *self,
                      tl_error *error) {
    *after = (tl_scaling){.kind = kind};
    self->each = kind == TL_NORMALIZE_SERIES;
    if (kind == TL_NORMALIZE_SET) return find_set(data, reference, after, &self->by, error);
    if (self->each || tl_rescaling_begin(&self->by, self->channels, error) != TL_OK) return error->status;
    tl_rescaling_undo(&self->by, &data->scaling, self->channels);
    return TL_OK;
}

tl_status tl_batches_scale(tl_dataset *data, tl_normalization kind, const tl_scaling *reference, tl_error *error) {
    tl_scaling after;
    const bool same = kind == data->scaling.kind || (kind == TL_NORMALIZE_NONE && data->scaling.kind == TL_NORMALIZE_DEFAULT);
    if (same && kind != TL_NORMALIZE_SET) {
        data->scaling.kind = kind;
        return TL_OK;
    }
    scaled *self = calloc(1, sizeof *self);
    if (!self) return tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    *self = (scaled){.of = data->batches, .lengths = data->lengths, .length = data->x.shape[1], .channels = data->x.shape[2]};
    if (find(data, kind, reference, &after, self, error) != TL_OK) {
        free(self);
        return error->status;
    }
    tl_scaling_free(&data->scaling);
    data->scaling = after;
    data->batches = (tl_batches){fill, self, release};
    return TL_OK;
}
