/* loss.h: losses of a batch of outputs, and their gradients. */
#ifndef TL_LOSS_H
#define TL_LOSS_H

#include <tapline/model.h>

/* A loss and its settings. */
typedef struct tl_loss_spec {
    tl_loss_kind kind;
    double label_smoothing, huber_delta;
    double *class_weights; /* (output channels), owned; NULL: all 1 */
    tl_own_loss own;       /* TL_LOSS_OWN */
    void *user;
} tl_loss_spec;

/* Takes the loss from `cfg`, fills in defaults and checks the settings; tl_loss_weigh takes the class weights. */
tl_status tl_loss_prepare(tl_loss_spec *loss, const tl_compile_cfg *cfg, tl_error *error);

/* Copies the weights of `classes` classes; NULL: none. */
tl_status tl_loss_weigh(tl_loss_spec *loss, const double *class_weights, size_t classes, tl_error *error);

/* Frees what the loss owns. */
void tl_loss_release(tl_loss_spec *loss);

/* Returns whether the loss compares with labels; otherwise with values. */
bool tl_loss_takes_labels(tl_loss_kind kind);

/* Checks that the model has one output for each class: the predicted class is the index of the largest output, the first of several
 * equal ones. Messages begin with `caller`. */
tl_status tl_classes_check(size_t classes, size_t outputs, const char *caller, tl_error *error);

/* Returns the weighted mean of tl_loss. y: (batch, length, channels); lengths: (batch) the steps of each sample, NULL: all;
 * gradient: [OUT] (shape of y) d (weight · loss of the sample) / d y, without the division, or NULL; weight: [OUT] the sum of the
 * weights.
 */
double tl_loss_of(const tl_loss_spec *loss, const tl_tensor *y, const size_t *lengths, const tl_target *target, tl_real *gradient,
                  double *weight);

/* Checks that every label, value and weight of `target` is in range, and that the target has what the loss needs. */
tl_status tl_loss_check(const tl_loss_spec *loss, const tl_tensor *y, const size_t *lengths, const tl_target *target,
                        tl_error *error);

/* Returns log(sum of e^logit) of a row. */
double tl_log_sum_exp(const tl_real *logits, size_t channels);

/* Converts outputs to predictions, in place: rows of probabilities for both cross-entropies, values for other losses. */
void tl_loss_predict(tl_loss_kind kind, tl_real *y, size_t rows, size_t channels);

#endif
