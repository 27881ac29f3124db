#include "base/memory.h"
#include "layers/registry.h"

#include <string.h>

static void flatten_setup(tl_layer *layer, tl_error *error) {
    const tl_shape in = layer->in[0];
    layer->out.length = 1;
    if (!tl_multiply_sizes(in.length, in.channels, &layer->out.channels))
        tl_fail(error, TL_ERROR_SHAPE, "the number of elements of (%zu, %zu) overflows", in.length, in.channels);
}

/* Only the shape changes: there is nothing to do in place. */
static void flatten_forward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    if (pass->y.data != pass->x[0].data) memcpy(pass->y.data, pass->x[0].data, tl_tensor_count(&pass->y) * sizeof(tl_real));
}

static void flatten_backward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    tl_real *dx = pass->dx[0].data;
    if (dx && dx != pass->dy.data) memcpy(dx, pass->dy.data, tl_tensor_count(&pass->dy) * sizeof(tl_real));
}

static void flatten_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    const size_t length = layer->in[0].length;
    (void)workers;
    streaming->identity = true;
    if (length > 1)
        tl_fail(error, TL_ERROR_ARGUMENT,
                "joins %zu steps, which a stream does not have at the same time; use global_average_pool, global_max_pool or "
                "last_step, or replace it and the dense layer after it by a convolution with kernel %zu without padding",
                length, length);
}

static const tl_stream_ops flatten_stream = {.plan = flatten_stream_plan};

const tl_layer_ops tl_flatten_layer_ops = {
    .name = "flatten",
    .size = sizeof(tl_layer),
    .in_place = true,
    .setup = flatten_setup,
    .flops = tl_no_flops,
    .forward = flatten_forward,
    .backward = flatten_backward,
    .selects = true,
    .stream = &flatten_stream,
};

tl_node tl_flatten(tl_model *model, tl_node x) {
    const tl_layer layer = {.ops = &tl_flatten_layer_ops};
    return tl_layer_add(model, &x, 1, &layer);
}
