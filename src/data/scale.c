/* Scaling of data sets. */
#include "base/scaling.h"
#include "data/dataset.h"
#include "data/scaled_batches.h"
#include "data/scaling.h"

static tl_series series_of(const tl_dataset *data) {
    return (tl_series){.narrow = data->x.data,
                       .lengths = data->lengths,
                       .count = data->x.shape[0],
                       .length = data->x.shape[1],
                       .channels = data->x.shape[2]};
}

void tl_dataset_normalize(tl_dataset *data) {
    tl_error wrong = {0};
    if (tl_dataset_check(data, "data", &wrong) != TL_OK) return;
    if (data->batches.fill) {
        tl_batches_scale(data, TL_NORMALIZE_SERIES, NULL, &wrong);
        return;
    }
    const tl_series series = series_of(data);
    tl_scale_each(&series);
    tl_scaling_free(&data->scaling);
    data->scaling.kind = TL_NORMALIZE_SERIES;
}

/* Restores the values before scaling. */
static void undo_set(const tl_series *series, tl_scaling *scaling, tl_error *error) {
    tl_rescaling by;
    if (tl_rescaling_begin(&by, series->channels, error) != TL_OK) return;
    tl_rescaling_undo(&by, scaling, series->channels);
    tl_scale_by(series, &by);
    tl_rescaling_release(&by);
    tl_scaling_free(scaling);
}

static tl_status check_scale(const tl_dataset *data, tl_normalization kind, const tl_dataset *reference, tl_error *error) {
    if (data->scaling.kind == TL_NORMALIZE_SERIES && kind != TL_NORMALIZE_SERIES)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "data: each series was scaled by itself, which loses its level and amplitude; it cannot be normalised by %s",
                       tl_normalization_name(kind));
    if (kind == TL_NORMALIZE_SET && reference && reference->x.shape[2] != data->x.shape[2])
        return tl_fail(error, TL_ERROR_SHAPE, "data: %zu channels cannot be scaled as the %zu channels of another data set",
                       data->x.shape[2], reference->x.shape[2]);
    return TL_OK;
}

tl_status tl_dataset_scale(tl_dataset *data, tl_normalization how, const tl_dataset *reference, tl_error *error) {
    tl_error own = {0};
    tl_normalization kind;
    if (!error) error = &own;
    if (tl_failed(error) || tl_dataset_check(data, "data", error) != TL_OK ||
        tl_scaling_resolve(how, reference, &kind, error) != TL_OK || check_scale(data, kind, reference, error) != TL_OK)
        return error->status;
    if (data->batches.fill) return tl_batches_scale(data, kind, reference ? &reference->scaling : NULL, error);
    const tl_series series = series_of(data);
    if (kind == TL_NORMALIZE_SET) return tl_scale_set(&series, reference ? &reference->scaling : NULL, &data->scaling, error);
    if (kind == TL_NORMALIZE_SERIES && data->scaling.kind != TL_NORMALIZE_SERIES) tl_dataset_normalize(data);
    if (data->scaling.kind == TL_NORMALIZE_SET) undo_set(&series, &data->scaling, error);
    if (!tl_failed(error)) data->scaling.kind = kind;
    return error->status;
}
