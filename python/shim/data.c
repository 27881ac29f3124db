/* Data sets on arrays of the caller. */
#include "python/shim/data.h"

#include "base/memory.h"
#include "base/scaling.h"
#include "data/missing_policy.h"
#include "data/scaling.h"
#include "io/json.h"
#include "python/shim/settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t length_of(const size_t *lengths, size_t length, size_t series) { return lengths ? lengths[series] : length; }

/* ---- before there is a data set ---- */

static bool has_missing(const double *x, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (isnan(x[i])) return true;
    return false;
}

int tl_shim_fill_missing(const char *policy, double *x, const size_t *lengths, size_t count, size_t length, size_t channels,
                         char *text) {
    tl_error error = {0};
    tl_missing_policy kind = TL_MISSING_REFUSE;
    tl_missing_policy_by_name(policy, &kind, &error);
    if (kind == TL_MISSING_TAIL)
        tl_fail(&error, TL_ERROR_ARGUMENT, "missing values: \"tail\" is for files; cut the series, and give a list of them");
    for (size_t i = 0; i < count && !tl_failed(&error); i++) {
        double *series = x + i * length * channels;
        const size_t steps = length_of(lengths, length, i);
        if (!has_missing(series, steps * channels)) continue;
        if (kind == TL_MISSING_REFUSE)
            tl_fail(&error, TL_ERROR_ARGUMENT, "series %zu contains NaN; missing=\"interpolate\", \"mean\" or \"zero\" fills it in",
                    i);
        else if (tl_missing_fill(kind, series, steps, channels) < channels)
            tl_fail(&error, TL_ERROR_ARGUMENT, "series %zu has a channel with NaN in every step", i);
    }
    return tl_shim_report(&error, text);
}

static void scale_set(const tl_series *series, bool fitted, double *mean, double *deviation, tl_error *error) {
    const tl_scaling given = {.kind = TL_NORMALIZE_SET, .mean = mean, .deviation = deviation};
    tl_scaling scaling = {0};
    if (tl_scale_set(series, fitted ? &given : NULL, &scaling, error) == TL_OK && !fitted) {
        memcpy(mean, scaling.mean, series->channels * sizeof *mean);
        memcpy(deviation, scaling.deviation, series->channels * sizeof *deviation);
    }
    tl_scaling_free(&scaling);
}

int tl_shim_scale(const char *kind, double *x, const size_t *lengths, size_t count, size_t length, size_t channels, bool fitted,
                  double *mean, double *deviation, char *text) {
    tl_error error = {0};
    tl_normalization how = TL_NORMALIZE_NONE;
    const tl_series series = {.wide = x, .lengths = lengths, .count = count, .length = length, .channels = channels};
    if (tl_normalization_by_name(kind, &how, &error) != TL_OK) return tl_shim_report(&error, text);
    if (how == TL_NORMALIZE_SERIES) tl_scale_each(&series);
    if (how == TL_NORMALIZE_SET) scale_set(&series, fitted, mean, deviation, &error);
    return tl_shim_report(&error, text);
}

/* Folds depend on labels and seed alone: they are taken of series that are their own numbers. */
int tl_shim_fold(const int32_t *labels, size_t count, size_t classes, size_t folds, uint64_t seed, uint8_t *held_out, char *text) {
    tl_error error = {0};
    tl_dataset *rest = NULL, *part = NULL;
    tl_real *numbers = tl_reserve(count, sizeof *numbers, "the numbers of the series", &error);
    for (size_t i = 0; numbers && i < count; i++) numbers[i] = (tl_real)i;
    const tl_dataset data = {.x = TL_VIEW(numbers, count, 1, 1), .labels = (int32_t *)(uintptr_t)labels, .classes = classes};
    memset(held_out, 0, count);
    tl_dataset_fold(&data, folds, 0, seed, &rest, &part, &error);
    for (size_t i = 0; part && i < part->x.shape[0]; i++) held_out[(size_t)part->x.data[i]] = 1;
    tl_dataset_free(rest);
    tl_dataset_free(part);
    tl_release(numbers);
    return tl_shim_report(&error, text);
}

