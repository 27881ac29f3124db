/* Parts of a data set: copies of some of its samples. */
#include <tapline/dataset.h>
#include <tapline/random.h>

#include "base/argument.h"
#include "base/memory.h"
#include "base/scaling.h"
#include "data/batches.h"
#include "data/classes.h"
#include "data/dataset.h"
#include "data/groups.h"

#include <stdlib.h>
#include <string.h>

static tl_status copy_classes(const tl_dataset *from, tl_dataset *to, tl_error *error) {
    to->classes = from->classes;
    return from->class_names ? tl_classes_copy(to, from->class_names, from->classes, error) : TL_OK;
}

static void copy_samples(const tl_dataset *from, const uint32_t *index, size_t count, tl_dataset *to) {
    const size_t labels = tl_labels_each(from), values = tl_values_each(from);
    for (size_t i = 0; i < count; i++) {
        if (to->lengths) to->lengths[i] = from->lengths[index[i]];
        if (to->groups) to->groups[i] = from->groups[index[i]];
        if (to->windows) to->windows[i] = from->windows[index[i]];
        if (to->labels) memcpy(to->labels + i * labels, from->labels + index[i] * labels, labels * sizeof *to->labels);
        if (to->values) memcpy(to->values + i * values, from->values + index[i] * values, values * sizeof *to->values);
        if (to->exact_values)
            memcpy(to->exact_values + i * values, from->exact_values + index[i] * values, values * sizeof *to->exact_values);
    }
}

/* ---- series that stay where they are ---- */

/* Batches of some of the series of another tl_batches. */
typedef struct chosen {
    tl_batches of;
    uint32_t *index; /* the numbers of the series there */
} chosen;

static tl_status fill(void *user, const uint32_t *index, size_t count, tl_real *x, tl_error *error) {
    const chosen *self = user;
    uint32_t *there = tl_reserve(count, sizeof *there, "the numbers of series", error);
    for (size_t i = 0; there && i < count; i++) there[i] = self->index[index[i]];
    const tl_status status = there ? self->of.fill(self->of.user, there, count, x, error) : error->status;
    tl_release(there);
    return status;
}

static void release(void *user) {
    chosen *self = user;
    tl_release(self->index);
    free(self);
}

static void choose_batches(const tl_dataset *data, const uint32_t *index, size_t count, tl_dataset *part, tl_error *error) {
    chosen *self = calloc(1, sizeof *self);
    if (!self) {
        tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
        return;
    }
    part->batches.fill = fill;
    part->batches.user = self;
    part->batches.release = release;
    part->read_ahead = data->read_ahead;
    self->of = data->batches;
    self->index = tl_reserve(count, sizeof *self->index, "the numbers of series", error);
    if (self->index) memcpy(self->index, index, count * sizeof *index);
}

/* ---- some of the series ---- */

static tl_status check_choice(const tl_dataset *data, const uint32_t *index, size_t count, tl_error *error) {
    if (tl_failed(error) || tl_dataset_check(data, "data", error) != TL_OK ||
        (count > 0 && !tl_given(index, "data: the list of samples", error)))
        return error->status;
    for (size_t i = 0; i < count; i++)
        if (index[i] >= data->x.shape[0])
            tl_fail(error, TL_ERROR_ARGUMENT, "data: sample %u is outside 0 … %zu", index[i], data->x.shape[0] - 1);
    return error->status;
}

/* Allocates all arrays except the series. */
static void allocate(const tl_dataset *data, size_t count, tl_dataset *part, tl_error *error) {
    if (data->lengths) part->lengths = tl_allocate(count, sizeof *part->lengths, "lengths", error);
    if (data->groups) part->groups = tl_allocate(count, sizeof *part->groups, "groups", error);
    if (data->windows) part->windows = tl_allocate(count, sizeof *part->windows, "windows", error);
    if (data->labels) part->labels = tl_allocate(count * tl_labels_each(data), sizeof *part->labels, "labels", error);
    if (data->values) part->values = tl_allocate(count * tl_values_each(data), sizeof *part->values, "targets", error);
    if (data->exact_values)
        part->exact_values = tl_allocate(count * tl_values_each(data), sizeof *part->exact_values, "targets", error);
    part->target_length = data->target_length;
    part->target_channels = data->target_channels;
    part->rate = data->rate;
    if (!tl_failed(error)) tl_scaling_copy(&data->scaling, data->x.shape[2], &part->scaling, error);
    if (!tl_failed(error)) copy_classes(data, part, error);
}

