#include "train/metrics.h"

#include "graph/graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t largest_of(const tl_real *logits, size_t count) {
    size_t largest = 0;
    for (size_t c = 1; c < count; c++)
        if (logits[c] > logits[largest]) largest = c;
    return largest;
}

/* ---- sums ---- */

/* `from`: the row of the target for the first row of y. */
static void add_correct(tl_tally *sums, const tl_real *y, const tl_target *target, size_t from, size_t steps, size_t channels) {
    for (size_t row = 0; row < steps; row++) {
        const size_t predicted = largest_of(y + row * channels, channels);
        if (!target->probabilities && target->labels[from + row] < 0) continue;
        sums->samples++;
        if (target->probabilities)
            sums->correct += (double)target->probabilities[(from + row) * channels + predicted];
        else
            sums->correct += (size_t)target->labels[from + row] == predicted;
    }
}

/* Compares predictions with values. For binary cross-entropy, a prediction is a probability. */
static void add_differences(tl_tally *sums, tl_loss_kind loss, const tl_real *y, const tl_real *values, size_t count,
                            size_t channels, const tl_scaling *targets) {
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i])) continue; /* a missing value */
        const double unit = targets && targets->deviation ? targets->deviation[i % channels] : 1;
        tl_real predicted = y[i];
        tl_loss_predict(loss, &predicted, 1, 1);
        const double difference = ((double)predicted - (double)values[i]) * unit;
        sums->squared += difference * difference;
        sums->absolute += fabs(difference);
        sums->values++;
    }
}

void tl_tally_add_outputs(tl_tally *sums, tl_loss_kind kind, const tl_tensor *y, const size_t *steps, const tl_target *target,
                          double loss, double weight, const tl_scaling *targets) {
    const size_t channels = y->shape[2];
    sums->loss += loss * weight;
    sums->weight += weight;
    for (size_t i = 0; i < y->shape[0]; i++) {
        const size_t row = i * y->shape[1], count = steps ? steps[i] : y->shape[1];
        if (tl_loss_takes_labels(kind))
            add_correct(sums, y->data + row * channels, target, row, count, channels);
        else
            add_differences(sums, kind, y->data + row * channels, target->values + row * channels, count * channels, channels,
                            targets);
    }
}

void tl_tally_add(tl_tally *sums, const tl_model *model, const tl_target *target, double loss) {
    const tl_tensor y = tl_output(model);
    const size_t *steps = model->has_lengths ? model->vertex[model->output].lengths : NULL;
    tl_tally_add_outputs(sums, tl_model_loss(model), &y, steps, target, loss, tl_loss_weight(model), &model->targets);
}

void tl_tally_join(tl_tally *sums, const tl_tally *others) {
    sums->loss += others->loss;
    sums->weight += others->weight;
    sums->correct += others->correct;
    sums->squared += others->squared;
    sums->absolute += others->absolute;
    sums->samples += others->samples;
    sums->values += others->values;
}

double tl_tally_loss(const tl_tally *sums) { return sums->weight > 0 ? sums->loss / sums->weight : 0; }

const tl_metrics tl_no_metrics = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, {NAN, NAN, NAN, NAN, NAN}};

tl_metrics tl_tally_metrics(const tl_tally *sums, tl_loss_kind loss) {
    const double samples = (double)sums->samples, values = (double)sums->values;
    tl_metrics metrics = tl_no_metrics;
    metrics.loss = tl_tally_loss(sums);
    if (tl_loss_takes_labels(loss))
        metrics.accuracy = sums->correct / samples;
    else {
        metrics.rmse = sqrt(sums->squared / values);
        metrics.mae = sums->absolute / values;
    }
    return metrics;
}

/* ---- classes ---- */

void tl_count_confusion(const tl_classified *all, size_t *counts) {
    memset(counts, 0, all->classes * all->classes * sizeof *counts);
    for (size_t i = 0; i < all->samples; i++)
        counts[(size_t)all->labels[i] * all->classes + largest_of(all->logits + i * all->classes, all->classes)]++;
}

/* The number of samples with label c, and of those predicted as c. */
static void sum_row_and_column(const size_t *counts, size_t classes, size_t c, size_t *labelled, size_t *predicted) {
    *labelled = *predicted = 0;
    for (size_t other = 0; other < classes; other++) {
        *labelled += counts[c * classes + other];
        *predicted += counts[other * classes + c];
    }
}

