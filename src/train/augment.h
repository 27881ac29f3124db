/* augment.h: variations of one series of a batch. */
#ifndef TL_AUGMENT_H
#define TL_AUGMENT_H

#include <tapline/augment.h>

/* tl_augment and tl_mixup of series number `series` of the batch alone. */
void tl_augment_series(const tl_augment_cfg *cfg, const tl_tensor *x, const size_t *lengths, tl_tensor *y, uint64_t seed,
                       uint64_t step, size_t series);
void tl_mixup_series(const tl_tensor *x, const size_t *lengths, const uint32_t *partner, const tl_real *share, tl_tensor *y,
                     size_t *mixed_lengths, size_t series);

#endif
