/* gradcheck.h: gradients against central differences, through the public API alone. */
#ifndef GRADCHECK_H
#define GRADCHECK_H

#include "check.h"

/* Compares, on x (batch, length, channels) and `target`, the gradient of every parameter array and of the input with central
 * differences of tl_loss in training mode. The model was compiled with input_gradient; it must be deterministic (no dropout).
 * Fails naming `what`, the array and the element where |a - n| / (|a| + |n|) exceeds 1e-6 in double (in float: 1e-2 for the norm
 * of an array) and a - n exceeds what rounding alone makes of the difference quotient. Returns the largest such ratio among
 * the elements that are large enough for the first of the two to be the limit.
 *
 * Elements where the loss has a kink within reach of the step (ReLU, maximum) are recognised by difference quotients that do not
 * converge as a smooth function's do, whatever the gradient says, and are skipped; too many of them is a failure.
 */
double gradcheck(const char *what, tl_model *model, const tl_tensor *x, const tl_target *target);

#endif
