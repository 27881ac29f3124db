/* Scaling of series before they go into a model. */
#include "data/scaling.h"

#include "base/scaling.h"
#include "data/dataset.h"
#include "data/moments.h"

tl_status tl_scaling_resolve(tl_normalization asked, const tl_dataset *reference, tl_normalization *kind, tl_error *error) {
    *kind = asked;
    if (asked == TL_NORMALIZE_DEFAULT) *kind = reference ? reference->scaling.kind : TL_NORMALIZE_SERIES;
    if (*kind == TL_NORMALIZE_DEFAULT) *kind = TL_NORMALIZE_NONE;
    if (!tl_normalization_name(*kind)) return tl_fail(error, TL_ERROR_ARGUMENT, "data: normalisation %d is unknown", (int)*kind);
    if (*kind == TL_NORMALIZE_SET && reference && reference->scaling.kind != TL_NORMALIZE_SET)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "data: normalisation set needs the statistics of the training set, but that set was normalised by %s",
                       tl_normalization_name(reference->scaling.kind));
    return TL_OK;
}

/* ---- numbers ---- */

static size_t length_of(const tl_series *s, size_t i) { return s->lengths ? s->lengths[i] : s->length; }

static double get(const tl_series *s, size_t at) { return s->wide ? s->wide[at] : (double)s->narrow[at]; }

static void set(const tl_series *s, size_t at, double value) {
    if (s->wide)
        s->wide[at] = value;
    else
        s->narrow[at] = (tl_real)value;
}

/* Computes the moments of a channel over `count` series from number `first` on. */
static tl_moments measure(const tl_series *s, size_t first, size_t count, size_t channel) {
    tl_moments moments = {0};
    for (; moments.pass < TL_MOMENTS_PASSES; tl_moments_next(&moments))
        for (size_t i = first; i < first + count; i++)
            for (size_t t = 0; t < length_of(s, i); t++)
                tl_moments_add(&moments, get(s, (i * s->length + t) * s->channels + channel));
    return moments;
}

void tl_scale_each(const tl_series *s) {
    for (size_t i = 0; i < s->count; i++)
        for (size_t c = 0; c < s->channels; c++) {
            const tl_moments moments = measure(s, i, 1, c);
            for (size_t t = 0; t < length_of(s, i); t++) {
                const size_t at = (i * s->length + t) * s->channels + c;
                set(s, at, tl_moments_scale(&moments, get(s, at)));
            }
        }
}

/* Replaces x by (x - shift) / scale. */
static void move_channel(const tl_series *s, size_t channel, double shift, double scale) {
    for (size_t i = 0; i < s->count; i++)
        for (size_t t = 0; t < length_of(s, i); t++) {
            const size_t at = (i * s->length + t) * s->channels + channel;
            set(s, at, (get(s, at) - shift) / scale);
        }
}

/* The new statistics are combined with those of the present scaling, and each number is scaled once: nothing cancels with a large
 * mean. */
tl_status tl_scale_set(const tl_series *s, const tl_scaling *reference, tl_scaling *scaling, tl_error *error) {
    const tl_scaling before = *scaling;
    tl_scaling after;
    if ((reference ? tl_scaling_copy(reference, s->channels, &after, error) : tl_scaling_begin(&after, s->channels, error)) !=
        TL_OK)
        return error->status;
    for (size_t c = 0; c < s->channels; c++) {
        const double mean = before.mean ? before.mean[c] : 0, deviation = before.deviation ? before.deviation[c] : 1;
        double shift = (after.mean[c] - mean) / deviation, scale = after.deviation[c] / deviation;
        if (!reference) {
            const tl_moments moments = measure(s, 0, s->count, c);
            shift = moments.mean / moments.unit;
            if (moments.deviation > 0) scale = moments.deviation / moments.unit; /* only the mean is subtracted from a constant */
            after.mean[c] = mean + shift * deviation;
            after.deviation[c] = scale * deviation;
        }
        move_channel(s, c, shift, scale);
    }
    *scaling = after;
    tl_scaling_free(&(tl_scaling){.mean = before.mean, .deviation = before.deviation});
    return TL_OK;
}

/* ---- data sets ---- */

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
    const tl_series series = series_of(data);
    tl_scale_each(&series);
    tl_scaling_free(&data->scaling);
    data->scaling.kind = TL_NORMALIZE_SERIES;
}

/* Restores the values before scaling. */
static void undo_set(const tl_series *series, tl_scaling *scaling) {
    for (size_t c = 0; c < series->channels; c++)
        move_channel(series, c, -scaling->mean[c] / scaling->deviation[c], 1 / scaling->deviation[c]);
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
    const tl_series series = series_of(data);
    if (kind == TL_NORMALIZE_SET) return tl_scale_set(&series, reference ? &reference->scaling : NULL, &data->scaling, error);
    if (kind == TL_NORMALIZE_SERIES && data->scaling.kind != TL_NORMALIZE_SERIES) tl_dataset_normalize(data);
    if (data->scaling.kind == TL_NORMALIZE_SET) undo_set(&series, &data->scaling);
    data->scaling.kind = kind;
    return TL_OK;
}
