/* evaluate.h: what fitting and evaluating share. */
#ifndef TL_EVALUATE_H
#define TL_EVALUATE_H

#include <tapline/train.h>

/* Whether the model is compiled and fits the data: shapes, labels or values. */
tl_status tl_data_check(const tl_model *model, const tl_dataset *data, tl_error *error);

/* The targets of the samples from `first` on. */
tl_target tl_data_target(const tl_dataset *data, size_t first);

#endif
