/* Windows: series of one length that are cut from longer recordings. */
#include <tapline/dataset.h>

#include "base/argument.h"
#include "base/memory.h"
#include "base/scaling.h"
#include "data/classes.h"
#include "data/dataset.h"
#include "data/windows.h"

#include <stdlib.h>
#include <string.h>

static const char *target_at(size_t index) {
    static const char *const names[] = {"majority", "last", "steps", NULL};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

const char *tl_window_target_name(tl_window_target target) { return target_at((size_t)target); }

tl_status tl_window_target_by_name(const char *name, tl_window_target *target, tl_error *error) {
    return tl_find_name("window target", name, target_at, (int *)target, error);
}

/* ---- number ---- */

static size_t length_of(const tl_dataset *data, size_t series) { return data->lengths ? data->lengths[series] : data->x.shape[1]; }

static size_t count_in(size_t length, const tl_window_cfg *cfg) {
    return length < cfg->length ? 0 : (length - cfg->length) / cfg->hop + 1;
}

static size_t count_windows(const tl_dataset *data, const tl_window_cfg *cfg) {
    size_t count = 0;
    for (size_t i = 0; i < data->x.shape[0]; i++) count += count_in(length_of(data, i), cfg);
    return count;
}

/* ---- targets ---- */

/* The most frequent label, of equally frequent ones the first; TL_NO_LABEL if no label counts. counts: (classes) temporary
 * memory. */
static int32_t majority_of(const int32_t *labels, size_t count, size_t classes, size_t *counts) {
    int32_t best = TL_NO_LABEL;
    memset(counts, 0, classes * sizeof *counts);
    for (size_t t = 0; t < count; t++)
        if (labels[t] >= 0) counts[labels[t]]++;
    for (size_t t = 0; t < count; t++)
        if (labels[t] >= 0 && (best < 0 || counts[labels[t]] > counts[best])) best = labels[t];
    return best;
}

static void put_labels(const tl_dataset *from, const tl_window_cfg *cfg, tl_window at, size_t *counts, int32_t *to) {
    const size_t each = tl_labels_each(from);
    const int32_t *labels = from->labels + at.series * each + (each > 1 ? at.start : 0);
    if (each == 1)
        *to = *labels;
    else if (cfg->target == TL_WINDOW_STEPS)
        memcpy(to, labels, cfg->length * sizeof *to);
    else
        *to = cfg->target == TL_WINDOW_LAST ? labels[cfg->length - 1] : majority_of(labels, cfg->length, from->classes, counts);
}

static void put_value(tl_dataset *to, size_t index, double value) {
    to->values[index] = (tl_real)value;
    if (to->exact_values) to->exact_values[index] = value;
}

/* Writes the target values of a window to entry `index` of `to`. */
static void put_values(const tl_dataset *from, const tl_window_cfg *cfg, tl_window at, tl_dataset *to, size_t index) {
    const size_t each = tl_labels_each(from), channels = tl_values_each(from) / each;
    const size_t first = (at.series * each + (each > 1 ? at.start : 0)) * channels, last = first + (cfg->length - 1) * channels;
    const size_t count = each > 1 && cfg->target == TL_WINDOW_STEPS ? cfg->length * channels : channels;
    const bool mean = each > 1 && cfg->target == TL_WINDOW_MAJORITY;
    for (size_t i = 0; i < count && !mean; i++)
        put_value(to, index + i, tl_value_at(from, (each > 1 && cfg->target == TL_WINDOW_LAST ? last : first) + i));
    for (size_t c = 0; mean && c < channels; c++) {
        double sum = 0;
        for (size_t t = 0; t < cfg->length; t++) sum += tl_value_at(from, first + t * channels + c);
        put_value(to, index + c, sum / (double)cfg->length);
    }
}

/* ---- data set ---- */

static void cut(const tl_dataset *from, const tl_window_cfg *cfg, tl_dataset *to, size_t *counts) {
    const size_t channels = from->x.shape[2], length = from->x.shape[1], labels = tl_labels_each(to), values = tl_values_each(to);
    size_t w = 0;
    for (size_t i = 0; i < from->x.shape[0]; i++)
        for (size_t k = 0; k < count_in(length_of(from, i), cfg); k++, w++) {
            const tl_window at = {.series = i, .start = k * cfg->hop};
            if (to->x.data)
                memcpy(to->x.data + w * cfg->length * channels, from->x.data + (i * length + at.start) * channels,
                       cfg->length * channels * sizeof *to->x.data);
            if (to->labels) put_labels(from, cfg, at, counts, to->labels + w * labels);
            if (to->values) put_values(from, cfg, at, to, w * values);
            to->groups[w] = from->groups ? from->groups[i] : (uint32_t)i;
            to->windows[w] = at;
        }
}

static tl_status check(const tl_dataset *data, const tl_window_cfg *cfg, tl_error *error) {
    if (tl_dataset_check(data, "windows", error) != TL_OK) return error->status;
    const size_t each = tl_labels_each(data);
    if (cfg->length == 0) return tl_fail(error, TL_ERROR_ARGUMENT, "windows: the length is 0");
    if (each > 1 && each != data->x.shape[1])
        return tl_fail(error, TL_ERROR_SHAPE,
                       "windows: series of length %zu have targets for %zu steps; targets for all steps are needed", each,
                       data->x.shape[1]);
    if (data->x.shape[0] > UINT32_MAX)
        return tl_fail(error, TL_ERROR_SHAPE, "windows: %zu series exceed %u", data->x.shape[0], UINT32_MAX);
    return TL_OK;
}

static tl_status allocate(const tl_dataset *from, const tl_window_cfg *cfg, size_t count, tl_dataset *to, tl_error *error) {
    const bool steps = tl_labels_each(from) > 1 && cfg->target == TL_WINDOW_STEPS;
    to->target_length = steps ? cfg->length : 1;
    to->target_channels = from->target_channels;
    to->rate = from->rate;
    to->read_ahead = from->read_ahead;
    const size_t shape[] = {count, cfg->length, from->x.shape[2]};
    to->x = from->batches.fill ? tl_tensor_view(NULL, 3, shape) : tl_tensor_new(3, shape, error);
    to->groups = tl_allocate(count, sizeof *to->groups, "groups", error);
    to->windows = tl_allocate(count, sizeof *to->windows, "windows", error);
    if (from->labels) to->labels = tl_allocate(count * to->target_length, sizeof *to->labels, "labels", error);
    if (from->values) to->values = tl_allocate(count * tl_values_each(to), sizeof *to->values, "target values", error);
    if (from->exact_values)
        to->exact_values = tl_allocate(count * tl_values_each(to), sizeof *to->exact_values, "target values", error);
    if (!tl_failed(error)) tl_scaling_copy(&from->scaling, from->x.shape[2], &to->scaling, error);
    to->classes = from->classes;
    if (!tl_failed(error) && from->class_names) tl_classes_copy(to, from->class_names, from->classes, error);
    return error->status;
}

/* Windows that overlap take more memory than their series. */
static tl_status check_memory(const tl_dataset *data, const tl_window_cfg *cfg, size_t count, size_t max_memory, tl_error *error) {
    const double bytes = (double)count * (double)cfg->length * (double)data->x.shape[2] * sizeof(tl_real);
    if (data->batches.fill || bytes <= (double)max_memory) return TL_OK;
    return tl_fail(
        error, TL_ERROR_MEMORY,
        "windows of %zu steps: %zu windows take %.4g MB; the limit is %.4g MB (max_memory, --max-memory); use a larger hop, or "
        "convert the series to a .npy (`tapline convert`), whose windows are read by batch",
        cfg->length, count, bytes / 1e6, (double)max_memory / 1e6);
}

tl_dataset *tl_windows_cut(const tl_dataset *data, const tl_window_cfg *cfg, size_t max_memory, tl_error *error) {
    tl_window_cfg whole = *cfg;
    if (check(data, &whole, error) != TL_OK) return NULL;
    if (whole.hop == 0) whole.hop = whole.length;
    const size_t count = count_windows(data, &whole);
    if (count == 0)
        tl_fail(error, TL_ERROR_SHAPE, "windows of %zu steps: all %zu series are shorter; the longest has %zu", whole.length,
                data->x.shape[0], data->x.shape[1]);
    if (tl_failed(error) || check_memory(data, &whole, count, max_memory, error) != TL_OK) return NULL;
    tl_dataset *windows = calloc(1, sizeof *windows);
    size_t *counts = tl_allocate(data->classes + 1, sizeof *counts, "labels in a window", error);
    if (!windows) tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    if (!tl_failed(error) && allocate(data, &whole, count, windows, error) == TL_OK) cut(data, &whole, windows, counts);
    tl_release(counts);
    if (!tl_failed(error)) return windows;
    tl_dataset_free(windows);
    return NULL;
}

tl_dataset *tl_dataset_windows_sized(const tl_dataset *data, const tl_window_cfg *cfg, size_t size, tl_error *error) {
    tl_window_cfg whole;
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error)) return NULL;
    tl_take(&whole, sizeof whole, cfg, size, "windows", error);
    if (tl_failed(error)) return NULL;
    if (data && data->batches.fill) {
        tl_fail(error, TL_ERROR_ARGUMENT,
                "windows: the series are read by batch (tl_dataset.batches); let `fill` copy windows, or read a file with "
                "tl_read_cfg.window");
        return NULL;
    }
    return tl_windows_cut(data, &whole, SIZE_MAX, error);
}
