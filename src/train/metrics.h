/* metrics.h: how well outputs match their targets. */
#ifndef TL_METRICS_H
#define TL_METRICS_H

#include <tapline/train.h>

/* Sums over samples, or over the steps of samples where each has a target, for metrics that need no more. */
typedef struct tl_tally {
    double loss, weight; /* the weighted sum of losses, and of weights */
    double correct, squared, absolute;
    size_t samples, values;
} tl_tally;

/* Adds what the model's output says of a batch with this target and mean loss. */
void tl_tally_add(tl_tally *sums, const tl_model *model, const tl_target *target, double loss);

/* The same of outputs y: (batch, length, channels), whose loss has that weight; steps: (batch) that count, NULL: all.
 * targets: how target values, and so outputs, are scaled, NULL: not; differences are in units of the values themselves. */
void tl_tally_add_outputs(tl_tally *sums, tl_loss_kind kind, const tl_tensor *y, const size_t *steps, const tl_target *target,
                          double loss, double weight, const tl_scaling *targets);

/* The mean loss of what was added; 0 where it weighs nothing. */
double tl_tally_loss(const tl_tally *sums);

/* All NaN. */
extern const tl_metrics tl_no_metrics;

/* What the sums tell; the other metrics are NaN. */
tl_metrics tl_tally_metrics(const tl_tally *sums, tl_loss_kind loss);

/* ---- of all samples of a data set ---- */

/* A logit each sample (or step of one) and class, and the samples' labels. */
typedef struct tl_classified {
    const tl_real *logits; /* (samples, classes) */
    const int32_t *labels; /* (samples) */
    size_t samples, classes;
} tl_classified;

/* counts: (classes, classes) [OUT], see tl_confusion. */
void tl_count_confusion(const tl_classified *all, size_t *counts);

/* See tl_metrics; of counts: (classes, classes). */
double tl_balanced_accuracy(const size_t *counts, size_t classes);
double tl_macro_f1(const size_t *counts, size_t classes);

/* See tl_metrics; NaN also where a logit is not finite. */
typedef struct tl_scored {
    double score;
    bool positive;
} tl_scored;
double tl_auroc(const tl_classified *all, tl_scored *scratch); /* scratch: (samples) */

/* Predictions of values, and the values. */
typedef struct tl_valued {
    const tl_real *predicted; /* (samples, outputs) */
    const double *targets;    /* (samples, outputs) */
    size_t samples, outputs;
} tl_valued;

/* See tl_metrics. */
double tl_r2(const tl_valued *all);

#endif
