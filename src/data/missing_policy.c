#include "data/missing_policy.h"

#include "base/argument.h"

#include <math.h>

static const char *name_at(size_t index) {
    static const char *const names[] = {"refuse", "interpolate", "mean", "zero", "tail", NULL};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

const char *tl_missing_policy_name(tl_missing_policy policy) { return name_at((size_t)policy); }

tl_status tl_missing_policy_by_name(const char *name, tl_missing_policy *policy, tl_error *error) {
    return tl_find_name("missing values", name, name_at, (int *)policy, error);
}

/* Interpolates linearly between the values before and after a gap; at an end it repeats the nearest value. */
static void interpolate(double *x, size_t length, size_t stride, size_t first) {
    size_t before = first;
    for (size_t t = 0; t < first; t++) x[t * stride] = x[first * stride];
    for (size_t t = first + 1; t < length; t++) {
        if (isnan(x[t * stride])) continue;
        const double from = x[before * stride], to = x[t * stride];
        for (size_t i = before + 1; i < t; i++) {
            const double share = (double)(i - before) / (double)(t - before);
            x[i * stride] =
                fmax(fmin((1 - share) * from + share * to, fmax(from, to)), fmin(from, to)); /* limits the effect of rounding */
        }
        before = t;
    }
    for (size_t t = before + 1; t < length; t++) x[t * stride] = x[before * stride];
}

/* The mean of the values that are not missing, without their sum, which could overflow. */
static double mean_of(const double *x, size_t length, size_t stride, size_t first) {
    double mean = 0, count = 0;
    for (size_t t = first; t < length; t++) {
        if (isnan(x[t * stride])) continue;
        count++;
        mean += x[t * stride] / count - mean / count;
    }
    return mean;
}

static void fill(tl_missing_policy policy, double *x, size_t length, size_t stride, size_t first) {
    if (policy == TL_MISSING_INTERPOLATE) {
        interpolate(x, length, stride, first);
        return;
    }
    const double value = policy == TL_MISSING_MEAN ? mean_of(x, length, stride, first) : 0;
    for (size_t t = 0; t < length; t++)
        if (isnan(x[t * stride])) x[t * stride] = value;
}

size_t tl_missing_fill(tl_missing_policy policy, double *series, size_t length, size_t channels) {
    for (size_t c = 0; c < channels; c++) {
        size_t first = 0;
        while (first < length && isnan(series[first * channels + c])) first++;
        if (first == length) return c;
        fill(policy, series + c, length, channels, first);
    }
    return channels;
}
