/* The mask is a function of (seed, node, step, position): backward draws it again instead of keeping it. */
#include "registry.h"

enum { BLOCK = 4096 }; /* elements of a task: a multiple of the four numbers that the generator gives at once */

typedef struct dropout_layer {
    tl_layer base;
    double rate;
} dropout_layer;

static void dropout_setup(tl_layer *layer, tl_error *error) {
    const double rate = ((const dropout_layer *)layer)->rate;
    if (!(rate > 0 && rate < 1)) tl_fail(error, TL_ERROR_ARGUMENT, "rate %g is outside (0, 1)", rate);
}

typedef struct dropout_run {
    const tl_pass *pass;
    const tl_real *from;
    tl_real *to;
    size_t count;
    uint32_t threshold; /* an element stays where its 32 bits are at least this */
    tl_real scale;
} dropout_run;

static void mask_task(void *context, size_t task, int worker) {
    (void)worker;
    const dropout_run *run = context;
    const size_t first = task * BLOCK, last = run->count - first < BLOCK ? run->count : first + BLOCK;
    tl_rng rng = tl_rng_at(run->pass->seed, TL_STREAM_DROPOUT, run->pass->node, run->pass->step);
    rng.counter[0] = (uint32_t)(first / 4);
    for (size_t i = first; i < last; i++) {
        const tl_real factor = tl_rng_bits(&rng) >= run->threshold ? run->scale : 0;
        run->to[i] = run->from[i] * factor;
    }
}

static void apply_mask(const tl_layer *layer, const tl_pass *pass, const tl_real *from, tl_real *to, size_t count) {
    const double rate = ((const dropout_layer *)layer)->rate;
    dropout_run run = {.pass = pass,
                       .from = from,
                       .to = to,
                       .count = count,
                       .threshold = (uint32_t)(rate * 0x1p32),
                       .scale = (tl_real)(1 / (1 - rate))};
    tl_parallel(pass->workers, (count + BLOCK - 1) / BLOCK, 10.0 * (double)count, mask_task, &run);
}

static void copy(const tl_real *from, tl_real *to, size_t count) {
    if (to != from)
        for (size_t i = 0; i < count; i++) to[i] = from[i];
}

static void dropout_forward(const tl_layer *layer, const tl_pass *pass) {
    const size_t count = tl_tensor_count(&pass->y);
    if (pass->training)
        apply_mask(layer, pass, pass->x[0].data, pass->y.data, count);
    else
        copy(pass->x[0].data, pass->y.data, count);
}

static void dropout_backward(const tl_layer *layer, const tl_pass *pass) {
    if (pass->dx[0].data) apply_mask(layer, pass, pass->dy.data, pass->dx[0].data, tl_tensor_count(&pass->dy));
}

static const tl_setting settings[] = {{"rate", TL_SETTING_NUMBER, offsetof(dropout_layer, rate), NULL}, {0}};

const tl_layer_ops tl_dropout_layer_ops = {
    .name = "dropout",
    .size = sizeof(dropout_layer),
    .settings = settings,
    .in_place = true,
    .setup = dropout_setup,
    .forward = dropout_forward,
    .backward = dropout_backward,
};

tl_node tl_dropout(tl_model *model, tl_node x, const tl_dropout_cfg *cfg) {
    const dropout_layer layer = {.base.ops = &tl_dropout_layer_ops, .rate = cfg ? cfg->rate : 0};
    return tl_layer_add(model, &x, 1, &layer.base);
}
