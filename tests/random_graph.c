#include "random_graph.h"

#include "layer_cases.h"

/* A node whose shape is known before the model is compiled. */
typedef struct place {
    tl_node node;
    tl_shape shape;
} place;

typedef struct drawing {
    tl_model *model;
    tl_rng rng;
    tl_engine engine;
} drawing;

random_graph random_graph_of(uint32_t number) {
    static const tl_loss_kind losses[] = {TL_LOSS_CROSS_ENTROPY, TL_LOSS_SQUARED_ERROR, TL_LOSS_HUBER,
                                          TL_LOSS_BINARY_CROSS_ENTROPY};
    tl_rng rng = tl_rng_at(number, TL_STREAM_USER, 1, 0);
    return (random_graph){.number = number,
                          .batch = between(&rng, 2, 4),
                          .in = {.length = between(&rng, 4, 14), .channels = between(&rng, 1, 3)},
                          .loss = losses[between(&rng, 0, 3)]};
}

static size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

/* Winograd's kernels have three taps and more for each step of stride, and it takes no long dilations. */
static tl_engine engine_for(const drawing *self, const tl_conv1d_cfg *cfg, size_t length) {
    const bool runs = ceil_div(cfg->kernel, cfg->stride) >= 3 && (cfg->stride == 1 || cfg->dilation == 1) &&
                      cfg->dilation <= ceil_div(length, cfg->stride);
    return self->engine == TL_ENGINE_WINOGRAD && !runs ? TL_ENGINE_NAIVE : self->engine;
}

static place convolve(drawing *self, place x) {
    const size_t groups = between(&self->rng, 0, 3) == 0 ? x.shape.channels : 1;
    tl_conv1d_cfg cfg = {.filters = groups * between(&self->rng, 1, 4),
                         .kernel = between(&self->rng, 1, 5),
                         .stride = between(&self->rng, 0, 3) == 0 ? 2 : 1,
                         .dilation = between(&self->rng, 1, 2),
                         .padding = between(&self->rng, 0, 1) ? TL_PADDING_SAME : TL_PADDING_CAUSAL,
                         .groups = groups,
                         .no_bias = between(&self->rng, 0, 3) == 0};
    cfg.engine = engine_for(self, &cfg, x.shape.length);
    if (cfg.padding == TL_PADDING_SAME && x.shape.length > (cfg.kernel - 1) * cfg.dilation + 1)
        cfg.padding_mode = (tl_padding_mode)between(&self->rng, TL_PADDING_MODE_ZEROS, TL_PADDING_MODE_CIRCULAR);
    return (place){tl_conv1d(self->model, x.node, &cfg), {ceil_div(x.shape.length, cfg.stride), cfg.filters}};
}

static place transpose(drawing *self, place x) {
    const tl_conv1d_transpose_cfg cfg = {.filters = between(&self->rng, 1, 4),
                                         .kernel = between(&self->rng, 1, 4),
                                         .stride = between(&self->rng, 1, 2),
                                         .dilation = between(&self->rng, 1, 2),
                                         .engine = self->engine == TL_ENGINE_WINOGRAD ? TL_ENGINE_NAIVE : self->engine};
    const size_t length = (x.shape.length - 1) * cfg.stride + (cfg.kernel - 1) * cfg.dilation + 1;
    return (place){tl_conv1d_transpose(self->model, x.node, &cfg), {length, cfg.filters}};
}

static place dense(drawing *self, place x, size_t units) {
    return (place){tl_dense(self->model, x.node, &(tl_dense_cfg){.units = units}), {x.shape.length, units}};
}

/* What leaves the shape as it is. */
static place activate(drawing *self, place x) {
    tl_node (*const plain[])(tl_model *, tl_node) = {tl_relu, tl_relu, tl_tanh,  tl_sigmoid,     tl_softplus,
                                                     tl_silu, tl_selu, tl_prelu, tl_hard_sigmoid};
    const size_t which = between(&self->rng, 0, 11);
    if (which < 9)
        x.node = plain[which](self->model, x.node);
    else if (which == 9)
        x.node = tl_leaky_relu(self->model, x.node, NULL);
    else if (which == 10)
        x.node = tl_elu(self->model, x.node, NULL);
    else
        x.node = tl_gelu(self->model, x.node, NULL);
    return x;
}

