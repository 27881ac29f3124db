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
    double mixup;  /* each series of a batch is mixed with another one, and so are their targets (see tl_mixup); the share of the
                      other is from a beta distribution with both parameters this, such as 0.2 (Zhang et al. 2018) */
} tl_augment_cfg;

/* Fails naming the value that is out of range. */
static inline tl_status tl_augment_check(const tl_augment_cfg *cfg, tl_error *error);

/* y = variations of x other than mixtures, both (batch, length, channels), which may not overlap. They are a function of (seed,
 * step, place in the batch). lengths: (batch), how much of each series counts; what lies behind becomes 0; NULL: all of it. */
static inline void tl_augment(const tl_augment_cfg *cfg, const tl_tensor *x, const size_t *lengths, tl_tensor *y, uint64_t seed,
                              uint64_t step);

/* Draws how `count` series are mixed: partner: (count) [OUT] the series that each is mixed with, never itself; share: (count) [OUT]
 * the part of the mixture that the partner gets, from the beta distribution with both parameters `alpha` (Zhang et al. draw one for
 * all of a batch; one for each series varies less from step to step). A series that is alone gets nothing. They are a function of
 * (seed, step). */
TL_API void tl_mixup_draw(double alpha, uint32_t *partner, tl_real *share, size_t count, uint64_t seed, uint64_t step);

/* Mixtures of series: y[i] = (1 - share[i]) · x[i] + share[i] · x[partner[i]], both (batch, length, channels), which may not
 * overlap. lengths: (batch) how much of each series counts, behind which x is 0; mixed_lengths: (batch) [OUT] the same of y: a
 * mixture is as long as the series that has the larger share in it, the other one is cut there or is 0 behind its end. Both may be
 * NULL: all of each series counts. Mix targets likewise, class labels as tl_target.probabilities. */
TL_API void tl_mixup(const tl_tensor *x, const size_t *lengths, const uint32_t *partner, const tl_real *share, tl_tensor *y,
                     size_t *mixed_lengths);

/* ---- how structs may grow (see tapline/base.h) ---- */

TL_API tl_status tl_augment_check_sized(const tl_augment_cfg *cfg, size_t size, tl_error *error);
TL_API void tl_augment_sized(const tl_augment_cfg *cfg, size_t size, const tl_tensor *x, const size_t *lengths, tl_tensor *y,
                             uint64_t seed, uint64_t step);

static inline tl_status tl_augment_check(const tl_augment_cfg *cfg, tl_error *error) {
    return tl_augment_check_sized(cfg, sizeof *cfg, error);
}
static inline void tl_augment(const tl_augment_cfg *cfg, const tl_tensor *x, const size_t *lengths, tl_tensor *y, uint64_t seed,
                              uint64_t step) {
    tl_augment_sized(cfg, sizeof *cfg, x, lengths, y, seed, step);
}

#ifdef __cplusplus
}
#endif
#endif
