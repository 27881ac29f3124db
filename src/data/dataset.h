/* dataset.h: sizes and checks of data sets. */
#ifndef TL_DATASET_PARTS_H
#define TL_DATASET_PARTS_H

#include <tapline/dataset.h>

/* How many labels, and how many values, a series of the data has. */
size_t tl_labels_each(const tl_dataset *data);
size_t tl_values_each(const tl_dataset *data);

/* A target value, with all digits that are known. */
double tl_value_at(const tl_dataset *data, size_t index);

/* Whether there is a data set, of one series or more; messages begin with `caller`. */
tl_status tl_dataset_check(const tl_dataset *data, const char *caller, tl_error *error);

#endif
