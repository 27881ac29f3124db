/* loss.h: losses of a batch of outputs, and their gradients. */
#ifndef TL_LOSS_H
#define TL_LOSS_H

#include <tapline/model.h>

/* The mean over samples of the loss; that of a sample is the mean over its steps (and, for squared error, outputs).
 * y: (batch, length, channels); gradient: the same shape, [OUT] d (loss of its sample) / d y, not divided by the batch, or NULL. */
double tl_loss_of(tl_loss_kind kind, const tl_tensor *y, const tl_target *target, tl_real *gradient);

/* Whether every label of `target` is in range, or values are given where the loss needs them. */
tl_status tl_loss_check(tl_loss_kind kind, const tl_tensor *y, const tl_target *target, tl_error *error);

/* probability = softmax(logits), one row of `channels`. May work in place. */
void tl_softmax_row(const tl_real *logits, size_t channels, tl_real *probability);

#endif
