/* tapline/profile.h: what a training step spends its time on, layer by layer (advanced). */
#ifndef TAPLINE_PROFILE_H
#define TAPLINE_PROFILE_H

#include <tapline/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A part of a pass of a layer. */
typedef enum tl_pass_part {
    TL_PASS_PART_FORWARD = 0,
    TL_PASS_PART_WEIGHT_GRADIENT, /* of convolutions and dense layers: the gradients of the parameters (dW) */
    TL_PASS_PART_INPUT_GRADIENT,  /* of the same layers: the gradient of the input (dX) */
    TL_PASS_PART_BACKWARD         /* the rest of backward: of other layers all of it */
} tl_pass_part;

/* Called at the end of each part. The work since the call before it, or since the beginning of tl_forward or tl_backward, belongs
 * to this part of this layer. It must not call functions of the model. */
typedef void (*tl_observer)(void *context, tl_node layer, tl_pass_part part);

/* Sets the observer that the model calls in forward and backward passes, on the thread that runs them; NULL: none, as at first.
 * `context` is passed to it. May be called before or after tl_model_compile, between passes. A layer whose work another layer does
 * (such as a ReLU behind a batch norm) has no parts. A model without an observer is not slower. */
TL_ADVANCED void tl_observe(tl_model *model, tl_observer observer, void *context);

/* Returns the name of a layer, such as "conv1d_2", or "input_1"; the model owns it. NULL if there is no such node; empty before
 * tl_model_compile. Nodes are numbered from 0 in the order in which they were added. */
TL_ADVANCED const char *tl_node_name(const tl_model *model, tl_node node);

#ifdef __cplusplus
}
#endif
#endif