/* `copied`: series that are not in memory are copied to memory. */
static tl_dataset *take(const tl_dataset *data, const uint32_t *index, size_t count, bool copied, tl_error *error) {
    if (check_choice(data, index, count, error) != TL_OK) return NULL;
    const size_t shape[] = {count, data->x.shape[1], data->x.shape[2]};
    tl_dataset *part = calloc(1, sizeof *part);
    if (!part) {
        tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
        return NULL;
    }
    allocate(data, count, part, error);
    if (data->batches.fill && !copied) {
        part->x = tl_tensor_view(NULL, 3, shape);
        choose_batches(data, index, count, part, error);
    } else {
        part->x = tl_tensor_new(3, shape, error);
        if (!tl_failed(error)) tl_series_copy(data, index, count, part->x.data, error);
    }
    if (!tl_failed(error)) {
        copy_samples(data, index, count, part);
        return part;
    }
    tl_dataset_free(part);
    return NULL;
}

tl_dataset *tl_dataset_take(const tl_dataset *data, const uint32_t *index, size_t count, tl_error *error) {
    tl_error own = {0};
    return take(data, index, count, true, error ? error : &own);
}

tl_dataset *tl_dataset_part(const tl_dataset *data, const uint32_t *index, size_t count, tl_error *error) {
    tl_error own = {0};
    return take(data, index, count, false, error ? error : &own);
}

/* ---- folds ---- */

/* Assigns the samples to the folds: each class in random order, starting at the fold after the last one of the class before. Series
 * with a label for every step have no class. */
static void deal(const tl_dataset *data, const uint32_t *order, size_t folds, uint32_t *fold_of) {
    const int32_t *labels = tl_labels_each(data) == 1 ? data->labels : NULL;
    const size_t classes = labels ? data->classes : 1;
    size_t dealt = 0;
    for (int32_t c = labels ? TL_NO_LABEL : 0; c < (int32_t)classes; c++)
        for (size_t i = 0; i < data->x.shape[0]; i++)
            if (!labels || labels[order[i]] == c) fold_of[order[i]] = (uint32_t)(dealt++ % folds);
}

static tl_dataset *take_those(const tl_dataset *data, const uint32_t *fold_of, size_t fold, bool in, uint32_t *index,
                              tl_error *error) {
    size_t count = 0;
    for (uint32_t i = 0; i < data->x.shape[0]; i++)
        if ((fold_of[i] == fold) == in) index[count++] = i;
    return tl_dataset_part(data, index, count, error);
}

static tl_status check_folds(const tl_dataset *data, size_t folds, size_t fold, tl_error *error) {
    if (tl_dataset_check(data, "data", error) != TL_OK) return error->status;
    const size_t samples = data->x.shape[0];
    if (folds < 2) return tl_fail(error, TL_ERROR_ARGUMENT, "data: %zu folds; at least 2 are needed", folds);
    if (fold >= folds) return tl_fail(error, TL_ERROR_ARGUMENT, "data: fold %zu is outside 0 … %zu", fold, folds - 1);
    if (samples < folds) return tl_fail(error, TL_ERROR_ARGUMENT, "data: %zu samples cannot make %zu folds", samples, folds);
    if (data->labels && data->classes == 0)
        return tl_fail(error, TL_ERROR_ARGUMENT, "data: the data set has labels, but its `classes` is 0");
    const size_t each = tl_labels_each(data);
    for (size_t i = 0; data->labels && i < samples * each; i++)
        if (data->labels[i] < TL_NO_LABEL || (data->labels[i] >= 0 && (size_t)data->labels[i] >= data->classes))
            return tl_fail(error, TL_ERROR_ARGUMENT, "data: label %d of sample %zu is outside 0 … %zu", data->labels[i], i / each,
                           data->classes - 1);
    return TL_OK;
}

