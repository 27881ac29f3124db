/* tapline/find_learning_rate.h: which learning rate to train with, from a short trial (Smith 2017, "Cyclical learning rates for
 * training neural networks", section 3.3: the range test). */
#ifndef TAPLINE_FIND_LEARNING_RATE_H
#define TAPLINE_FIND_LEARNING_RATE_H

#include <tapline/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The learning rates that are tried, each in one step. Zero means the default in brackets. */
typedef struct tl_rate_range {
    double low, high; /* (1e-7, 10) */
    int steps;        /* (100) from 10 to TL_RATES, at the same ratio to each other */
} tl_rate_range;

enum { TL_RATES = 1000 };

/* What a trial found out. */
typedef struct tl_rate_curve tl_rate_curve;

/* A curve without rates, for tl_find_learning_rate. Free it with tl_rate_curve_free. NULL when memory is short: what takes a curve
 * accepts that. */
TL_API tl_rate_curve *tl_rate_curve_new(tl_error *error);

/* NULL is fine. */
TL_API void tl_rate_curve_free(tl_rate_curve *curve);

/* The number of rates that were tried. */
TL_API size_t tl_rate_curve_count(const tl_rate_curve *curve);

/* (count) the rates; the loss of the batch before the step of each rate; and the mean of the losses around it, to either side a
 * twentieth of the steps where there are these. They belong to the curve, and change with the next trial. */
TL_API const double *tl_rate_curve_learning_rates(const tl_rate_curve *curve);
TL_API const double *tl_rate_curve_losses(const tl_rate_curve *curve);
TL_API const double *tl_rate_curve_smoothed(const tl_rate_curve *curve);

/* The rate at which the loss falls most steeply; NaN where it falls nowhere by more than it scatters. */
TL_API double tl_rate_curve_suggestion(const tl_rate_curve *curve);

/* Whether the loss rose to four times the lowest, or was not finite, before all rates were tried. */
TL_API bool tl_rate_curve_diverged(const tl_rate_curve *curve);

/* Trains with a learning rate that rises from step to step until the loss diverges, and then puts the model back: parameters,
 * state, the optimizer's moments and all counters are to the last bit what they were, so that training after it is as without.
 * Gradients that have accumulated are lost. Of `cfg` (NULL: defaults) batch, accumulate, augment, keep_order and callbacks apply,
 * which may end it. `range` NULL: defaults; curve: [OUT], of the rates so far where it fails. Fails as tl_fit does, where that is
 * before the first step or for another reason than a loss that is not finite. */
static inline tl_status tl_find_learning_rate(tl_model *model, const tl_dataset *data, const tl_fit_cfg *cfg,
                                              const tl_rate_range *range, tl_rate_curve *curve, tl_error *error);

/* ---- how structs may grow (see tapline/base.h) ---- */

typedef struct tl_find_sizes {
    size_t cfg, schedule, augment, range;
} tl_find_sizes;

TL_API tl_status tl_find_learning_rate_sized(tl_model *model, const tl_dataset *data, const tl_fit_cfg *cfg,
                                             const tl_rate_range *range, tl_rate_curve *curve, const tl_find_sizes *sizes,
                                             tl_error *error);

static inline tl_status tl_find_learning_rate(tl_model *model, const tl_dataset *data, const tl_fit_cfg *cfg,
                                              const tl_rate_range *range, tl_rate_curve *curve, tl_error *error) {
    const tl_find_sizes sizes = {sizeof(tl_fit_cfg), sizeof(tl_schedule_cfg), sizeof(tl_augment_cfg), sizeof(tl_rate_range)};
    return tl_find_learning_rate_sized(model, data, cfg, range, curve, &sizes, error);
}

#ifdef __cplusplus
}
#endif
#endif
