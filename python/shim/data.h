/* data.h: data sets of the shim. */
#ifndef TL_SHIM_DATA_H
#define TL_SHIM_DATA_H

#include "python/shim/shim.h"

struct tl_shim_data {
    tl_dataset dataset; /* x, lengths, labels and exact_values are the caller's; the rest is its own */
};

/* The data set of a handle; NULL of NULL. */
static inline const tl_dataset *tl_shim_dataset(const tl_shim_data *data) { return data ? &data->dataset : NULL; }

#endif
