/* A data set at a glance; compiled once for each precision (commands.h). */
#include "cli/picture/glance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define glance_make IN_PRECISION(glance_make)
#define glance_print IN_PRECISION(glance_print)
#define glance_svg IN_PRECISION(glance_svg)
#define glance_html IN_PRECISION(glance_html)
#define glance_series IN_PRECISION(glance_series)

static size_t length_of(const tl_dataset *data, size_t series) { return data->lengths ? data->lengths[series] : data->x.shape[1]; }

static double value_at(const tl_dataset *data, size_t series, size_t step, size_t channel) {
    return (double)data->x.data[(series * data->x.shape[1] + step) * data->x.shape[2] + channel];
}

size_t glance_series(const tl_dataset *data, size_t series, size_t channel, double *x, double *y) {
    const size_t length = length_of(data, series), each = (length + GLANCE_POINTS - 1) / GLANCE_POINTS;
    size_t count = 0;
    for (size_t begin = 0; begin < length; begin += each) {
        size_t low = begin, high = begin;
        for (size_t t = begin; t < begin + each && t < length; t++) {
            if (value_at(data, series, t, channel) < value_at(data, series, low, channel)) low = t;
            if (value_at(data, series, t, channel) > value_at(data, series, high, channel)) high = t;
        }
        const size_t steps[] = {low < high ? low : high, low < high ? high : low};
        for (size_t i = 0; i < (low == high ? 1 : 2); i++) {
            x[count] = (double)steps[i];
            y[count++] = value_at(data, series, steps[i], channel);
        }
    }
    return count;
}

/* ---- groups ---- */

static int compare_numbers(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool has_quarters(const tl_dataset *data) { return data->values && data->target_length <= 1; }

static double target_of(const tl_dataset *data, size_t series) {
    return (double)data->values[series * (data->target_channels ? data->target_channels : 1)];
}

/* Writes the largest target of the first three quarters of the series. */
static bool find_quarters(const tl_dataset *data, double limits[3]) {
    const size_t series = data->x.shape[0];
    double *targets = calloc(series + 1, sizeof *targets);
    size_t known = 0;
    if (!targets) return false;
    for (size_t i = 0; i < series; i++)
        if (isfinite(target_of(data, i))) targets[known++] = target_of(data, i);
    qsort(targets, known, sizeof *targets, compare_numbers);
    for (size_t q = 0; q < 3; q++) limits[q] = known ? targets[(known - 1) * (q + 1) / 4] : 0;
    free(targets);
    return true;
}

/* Returns the number of groups; writes the group of each series, from 0, or -1 if it has no label. */
static size_t find_groups(const tl_dataset *data, int32_t *group, tl_error *error) {
    const size_t series = data->x.shape[0];
    double limits[3] = {0};
    const bool classes = data->classes > 0 && data->target_length <= 1;
    if (!classes && has_quarters(data) && !find_quarters(data, limits)) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < series; i++) {
        group[i] = 0;
        if (classes)
            group[i] = data->labels[i];
        else if (has_quarters(data) && !isfinite(target_of(data, i)))
            group[i] = -1;
        else if (has_quarters(data))
            while (group[i] < 3 && target_of(data, i) > limits[group[i]]) group[i]++;
    }
    return classes ? data->classes : has_quarters(data) ? 4 : 1;
}

static void name_group(const tl_dataset *data, size_t number, char *text, size_t size) {
    static const char *const quarters[] = {"lowest targets", "second quarter", "third quarter", "highest targets"};
    if (data->classes > 0 && data->target_length <= 1 && data->class_names)
        snprintf(text, size, "%s", data->class_names[number]);
    else if (data->classes > 0 && data->target_length <= 1)
        snprintf(text, size, "class %zu", number);
    else
        snprintf(text, size, "%s", has_quarters(data) ? quarters[number] : "all series");
}

/* The first, the last and series between them. */
static void choose_examples(glance_group *self, const int32_t *group, size_t series, int32_t number) {
    size_t seen = 0;
    const size_t wanted = self->series < GLANCE_EXAMPLES ? self->series : GLANCE_EXAMPLES;
    for (size_t i = 0; i < series && self->examples < wanted; i++) {
        if (group[i] != number) continue;
        if (seen++ == (wanted > 1 ? self->examples * (self->series - 1) / (wanted - 1) : 0)) self->example[self->examples++] = i;
    }
}

/* Replaces sums, sums of squares and counts by mean, and mean ∓ standard deviation. */
static void finish(glance *self, glance_group *to) {
    for (size_t at = 0; at < self->channels * self->points; at++) {
        const double count = to->high[at], mean = count > 0 ? to->mean[at] / count : NAN;
        const double deviation = sqrt(fmax(to->low[at] / count - mean * mean, 0));
        to->mean[at] = mean;
        to->low[at] = mean - deviation;
        to->high[at] = mean + deviation;
        if (count > 0) self->minimum = fmin(self->minimum, to->low[at]);
        if (count > 0) self->maximum = fmax(self->maximum, to->high[at]);
    }
}

/* Mean and standard deviation over the series and the steps of each point. `mean` is the sum first, `low` the sum of squares, and
 * `high` the count. */
static void summarise(glance *self, glance_group *to, const int32_t *group, int32_t number) {
    const tl_dataset *data = self->data;
    const size_t length = data->x.shape[1], each = (length + self->points - 1) / self->points;
    for (size_t i = 0; i < data->x.shape[0]; i++)
        for (size_t t = 0; group[i] == number && t < length_of(data, i); t++)
            for (size_t c = 0; c < self->channels; c++) {
                const double value = value_at(data, i, t, self->first + c);
                const size_t at = c * self->points + t / each;
                if (!isfinite(value)) continue;
                to->mean[at] += value;
                to->low[at] += value * value;
                to->high[at]++;
            }
    finish(self, to);
}

