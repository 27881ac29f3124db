#include "registry.h"

#include <string.h>

static void last_step_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    layer->out.length = 1;
}

static void last_step_forward(const tl_layer *layer, const tl_pass *pass) {
    const size_t length = layer->in[0].length, channels = layer->in[0].channels;
    const tl_real *x = pass->x[0].data + (length - 1) * channels;
    for (size_t i = 0; i < pass->batch; i++) memcpy(pass->y.data + i * channels, x + i * length * channels, channels * sizeof *x);
}

static void last_step_backward(const tl_layer *layer, const tl_pass *pass) {
    const size_t length = layer->in[0].length, channels = layer->in[0].channels, before = (length - 1) * channels;
    tl_real *dx = pass->dx[0].data;
    if (!dx) return;
    for (size_t i = 0; i < pass->batch; i++, dx += length * channels) {
        memset(dx, 0, before * sizeof *dx);
        memcpy(dx + before, pass->dy.data + i * channels, channels * sizeof *dx);
    }
}

const tl_layer_ops tl_last_step_layer_ops = {
    .name = "last_step",
    .size = sizeof(tl_layer),
    .setup = last_step_setup,
    .forward = last_step_forward,
    .backward = last_step_backward,
};

tl_node tl_last_step(tl_model *model, tl_node x) {
    const tl_layer layer = {.ops = &tl_last_step_layer_ops};
    return tl_layer_add(model, &x, 1, &layer);
}
