/* The warnings of `tapline train`; compiled once for each precision (commands.h). */
#include "cli/train/train.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t labels_each(const tl_dataset *data) { return data->target_length > 0 ? data->target_length : 1; }

/* Returns the number of labels of each class, which the caller frees. NULL if the data has no classes, or memory is short. */
static size_t *count_classes(const tl_dataset *data) {
    const size_t each = labels_each(data);
    size_t *counts = data->classes > 0 ? calloc(data->classes, sizeof *counts) : NULL;
    for (size_t i = 0; counts && i < data->x.shape[0]; i++) {
        const size_t steps = data->lengths && each == data->x.shape[1] ? data->lengths[i] : each;
        for (size_t t = 0; t < steps; t++)
            if (data->labels[i * each + t] >= 0) counts[data->labels[i * each + t]]++;
    }
    return counts;
}

/* Returns the name of a class; its number, written to `text`, if it has no name. */
static const char *name_of(const tl_dataset *data, size_t class, char text[24]) {
    if (data->class_names) return data->class_names[class];
    snprintf(text, 24, "%zu", class);
    return text;
}

/* ---- data ---- */

enum { TIMES = 10 }; /* limit of the ratio of the largest class to the smallest */

/* Returns whether always predicting the largest class is right in more than the mean of a random guess and 1, or whether a class is
 * small. */
static bool is_unbalanced(const size_t *counts, size_t classes, size_t *largest, double *share) {
    size_t all = 0, present = 0, minimum = SIZE_MAX;
    *largest = 0;
    for (size_t c = 0; c < classes; c++) {
        all += counts[c];
        if (counts[c] == 0) continue;
        present++;
        if (counts[c] > counts[*largest]) *largest = c;
        if (counts[c] < minimum) minimum = counts[c];
    }
    *share = all > 0 ? (double)counts[*largest] / (double)all : 0;
    return present > 1 && (*share > (1 + 1 / (double)present) / 2 || counts[*largest] > TIMES * minimum);
}

/* Warns of labels that are equal but for upper and lower case, and of classes without series. */
static void warn_of_names(const train_settings *settings, const tl_dataset *data, const size_t *counts) {
    const char *name = settings->common.command;
    size_t missing = 0, first = 0;
    for (size_t c = data->classes; c > 0; c--)
        if (counts[c - 1] == 0) missing++, first = c - 1;
    char text[24];
    if (missing > 0)
        complain(name, "warning: %zu of %zu classes, such as %s, have no series in the training set", missing, data->classes,
                 name_of(data, first, text));
    for (size_t c = 0; data->class_names && c < data->classes; c++)
        for (size_t k = 0; k < c; k++)
            if (strcasecmp(data->class_names[c], data->class_names[k]) == 0) {
                complain(name, "warning: the labels %s and %s are different classes, and differ in upper and lower case only",
                         data->class_names[k], data->class_names[c]);
                return;
            }
}

static void warn_of_classes(const train_settings *settings, const tl_dataset *data) {
    char text[24];
    size_t largest;
    double share;
    size_t *counts = count_classes(data);
    if (!counts) return;
    warn_of_names(settings, data, counts);
    const bool unbalanced = is_unbalanced(counts, data->classes, &largest, &share);
    if (share == 1)
        complain(
            settings->common.command,
            "warning: there is only one class, %s, so that the accuracy is always 1; check that --label names the right column",
            name_of(data, largest, text));
    else if (unbalanced && !settings->balance)
        complain(settings->common.command,
                 "warning: %.0f %% of the labels are %s; look at balanced accuracy and F1, and consider --balance, which weights "
                 "classes",
                 100 * share, name_of(data, largest, text));
    free(counts);
}

static bool is_constant(const tl_real *x, size_t steps, size_t channels) {
    size_t k = channels;
    while (k < steps * channels && x[k] == x[k - channels]) k++;
    return k >= steps * channels;
}

