/* scaled_batches.h: scales series that are not in memory. */
#ifndef TL_SCALED_BATCHES_H
#define TL_SCALED_BATCHES_H

#include <tapline/dataset.h>

/* tl_dataset_scale for a data set with batches, whose arguments were checked: data->batches then fills batches with scaled series.
 * The values are rounded as by tl_dataset_scale in memory. `reference`: the statistics for TL_NORMALIZE_SET; NULL: those of the
 * data. */
tl_status tl_batches_scale(tl_dataset *data, tl_normalization kind, const tl_scaling *reference, tl_error *error);

#endif