/* Extends the range by the values of the examples. */
static void include_examples(glance *self, const glance_group *of) {
    for (size_t e = 0; e < of->examples; e++)
        for (size_t t = 0; t < length_of(self->data, of->example[e]); t++)
            for (size_t c = 0; c < self->channels; c++) {
                const double value = value_at(self->data, of->example[e], t, self->first + c);
                if (!isfinite(value)) continue;
                self->minimum = fmin(self->minimum, value);
                self->maximum = fmax(self->maximum, value);
            }
}

static void add_group(glance *self, const int32_t *group, size_t number, size_t series, tl_error *error) {
    glance_group *to = &self->group[self->count++];
    name_group(self->data, number, to->name, sizeof to->name);
    to->series = series;
    to->mean = calloc(3 * self->channels * self->points, sizeof *to->mean);
    if (!to->mean) {
        tl_fail(error, TL_ERROR_MEMORY, "out of memory");
        return;
    }
    to->low = to->mean + self->channels * self->points;
    to->high = to->low + self->channels * self->points;
    choose_examples(to, group, self->data->x.shape[0], (int32_t)number);
    summarise(self, to, group, (int32_t)number);
    include_examples(self, to);
}

/* Adds the largest groups in the order of their numbers. */
static void add_groups(glance *self, const int32_t *group, size_t groups, tl_error *error) {
    size_t *sizes = calloc(groups + 1, sizeof *sizes);
    if (!sizes) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; sizes && i < self->data->x.shape[0]; i++)
        if (group[i] >= 0) sizes[group[i]]++;
    size_t least = 1; /* the smallest number of series for which at most GLANCE_GROUPS groups are left */
    for (size_t g = 0; sizes && g < groups; g++) self->all += sizes[g] > 0;
    size_t kept = self->all;
    while (sizes && kept > GLANCE_GROUPS) {
        kept = 0;
        least++;
        for (size_t g = 0; g < groups; g++) kept += sizes[g] >= least;
    }
    for (int equal = 0; sizes && equal < 2; equal++) /* then groups of the size below, as far as there is room */
        for (size_t g = 0; g < groups && self->count < GLANCE_GROUPS && !tl_failed(error); g++)
            if (equal ? sizes[g] > 0 && sizes[g] == least - 1 : sizes[g] >= least) add_group(self, group, g, sizes[g], error);
    free(sizes);
}

/* ---- the whole set ---- */

static int compare_counts(const void *a, const void *b) {
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static void measure_lengths(glance *self, tl_error *error) {
    const size_t series = self->data->x.shape[0];
    self->shortest = self->median = self->longest = self->data->x.shape[1];
    if (!self->data->lengths || series == 0) return;
    size_t *sorted = calloc(series, sizeof *sorted);
    if (!sorted) {
        tl_fail(error, TL_ERROR_MEMORY, "out of memory");
        return;
    }
    memcpy(sorted, self->data->lengths, series * sizeof *sorted);
    qsort(sorted, series, sizeof *sorted, compare_counts);
    self->shortest = sorted[0];
    self->median = sorted[series / 2];
    self->longest = sorted[series - 1];
    free(sorted);
}

static void measure_values(glance *self) {
    double sum = 0, squares = 0, count = 0;
    self->smallest = INFINITY;
    self->largest = -INFINITY;
    for (size_t i = 0; i < self->data->x.shape[0]; i++)
        for (size_t t = 0; t < length_of(self->data, i); t++)
            for (size_t c = 0; c < self->data->x.shape[2]; c++) {
                const double value = value_at(self->data, i, t, c);
                self->smallest = fmin(self->smallest, value);
                self->largest = fmax(self->largest, value);
                sum += value;
                squares += value * value;
                count++;
            }
    self->mean = sum / count;
    self->deviation = sqrt(fmax(squares / count - self->mean * self->mean, 0));
}

void glance_make(glance *self, const tl_dataset *data, size_t channel, tl_error *error) {
    const size_t series = data->x.shape[0], length = data->x.shape[1], channels = data->x.shape[2];
    *self = (glance){.data = data, .first = channel ? channel - 1 : 0, .minimum = INFINITY, .maximum = -INFINITY};
    self->channels = channel ? 1 : channels < GLANCE_CHANNELS ? channels : GLANCE_CHANNELS;
    const size_t groups = data->classes > 0 && data->target_length <= 1 ? data->classes : 4;
    while (self->channels > 1 && self->channels * (groups < GLANCE_GROUPS ? groups : GLANCE_GROUPS) > GLANCE_PANELS)
        self->channels--;
    if (tl_failed(error)) return;
    const size_t most = length < GLANCE_POINTS ? length : GLANCE_POINTS, each = (length + most - 1) / most;
    self->points = (length + each - 1) / each;
    self->x = calloc(self->points, sizeof *self->x);
    int32_t *group = calloc(series + 1, sizeof *group);
    if (!self->x || !group) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t p = 0; self->x && p < self->points; p++) self->x[p] = (double)(p * each) + (double)(each - 1) / 2;
    if (!tl_failed(error)) {
        measure_lengths(self, error);
        measure_values(self);
        add_groups(self, group, find_groups(data, group, error), error);
    }
    free(group);
}
