/* evaluate.h: what fitting, evaluating and ensembles share. */
#ifndef TL_EVALUATE_H
#define TL_EVALUATE_H

#include <tapline/train.h>

#include "loss.h"

/* Whether the model is compiled and fits the data: shapes, labels or values. */
tl_status tl_data_check(const tl_model *model, const tl_dataset *data, tl_error *error);

/* Whether the data has the labels or values that such a loss compares with such an output. */
tl_status tl_target_check(tl_loss_kind loss, tl_shape out, const tl_dataset *data, tl_error *error);

/* The targets of the samples from `first` on. */
tl_target tl_data_target(const tl_dataset *data, size_t first);

/* Whether the model is compiled and takes x; messages begin with `caller`. */
tl_status tl_run_check(const tl_model *model, const tl_tensor *x, const char *caller, tl_error *error);

/* Whether y has room for the predictions of `count` samples. */
tl_status tl_predicted_check(const tl_tensor *y, size_t count, tl_shape out, const char *caller, tl_error *error);

/* The outputs of the model in inference mode for any number of samples, which have been checked, into y: (count, out.length,
 * out.channels). */
tl_status tl_run_all(tl_model *model, const tl_tensor *x, const size_t *lengths, const tl_tensor *y, tl_error *error);

/* The metrics of outputs: (samples, 1, channels) for all samples of the data, which have been checked. */
tl_status tl_measure(const tl_loss_spec *loss, const tl_tensor *outputs, const tl_dataset *data, tl_metrics *metrics,
                     tl_error *error);

#endif
