/* tapline/ridge.h: computes the last layer of a network in closed form. */
#ifndef TAPLINE_RIDGE_H
#define TAPLINE_RIDGE_H

#include <tapline/dataset.h>
#include <tapline/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means the default in brackets. */
typedef struct tl_ridge_cfg {
    const double *penalties; /* (ten from 1e-3 to 1e3, evenly spaced on a logarithmic scale) (count) the candidates, above 0 */
    size_t count;            /* (10) number of penalties; 0 if `penalties` is NULL */
    bool raw;                /* use features as they are; otherwise each is scaled to mean 0 and standard deviation 1 first */
    size_t max_memory;       /* (no limit) maximum bytes for the computation, in addition to the model */
} tl_ridge_cfg;

typedef struct tl_ridge_result {
    double penalty;  /* the chosen penalty */
    double error;    /* mean squared leave-one-out error of this penalty, for targets of ±1 or scaled target values */
    double accuracy; /* classification: leave-one-out accuracy, the share of samples that the solution without the sample predicts
                        correctly; otherwise NaN */
    double slope;    /* classification: factor from scores to logits; otherwise 1 */
    size_t features; /* inputs of the layer */
    size_t constant; /* number of features that are the same for all samples; their weights are 0 */
    double seconds;  /* duration */
} tl_ridge_result;

/* Computes the weights and biases of the last layer, which must be dense, in closed form by ridge regression (Hoerl & Kennard
 * 1970), without an optimizer and without epochs. The other layers keep their parameters; their statistics are updated first
 * (tl_update_statistics).
 *
 * With Z: (samples, features) the scaled inputs of the last layer and Y: (samples, outputs) the targets, it minimises
 * |Y - Z W - b|² + penalty · |W|². In classification the target is 1 for the class of a sample and -1 for the others; in regression
 * targets are scaled as tl_model_target_scale says. The penalty is the one with the smallest mean squared leave-one-out error; one
 * eigendecomposition gives this error for all penalties (Rifkin & Lippert 2007, "Notes on regularized least squares"). The scaling
 * of the features becomes part of the weights. If the layer has no bias, features and targets are not centred.
 *
 * In classification the scores are then multiplied by a slope to become logits, which calibrates the probabilities of tl_predict.
 * The slope minimises the cross-entropy of the leave-one-out scores; a label of a class of n samples counts as wrong
 * with probability 1 / (n + 2) (Platt 1999). The predicted class stays the one with the largest score.
 *
 * Use it for a dense layer after tl_rocket, where it is the whole training, or for a trained network with new data (transfer
 * learning). The time
 * grows with n² · p + n³ for n samples and p features if n is the smaller number, otherwise with n · p² + p³; memory with n · p.
 *
 * data: series with one target each, or with a target for each step if the output has as many steps; each step is then a sample.
 * model: compiled for cross-entropy, or for squared, absolute or Huber's error (all three minimise the squared error here). `cfg`
 * NULL: all defaults. `result` [OUT] may be NULL. Fails, and does not change the last layer: for data that does not fit the model;
 * for another kind of last layer, another loss or a frozen last layer; for fewer series than classes, or series of a single class;
 * if all features are constant, or one is not finite; if it needs more than max_memory. One thread at a time may use a model. */
static inline tl_status tl_fit_ridge(tl_model *model, const tl_dataset *data, const tl_ridge_cfg *cfg, tl_ridge_result *result,
                                     tl_error *error);

/* ---- how structs may grow (see tapline/base.h) ---- */

typedef struct tl_ridge_sizes {
    size_t cfg, result;
} tl_ridge_sizes;

TL_API tl_status tl_fit_ridge_sized(tl_model *model, const tl_dataset *data, const tl_ridge_cfg *cfg, tl_ridge_result *result,
                                    const tl_ridge_sizes *sizes, tl_error *error);

static inline tl_status tl_fit_ridge(tl_model *model, const tl_dataset *data, const tl_ridge_cfg *cfg, tl_ridge_result *result,
                                     tl_error *error) {
    const tl_ridge_sizes sizes = {sizeof(tl_ridge_cfg), sizeof(tl_ridge_result)};
    return tl_fit_ridge_sized(model, data, cfg, result, &sizes, error);
}

#ifdef __cplusplus
}
#endif
#endif
