/* groups.h: folds of samples in groups. */
#ifndef TL_GROUPS_H
#define TL_GROUPS_H

#include <tapline/dataset.h>

/* Assigns each group to the fold with the fewest samples so far. Groups are taken in the order in which `order`: (count) first
 * names one of their samples. fold_of: (count) [OUT]. Fails if there are fewer groups than folds. */
tl_status tl_groups_deal(const tl_dataset *data, const uint32_t *order, size_t folds, uint32_t *fold_of, tl_error *error);

#endif
