/* The report of a cross-validation: `tapline train --fold all`. */
#include "cli/report.h"
#include "cli/train/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The metrics of a fold on one of its sets. */
typedef const tl_metrics *(*metrics_of)(const fold_result *fold);

static const tl_metrics *train_of(const fold_result *fold) { return &fold->train; }
static const tl_metrics *validation_of(const fold_result *fold) { return &fold->validation; }
static const tl_metrics *test_of(const fold_result *fold) { return &fold->test; }

/* Summarises a metric over the folds in which it is defined: its mean, or with `deviation` the standard deviation (of a sample:
 * divided by their number - 1); NaN if there are too few folds. undefined: (REPORT_METRICS) [OUT, OPTIONAL] the number of folds
 * that were left out. */
static tl_metrics summarise(const fold_result *folds, size_t count, metrics_of of, bool deviation, size_t *undefined) {
    double value[REPORT_METRICS], sum[REPORT_METRICS] = {0}, squares[REPORT_METRICS] = {0}, defined[REPORT_METRICS] = {0};
    for (int round = 0; round < 2; round++)
        for (size_t f = 0; f < count; f++) {
            memcpy(value, of(&folds[f]), sizeof value);
            for (size_t i = 0; i < REPORT_METRICS; i++) {
                if (isnan(value[i])) continue;
                if (round == 0) sum[i] += value[i], defined[i]++;
                if (round == 1) squares[i] += pow(value[i] - sum[i] / defined[i], 2);
            }
        }
    for (size_t i = 0; i < REPORT_METRICS; i++) {
        value[i] = deviation ? sqrt(squares[i] / (defined[i] - 1)) : sum[i] / defined[i];
        if (undefined) undefined[i] = defined[i] > 0 ? count - (size_t)defined[i] : 0;
    }
    tl_metrics result;
    memcpy(&result, value, sizeof result);
    return result;
}

fold_result folds_mean(const fold_result *folds, size_t count) {
    fold_result mean = {.train = summarise(folds, count, train_of, false, NULL),
                        .validation = summarise(folds, count, validation_of, false, NULL),
                        .test = summarise(folds, count, test_of, false, NULL)};
    for (size_t f = 0; f < count; f++) {
        mean.held_out += folds[f].held_out;
        mean.fit.epochs += folds[f].fit.epochs;
        mean.fit.steps += folds[f].fit.steps;
        mean.fit.seconds += folds[f].fit.seconds;
        mean.fit.stopped = mean.fit.stopped || folds[f].fit.stopped;
    }
    return mean;
}

static json_t *fold_as_json(const fold_result *fold, bool tested, report_targets targets) {
    json_t *object = json_object();
    report_count(object, "fold", fold->fold);
    report_count(object, "validation_series", fold->held_out);
    report_count(object, "epochs", (size_t)fold->fit.epochs);
    report_count(object, "best_epoch", (size_t)fold->fit.best_epoch);
    json_object_set_new(object, "seconds", report_number(fold->fit.seconds));
    report_metrics(object, "train", &fold->train, targets);
    report_metrics(object, "validation", &fold->validation, targets);
    if (tested) report_metrics(object, "test", &fold->test, targets);
    return object;
}

/* The sets with metrics; the last one only if there is a test set. */
static const struct {
    const char *name;
    metrics_of of;
} sets[] = {{"train", train_of}, {"validation", validation_of}, {"test", test_of}};

static size_t count_sets(bool tested) { return sizeof sets / sizeof *sets - !tested; }

/* Lists each metric that is undefined in some folds, with their number; means leave these folds out. */
static json_t *undefined_as_json(const fold_result *folds, size_t count, bool tested) {
    json_t *object = json_object();
    for (size_t s = 0; s < count_sets(tested); s++) {
        size_t undefined[REPORT_METRICS];
        summarise(folds, count, sets[s].of, false, undefined);
        for (size_t i = 0; i < REPORT_METRICS; i++) {
            char key[40];
            snprintf(key, sizeof key, "%s_%s", sets[s].name, report_metric_of[i].name);
            if (undefined[i] > 0) report_count(object, key, undefined[i]);
        }
    }
    return object;
}

void folds_as_json(const fold_result *folds, size_t count, bool tested, report_targets targets, json_t *object) {
    json_t *list = json_array(), *deviations = json_object();
    for (size_t f = 0; f < count; f++) json_array_append_new(list, fold_as_json(&folds[f], tested, targets));
    for (size_t s = 0; s < count_sets(tested); s++) {
        const tl_metrics deviation = summarise(folds, count, sets[s].of, true, NULL);
        report_metrics(deviations, sets[s].name, &deviation, targets);
    }
    json_object_set_new(object, "folds", list);
    json_object_set_new(object, "deviation", deviations);
    json_object_set_new(object, "undefined", undefined_as_json(folds, count, tested));
}

/* A single fold has no deviation. */
static void summary_as_text(const fold_result *folds, size_t count, metrics_of of, const char *name, size_t series,
                            report_targets targets) {
    size_t undefined[REPORT_METRICS];
    const tl_metrics mean = summarise(folds, count, of, false, undefined), deviation = summarise(folds, count, of, true, NULL);
    report_metrics_line(name, series, &mean, targets);
    if (count > 1) report_metrics_line("deviation", series, &deviation, targets);
    for (size_t i = 0; i < REPORT_METRICS; i++)
        if (undefined[i] > 0)
            printf("%-10s without %zu of %zu folds, in which %s is undefined\n", name, undefined[i], count,
                   report_metric_of[i].name);
}

void folds_as_text(const fold_result *folds, size_t count, size_t tested, report_targets targets) {
    size_t held_out = 0;
    report_metrics_head(targets);
    for (size_t f = 0; f < count; f++) {
        char name[32];
        snprintf(name, sizeof name, "fold %zu", folds[f].fold);
        report_metrics_line(name, folds[f].held_out, &folds[f].validation, targets);
        held_out += folds[f].held_out;
    }
    summary_as_text(folds, count, validation_of, "mean", held_out, targets);
    if (tested > 0) summary_as_text(folds, count, test_of, "test", tested, targets);
}
