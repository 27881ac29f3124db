/* optim.h: what the optimizers share. */
#ifndef TL_OPTIM_H
#define TL_OPTIM_H

#include <tapline/optimizer.h>

#include "kernels/kernels.h"

/* A default of TL_NOT_TAKEN: the optimizer has no such field. */
#define TL_NOT_TAKEN (-1.0)

/* Puts `defaults` in place of zeros, checks the ranges, and that nothing is set that the optimizer does not take. The default of
 * `nesterov` says whether it may be set. */
tl_status tl_optimizer_prepare(const char *name, tl_optimizer_cfg *cfg, const tl_optimizer_cfg *defaults, tl_error *error);

/* The part of a kernel's run that does not depend on the optimizer. */
tl_step_run tl_optimizer_run(const tl_update *update);

/* Whether the line through `count` losses, 3 … TL_SCHEDULE_LOSSES, and the one through all but the largest tenth of them, each
 * fall with a probability below 0.51. */
bool tl_king_stalled(const double *loss, size_t count);

#endif
