/* evaluate.h: what fitting and evaluating share. */
#ifndef TL_EVALUATE_H
#define TL_EVALUATE_H

#include <tapline/train.h>

/* How many labels, and how many values, a series of the data has. */
size_t tl_labels_each(const tl_dataset *data);
size_t tl_values_each(const tl_dataset *data);

/* Whether the model is compiled and fits the data: shapes, labels or values. */
tl_status tl_data_check(const tl_model *model, const tl_dataset *data, tl_error *error);

/* The targets of the samples from `first` on. */
tl_target tl_data_target(const tl_dataset *data, size_t first);

#endif
