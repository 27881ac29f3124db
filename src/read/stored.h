/* stored.h: series that stay in their file, an array of numbers, and are read when they are needed. */
#ifndef TL_STORED_H
#define TL_STORED_H

#include "data/scaling.h"
#include "io/source.h"

/* An open file, and how its series are made of its numbers. */
typedef struct tl_stored tl_stored;

/* For `source`, which is about to read the first of `count` series: (length, channels) numbers of a type, one after the other.
 * NULL where memory or the number of open files is short. */
tl_stored *tl_stored_new(const tl_source *source, const tl_number_type *type, tl_missing_policy missing, size_t count,
                         size_t length, size_t channels, tl_error *error);
void tl_stored_free(tl_stored *self);

/* Sets how series are scaled. lengths: (count) kept by the caller; NULL: whole series. `reference`: the statistics for
 * TL_NORMALIZE_SET; NULL: those of these series, which are read for it. *scaling [OUT]: the caller frees it. */
tl_status tl_stored_scale(tl_stored *self, const size_t *lengths, tl_normalization kind, const tl_scaling *reference,
                          tl_scaling *scaling, tl_error *error);

/* Takes batches of tl_stored_batches, which are then empty, and returns those of the windows of their series: `parts` keeps
 * parts->windows, and has the length of a window. */
tl_batches tl_stored_windows(tl_batches *series, const tl_dataset *parts);

/* Returns batches of these series, which own `self` from now on. */
tl_batches tl_stored_batches(tl_stored *self);

#endif
