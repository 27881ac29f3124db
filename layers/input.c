#include "layers/registry.h"

typedef struct input_layer {
    tl_layer base;
    tl_shape shape;
} input_layer;

static void input_setup(tl_layer *layer, tl_error *error) {
    const tl_shape shape = ((const input_layer *)layer)->shape;
    if (shape.length < 1 || shape.channels < 1)
        tl_fail(error, TL_ERROR_SHAPE, "shape (%zu, %zu) has no elements", shape.length, shape.channels);
    layer->out = shape;
}

static const tl_setting settings[] = {
    {"length", TL_SETTING_SIZE, offsetof(input_layer, shape.length), NULL},
    {"channels", TL_SETTING_SIZE, offsetof(input_layer, shape.channels), NULL},
    {0},
};

/* The graph copies the samples to y. */
const tl_layer_ops tl_input_layer_ops = {
    .name = "input",
    .size = sizeof(input_layer),
    .settings = settings,
    .setup = input_setup,
    .flops = tl_no_flops,
};

tl_node tl_input(tl_model *model, tl_shape shape) {
    const input_layer layer = {.base = {.ops = &tl_input_layer_ops, .out = shape}, .shape = shape};
    return tl_layer_add(model, NULL, 0, &layer.base);
}
