#include "registry.h"

#include <string.h>

/* Elements of a task: the sum is gathered on the stack, so that y may be any of the inputs, even one that is added twice. */
enum { BLOCK = 1024 };

static void add_setup(tl_layer *layer, tl_error *error) {
    const tl_shape first = layer->in[0];
    if (layer->inputs < 2) tl_fail(error, TL_ERROR_ARGUMENT, "%zu input, at least 2 are needed", layer->inputs);
    for (size_t i = 1; i < layer->inputs; i++)
        if (layer->in[i].length != first.length || layer->in[i].channels != first.channels)
            tl_fail(error, TL_ERROR_SHAPE, "input %zu is (%zu, %zu), input 0 is (%zu, %zu)", i, layer->in[i].length,
                    layer->in[i].channels, first.length, first.channels);
}

typedef struct add_run {
    const tl_pass *pass;
    size_t inputs, count;
} add_run;

static void forward_task(void *context, size_t task, int worker) {
    (void)worker;
    const add_run *run = context;
    const size_t first = task * BLOCK, count = run->count - first < BLOCK ? run->count - first : BLOCK;
    const tl_tensor *x = run->pass->x;
    tl_real sum[BLOCK];
    const tl_real *a = x[0].data + first, *b = x[1].data + first;
    for (size_t i = 0; i < count; i++) sum[i] = a[i] + b[i];
    for (size_t k = 2; k < run->inputs; k++) {
        const tl_real *more = x[k].data + first;
        for (size_t i = 0; i < count; i++) sum[i] += more[i];
    }
    memcpy(run->pass->y.data + first, sum, count * sizeof *sum);
}

static void add_forward(const tl_layer *layer, const tl_pass *pass) {
    add_run run = {.pass = pass, .inputs = layer->inputs, .count = tl_tensor_count(&pass->y)};
    tl_parallel(pass->workers, (run.count + BLOCK - 1) / BLOCK, (double)run.count * (double)run.inputs, forward_task, &run);
}

static void add_backward(const tl_layer *layer, const tl_pass *pass) {
    for (size_t k = 0; k < layer->inputs; k++) {
        tl_real *dx = pass->dx[k].data;
        if (dx && dx != pass->dy.data) memcpy(dx, pass->dy.data, tl_tensor_count(&pass->dy) * sizeof *dx);
    }
}

const tl_layer_ops tl_add_layer_ops = {
    .name = "add",
    .size = sizeof(tl_layer),
    .several = true,
    .in_place = true,
    .setup = add_setup,
    .forward = add_forward,
    .backward = add_backward,
};

tl_node tl_add(tl_model *model, const tl_node *x, size_t count) {
    const tl_layer layer = {.ops = &tl_add_layer_ops};
    return tl_layer_add(model, x, count, &layer);
}
