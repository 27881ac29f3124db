/* loss.h: losses of a batch of outputs, and their gradients. */
#ifndef TL_LOSS_H
#define TL_LOSS_H

#include <tapline/model.h>

/* A loss with its settings. */
typedef struct tl_loss_spec {
    tl_loss_kind kind;
    double label_smoothing, huber_delta;
    double *class_weights; /* (output channels), owned; NULL: all 1 */
    tl_own_loss own;       /* TL_LOSS_OWN */
    void *user;
} tl_loss_spec;

/* Takes the loss of `cfg` with defaults filled in and checks its settings; class weights are left to tl_loss_weigh. */
tl_status tl_loss_prepare(tl_loss_spec *loss, const tl_compile_cfg *cfg, tl_error *error);

/* Copies the weights of `classes` classes, NULL: none. */
tl_status tl_loss_weigh(tl_loss_spec *loss, const double *class_weights, size_t classes, tl_error *error);

/* Frees what the spec owns. */
void tl_loss_release(tl_loss_spec *loss);

/* Whether the loss compares with labels, else with values. */
bool tl_loss_takes_labels(tl_loss_kind kind);

/* Whether the model has one output for each class, which is what a predicted class is: the index of the largest output, of several
 * equal ones the first. Messages begin with `caller`. */
tl_status tl_classes_check(size_t classes, size_t outputs, const char *caller, tl_error *error);

/* The weighted mean that tl_loss returns. y: (batch, length, channels); lengths: (batch) the steps that samples have, NULL: all;
 * gradient: the shape of y, [OUT] d (weight · loss of its sample) / d y, not divided, or NULL; weight: [OUT] the sum of the
 * weights.
 */
double tl_loss_of(const tl_loss_spec *loss, const tl_tensor *y, const size_t *lengths, const tl_target *target, tl_real *gradient,
                  double *weight);

/* Whether every label, value and weight of `target` is in range, and there is what the loss needs. */
tl_status tl_loss_check(const tl_loss_spec *loss, const tl_tensor *y, const size_t *lengths, const tl_target *target,
                        tl_error *error);

/* log(sum of e^logit) of a row. */
double tl_log_sum_exp(const tl_real *logits, size_t channels);

/* The outputs as predictions, in place: rows of probabilities for both cross-entropies, values as they are for other losses. */
void tl_loss_predict(tl_loss_kind kind, tl_real *y, size_t rows, size_t channels);

#endif
