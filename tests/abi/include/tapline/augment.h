/* tapline/augment.h: random changes to the series that a model is trained on (Um et al. 2017; Le Guennec et al. 2016).
 *
 * These functions have no state: several threads may call them at the same time. */
#ifndef TAPLINE_AUGMENT_H
#define TAPLINE_AUGMENT_H

#include <tapline/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means that the change is not made. Changes are made in this order. */
typedef struct tl_augment_cfg {
    /* in (0, 1): a window with this share of the series, at a random place, is stretched to the length of the series */
    double crop;
    double scale;  /* each series is multiplied by a normal random number with mean 1 and this standard deviation */
    double jitter; /* normal random numbers with this standard deviation are added to the values */
    double mixup;  /* each series of a batch, and its target, is mixed with another one (tl_mixup). The share of the other one has
                      a beta distribution with both parameters equal to this, usually 0.2 (Zhang et al. 2018) */
} tl_augment_cfg;

/* Fails if a value is out of range; the message names it. */
static inline tl_status tl_augment_check(const tl_augment_cfg *cfg, tl_error *error);

/* Writes crop, scale and jitter of x to y: both (batch, length, channels), not overlapping. lengths: (batch) the steps of each
 * series that are data, at most all of them; y is 0 from there on; NULL: whole series. The result is a function of (seed, step,
 * place in the batch). */
static inline void tl_augment(const tl_augment_cfg *cfg, const tl_tensor *x, const size_t *lengths, tl_tensor *y, uint64_t seed,
                              uint64_t step);

/* Draws the parameters of mixup for `count` series. partner: (count) [OUT] the series that each series is mixed with, never itself.
 * share: (count) [OUT] the share of the partner, from the beta distribution with both parameters equal to `alpha`. (Zhang et al.
 * draw one share for the whole batch; one for each series varies less between steps.) A single series is not mixed. The result is a
 * function of (seed, step). */
TL_API void tl_mixup_draw(double alpha, uint32_t *partner, tl_real *share, size_t count, uint64_t seed, uint64_t step);

/* Mixes series: y[i] = (1 - share[i]) · x[i] + share[i] · x[partner[i]]. x, y [OUT]: (batch, length, channels), not overlapping.
 * lengths: (batch) the steps of each series that are data, after which x must be 0; mixed_lengths: (batch) [OUT] the same for y. A
 * mixture has the length of the series with the larger share: the other series is cut at that length, or counts as 0 after its end.
 * Both may be NULL: whole series. A partner outside the batch counts as the series itself. Mix the targets in the same way; class
 * labels become tl_target.probabilities. */
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