/* Returns whether every channel of every series is constant. A series that cannot be read is an error of the training. */
static bool all_constant(const tl_dataset *data) {
    const size_t length = data->x.shape[1], channels = data->x.shape[2];
    tl_real *x = calloc(length * channels, sizeof *x);
    bool constant = x != NULL;
    for (uint32_t i = 0; constant && i < data->x.shape[0]; i++)
        constant =
            tl_dataset_series(data, &i, 1, x, NULL) == TL_OK && is_constant(x, data->lengths ? data->lengths[i] : length, channels);
    free(x);
    return constant;
}

void IN_PRECISION(warn_of_data)(const train_settings *settings, const tl_dataset *data) {
    warn_of_classes(settings, data);
    if (data->scaling.kind == TL_NORMALIZE_SERIES && all_constant(data))
        complain(
            settings->common.command,
            "warning: every series is constant, and 0 after scaling; use --normalize none or --normalize set to keep the levels");
}

/* ---- folds ---- */

void IN_PRECISION(warn_of_fold)(const train_settings *settings, const char *part, const tl_dataset *data,
                                const tl_dataset *validation) {
    const struct {
        const tl_dataset *data;
        const char *purpose;
    } sets[] = {{data, "training"}, {validation, "validation"}};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        char text[24];
        size_t *counts = count_classes(sets[i].data), c = 0;
        while (counts && c < data->classes && counts[c] > 0) c++;
        if (counts && c < data->classes)
            complain(settings->common.command, "warning: %sthere is no series of class %s for %s; use fewer --folds", part,
                     name_of(data, c, text), sets[i].purpose);
        free(counts);
    }
    IN_PRECISION(warn_of_overlap)(settings, part, "validation", data, validation);
}

/* ---- the same series in two sets ---- */

/* FNV-1a over the bits of the values. */
static uint64_t hash_of(const tl_real *x, size_t count) {
    uint64_t hash = 14695981039346656037u;
    for (size_t k = 0; k < count; k++) {
        uint64_t bits = 0;
        memcpy(&bits, &x[k], sizeof x[k]);
        hash = (hash ^ bits) * 1099511628211u;
    }
    return hash;
}

static int by_size(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void IN_PRECISION(warn_of_overlap)(const train_settings *settings, const char *part, const char *name, const tl_dataset *data,
                                   const tl_dataset *set) {
    if (!set || !set->x.data || !data->x.data || data->x.shape[1] != set->x.shape[1]) return;
    const size_t series = data->x.shape[0], each = data->x.shape[1] * data->x.shape[2];
    uint64_t *known = calloc(series + 1, sizeof *known);
    size_t same = 0;
    for (size_t i = 0; known && i < series; i++) known[i] = hash_of(data->x.data + i * each, each);
    if (known) qsort(known, series, sizeof *known, by_size);
    for (size_t i = 0; known && i < set->x.shape[0]; i++) {
        const uint64_t hash = hash_of(set->x.data + i * each, each);
        const bool constant = is_constant(set->x.data + i * each, data->x.shape[1], data->x.shape[2]);
        same += !constant && bsearch(&hash, known, series, sizeof *known, by_size) != NULL;
    }
    free(known);
    if (2 * same > set->x.shape[0])
        complain(settings->common.command,
                 "warning: %s%zu of the %zu series for %s are also in the training set: results say little about new series", part,
                 same, set->x.shape[0], name);
}

/* ---- result ---- */

/* in standard errors of the difference of two shares; smaller differences count as chance */
static const double chance = 3, min_difference = 0.05;

void IN_PRECISION(warn_of_training)(const train_settings *settings, const char *part, const tl_dataset *data,
                                    const tl_fit_result *fit, const tl_metrics *metrics) {
    const double seen = fit->best_accuracy, found = metrics->accuracy, labels = (double)(data->x.shape[0] * labels_each(data));
    if (data->classes == 0 || fit->best_epoch == 0) return;
    const double error = sqrt((seen * (1 - seen) + found * (1 - found)) / labels);
    if (seen - found <= min_difference + chance * error) return;
    complain(settings->common.command,
             "warning: %sthe accuracy on the training set is %.3f, but it was %.3f during epoch %d: batches differ from the whole "
             "set; try a larger --batch",
             part, found, seen, fit->best_epoch);
}
