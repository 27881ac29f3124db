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

typedef struct tl_rate_curve {
    size_t count; /* of the rates that were tried */
    double learning_rate[TL_RATES];
    double loss[TL_RATES];     /* of the batch, before the step of that rate */
    double smoothed[TL_RATES]; /* the mean of the losses around it, to either side a twentieth of the steps where there are these */
    double suggestion; /* the rate at which the loss falls most steeply; NaN where it falls nowhere by more than it scatters */
    bool diverged;     /* the loss rose to four times the least, or was not finite, before all rates were tried */
} tl_rate_curve;

/* Trains with a learning rate that rises from step to step until the loss diverges, and then puts the model back: parameters,
 * state, the optimizer's moments and all counters are to the last bit what they were, so that training after it is as without.
 * Gradients that have accumulated are lost. Of `cfg` (NULL: defaults) batch, accumulate, augment, keep_order and callbacks apply,
 * which may end it. `range` NULL: defaults; curve: [OUT], of the rates so far where it fails. Fails as tl_fit does, where that is
 * before the first step or for another reason than a loss that is not finite. */
TL_API tl_status tl_find_learning_rate(tl_model *model, const tl_dataset *data, const tl_fit_cfg *cfg, const tl_rate_range *range,
                                       tl_rate_curve *curve, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
