#include "data/batches.h"

#include "base/argument.h"
#include "base/math.h"
#include "base/memory.h"

#include <string.h>

/* After its length, a series is 0. */
static void end_series(const tl_dataset *data, size_t sample, tl_real *x) {
    const size_t length = data->x.shape[1], channels = data->x.shape[2],
                 steps = data->lengths ? tl_min(data->lengths[sample], length) : length;
    memset(x + steps * channels, 0, (length - steps) * channels * sizeof *x);
}

tl_status tl_series_copy(const tl_dataset *data, const uint32_t *index, size_t count, tl_real *x, tl_error *error) {
    const size_t each = data->x.shape[1] * data->x.shape[2];
    if (!data->batches.fill) {
        for (size_t i = 0; i < count; i++) memcpy(x + i * each, data->x.data + index[i] * each, each * sizeof *x);
        return TL_OK;
    }
    const tl_status status = data->batches.fill(data->batches.user, index, count, x, error);
    if (status != TL_OK || tl_failed(error))
        return tl_fail(error, status == TL_OK ? error->status : status, "data: tl_batches.fill failed without a message");
    for (size_t i = 0; i < count; i++) end_series(data, index[i], x + i * each);
    return TL_OK;
}

tl_status tl_dataset_series(const tl_dataset *data, const uint32_t *index, size_t count, tl_real *x, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(data, "series: the data set", error) || count == 0) return error->status;
    if (data->x.rank != 3 || !(data->x.data || data->batches.fill))
        return tl_fail(error, TL_ERROR_SHAPE, "series: the data set has no samples");
    if (!tl_given(index, "series: the list of numbers", error) || !tl_given(x, "series: x", error)) return error->status;
    for (size_t i = 0; i < count; i++)
        if (index[i] >= data->x.shape[0])
            return tl_fail(error, TL_ERROR_ARGUMENT, "series: number %u is outside 0 … %zu", index[i], data->x.shape[0] - 1);
    return tl_series_copy(data, index, count, x, error);
}

/* ---- portions ---- */

tl_status tl_portion_begin(tl_portion *self, const tl_dataset *data, size_t most, tl_error *error) {
    *self = (tl_portion){.data = data};
    if (tl_failed(error) || !data->batches.fill) return error->status;
    self->x = tl_tensor_new(3, (const size_t[]){most, data->x.shape[1], data->x.shape[2]}, error);
    self->index = tl_allocate(most, sizeof *self->index, "the numbers of series", error);
    return error->status;
}

void tl_portion_release(tl_portion *self) {
    tl_tensor_free(&self->x);
    tl_release(self->index);
    self->index = NULL;
}

tl_tensor tl_portion_take(const tl_portion *self, size_t first, size_t count, tl_error *error) {
    if (!self->data->batches.fill) return tl_tensor_slice(&self->data->x, first, count);
    for (size_t i = 0; i < count; i++) self->index[i] = (uint32_t)(first + i);
    tl_series_copy(self->data, self->index, count, self->x.data, error);
    return tl_tensor_slice(&self->x, 0, count);
}

/* ---- what comes next in an order ---- */

/* Bytes: of all series, and the most that small ones may take; the largest small series; for sorting the number of a series. */
enum { AHEAD = 1 << 20, MOST = 1 << 28, SMALL = 1 << 12, ORDER = 5 * sizeof(uint32_t) };

tl_status tl_ahead_begin(tl_ahead *self, const tl_dataset *data, tl_error *error) {
    const size_t *shape = data->x.shape, bytes = shape[1] * shape[2] * sizeof(tl_real),
                 room = bytes <= SMALL ? tl_max(tl_min(data->read_ahead, MOST), AHEAD) : AHEAD,
                 most = tl_min(room / (bytes + ORDER), shape[0]);
    *self = (tl_ahead){.room.data = data};
    return most < 2 ? error->status : tl_portion_begin(&self->room, data, most, error);
}

void tl_ahead_release(tl_ahead *self) { tl_portion_release(&self->room); }

bool tl_ahead_ends(const tl_ahead *self) { return self->taken == self->count; }

bool tl_ahead_add(tl_ahead *self, const uint32_t *index, size_t count) {
    if (tl_ahead_ends(self)) self->taken = self->count = 0;
    if (!self->room.x.data || count > self->room.x.shape[0] - self->count) return false;
    memcpy(self->room.index + self->count, index, count * sizeof *index);
    self->count += count;
    return true;
}

tl_status tl_ahead_read(tl_ahead *self, tl_error *error) {
    if (tl_failed(error) || self->count == 0) return error->status;
    const tl_status status = tl_series_copy(self->room.data, self->room.index, self->count, self->room.x.data, error);
    if (status != TL_OK) self->count = 0;
    return status;
}

tl_status tl_ahead_take(tl_ahead *self, const uint32_t *index, size_t count, tl_real *x, tl_error *error) {
    const size_t each = self->room.data->x.shape[1] * self->room.data->x.shape[2];
    if (count > self->count - self->taken || memcmp(index, self->room.index + self->taken, count * sizeof *index) != 0)
        return tl_series_copy(self->room.data, index, count, x, error);
    memcpy(x, self->room.x.data + self->taken * each, count * each * sizeof *x);
    self->taken += count;
    return TL_OK;
}