tl_class_metrics tl_class_metrics_of(const size_t *counts, size_t classes, size_t of) {
    tl_class_metrics found = {.precision = NAN, .recall = NAN, .f1 = NAN};
    if (!counts || of >= classes) return found;
    const double right = (double)counts[of * classes + of];
    sum_row_and_column(counts, classes, of, &found.samples, &found.predicted);
    if (found.predicted > 0) found.precision = right / (double)found.predicted;
    if (found.samples > 0) found.recall = right / (double)found.samples;
    if (found.samples + found.predicted > 0) found.f1 = 2 * right / (double)(found.samples + found.predicted);
    return found;
}

double tl_balanced_accuracy(const size_t *counts, size_t classes) {
    double sum = 0, present = 0;
    for (size_t c = 0; c < classes; c++) {
        size_t labelled, predicted;
        sum_row_and_column(counts, classes, c, &labelled, &predicted);
        if (labelled == 0) continue;
        sum += (double)counts[c * classes + c] / (double)labelled;
        present++;
    }
    return sum / present;
}

double tl_macro_f1(const size_t *counts, size_t classes) {
    double sum = 0, present = 0;
    for (size_t c = 0; c < classes; c++) {
        size_t labelled, predicted;
        sum_row_and_column(counts, classes, c, &labelled, &predicted);
        if (labelled + predicted == 0) continue;
        sum += 2 * (double)counts[c * classes + c] / (double)(labelled + predicted);
        present++;
    }
    return sum / present;
}

/* ---- ranks ---- */

/* The logarithm of the odds of class c. It ranks samples as its probability does, but does not saturate. */
static double log_odds(const tl_real *logits, size_t classes, size_t c) {
    double maximum = -INFINITY, sum = 0;
    for (size_t k = 0; k < classes; k++)
        if (k != c) maximum = fmax(maximum, (double)logits[k]);
    for (size_t k = 0; k < classes; k++)
        if (k != c) sum += exp((double)logits[k] - maximum);
    return (double)logits[c] - maximum - log(sum);
}

/* odds: (classes) [OUT] the same numbers for all classes, with the same bits. The exponentials are those of every class but the one
 * with the largest logit, and each sum adds them in the order of classes. */
static void all_log_odds(const tl_real *logits, size_t classes, double *odds) {
    size_t largest = 0;
    double before = 0;
    for (size_t k = 1; k < classes; k++)
        if (logits[k] > logits[largest]) largest = k;
    const double maximum = (double)logits[largest];
    for (size_t k = 0; k < classes; k++) {
        const double share = exp((double)logits[k] - maximum);
        for (size_t c = 0; c < k; c++) odds[c] += share;
        odds[k] = before;
        before += share;
    }
    for (size_t c = 0; c < classes; c++) odds[c] = (double)logits[c] - maximum - log(odds[c]);
    odds[largest] = log_odds(logits, classes, largest);
}

static int by_score(const void *a, const void *b) {
    const double x = ((const tl_scored *)a)->score, y = ((const tl_scored *)b)->score;
    return (x > y) - (x < y);
}

/* The share of pairs of a positive and a negative sample that are in the right order; ties count half. Computed as Mann & Whitney's
 * U from the sum of the positives' ranks (from 1; equal scores share their mean rank). Sorts the samples. NaN without such
 * pairs. */
static double ordered_pairs(tl_scored *samples, size_t count) {
    double ranks = 0, positives = 0;
    qsort(samples, count, sizeof *samples, by_score);
    for (size_t first = 0, end; first < count; first = end) {
        double tied = 0;
        end = first;
        do tied += samples[end++].positive;
        while (end < count && samples[end].score == samples[first].score);
        ranks += tied * ((double)(first + end) + 1) / 2;
        positives += tied;
    }
    return (ranks - positives * (positives + 1) / 2) / (positives * ((double)count - positives));
}

double tl_auroc(const tl_classified *all, tl_scored *scratch, double *odds) {
    double sum = 0, present = 0;
    for (size_t i = 0; i < all->samples * all->classes; i++)
        if (!isfinite(all->logits[i])) return NAN;
    for (size_t i = 0; i < all->samples; i++) all_log_odds(all->logits + i * all->classes, all->classes, odds + i * all->classes);
    for (size_t c = 0; c < all->classes; c++) {
        for (size_t i = 0; i < all->samples; i++)
            scratch[i] = (tl_scored){.score = odds[i * all->classes + c], .positive = (size_t)all->labels[i] == c};
        const double area = ordered_pairs(scratch, all->samples);
        if (isnan(area)) continue;
        sum += area;
        present++;
    }
    return sum / present;
}

