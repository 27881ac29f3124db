#include "data/dataset.h"

#include "base/argument.h"
#include "base/memory.h"
#include "data/classes.h"

#include <stdlib.h>
#include <string.h>

void tl_dataset_free(tl_dataset *data) {
    if (!data) return;
    tl_classes_release(data);
    tl_tensor_free(&data->x);
    tl_release(data->lengths);
    tl_release(data->labels);
    tl_release(data->values);
    tl_release(data->exact_values);
    tl_scaling_free(&data->scaling);
    tl_release(data->groups);
    tl_release(data->windows);
    if (data->batches.release) data->batches.release(data->batches.user);
    free(data);
}

/* ---- checks ---- */

size_t tl_labels_each(const tl_dataset *data) { return data->target_length > 0 ? data->target_length : 1; }

size_t tl_values_each(const tl_dataset *data) {
    return tl_labels_each(data) * (data->target_channels > 0 ? data->target_channels : 1);
}

double tl_value_at(const tl_dataset *data, size_t index) {
    const double *exact = data->exact_values;
    return exact && (tl_real)exact[index] == data->values[index] ? exact[index] : (double)data->values[index];
}

tl_status tl_dataset_check(const tl_dataset *data, const char *caller, tl_error *error) {
    char shape[TL_SHAPE_TEXT];
    if (!data) return tl_fail(error, TL_ERROR_ARGUMENT, "%s: the data set is NULL", caller);
    if (data->x.data && data->batches.fill)
        return tl_fail(error, TL_ERROR_ARGUMENT, "%s: the data set has both series in memory (x.data) and batches.fill", caller);
    if (!(data->x.data || data->batches.fill) || data->x.shape[0] == 0)
        return tl_fail(error, TL_ERROR_SHAPE, "%s: the data set has no samples", caller);
    if (data->x.rank != 3)
        return tl_fail(error, TL_ERROR_SHAPE, "%s: x of the data set is %s; it should be (count, length, channels)", caller,
                       tl_tensor_text(&data->x, shape));
    for (size_t i = 0; i < sizeof data->reserved / sizeof *data->reserved; i++)
        if (data->reserved[i])
            return tl_fail(error, TL_ERROR_ARGUMENT, "%s: the data set has a field that tapline %s does not have", caller,
                           tl_version());
    if (data->batches.fill && (data->x.shape[1] == 0 || data->x.shape[2] == 0))
        return tl_fail(error, TL_ERROR_SHAPE, "%s: x of the data set is %s; no axis may be 0", caller,
                       tl_shape_text(3, data->x.shape, shape));
    if (data->x.shape[0] > UINT32_MAX)
        return tl_fail(error, TL_ERROR_SHAPE, "data: %zu samples exceed %u", data->x.shape[0], UINT32_MAX);
    for (size_t i = 0; data->lengths && i < data->x.shape[0]; i++)
        if (data->lengths[i] < 1 || data->lengths[i] > data->x.shape[1])
            return tl_fail(error, TL_ERROR_SHAPE, "data: sample %zu has length %zu, outside 1 … %zu", i, data->lengths[i],
                           data->x.shape[1]);
    return TL_OK;
}

tl_status tl_dataset_in_memory(const tl_dataset *data, const char *caller, tl_error *error) {
    if (!data->batches.fill) return TL_OK;
    return tl_fail(error, TL_ERROR_ARGUMENT,
                   "%s: needs all series in memory, but they are read by batch (tl_dataset.batches, tl_read_cfg.max_memory, "
                   "--max-memory)",
                   caller);
}

/* ---- padding ---- */

tl_status tl_dataset_pad(tl_dataset *data, size_t length, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error) || tl_dataset_check(data, "data", error) != TL_OK) return error->status;
    const size_t count = data->x.shape[0], before = data->x.shape[1], channels = data->x.shape[2];
    if (length == before) return TL_OK;
    if (length < before)
        return tl_fail(error, TL_ERROR_SHAPE, "data: series of length %zu cannot be padded to %zu", before, length);
    if (tl_dataset_in_memory(data, "padding", error) != TL_OK) return error->status;
    if (tl_labels_each(data) > 1)
        return tl_fail(error, TL_ERROR_SHAPE, "data: series with targets for %zu steps cannot be padded", tl_labels_each(data));
    tl_tensor padded = tl_tensor_new(3, (size_t[]){count, length, channels}, error);
    size_t *lengths = data->lengths ? data->lengths : tl_allocate(count, sizeof *lengths, "lengths", error);
    if (tl_failed(error)) {
        tl_tensor_free(&padded);
        if (lengths != data->lengths) tl_release(lengths);
        return error->status;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(padded.data + i * length * channels, data->x.data + i * before * channels, before * channels * sizeof(tl_real));
        if (!data->lengths) lengths[i] = before;
    }
    tl_tensor_free(&data->x);
    data->x = padded;
    data->lengths = lengths;
    return TL_OK;
}
