/* tapline/conv1d.h: a convolution without a model: the three passes of a chosen engine on your own arrays (advanced). */
#ifndef TAPLINE_CONV1D_H
#define TAPLINE_CONV1D_H

#include <tapline/layers.h>
#include <tapline/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* There are no defaults here: a stride or dilation of 0 is an error. */
typedef struct tl_conv1d_spec {
    size_t batch, length, channels;
    size_t filters, kernel, stride, dilation;
    tl_padding padding;
    size_t pad_left, pad_right;                          /* in steps; only with TL_PADDING_EXPLICIT, else 0 */
    tl_engine forward, backward_input, backward_weights; /* the engine of each pass */
    int threads;                                         /* 0: as many as the machine offers */
} tl_conv1d_spec;

typedef struct tl_conv1d_plan tl_conv1d_plan;

/* Checks the geometry, chooses engines and allocates temporary memory. Free the plan with tl_conv1d_plan_free. NULL on failure; the
 * functions below must not be called with a NULL plan. A plan is used by one thread at a time. */
static inline tl_conv1d_plan *tl_conv1d_plan_new(const tl_conv1d_spec *spec, tl_error *error);

/* Frees a plan. NULL is allowed. */
TL_ADVANCED void tl_conv1d_plan_free(tl_conv1d_plan *plan);

/* Returns the length of y: floor((length + pad_left + pad_right - extent) / stride) + 1, with extent = (kernel - 1)·dilation +
 * 1. */
TL_ADVANCED size_t tl_conv1d_out_length(const tl_conv1d_plan *plan);

/* Returns the name of the engine of a pass; where TL_ENGINE_AUTO was given, that of the engine that was chosen. */
typedef enum tl_conv1d_pass { TL_CONV1D_FORWARD = 0, TL_CONV1D_BACKWARD_INPUT, TL_CONV1D_BACKWARD_WEIGHTS } tl_conv1d_pass;
TL_ADVANCED const char *tl_conv1d_engine(const tl_conv1d_plan *plan, tl_conv1d_pass pass);

/* Shapes: x and dx (batch, length, channels); weight and dweight (kernel, channels, filters); bias and dbias (filters); y and dy
 * (batch, out_length, filters). Arrays must not overlap. */

/* Computes y [OUT] = x ∗ weight + bias; bias may be NULL. */
TL_ADVANCED void tl_conv1d_forward(tl_conv1d_plan *plan, const tl_real *x, const tl_real *weight, const tl_real *bias, tl_real *y);

/* Computes dx [OUT], the gradient with respect to x. Every element is written; inputs that no window reads get 0. */
TL_ADVANCED void tl_conv1d_backward_input(tl_conv1d_plan *plan, const tl_real *dy, const tl_real *weight, tl_real *dx);

/* Adds the gradient with respect to weight to dweight, and that with respect to bias to dbias (NULL: skip it). */
TL_ADVANCED void tl_conv1d_backward_weights(tl_conv1d_plan *plan, const tl_real *x, const tl_real *dy, tl_real *dweight,
                                            tl_real *dbias);

/* ---- how structs may grow (see tapline/base.h) ---- */

TL_ADVANCED tl_conv1d_plan *tl_conv1d_plan_new_sized(const tl_conv1d_spec *spec, size_t size, tl_error *error);

static inline tl_conv1d_plan *tl_conv1d_plan_new(const tl_conv1d_spec *spec, tl_error *error) {
    return tl_conv1d_plan_new_sized(spec, sizeof *spec, error);
}

#ifdef __cplusplus
}
#endif
#endif
