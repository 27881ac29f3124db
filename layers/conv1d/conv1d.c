#include "engine.h"
#include "registry.h"
#include "window.h"

typedef struct conv1d_layer {
    tl_layer base;
    tl_conv1d_cfg cfg;
    tl_conv1d_job job; /* [OUT] of setup; of the largest batch */
} conv1d_layer;

static void conv1d_setup(tl_layer *layer, tl_error *error) {
    conv1d_layer *conv = (conv1d_layer *)layer;
    const tl_conv1d_cfg *cfg = &conv->cfg;
    const tl_engine engine = cfg->engine != TL_ENGINE_AUTO ? cfg->engine : layer->engine;
    const tl_conv1d_spec spec = {.batch = (int64_t)layer->batch,
                                 .length = (int64_t)layer->in[0].length,
                                 .channels = (int64_t)layer->in[0].channels,
                                 .filters = cfg->filters,
                                 .kernel = cfg->kernel,
                                 .stride = cfg->stride ? cfg->stride : 1,
                                 .dilation = cfg->dilation ? cfg->dilation : 1,
                                 .padding = cfg->padding,
                                 .pad_left = cfg->pad_left,
                                 .pad_right = cfg->pad_right,
                                 .forward = engine,
                                 .backward_input = engine,
                                 .backward_weights = engine};
    if (tl_conv1d_prepare(&spec, &conv->job, error) != TL_OK) return;
    const tl_conv1d_shape *shape = &conv->job.shape;
    layer->out = (tl_shape){.length = shape->out_length, .channels = shape->filters};
    const size_t fan_in = shape->kernel * shape->channels, fan_out = shape->kernel * shape->filters;
    tl_layer_parameter(layer, "weight", 3, (const size_t[]){shape->kernel, shape->channels, shape->filters}, cfg->init, fan_in,
                       fan_out);
    if (!cfg->no_bias) tl_layer_parameter(layer, "bias", 1, &shape->filters, TL_INIT_ZEROS, fan_in, fan_out);
}

static size_t conv1d_out_length(const tl_layer *layer, size_t length) {
    const conv1d_layer *conv = (const conv1d_layer *)layer;
    const tl_window_cfg window = {.taps = conv->cfg.kernel,
                                  .stride = (int64_t)conv->job.shape.stride,
                                  .dilation = (int64_t)conv->job.shape.dilation,
                                  .padding = conv->cfg.padding,
                                  .pad_left = conv->cfg.pad_left,
                                  .pad_right = conv->cfg.pad_right};
    return tl_window_count(&window, length);
}

static size_t conv1d_scratch(const tl_layer *layer, size_t batch, int threads) {
    tl_conv1d_job job = ((const conv1d_layer *)layer)->job;
    job.shape.batch = batch;
    return tl_conv1d_scratch(&job, threads);
}

static void conv1d_forward(const tl_layer *layer, const tl_pass *pass) {
    const conv1d_layer *conv = (const conv1d_layer *)layer;
    tl_conv1d_shape shape = conv->job.shape;
    shape.batch = pass->batch;
    conv->job.engine[TL_FORWARD]->forward(&shape, pass->x[0].data, pass->parameter[0],
                                          conv->cfg.no_bias ? NULL : pass->parameter[1], pass->y.data, pass->workers,
                                          pass->scratch);
}

static void conv1d_backward(const tl_layer *layer, const tl_pass *pass) {
    const conv1d_layer *conv = (const conv1d_layer *)layer;
    const tl_conv1d_ops *const *engine = conv->job.engine;
    tl_conv1d_shape shape = conv->job.shape;
    shape.batch = pass->batch;
    if (pass->gradient[0])
        engine[TL_BACKWARD_WEIGHTS]->backward_weights(&shape, pass->x[0].data, pass->dy.data, pass->gradient[0],
                                                      conv->cfg.no_bias ? NULL : pass->gradient[1], pass->workers, pass->scratch);
    if (pass->dx[0].data)
        engine[TL_BACKWARD_INPUT]->backward_input(&shape, pass->dy.data, pass->parameter[0], pass->dx[0].data, pass->workers,
                                                  pass->scratch);
}

static const tl_setting settings[] = {
    {"filters", TL_SETTING_INTEGER, offsetof(conv1d_layer, cfg.filters), NULL},
    {"kernel", TL_SETTING_INTEGER, offsetof(conv1d_layer, cfg.kernel), NULL},
    {"stride", TL_SETTING_INTEGER, offsetof(conv1d_layer, cfg.stride), NULL},
    {"dilation", TL_SETTING_INTEGER, offsetof(conv1d_layer, cfg.dilation), NULL},
    {"padding", TL_SETTING_CHOICE, offsetof(conv1d_layer, cfg.padding), tl_padding_name},
    {"pad_left", TL_SETTING_INTEGER, offsetof(conv1d_layer, cfg.pad_left), NULL},
    {"pad_right", TL_SETTING_INTEGER, offsetof(conv1d_layer, cfg.pad_right), NULL},
    {"bias", TL_SETTING_UNLESS, offsetof(conv1d_layer, cfg.no_bias), NULL},
    {"init", TL_SETTING_CHOICE, offsetof(conv1d_layer, cfg.init), tl_init_name},
    {"engine", TL_SETTING_CHOICE, offsetof(conv1d_layer, cfg.engine), tl_engine_name},
    {0},
};

const tl_layer_ops tl_conv1d_layer_ops = {
    .name = "conv1d",
    .size = sizeof(conv1d_layer),
    .settings = settings,
    .reads = TL_READS_X,
    .setup = conv1d_setup,
    .out_length = conv1d_out_length,
    .scratch = conv1d_scratch,
    .forward = conv1d_forward,
    .backward = conv1d_backward,
};

tl_node tl_conv1d(tl_model *model, tl_node x, const tl_conv1d_cfg *cfg) {
    conv1d_layer layer = {.base.ops = &tl_conv1d_layer_ops};
    if (cfg) layer.cfg = *cfg;
    return tl_layer_add(model, &x, 1, &layer.base);
}
