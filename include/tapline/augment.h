/* tapline/augment.h: random variations of the series that a model is trained on (Um et al. 2017; Le Guennec et al. 2016). */
#ifndef TAPLINE_AUGMENT_H
#define TAPLINE_AUGMENT_H

#include <tapline/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means no such variation. They are applied in this order. */
typedef struct tl_augment_cfg {
    double crop;   /* in (0, 1): a window of that share of the series, at a random place, is stretched to the whole length */
    double scale;  /* the series is multiplied by a number from a normal distribution with mean 1 and this deviation */
    double jitter; /* each value gets normal noise of this deviation added */
} tl_augment_cfg;

/* Fails naming the value that is out of range. */
TL_API tl_status tl_augment_check(const tl_augment_cfg *cfg, tl_error *error);

/* y = variations of x, both (batch, length, channels), which may not overlap. They are a function of (seed, step, place in the
 * batch). lengths: (batch), how much of each series counts; what lies behind becomes 0; NULL: all of it. */
TL_API void tl_augment(const tl_augment_cfg *cfg, const tl_tensor *x, const size_t *lengths, tl_tensor *y, uint64_t seed,
                       uint64_t step);

#ifdef __cplusplus
}
#endif
#endif
