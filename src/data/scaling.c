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

/* Sets number `at` of series i. */
static void set(const tl_series *s, size_t i, size_t at, double value) {
    const size_t first = i * s->length * s->channels;
    if (s->to)
        s->to[i][at] = (tl_real)value;
    else if (s->wide)
        s->wide[first + at] = value;
    else
        s->narrow[first + at] = (tl_real)value;
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

static void scale_one(const tl_series *s, size_t i, size_t channel) {
    const tl_moments moments = measure(s, i, channel);
    for (size_t t = 0; t < length_of(s, i); t++)
        set(s, i, t * s->channels + channel, tl_moments_scale(&moments, get(s, (i * s->length + t) * s->channels + channel)));
}

/* ---- several channels side by side ----
 *
 * Each addition to a sum waits for the one before. The sums of several channels of series do not wait for each other; each has the
 * additions, and the bits, of a single channel. */

enum { LANES = 8 };

typedef struct lanes {
    double *first[LANES]; /* the first step of each channel */
    size_t steps, stride; /* of each; elements from step to step */
    tl_moments of[LANES];
} lanes;

/* The largest absolute value, in any order; NaN is not larger. */
static double find_largest(const double *x, size_t steps, size_t stride) {
    double largest[4] = {0};
    size_t t = 0;
    for (; stride == 1 && t + 4 <= steps; t += 4)
        for (size_t k = 0; k < 4; k++) largest[k] = fabs(x[t + k]) > largest[k] ? fabs(x[t + k]) : largest[k];
    for (; t < steps; t++) largest[0] = fabs(x[t * stride]) > largest[0] ? fabs(x[t * stride]) : largest[0];
    for (size_t k = 1; k < 4; k++) largest[0] = largest[k] > largest[0] ? largest[k] : largest[0];
    return largest[0];
}

static void add_values(lanes *self) {
    double sum[LANES] = {0}, unit[LANES], first[LANES];
    for (size_t l = 0; l < LANES; l++) {
        unit[l] = self->of[l].unit;
        first[l] = self->of[l].first;
    }
    for (size_t t = 0; t < self->steps; t++)
        for (size_t l = 0; l < LANES; l++) sum[l] += self->first[l][t * self->stride] * unit[l] - first[l];
    for (size_t l = 0; l < LANES; l++) self->of[l].sum = sum[l];
}

static void add_squares(lanes *self) {
    double sum[LANES] = {0}, unit[LANES], mean[LANES];
    for (size_t l = 0; l < LANES; l++) {
        unit[l] = self->of[l].unit;
        mean[l] = self->of[l].mean;
    }
    for (size_t t = 0; t < self->steps; t++)
        for (size_t l = 0; l < LANES; l++) {
            const double distance = self->first[l][t * self->stride] * unit[l] - mean[l];
            sum[l] += distance * distance;
        }
    for (size_t l = 0; l < LANES; l++) self->of[l].squares = sum[l];
}

static void end_pass(lanes *self) {
    for (size_t l = 0; l < LANES; l++) tl_moments_next(&self->of[l]);
}

static void scale_lane(double *x, size_t steps, size_t stride, const tl_moments *by) {
    const tl_moments moments = *by; /* in registers */
    if (stride == 1)
        for (size_t t = 0; t < steps; t++) x[t] = tl_moments_scale(&moments, x[t]);
    else
        for (size_t t = 0; t < steps; t++) x[t * stride] = tl_moments_scale(&moments, x[t * stride]);
}

static void scale_lane_to(const double *x, size_t steps, size_t stride, const tl_moments *by, tl_real *restrict to) {
    const tl_moments moments = *by; /* in registers */
    if (stride == 1)
        for (size_t t = 0; t < steps; t++) to[t] = (tl_real)tl_moments_scale(&moments, x[t]);
    else
        for (size_t t = 0; t < steps; t++) to[t * stride] = (tl_real)tl_moments_scale(&moments, x[t * stride]);
}

/* Scales `count` channels, counted over all series, from number `first` on. Missing lanes repeat the last one. */
static void scale_lanes(const tl_series *s, size_t first, size_t count) {
    lanes all;
    all.steps = length_of(s, first / s->channels);
    all.stride = s->channels;
    for (size_t l = 0; l < LANES; l++) {
        const size_t at = first + (l < count ? l : count - 1);
        double *x = s->wide + at / s->channels * s->length * s->channels + at % s->channels;
        all.first[l] = x;
        all.of[l] = (tl_moments){.count = (double)all.steps, .largest = find_largest(x, all.steps, all.stride), .first = x[0]};
    }
    end_pass(&all);
    add_values(&all);
    end_pass(&all);
    add_squares(&all);
    end_pass(&all);
    for (size_t l = 0; l < count; l++) {
        const size_t at = first + l;
        if (s->to)
            scale_lane_to(all.first[l], all.steps, all.stride, &all.of[l], s->to[at / s->channels] + at % s->channels);
        else
            scale_lane(all.first[l], all.steps, all.stride, &all.of[l]);
    }
}

/* The number of channels from this one on that can be scaled side by side: of series of the same length. */
static size_t count_alike(const tl_series *s, size_t first) {
    const size_t all = s->count * s->channels, steps = length_of(s, first / s->channels);
    size_t count = 1;
    while (s->wide && steps > 0 && count < LANES && first + count < all && length_of(s, (first + count) / s->channels) == steps)
        count++;
    return count;
}

void tl_scale_each(const tl_series *s) {
    for (size_t at = 0, count; at < s->count * s->channels; at += count) {
        count = count_alike(s, at);
        if (count > 1)
            scale_lanes(s, at, count);
        else
            scale_one(s, at / s->channels, at % s->channels);
    }
}

/* Replaces x by (x - shift) / scale. */
static void move_channel(const tl_series *s, size_t channel, double shift, double scale) {
    for (size_t i = 0; i < s->count; i++)
        for (size_t t = 0; t < length_of(s, i); t++)
            set(s, i, t * s->channels + channel, (get(s, (i * s->length + t) * s->channels + channel) - shift) / scale);
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