static place normalise(drawing *self, place x) {
    const size_t which = between(&self->rng, 0, 3);
    if (which <= 1)
        x.node = tl_batch_norm(self->model, x.node, &(tl_batch_norm_cfg){.epsilon = 0.1});
    else if (which == 2)
        x.node = tl_layer_norm(self->model, x.node, &(tl_layer_norm_cfg){.epsilon = 0.1});
    else
        x.node = tl_group_norm(self->model, x.node, &(tl_group_norm_cfg){.groups = x.shape.channels, .epsilon = 0.1});
    return x;
}

static place resize(drawing *self, place x) {
    const tl_pool_cfg pool = {.window = between(&self->rng, 2, 3), .stride = between(&self->rng, 1, 2), .padding = TL_PADDING_SAME};
    const size_t pooled = ceil_div(x.shape.length, pool.stride), which = between(&self->rng, 0, 4);
    if (which == 0) return (place){tl_max_pool(self->model, x.node, &pool), {pooled, x.shape.channels}};
    if (which == 1) return (place){tl_average_pool(self->model, x.node, &pool), {pooled, x.shape.channels}};
    if (which == 2) return transpose(self, x);
    const tl_upsample_cfg cfg = {.factor = 2, .linear = which == 3};
    return (place){tl_upsample(self->model, x.node, &cfg), {2 * x.shape.length, x.shape.channels}};
}

static place one_layer(drawing *self, place x) {
    const size_t which = between(&self->rng, 0, 9);
    if (which < 3) return convolve(self, x);
    if (which == 3) return dense(self, x, between(&self->rng, 1, 4));
    if (which < 7) return activate(self, x);
    return which < 9 || x.shape.length > 20 ? normalise(self, x) : resize(self, x);
}

/* Two branches of the same length and width, which are added, multiplied or laid side by side; the second may be x itself. */
static place branches(drawing *self, place x) {
    const place a = activate(self, dense(self, x, x.shape.channels)), b = between(&self->rng, 0, 1) ? normalise(self, x) : x;
    const tl_node both[] = {a.node, b.node};
    const size_t which = between(&self->rng, 0, 2);
    if (which == 0) return (place){tl_add(self->model, both, 2), x.shape};
    if (which == 1) return (place){tl_multiply(self->model, both, 2), x.shape};
    return (place){tl_concat(self->model, both, 2), {x.shape.length, 2 * x.shape.channels}};
}

/* A value or a step for each series. */
static place end(drawing *self, place x) {
    const size_t which = between(&self->rng, 0, 4);
    if (which == 0) return x;
    if (which == 1) return (place){tl_global_max_pool(self->model, x.node), {1, x.shape.channels}};
    if (which == 2) return (place){tl_last_step(self->model, x.node), {1, x.shape.channels}};
    if (which == 3) return (place){tl_flatten(self->model, x.node), {1, x.shape.length * x.shape.channels}};
    return (place){tl_global_average_pool(self->model, x.node), {1, x.shape.channels}};
}

tl_node random_graph_build(const random_graph *graph, tl_model *model, tl_engine engine) {
    drawing self = {.model = model, .rng = tl_rng_at(graph->number, TL_STREAM_USER, 2, 0), .engine = engine};
    place x = {tl_input(model, graph->in), graph->in};
    for (size_t layers = between(&self.rng, 1, RANDOM_LAYERS / 2); layers > 0; layers--)
        x = between(&self.rng, 0, 4) == 0 && x.shape.channels <= 6 ? branches(&self, x) : one_layer(&self, x);
    return dense(&self, end(&self, x), 2).node;
}
