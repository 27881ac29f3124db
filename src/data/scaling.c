/* Scaling of series before they go into a model. */
#include "data/scaling.h"

#include "base/memory.h"
#include "base/scaling.h"
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

/* Computes the moments of a channel of a series. */
static tl_moments measure(const tl_series *s, size_t i, size_t channel) {
    tl_moments moments = {0};
    for (; moments.pass < TL_MOMENTS_PASSES; tl_moments_next(&moments)) {
        tl_moments sums = moments; /* in registers */
        for (size_t t = 0; t < length_of(s, i); t++) tl_moments_add(&sums, get(s, (i * s->length + t) * s->channels + channel));
        moments = sums;
    }
    return moments;
}

void tl_scale_each(const tl_series *s) {
    for (size_t i = 0; i < s->count; i++)
        for (size_t c = 0; c < s->channels; c++) {
            const tl_moments moments = measure(s, i, c);
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

void tl_scale_by(const tl_series *s, const tl_rescaling *by) {
    for (size_t c = 0; c < s->channels; c++) move_channel(s, c, by->shift[c], by->scale[c]);
}

/* ---- statistics of a set ---- */

static void add_row(const tl_series_reader *reader, size_t i, const double *row, tl_moments *moments) {
    const size_t steps = reader->lengths ? reader->lengths[i] : reader->length;
    for (size_t t = 0; t < steps; t++)
        for (size_t c = 0; c < reader->channels; c++) tl_moments_add(&moments[c], row[t * reader->channels + c]);
}

/* Fills moments: (channels), of which each has the values of its channel in the order of series and steps. */
static tl_status measure_all(const tl_series_reader *reader, tl_moments *moments, tl_error *error) {
    double *row = tl_reserve(reader->length * reader->channels, sizeof *row, "a series", error);
    for (int pass = 0; pass < TL_MOMENTS_PASSES && !tl_failed(error); pass++) {
        for (size_t i = 0; i < reader->count && !tl_failed(error); i++)
            if (reader->read(reader->self, i, row, error) == TL_OK) add_row(reader, i, row, moments);
        for (size_t c = 0; c < reader->channels; c++) tl_moments_next(&moments[c]);
    }
    tl_release(row);
    return error->status;
}

/* The new statistics are combined with those of the present scaling, and each number is scaled once: nothing cancels with a large
 * mean. `moments` NULL: the new statistics are there, in `after`. */
static void combine(const tl_scaling *before, const tl_moments *moments, size_t c, tl_scaling *after, tl_rescaling *by) {
    const double mean = before->mean ? before->mean[c] : 0, deviation = before->deviation ? before->deviation[c] : 1;
    double shift = (after->mean[c] - mean) / deviation, scale = after->deviation[c] / deviation;
    if (moments) {
        shift = moments->mean / moments->unit;
        if (moments->deviation > 0) scale = moments->deviation / moments->unit; /* only the mean is subtracted from a constant */
        after->mean[c] = mean + shift * deviation;
        after->deviation[c] = scale * deviation;
    }
    by->shift[c] = shift;
    by->scale[c] = scale;
}

tl_status tl_scaling_find(const tl_series_reader *reader, const tl_scaling *before, const tl_scaling *reference, tl_scaling *after,
                          tl_rescaling *by, tl_error *error) {
    const size_t channels = reader->channels;
    tl_moments *moments = reference ? NULL : tl_allocate(channels, sizeof *moments, "the statistics of channels", error);
    *after = (tl_scaling){0};
    if (tl_rescaling_begin(by, channels, error) == TL_OK && (reference || measure_all(reader, moments, error) == TL_OK) &&
        (reference ? tl_scaling_copy(reference, channels, after, error) : tl_scaling_begin(after, channels, error)) == TL_OK)
        for (size_t c = 0; c < channels; c++) combine(before, moments ? &moments[c] : NULL, c, after, by);
    tl_release(moments);
    if (tl_failed(error)) tl_rescaling_release(by);
    return error->status;
}

static tl_status read_array(void *series, size_t i, double *to, tl_error *error) {
    const tl_series *s = series;
    const size_t each = s->length * s->channels;
    for (size_t k = 0; k < each; k++) to[k] = get(s, i * each + k);
    return error->status;
}

tl_status tl_scale_set(const tl_series *s, const tl_scaling *reference, tl_scaling *scaling, tl_error *error) {
    tl_series all = *s;
    const tl_series_reader reader = {read_array, &all, s->lengths, s->count, s->length, s->channels};
    tl_scaling after;
    tl_rescaling by;
    if (tl_scaling_find(&reader, scaling, reference, &after, &by, error) != TL_OK) return error->status;
    tl_scale_by(s, &by);
    tl_rescaling_release(&by);
    tl_scaling_free(scaling);
    *scaling = after;
    return TL_OK;
}

/* ---- rescaling ---- */

tl_status tl_rescaling_begin(tl_rescaling *self, size_t channels, tl_error *error) {
    *self = (tl_rescaling){0};
    self->shift = tl_allocate(2 * channels, sizeof *self->shift, "the scaling of channels", error);
    if (self->shift) self->scale = self->shift + channels;
    return error->status;
}

void tl_rescaling_undo(tl_rescaling *self, const tl_scaling *scaling, size_t channels) {
    for (size_t c = 0; c < channels; c++) {
        self->shift[c] = -scaling->mean[c] / scaling->deviation[c];
        self->scale[c] = 1 / scaling->deviation[c];
    }
}

void tl_rescaling_release(tl_rescaling *self) {
    tl_release(self->shift);
    *self = (tl_rescaling){0};
}
