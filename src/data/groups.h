/* groups.h: folds of samples in groups. */
#ifndef TL_GROUPS_H
#define TL_GROUPS_H

#include <tapline/dataset.h>

/* Deals the groups of the data to the folds, in the order in which `order`, (count), first comes to one of their samples: each to
 * the fold that has the fewest samples. fold_of: (count) [OUT]. Fails where there are fewer groups than folds. */
tl_status tl_groups_deal(const tl_dataset *data, const uint32_t *order, size_t folds, uint32_t *fold_of, tl_error *error);

#endif
