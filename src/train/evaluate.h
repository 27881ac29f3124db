/* evaluate.h: shared by training, evaluation and ensembles. */
#ifndef TL_EVALUATE_H
#define TL_EVALUATE_H

#include <tapline/exchange.h>
#include <tapline/train.h>

#include "graph/loss.h"

/* Checks that there is a data set with at least one series, and that the model is compiled and fits it: shapes, lengths, labels or
 * values. Messages begin with `caller`. */
tl_status tl_data_check(const tl_model *model, const tl_dataset *data, const char *caller, tl_error *error);

/* Checks that the data has the labels or values that this loss compares with such an output. */
tl_status tl_target_check(tl_loss_kind loss, tl_shape out, const tl_dataset *data, tl_error *error);

/* ---- outputs of any number of samples ---- */

/* Checks that the model is compiled and accepts x; messages begin with `caller`. */
tl_status tl_run_check(const tl_model *model, const tl_tensor *x, const char *caller, tl_error *error);

/* The same for the series of a data set, and their lengths. */
tl_status tl_series_check(const tl_model *model, const tl_dataset *data, const char *caller, tl_error *error);

/* Checks that y has room for the predictions of `count` samples. */
tl_status tl_predicted_check(const tl_tensor *y, size_t count, tl_shape out, const char *caller, tl_error *error);

/* The outputs for all samples of a data set. Release them in any case. */
typedef struct tl_outputs {
    tl_tensor y;   /* (samples, out.length, out.channels) */
    size_t *steps; /* (samples) steps that are data; NULL: all */
} tl_outputs;

/* Runs all samples. With an exchange, each rank runs a part of the samples and gets the outputs of the others; if a pass fails on
 * one rank, only this rank has the error, and the caller must call tl_exchange_agree. NULL: this process runs all of them. */
tl_status tl_outputs_run(tl_outputs *self, tl_model *model, const tl_dataset *data, const tl_exchange *exchange, tl_error *error);
void tl_outputs_release(tl_outputs *self);

/* Computes the metrics of outputs for all samples of the data, which was checked; targets: the scale of target values. */
tl_status tl_measure(const tl_loss_spec *loss, const tl_scaling *targets, const tl_outputs *outputs, const tl_dataset *data,
                     tl_metrics *metrics, tl_error *error);

/* Counts outputs for all samples of the data by label and prediction, see tl_confusion; both were checked. */
tl_status tl_outputs_confusion(const tl_outputs *outputs, tl_loss_kind loss, const tl_dataset *data, size_t *counts,
                               tl_error *error);

/* Fails, with `caller` in the message, if models with this loss have no classes. */
tl_status tl_loss_has_classes(tl_loss_kind loss, const char *caller, tl_error *error);

/* tl_evaluate, with the samples divided among the ranks as above. */
tl_status tl_evaluate_among(tl_model *model, const tl_dataset *data, const tl_exchange *exchange, tl_metrics *metrics,
                            tl_error *error);

/* Returns the target values in the scale of the outputs: (samples, target_length, target_channels), which the caller releases. */
tl_real *tl_values_scaled(const tl_dataset *data, const tl_scaling *targets, tl_error *error);

/* Converts outputs to predictions, in place: probabilities, or values in their own units. */
void tl_outputs_predict(tl_loss_kind loss, const tl_scaling *targets, tl_tensor *y);

#endif
