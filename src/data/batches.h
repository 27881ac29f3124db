/* batches.h: the series of a data set, a few at a time, whether or not they are in memory (tl_batches). */
#ifndef TL_DATA_BATCHES_H
#define TL_DATA_BATCHES_H

#include <tapline/dataset.h>

/* tl_dataset_series without checks. Series end with zeros after their length. */
tl_status tl_series_copy(const tl_dataset *data, const uint32_t *index, size_t count, tl_real *x, tl_error *error);

/* Consecutive series of a data set. */
typedef struct tl_portion {
    const tl_dataset *data;
    tl_tensor x;     /* (most, length, channels) memory for series that are not in memory; else empty */
    uint32_t *index; /* (most) */
} tl_portion;

/* Allocates memory for at most `most` series at a time, if the data set is not in memory. Release it in any case. */
tl_status tl_portion_begin(tl_portion *self, const tl_dataset *data, size_t most, tl_error *error);
void tl_portion_release(tl_portion *self);

/* Returns the series first … first + count - 1: (count, length, channels), until the next call. What it returns after a failure
 * must not be used. */
tl_tensor tl_portion_take(const tl_portion *self, size_t first, size_t count, tl_error *error);

/* Series that are not in memory, of the next batches of an order: read together, neighbours in the file cost one read. */
typedef struct tl_ahead {
    tl_portion room; /* x is empty: nothing is read ahead */
    size_t count;    /* series that are there */
    size_t taken;    /* of them */
} tl_ahead;

/* Allocates a little memory, if the series of the data set are small and not in memory. Release it in any case. */
tl_status tl_ahead_begin(tl_ahead *self, const tl_dataset *data, tl_error *error);
void tl_ahead_release(tl_ahead *self);

/* Whether all series were taken, so that others may be added. */
bool tl_ahead_ends(const tl_ahead *self);

/* Adds series that will be taken, in this order. Returns whether there was room. */
bool tl_ahead_add(tl_ahead *self, const uint32_t *index, size_t count);

/* Reads the series that were added. */
tl_status tl_ahead_read(tl_ahead *self, tl_error *error);

/* tl_series_copy, from what was read ahead if these series are the next ones there. */
tl_status tl_ahead_take(tl_ahead *self, const uint32_t *index, size_t count, tl_real *x, tl_error *error);

#endif