/* ---- data sets ---- */

int tl_shim_data_new(const tl_real *x, const size_t *lengths, size_t count, size_t length, size_t channels, tl_shim_data **data,
                     char *text) {
    tl_error error = {0};
    *data = calloc(1, sizeof **data);
    if (!*data) {
        tl_fail(&error, TL_ERROR_MEMORY, "data: out of memory");
        return tl_shim_report(&error, text);
    }
    (*data)->dataset = (tl_dataset){.x = TL_VIEW(x, count, length, channels), .lengths = (size_t *)(uintptr_t)lengths};
    return 0;
}

static void free_names(tl_dataset *dataset) {
    for (size_t c = 0; dataset->class_names && c < dataset->classes; c++) free(dataset->class_names[c]);
    free(dataset->class_names);
    dataset->class_names = NULL;
}

void tl_shim_data_free(tl_shim_data *data) {
    if (!data) return;
    free_names(&data->dataset);
    tl_scaling_free(&data->dataset.scaling);
    tl_release(data->dataset.values);
    free(data);
}

static void take_names(tl_dataset *dataset, const json_t *names, tl_error *error) {
    if (tl_failed(error)) return;
    if (json_array_size(names) != dataset->classes) {
        tl_fail(error, TL_ERROR_ARGUMENT, "data: %zu names for %zu classes", json_array_size(names), dataset->classes);
        return;
    }
    dataset->class_names = calloc(dataset->classes + 1, sizeof *dataset->class_names);
    for (size_t c = 0; dataset->class_names && c < dataset->classes && !tl_failed(error); c++) {
        const char *name = json_string_value(json_array_get(names, c));
        if (!name)
            tl_fail(error, TL_ERROR_ARGUMENT, "data: the name of class %zu is no text", c);
        else if (!(dataset->class_names[c] = strdup(name)))
            tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    }
    if (!dataset->class_names) tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
}

int tl_shim_data_labels(tl_shim_data *data, const int32_t *labels, size_t steps, size_t classes, const char *names, char *text) {
    tl_error error = {0};
    tl_dataset *dataset = &data->dataset;
    free_names(dataset);
    dataset->labels = (int32_t *)(uintptr_t)labels;
    dataset->target_length = steps;
    dataset->classes = classes;
    json_t *list = names ? tl_json_parse(names, strlen(names), "names of classes", &error) : NULL;
    if (names) take_names(dataset, list, &error);
    json_decref(list);
    return tl_shim_report(&error, text);
}

int tl_shim_data_values(tl_shim_data *data, const double *values, size_t steps, size_t outputs, char *text) {
    tl_error error = {0};
    tl_dataset *dataset = &data->dataset;
    const size_t count = dataset->x.shape[0] * steps * outputs;
    tl_release(dataset->values);
    dataset->values = tl_reserve(count, sizeof *dataset->values, "targets", &error);
    for (size_t i = 0; dataset->values && i < count; i++) dataset->values[i] = (tl_real)values[i];
    dataset->exact_values = (double *)(uintptr_t)values;
    dataset->target_length = steps;
    dataset->target_channels = outputs;
    return tl_shim_report(&error, text);
}

int tl_shim_data_scaling(tl_shim_data *data, const char *kind, const double *mean, const double *deviation, char *text) {
    tl_error error = {0};
    tl_dataset *dataset = &data->dataset;
    const size_t channels = dataset->x.shape[2];
    tl_scaling_free(&dataset->scaling);
    if (tl_normalization_by_name(kind, &dataset->scaling.kind, &error) == TL_OK && dataset->scaling.kind == TL_NORMALIZE_SET) {
        const tl_scaling given = {TL_NORMALIZE_SET, (double *)(uintptr_t)mean, (double *)(uintptr_t)deviation};
        tl_scaling_copy(&given, channels, &dataset->scaling, &error);
    }
    return tl_shim_report(&error, text);
}
