/* tapline/find_learning_rate.h: suggests a learning rate from a short trial (Smith 2017, "Cyclical learning rates for training
 * neural networks", section 3.3: the range test). */
#ifndef TAPLINE_FIND_LEARNING_RATE_H
#define TAPLINE_FIND_LEARNING_RATE_H

#include <tapline/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The learning rates of a trial; each is used for one step. Zero means the default in brackets. */
typedef struct tl_rate_range {
    double low, high; /* (1e-7, 10) */
    int steps;        /* (100) number of rates, 10 … TL_RATES, in a geometric sequence */
    char reserved[4];
} tl_rate_range;

enum { TL_RATES = 1000 };

/* The result of a trial. Several threads may read it at the same time. */
typedef struct tl_rate_curve tl_rate_curve;

/* Creates an empty curve for tl_find_learning_rate; free it with tl_rate_curve_free. Returns NULL when memory is short; functions
 * that take a curve accept NULL. */
TL_API tl_rate_curve *tl_rate_curve_new(tl_error *error);

/* Frees a curve. NULL is allowed. */
TL_API void tl_rate_curve_free(tl_rate_curve *curve);

/* Returns the number of rates that were tried. */
TL_API size_t tl_rate_curve_count(const tl_rate_curve *curve);

/* Arrays (count): the rates; the loss of the batch before the step of each rate; and these losses smoothed: each is the mean of the
 * losses within a twentieth of the steps on both sides. They belong to the curve and are valid until the next trial. */
TL_API const double *tl_rate_curve_learning_rates(const tl_rate_curve *curve);
TL_API const double *tl_rate_curve_losses(const tl_rate_curve *curve);
TL_API const double *tl_rate_curve_smoothed(const tl_rate_curve *curve);

/* Returns the rate at which the loss falls most steeply; NaN if it never falls by more than it fluctuates. */
TL_API double tl_rate_curve_suggestion(const tl_rate_curve *curve);

/* Returns whether the trial ended early because the loss rose to four times the lowest loss or was not finite. */
TL_API bool tl_rate_curve_diverged(const tl_rate_curve *curve);

/* Trains with a learning rate that rises from step to step until the loss diverges. Then it restores the model to the last bit
 * (parameters, states, optimizer moments and counters), so that the trial does not affect a later training; only accumulated
 * gradients are lost. Of `cfg` (NULL: defaults) it uses batch, accumulate, augment, keep_order and callbacks; a callback may end
 * the trial. `range` NULL: defaults; curve: [OUT] also if the trial fails, with the rates so far. Fails as tl_fit does, except that
 * a loss that is not finite after the first step ends the trial without an error. */
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
