/* optim.h: shared by the optimizers. */
#ifndef TL_OPTIM_H
#define TL_OPTIM_H

#include <tapline/optimizer.h>

#include "kernels/kernels.h"

/* As a default: the optimizer has no such field. */
#define TL_NOT_TAKEN (-1.0)

/* Replaces zeros by `defaults`, checks the ranges, and fails if a field is set that the optimizer does not use. The default of
 * `nesterov` says whether it may be set. */
tl_status tl_optimizer_prepare(const char *name, tl_optimizer_cfg *cfg, const tl_optimizer_cfg *defaults, tl_error *error);

/* The part of the arguments of a kernel function that is the same for all optimizers. */
tl_step_run tl_optimizer_run(const tl_update *update);

/* Returns whether the line through `count` losses, 3 … TL_SCHEDULE_LOSSES, and the line through all but the largest tenth of them
 * both fall with a probability below 0.51. */
bool tl_king_stalled(const double *loss, size_t count);

#endif
