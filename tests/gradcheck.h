/* gradcheck.h: gradients against central differences, through the public API alone. */
#ifndef GRADCHECK_H
#define GRADCHECK_H

#include "check.h"

/* Compares, on x (batch, length, channels) and `target`, the gradient of every parameter array and of the input with central
 * differences of tl_loss in training mode. The model was compiled with input_gradient; it must be deterministic (no dropout).
 * Fails naming `what`, the array and the element. Returns the largest relative error |a - n| / (|a| + |n|) among the elements
 * whose difference exceeds the rounding of the difference quotient itself; each is at most 1e-6 in double.
 *
 * Elements where the loss has a kink within reach of the step (ReLU, maximum) are recognised by difference quotients that do not
 * converge as a smooth function's do, whatever the gradient says, and are skipped; too many of them is a failure.
 */
double gradcheck(const char *what, tl_model *model, const tl_tensor *x, const tl_target *target);

#endif
