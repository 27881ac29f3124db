/* The direct engine: a register-tiled kernel that reads the input in place (no im2col), weights packed in blocks of vectors.
 * Forward broadcasts inputs over vectors of filters; see direct_input.c and direct_weights.c for the gradients.
 */
#include "direct.h"

static void forward(const tl_conv1d_shape *whole, const tl_real *x, const tl_real *weight, const tl_real *bias, tl_real *y,
                    const tl_workers *workers, tl_real *scratch) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    const tl_direct_form form = tl_direct_forward_form(&shape);
    const tl_direct_weights weights = {
        .form = &form, .weight = weight, .tap_step = (ptrdiff_t)(form.in_width * form.width), .in_step = form.width, .out_step = 1};
    tl_direct_sum(&weights, shape.batch, x, bias, y, workers, scratch);
}

static size_t forward_scratch(const tl_conv1d_shape *whole, int workers) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    const tl_direct_form form = tl_direct_forward_form(&shape);
    return tl_direct_sum_scratch(&form, shape.batch, workers);
}

static bool supports(const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    (void)shape;
    (void)pass;
    return true;
}

static size_t scratch_of(const tl_conv1d_shape *shape, tl_conv1d_pass pass, int workers) {
    switch (pass) {
    case TL_FORWARD:
        return forward_scratch(shape, workers);
    case TL_BACKWARD_INPUT:
        return tl_direct_input_scratch(shape, workers);
    case TL_BACKWARD_WEIGHTS:
        break;
    }
    return tl_direct_weights_scratch(shape, workers);
}

const tl_conv1d_ops tl_conv1d_direct = {
    .name = "direct",
    .engine = TL_ENGINE_DIRECT,
    .supports = supports,
    .scratch = scratch_of,
    .forward = forward,
    .backward_input = tl_direct_backward_input,
    .backward_weights = tl_direct_backward_weights,
};