/* ---- values ---- */

/* Returns the first target of an output that counts, that is, is not NaN; the end if there is none. */
static size_t first_target(const tl_valued *all, size_t output) {
    size_t i = output;
    while (i < all->samples * all->outputs && isnan(all->targets[i])) i += all->outputs;
    return i;
}

/* For an output whose targets are not all equal. Distances are relative to the largest one, so that squares cannot overflow. */
static double r2_of(const tl_valued *all, size_t output) {
    const size_t step = all->outputs, end = all->samples * step, begin = first_target(all, output);
    const double first = all->targets[begin];
    double mean = 0, largest = 0, squared = 0, spread = 0, count = 0;
    for (size_t i = begin; i < end; i += step) count += !isnan(all->targets[i]);
    for (size_t i = begin; i < end; i += step) {
        if (isnan(all->targets[i])) continue;
        mean += (all->targets[i] - first) / count;
        largest = fmax(largest, fabs(all->targets[i] - first));
    }
    for (size_t i = begin; i < end; i += step) {
        const double target = all->targets[i];
        if (isnan(target)) continue;
        squared += pow(((double)all->predicted[i] - target) / largest, 2);
        spread += pow((target - first - mean) / largest, 2);
    }
    return 1 - squared / spread;
}

static bool has_spread(const tl_valued *all, size_t output) {
    const size_t step = all->outputs, end = all->samples * step, begin = first_target(all, output);
    size_t i = begin;
    while (i < end && (isnan(all->targets[i]) || all->targets[i] == all->targets[begin])) i += step;
    return i < end;
}

double tl_r2(const tl_valued *all) {
    double sum = 0, present = 0;
    for (size_t output = 0; output < all->outputs; output++) {
        if (!has_spread(all, output)) continue;
        sum += r2_of(all, output);
        present++;
    }
    return sum / present;
}

/* ---- several labels at a time ---- */

static bool are_labels(const tl_valued *all) {
    size_t i = 0;
    const size_t count = all->samples * all->outputs;
    while (i < count && (isnan(all->targets[i]) || all->targets[i] == 0 || all->targets[i] == 1)) i++;
    return i == count;
}

/* The predictions of a label: right ones of those where it is given, where it is given, where it is predicted. */
typedef struct label_counts {
    double right, given, predicted;
} label_counts;

static void add_label(label_counts *counts, bool given, bool predicted) {
    counts->right += given && predicted;
    counts->given += given;
    counts->predicted += predicted;
}

static double f1_of(const label_counts *counts) { return 2 * counts->right / (counts->given + counts->predicted); }

/* Returns the share of samples without a wrong label among those with a label that is known. */
static double subset_accuracy(const tl_valued *all) {
    double right = 0, known = 0;
    for (size_t i = 0; i < all->samples; i++) {
        size_t labels = 0, wrong = 0;
        for (size_t k = i * all->outputs; k < (i + 1) * all->outputs; k++) {
            const bool given = all->targets[k] == 1, predicted = all->predicted[k] > (tl_real)0.5;
            if (isnan(all->targets[k])) continue;
            labels++;
            wrong += given != predicted;
        }
        known += labels > 0;
        right += labels > 0 && wrong == 0;
    }
    return right / known;
}

void tl_measure_labels(const tl_valued *all, tl_metrics *metrics) {
    label_counts every = {0};
    double sum = 0, present = 0;
    if (!are_labels(all)) return;
    for (size_t c = 0; c < all->outputs; c++) {
        label_counts one = {0};
        for (size_t k = c; k < all->samples * all->outputs; k += all->outputs) {
            if (isnan(all->targets[k])) continue;
            add_label(&one, all->targets[k] == 1, all->predicted[k] > (tl_real)0.5);
            add_label(&every, all->targets[k] == 1, all->predicted[k] > (tl_real)0.5);
        }
        if (one.given + one.predicted == 0) continue;
        sum += f1_of(&one);
        present++;
    }
    metrics->subset_accuracy = subset_accuracy(all);
    metrics->micro_f1 = f1_of(&every);
    metrics->macro_f1 = sum / present;
}
