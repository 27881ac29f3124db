/* tapline/gradient_check.h: compares gradients with central differences, for those who write a layer. */
#ifndef TAPLINE_GRADIENT_CHECK_H
#define TAPLINE_GRADIENT_CHECK_H

#include <tapline/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_gradient_report {
    double worst; /* the largest |a - n| / (|a| + |n|) of the elements that are compared singly */
    size_t compared,
        skipped; /* elements that were compared; elements that were skipped because the loss has a kink within the step */
} tl_gradient_report;

/* Compares the gradient of every parameter array and of the input, for x: (batch, length, channels) and `target`, with central
 * differences of tl_loss in training mode. The model must be compiled with input_gradient and must be deterministic (no dropout).
 *
 * In double it compares single elements. It fails, and names array and element, where the analytic gradient a and the numeric
 * gradient n differ by more than 1e-6·(|a| + |n|) and by more than the rounding error of n. In float, where differences are too
 * coarse for single elements, it compares the norms of whole arrays, to 1e-2: use tapline_f64 for new layers.
 *
 * Where the loss has a kink within the step (ReLU, maximum), difference quotients do not converge as those of a smooth function do;
 * such elements are skipped. Too many of them is an error.
 *
 * Parameters may lie exactly at a kink, such as biases of 0 before a ReLU whose inputs are all 0. If the check fails, it is
 * therefore repeated at two other points: normal random numbers with standard deviation 0.05 are added to all parameters. It fails
 * if gradients differ at one of these, too, or if too many elements are skipped at all three. The parameters are unchanged
 * afterwards. Running statistics change, and accumulated gradients are lost. `report` [OUT] may be NULL. */
static inline tl_status tl_check_gradients(tl_model *model, const tl_tensor *x, const tl_target *target, tl_gradient_report *report,
                                           tl_error *error);

/* ---- how structs may grow (see tapline/base.h) ---- */

typedef struct tl_check_sizes {
    size_t target, report;
} tl_check_sizes;

TL_ADVANCED tl_status tl_check_gradients_sized(tl_model *model, const tl_tensor *x, const tl_target *target,
                                               tl_gradient_report *report, const tl_check_sizes *sizes, tl_error *error);

static inline tl_status tl_check_gradients(tl_model *model, const tl_tensor *x, const tl_target *target, tl_gradient_report *report,
                                           tl_error *error) {
    const tl_check_sizes sizes = {sizeof(tl_target), sizeof(tl_gradient_report)};
    return tl_check_gradients_sized(model, x, target, report, &sizes, error);
}

#ifdef __cplusplus
}
#endif
#endif
