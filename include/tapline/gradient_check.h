/* tapline/gradient_check.h: gradients against central differences, for those who write a layer. */
#ifndef TAPLINE_GRADIENT_CHECK_H
#define TAPLINE_GRADIENT_CHECK_H

#include <tapline/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_gradient_report {
    double worst;             /* largest |a - n| / (|a| + |n|), of elements large enough for it to mean something */
    size_t compared, skipped; /* elements; skipped: those with a kink within reach of the step */
} tl_gradient_report;

/* Compares the gradient of every parameter array and of the input, for x: (batch, length, channels) and `target`, with central
 * differences of tl_loss in training mode. The model was compiled with input_gradient and is deterministic (no dropout).
 * Fails, naming array and element, where analytic a and numeric n differ by more than 1e-6·(|a| + |n|) in double and by more
 * than rounding alone makes of n. In float, whose differences are too coarse for single elements, the norms of whole arrays are
 * compared, to 1e-2: check new layers with tapline_f64.
 *
 * Elements where the loss has a kink within reach of the step (ReLU, maximum) are recognised by difference quotients that do not
 * converge as a smooth function's do, whatever the gradient says, and are skipped; too many of them is a failure. Running
 * statistics move, and accumulated gradients are lost. `report` may be NULL. */
TL_API tl_status tl_check_gradients(tl_model *model, const tl_tensor *x, const tl_target *target, tl_gradient_report *report,
                                    tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
