/* metrics.h: metrics of outputs and targets. */
#ifndef TL_METRICS_H
#define TL_METRICS_H

#include <tapline/train.h>

/* Sums over samples, or over steps if each has a target, for metrics that need only sums. */
typedef struct tl_tally {
    double loss, weight; /* the weighted sum of losses; the sum of weights */
    double correct, squared, absolute;
    size_t samples, values;
} tl_tally;

/* Adds the model's output for a batch, with its target and mean loss. */
void tl_tally_add(tl_tally *sums, const tl_model *model, const tl_target *target, double loss);

/* The same for outputs y: (batch, length, channels), whose loss has that weight; steps: (batch) steps that are data, NULL: all.
 * targets: the scale of target values and outputs, NULL: none; differences are in the values' own units. */
void tl_tally_add_outputs(tl_tally *sums, tl_loss_kind kind, const tl_tensor *y, const size_t *steps, const tl_target *target,
                          double loss, double weight, const tl_scaling *targets);

/* Adds the sums of other samples. */
void tl_tally_join(tl_tally *sums, const tl_tally *others);

/* Returns the mean loss; 0 if all weights are 0. */
double tl_tally_loss(const tl_tally *sums);

/* All NaN. */
extern const tl_metrics tl_no_metrics;

/* Returns the metrics that follow from the sums; others are NaN. */
tl_metrics tl_tally_metrics(const tl_tally *sums, tl_loss_kind loss);

/* ---- metrics of all samples of a data set ---- */

/* The logits of all samples (or steps) and their labels. */
typedef struct tl_classified {
    const tl_real *logits; /* (samples, classes) */
    const int32_t *labels; /* (samples) */
    size_t samples, classes;
} tl_classified;

/* counts: (classes, classes) [OUT], see tl_confusion. */
void tl_count_confusion(const tl_classified *all, size_t *counts);

/* See tl_metrics; for counts: (classes, classes). */
double tl_balanced_accuracy(const size_t *counts, size_t classes);
double tl_macro_f1(const size_t *counts, size_t classes);

/* See tl_metrics; NaN also if a logit is not finite. */
typedef struct tl_scored {
    double score;
    bool positive;
} tl_scored;
double tl_auroc(const tl_classified *all, tl_scored *scratch, double *odds); /* scratch: (samples), odds: (samples, classes) */

/* Predicted values and target values. */
typedef struct tl_valued {
    const tl_real *predicted; /* (samples, outputs) */
    const double *targets;    /* (samples, outputs) */
    size_t samples, outputs;
} tl_valued;

/* See tl_metrics. */
double tl_r2(const tl_valued *all);

/* Sets the metrics of several labels at a time, if all targets are labels; predicted: probabilities. */
void tl_measure_labels(const tl_valued *all, tl_metrics *metrics);

#endif