/* The set was scaled as a whole. Scales both parts again, so that the held-out part has no influence on the scaling. */
static void scale_folds(tl_dataset *rest, tl_dataset *held_out, tl_error *error) {
    if (tl_failed(error) || rest->scaling.kind != TL_NORMALIZE_SET) return;
    tl_dataset_scale(rest, TL_NORMALIZE_SET, NULL, error);
    tl_dataset_scale(held_out, TL_NORMALIZE_SET, rest, error);
}

tl_status tl_dataset_fold(const tl_dataset *data, size_t folds, size_t fold, uint64_t seed, tl_dataset **rest,
                          tl_dataset **held_out, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    *rest = *held_out = NULL;
    if (tl_failed(error) || check_folds(data, folds, fold, error) != TL_OK) return error->status;
    const size_t samples = data->x.shape[0];
    uint32_t *order = tl_allocate(samples, sizeof *order, "the order of the samples", error);
    uint32_t *fold_of = tl_allocate(samples, sizeof *fold_of, "the folds", error);
    if (!tl_failed(error)) {
        tl_rng rng = tl_rng_at(seed, TL_STREAM_SPLIT, 0, 0);
        tl_rng_permutation(&rng, order, samples);
        if (data->groups)
            tl_groups_deal(data, order, folds, fold_of, error);
        else
            deal(data, order, folds, fold_of);
    }
    if (!tl_failed(error)) {
        *rest = take_those(data, fold_of, fold, false, order, error);
        *held_out = take_those(data, fold_of, fold, true, order, error);
        scale_folds(*rest, *held_out, error);
    }
    tl_release(order);
    tl_release(fold_of);
    if (!tl_failed(error)) return TL_OK;
    tl_dataset_free(*rest);
    tl_dataset_free(*held_out);
    *rest = *held_out = NULL;
    return error->status;
}

/* ---- in the order of the data ---- */

/* Returns whether two windows share steps of a recording. */
static bool overlap(const tl_dataset *data, size_t earlier, size_t later) {
    if (!data->windows) return false;
    const tl_window *a = data->windows + earlier, *b = data->windows + later;
    return a->series == b->series && b->start < a->start + data->x.shape[1];
}

/* Returns a copy of the samples before number `before` and from number `after` on. */
static tl_dataset *take_around(const tl_dataset *data, size_t before, size_t after, tl_error *error) {
    const size_t samples = data->x.shape[0], count = before + samples - after;
    uint32_t *index = tl_allocate(count, sizeof *index, "the order of the samples", error);
    for (size_t i = 0; index && i < count; i++) index[i] = (uint32_t)(i < before ? i : i - before + after);
    tl_dataset *part = index ? tl_dataset_part(data, index, count, error) : NULL;
    tl_release(index);
    return part;
}

/* Returns a copy of the samples from number `begin` to `end` - 1. */
static tl_dataset *take_between(const tl_dataset *data, size_t begin, size_t end, tl_error *error) {
    uint32_t *index = tl_allocate(end - begin, sizeof *index, "the order of the samples", error);
    for (size_t i = 0; index && i < end - begin; i++) index[i] = (uint32_t)(begin + i);
    tl_dataset *part = index ? tl_dataset_part(data, index, end - begin, error) : NULL;
    tl_release(index);
    return part;
}

tl_status tl_dataset_fold_in_order(const tl_dataset *data, size_t folds, size_t fold, tl_dataset **rest, tl_dataset **held_out,
                                   tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    *rest = *held_out = NULL;
    if (tl_failed(error) || check_folds(data, folds, fold, error) != TL_OK) return error->status;
    const size_t samples = data->x.shape[0], begin = samples * fold / folds, end = samples * (fold + 1) / folds;
    size_t before = begin, after = end;
    while (before > 0 && overlap(data, before - 1, begin)) before--;
    while (after < samples && overlap(data, end - 1, after)) after++;
    if (before == 0 && after == samples)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "data: all windows share steps with fold %zu of %zu; fewer folds, or a larger hop, help", fold, folds);
    *rest = take_around(data, before, after, error);
    *held_out = take_between(data, begin, end, error);
    scale_folds(*rest, *held_out, error);
    if (!tl_failed(error)) return TL_OK;
    tl_dataset_free(*rest);
    tl_dataset_free(*held_out);
    *rest = *held_out = NULL;
    return error->status;
}
