/* optim.h: what the optimizers share. */
#ifndef TL_OPTIM_H
#define TL_OPTIM_H

#include <tapline/optimizer.h>

/* Fails unless least ≤ value < limit; NaN fails. `what` names the value. */
void tl_optimizer_check(const char *what, double value, double least, double limit, tl_error *error);

#endif
