/* What a cross-validation says: `tapline train --fold all`. */
#include "cli/report.h"
#include "cli/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { METRICS = sizeof(tl_metrics) / sizeof(double) };

/* One of the sets of a fold. */
typedef const tl_metrics *(*metrics_of)(const fold_result *fold);

static const tl_metrics *train_of(const fold_result *fold) { return &fold->train; }
static const tl_metrics *validation_of(const fold_result *fold) { return &fold->validation; }
static const tl_metrics *test_of(const fold_result *fold) { return &fold->test; }

/* Mean and, where `deviation`, standard deviation of the sample (divided by count - 1) of each metric. */
static tl_metrics summarise(const fold_result *folds, size_t count, metrics_of of, bool deviation) {
    double sums[METRICS] = {0}, squares[METRICS] = {0}, values[METRICS];
    for (int round = 0; round < 2; round++)
        for (size_t f = 0; f < count; f++) {
            memcpy(values, of(&folds[f]), sizeof values);
            for (size_t i = 0; i < METRICS; i++) {
                if (round == 0) sums[i] += values[i] / (double)count;
                if (round == 1) squares[i] += (values[i] - sums[i]) * (values[i] - sums[i]);
            }
        }
    for (size_t i = 0; deviation && i < METRICS; i++) sums[i] = sqrt(squares[i] / (double)(count - 1));
    tl_metrics result;
    memcpy(&result, sums, sizeof result);
    return result;
}

fold_result folds_mean(const fold_result *folds, size_t count) {
    fold_result mean = {.train = summarise(folds, count, train_of, false),
                        .validation = summarise(folds, count, validation_of, false),
                        .test = summarise(folds, count, test_of, false)};
    for (size_t f = 0; f < count; f++) {
        mean.held_out += folds[f].held_out;
        mean.fit.epochs += folds[f].fit.epochs;
        mean.fit.steps += folds[f].fit.steps;
        mean.fit.seconds += folds[f].fit.seconds;
        mean.fit.stopped = mean.fit.stopped || folds[f].fit.stopped;
    }
    return mean;
}

static json_t *fold_as_json(const fold_result *fold, bool tested, bool regression) {
    json_t *object = json_object();
    report_count(object, "fold", fold->fold);
    report_count(object, "validation_series", fold->held_out);
    report_count(object, "epochs", (size_t)fold->fit.epochs);
    report_count(object, "best_epoch", (size_t)fold->fit.best_epoch);
    json_object_set_new(object, "seconds", report_number(fold->fit.seconds));
    report_metrics(object, "train", &fold->train, regression);
    report_metrics(object, "validation", &fold->validation, regression);
    if (tested) report_metrics(object, "test", &fold->test, regression);
    return object;
}

void folds_as_json(const fold_result *folds, size_t count, bool tested, bool regression, json_t *object) {
    const struct {
        const char *name;
        metrics_of of;
        bool wanted;
    } sets[] = {{"train", train_of, true}, {"validation", validation_of, true}, {"test", test_of, tested}};
    json_t *list = json_array(), *deviations = json_object();
    for (size_t f = 0; f < count; f++) json_array_append_new(list, fold_as_json(&folds[f], tested, regression));
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        const tl_metrics deviation = summarise(folds, count, sets[s].of, true);
        if (sets[s].wanted) report_metrics(deviations, sets[s].name, &deviation, regression);
    }
    json_object_set_new(object, "folds", list);
    json_object_set_new(object, "deviation", deviations);
}

/* One fold deviates from nothing. */
static void summary_as_text(const fold_result *folds, size_t count, metrics_of of, const char *name, size_t series,
                            bool regression) {
    const tl_metrics mean = summarise(folds, count, of, false), deviation = summarise(folds, count, of, true);
    report_metrics_line(name, series, &mean, regression);
    if (count > 1) report_metrics_line("deviation", series, &deviation, regression);
}

void folds_as_text(const fold_result *folds, size_t count, size_t tested, bool regression) {
    size_t held_out = 0;
    report_metrics_head(regression);
    for (size_t f = 0; f < count; f++) {
        char name[32];
        snprintf(name, sizeof name, "fold %zu", folds[f].fold);
        report_metrics_line(name, folds[f].held_out, &folds[f].validation, regression);
        held_out += folds[f].held_out;
    }
    summary_as_text(folds, count, validation_of, "mean", held_out, regression);
    if (tested > 0) summary_as_text(folds, count, test_of, "test", tested, regression);
}
