/* tapline/conv1d.h: one convolution without a model: the three passes of a chosen engine on your own arrays (advanced). */
#ifndef TAPLINE_CONV1D_H
#define TAPLINE_CONV1D_H

#include <tapline/layers.h>
#include <tapline/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All fields count: there are no defaults here, a stride or dilation of 0 is an error. */
typedef struct tl_conv1d_spec {
    int64_t batch, length, channels;
    int64_t filters, kernel, stride, dilation;
    tl_padding padding;
    int64_t pad_left, pad_right;                         /* TL_PADDING_EXPLICIT only; else 0 */
    tl_engine forward, backward_input, backward_weights; /* the engine of each pass */
    int threads;                                         /* 0: as many as the machine offers */
} tl_conv1d_spec;

typedef struct tl_conv1d_plan tl_conv1d_plan;

/* Checks the geometry, chooses engines, allocates scratch memory. NULL on failure: unlike a model, a plan that is NULL cannot be
 * used below. Free with tl_conv1d_plan_free. A plan is used by one thread at a time. */
TL_API tl_conv1d_plan *tl_conv1d_plan_new(const tl_conv1d_spec *spec, tl_error *error);

/* NULL is fine. */
TL_API void tl_conv1d_plan_free(tl_conv1d_plan *plan);

/* The length of y: floor((length + pads - extent) / stride) + 1, extent = (kernel - 1)·dilation + 1. */
TL_API size_t tl_conv1d_out_length(const tl_conv1d_plan *plan);

/* The name of the engine that a pass uses: what TL_ENGINE_AUTO chose. */
typedef enum tl_conv1d_pass { TL_CONV1D_FORWARD = 0, TL_CONV1D_BACKWARD_INPUT, TL_CONV1D_BACKWARD_WEIGHTS } tl_conv1d_pass;
TL_API const char *tl_conv1d_engine(const tl_conv1d_plan *plan, tl_conv1d_pass pass);

/* x: (batch, length, channels), weight: (kernel, channels, filters), bias: (filters) or NULL,
 * y and dy: (batch, out_length, filters). Arrays do not overlap. */

/* y = bias + x ∗ weight. */
TL_API void tl_conv1d_forward(tl_conv1d_plan *plan, const tl_real *x, const tl_real *weight, const tl_real *bias, tl_real *y);

/* dx = the gradient of x, (batch, length, channels), every element written: inputs that no window reads get 0. */
TL_API void tl_conv1d_backward_input(tl_conv1d_plan *plan, const tl_real *dy, const tl_real *weight, tl_real *dx);

/* dweight += the gradient of weight, dbias += that of bias (NULL: skip it). */
TL_API void tl_conv1d_backward_weights(tl_conv1d_plan *plan, const tl_real *x, const tl_real *dy, tl_real *dweight, tl_real *dbias);

#ifdef __cplusplus
}
#endif
#endif
