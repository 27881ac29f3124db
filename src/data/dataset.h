/* dataset.h: sizes and checks of data sets. */
#ifndef TL_DATASET_PARTS_H
#define TL_DATASET_PARTS_H

#include <tapline/dataset.h>

/* Return the number of labels, or of values, of a series. */
size_t tl_labels_each(const tl_dataset *data);
size_t tl_values_each(const tl_dataset *data);

/* Returns a target value with all known digits. */
double tl_value_at(const tl_dataset *data, size_t index);

/* Checks that there is a data set with at least one series; messages begin with `caller`. */
tl_status tl_dataset_check(const tl_dataset *data, const char *caller, tl_error *error);

/* Fails, with `caller` at the beginning of the message, where the series are not in memory (tl_batches). */
tl_status tl_dataset_in_memory(const tl_dataset *data, const char *caller, tl_error *error);

#endif
