/* Fixed convolutions whose outputs are summarised as many features of the whole series: MiniRocket, MultiRocket, Hydra. */
#include "layers/rocket/rocket.h"

#include "base/math.h"
#include "graph/builder.h"
#include "layers/registry.h"

#include <math.h>
#include <string.h>

/* ---- kinds ---- */

static const tl_rocket_ops *const kinds[] = {
    [TL_ROCKET_MINI] = &tl_rocket_mini_ops, [TL_ROCKET_MULTI] = &tl_rocket_multi_ops, [TL_ROCKET_HYDRA] = &tl_rocket_hydra_ops};
enum { KINDS = sizeof kinds / sizeof *kinds, MAX_FEATURES = 1 << 20, MAX_NUMBERS = 1 << 30 };

static const char *kind_name(size_t kind) { return kind < KINDS ? kinds[kind]->name : NULL; }
static const tl_rocket_ops *ops_of(const tl_layer *layer) { return kinds[((const tl_rocket_layer *)layer)->kind]; }

/* ---- the layer ---- */

static void rocket_setup(tl_layer *layer, tl_error *error) {
    tl_rocket_layer *self = (tl_rocket_layer *)layer;
    if ((size_t)self->kind >= KINDS) {
        tl_fail(error, TL_ERROR_ARGUMENT, "kind %d is unknown; there are %d", (int)self->kind, (int)KINDS);
        return;
    }
    const tl_rocket_ops *ops = ops_of(layer);
    if (self->features == 0) self->features = ops->features;
    if (self->length == 0) self->length = layer->in[0].length;
    const size_t shorter = tl_min(self->length, layer->in[0].length);
    if (self->features < 0 || self->features > MAX_FEATURES)
        tl_fail(error, TL_ERROR_ARGUMENT, "features %d is outside 1 … %d", self->features, (int)MAX_FEATURES);
    if (shorter < ops->shortest)
        tl_fail(error, TL_ERROR_SHAPE, "series of %zu steps are shorter than the kernels, which take %zu; pad them with zeros",
                shorter, ops->shortest);
    if ((double)layer->in[0].channels * ((double)self->length + (double)layer->in[0].length) > MAX_NUMBERS)
        tl_fail(error, TL_ERROR_SHAPE, "series of %zu steps and %zu channels, with dilations for %zu steps, exceed %d numbers",
                layer->in[0].length, layer->in[0].channels, self->length, (int)MAX_NUMBERS);
    if (!tl_failed(error)) ops->plan(self, error);
}

static size_t rocket_out_length(const tl_layer *layer, size_t length) {
    (void)layer;
    return length > 0;
}

static size_t rocket_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)batch;
    return ops_of(layer)->scratch((const tl_rocket_layer *)layer, threads);
}

/* Features are NaN before the random choices are made. */
static void rocket_forward(const tl_layer *layer, const tl_pass *pass) {
    const size_t count = pass->batch * layer->out.channels;
    if (pass->state[TL_ROCKET_FITTED][0] != 0) {
        ops_of(layer)->transform((const tl_rocket_layer *)layer, pass);
        return;
    }
    for (size_t i = 0; i < count; i++) pass->y.data[i] = (tl_real)NAN;
    if (pass->fault) *pass->fault = "its biases were not drawn yet: tl_update_statistics draws them from training data";
}

/* A small change of the series does not change a count: the gradient is 0. */
static void rocket_backward(const tl_layer *layer, const tl_pass *pass) {
    const size_t count = pass->batch * layer->in[0].length * layer->in[0].channels;
    if (pass->dx[0].data) memset(pass->dx[0].data, 0, count * sizeof(tl_real));
}

static void rocket_accumulate(const tl_layer *layer, const tl_pass *pass) {
    ops_of(layer)->accumulate((const tl_rocket_layer *)layer, pass);
}

/* Draws only once: the layers after this one learn from these features. */
static void rocket_finish(const tl_layer *layer, const tl_pass *pass) {
    if (pass->state[TL_ROCKET_FITTED][0] == 0 && pass->sums[0] >= 1) ops_of(layer)->draw((const tl_rocket_layer *)layer, pass);
}

static const tl_preparation preparation = {.accumulate = rocket_accumulate, .finish = rocket_finish, .waits = true};

static double rocket_flops(const tl_layer *layer) { return ops_of(layer)->flops((const tl_rocket_layer *)layer); }

static void rocket_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    (void)layer;
    (void)workers;
    (void)streaming;
    tl_fail(error, TL_ERROR_ARGUMENT,
            "computes features of whole series, which a stream does not have; predict windows of the series instead");
}

static const tl_stream_ops rocket_stream = {.plan = rocket_stream_plan};

static const tl_setting settings[] = {
    {"kind", TL_SETTING_CHOICE, offsetof(tl_rocket_layer, kind), kind_name},
    {"features", TL_SETTING_INTEGER, offsetof(tl_rocket_layer, features), NULL},
    {"length", TL_SETTING_SIZE, offsetof(tl_rocket_layer, length), NULL},
    {0},
};

const tl_layer_ops tl_rocket_layer_ops = {
    .name = "rocket",
    .size = sizeof(tl_rocket_layer),
    .settings = settings,
    .setup = rocket_setup,
    .out_length = rocket_out_length,
    .scratch = rocket_scratch,
    .flops = rocket_flops,
    .forward = rocket_forward,
    .backward = rocket_backward,
    .preparation = &preparation,
    .stream = &rocket_stream,
};

tl_node tl_rocket_sized(tl_model *model, tl_node x, const tl_rocket_cfg *cfg, size_t size) {
    tl_rocket_cfg own;
    tl_builder_cfg(model, "rocket", &own, sizeof own, cfg, size);
    const tl_rocket_layer layer = {
        .base.ops = &tl_rocket_layer_ops, .kind = own.kind, .features = own.features, .length = own.length};
    return tl_layer_add(model, &x, 1, &layer.base);
}
