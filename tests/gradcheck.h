/* gradcheck.h: tl_check_gradients as a test. */
#ifndef GRADCHECK_H
#define GRADCHECK_H

#include "check.h"

/* Fails, naming `what`, if tl_check_gradients does; returns the largest relative error. */
double gradcheck(const char *what, tl_model *model, const tl_tensor *x, const tl_target *target);

#endif
