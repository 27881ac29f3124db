#include "layers/conv1d/variant.h"

#include "base/math.h"
#include "base/memory.h"
#include "compute/finish.h"
#include "compute/parallel.h"
#include "compute/window.h"
#include "graph/builder.h"
#include "layers/registry.h"

typedef struct conv1d_layer {
    tl_layer base;
    tl_conv1d_cfg cfg;
    tl_pad_mode pad;         /* [OUT] of setup, like the members below */
    tl_conv1d_groups groups; /* for the largest batch, on the padded series if there is one */
} conv1d_layer;

static tl_window_spec window_of(const tl_conv1d_cfg *cfg) {
    return (tl_window_spec){.taps_name = "kernel",
                            .taps = cfg->kernel,
                            .stride = cfg->stride ? cfg->stride : 1,
                            .dilation = cfg->dilation ? cfg->dilation : 1,
                            .padding = cfg->padding,
                            .pad_left = cfg->pad_left,
                            .pad_right = cfg->pad_right};
}

static bool pads_with_series(const conv1d_layer *conv) { return conv->cfg.padding_mode != TL_PADDING_MODE_ZEROS; }

static void prepare_extension(conv1d_layer *conv, tl_error *error) {
    const tl_window_spec cfg = window_of(&conv->cfg);
    const size_t length = conv->base.in[0].length;
    tl_pad_mode *pad = &conv->pad;
    tl_window_geometry window;
    if (!tl_padding_mode_name(conv->cfg.padding_mode)) {
        tl_fail(error, TL_ERROR_ARGUMENT, "padding mode %d is unknown", (int)conv->cfg.padding_mode);
        return;
    }
    if (tl_window_make(&cfg, length, &window, error) != TL_OK) return;
    *pad = (tl_pad_mode){.mode = conv->cfg.padding_mode,
                         .length = length,
                         .pad_left = window.pad_left,
                         .padded = window.pad_left + length + window.pad_right};
    if (!tl_pad_fits(pad, length))
        tl_fail(error, TL_ERROR_SHAPE, "reflection of %zu and %zu steps: each must be below the length %zu", window.pad_left,
                window.pad_right, length);
}

static void declare_parameters(conv1d_layer *conv) {
    const tl_conv1d_cfg *cfg = &conv->cfg;
    const size_t groups = cfg->groups ? cfg->groups : 1, channels = conv->base.in[0].channels / groups;
    const size_t kernel = cfg->kernel, filters = cfg->filters, shape[] = {kernel, channels, filters};
    const size_t fan_in = kernel * channels, fan_out = kernel * (filters / groups);
    tl_layer_parameter(&conv->base, "weight", 3, shape, cfg->init, fan_in, fan_out);
    if (!cfg->no_bias) tl_layer_parameter(&conv->base, "bias", 1, &filters, TL_INIT_ZEROS, fan_in, fan_out);
}

static void conv1d_setup(tl_layer *layer, tl_error *error) {
    conv1d_layer *conv = (conv1d_layer *)layer;
    const tl_conv1d_cfg *cfg = &conv->cfg;
    const tl_engine engine = cfg->engine != TL_ENGINE_AUTO ? cfg->engine : layer->engine;
    tl_conv1d_spec spec = {.batch = layer->batch,
                           .length = layer->in[0].length,
                           .channels = layer->in[0].channels,
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
    if (pads_with_series(conv)) {
        prepare_extension(conv, error);
        spec.length = conv->pad.padded;
        spec.padding = TL_PADDING_VALID;
        spec.pad_left = spec.pad_right = 0;
    }
    if (tl_conv1d_groups_prepare(&spec, cfg->groups ? cfg->groups : 1, &conv->groups, error) != TL_OK) return;
    layer->out = (tl_shape){.length = conv->groups.job.shape.out_length, .channels = cfg->filters};
    declare_parameters(conv);
}

static size_t conv1d_out_length(const tl_layer *layer, size_t length) {
    const conv1d_layer *conv = (const conv1d_layer *)layer;
    const tl_window_spec window = window_of(&conv->cfg);
    return pads_with_series(conv) && !tl_pad_fits(&conv->pad, length) ? 0 : tl_window_count(&window, length);
}

/* Returns the elements of the padded copy of a batch. */
static size_t copy_size(const conv1d_layer *conv, size_t batch) {
    return pads_with_series(conv) ? tl_aligned_count(batch * conv->pad.padded * conv->base.in[0].channels) : 0;
}

static size_t conv1d_scratch(const tl_layer *layer, size_t batch, int threads) {
    const conv1d_layer *conv = (const conv1d_layer *)layer;
    tl_conv1d_groups groups = conv->groups;
    groups.job.shape.batch = batch;
    return copy_size(conv, batch) + tl_conv1d_groups_scratch(&groups, threads);
}

/* Returns the series, padded by its own values if the padding mode needs it. */
static const tl_real *padded_series(const conv1d_layer *conv, const tl_pass *pass) {
    const tl_real *x = pass->x[0].data;
    if (!pads_with_series(conv)) return x;
    tl_pad_copy(&conv->pad, x, pass->batch, conv->base.in[0].channels, pass->lengths, pass->workers, pass->scratch);
    return pass->scratch;
}

/* The convolution for the batch of a pass. */
static tl_conv1d_groups groups_for(const conv1d_layer *conv, const tl_pass *pass) {
    tl_conv1d_groups groups = conv->groups;
    groups.job.shape.batch = pass->batch;
    groups.job.shape.counted = pass->out_lengths;
    return groups;
}

static void conv1d_forward(const tl_layer *layer, const tl_pass *pass) {
    static const tl_finish rectified = {.relu = true};
    const conv1d_layer *conv = (const conv1d_layer *)layer;
    tl_conv1d_groups groups = groups_for(conv, pass);
    groups.job.shape.finish = pass->rectify ? &rectified : NULL;
    tl_conv1d_groups_forward(&groups, padded_series(conv, pass), pass->parameter[0], conv->cfg.no_bias ? NULL : pass->parameter[1],
                             pass->y.data, pass->workers, pass->scratch + copy_size(conv, pass->batch));
}

static void conv1d_backward(const tl_layer *layer, const tl_pass *pass) {
    const conv1d_layer *conv = (const conv1d_layer *)layer;
    tl_conv1d_groups groups = groups_for(conv, pass);
    tl_real *dx = pass->dx[0].data, *rest = pass->scratch + copy_size(conv, pass->batch);
    if (pass->gradient[0])
        tl_conv1d_groups_backward_weights(&groups, padded_series(conv, pass), pass->dy.data, pass->gradient[0],
                                          conv->cfg.no_bias ? NULL : pass->gradient[1], pass->workers, rest);
    tl_pass_part_done(pass->workers, TL_PASS_PART_WEIGHT_GRADIENT);
    if (!dx) return;
    const tl_finish masked = {.mask = pass->masks[0] ? pass->x[0].data : NULL};
    groups.job.shape.counted = pads_with_series(conv) ? NULL : pass->lengths;
    groups.job.shape.finish = pads_with_series(conv) ? NULL : &masked;
    tl_conv1d_groups_backward_input(&groups, pass->dy.data, pass->parameter[0], pads_with_series(conv) ? pass->scratch : dx,
                                    pass->workers, rest);
    if (pads_with_series(conv)) {
        tl_pad_fold(&conv->pad, pass->scratch, pass->batch, layer->in[0].channels, pass->lengths, pass->workers, dx);
        tl_finish_all(pass->workers, &masked, dx, tl_tensor_count(&pass->dx[0]));
    }
    tl_pass_part_done(pass->workers, TL_PASS_PART_INPUT_GRADIENT);
}

static size_t conv1d_reads_behind(const tl_layer *layer) {
    const conv1d_layer *conv = (const conv1d_layer *)layer;
    const tl_conv1d_job *job = &conv->groups.job;
    size_t maximum = 0;
    if (pads_with_series(conv)) return SIZE_MAX;
    for (int pass = TL_CONV1D_FORWARD; pass <= TL_CONV1D_BACKWARD_WEIGHTS; pass++) {
        const tl_conv1d_ops *engine = job->engine[pass];
        const size_t steps = engine->reads_behind ? engine->reads_behind(&job->shape, (tl_conv1d_pass)pass) : SIZE_MAX;
        maximum = tl_max(maximum, steps);
    }
    return maximum;
}

static double conv1d_flops(const tl_layer *layer) {
    const tl_conv1d_cfg *cfg = &((const conv1d_layer *)layer)->cfg;
    const size_t channels = layer->in[0].channels / (cfg->groups ? cfg->groups : 1);
    return 2 * (double)cfg->kernel * (double)channels * tl_layer_elements(layer);
}

/* ---- inference with packed weights ---- */

static size_t conv1d_packed(const tl_layer *layer) { return tl_conv1d_groups_packed(&((const conv1d_layer *)layer)->groups); }

static size_t conv1d_pack_scratch(const tl_layer *layer) {
    return tl_conv1d_groups_pack_scratch(&((const conv1d_layer *)layer)->groups);
}

static void conv1d_pack(const tl_layer *layer, const tl_packing *packing) {
    const conv1d_layer *conv = (const conv1d_layer *)layer;
    tl_conv1d_groups_pack(&conv->groups, packing->parameter[0], conv->cfg.no_bias ? NULL : packing->parameter[1], packing);
}

static void conv1d_run(const tl_layer *layer, const tl_pass *pass, const tl_real *packed, const tl_finish *finish) {
    const conv1d_layer *conv = (const conv1d_layer *)layer;
    const tl_conv1d_groups groups = groups_for(conv, pass);
    tl_conv1d_groups_run(&groups, padded_series(conv, pass), packed, finish, pass->y.data, pass->workers,
                         pass->scratch + copy_size(conv, pass->batch));
}

static const tl_inference_ops conv1d_inference = {
    .packed = conv1d_packed, .pack_scratch = conv1d_pack_scratch, .pack = conv1d_pack, .run = conv1d_run};

/* ---- stream ---- */

static void conv1d_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    const conv1d_layer *conv = (const conv1d_layer *)layer;
    if (pads_with_series(conv) && conv->pad.padded > conv->pad.length)
        tl_fail(error, TL_ERROR_ARGUMENT,
                "padding mode %s needs steps from the end of the series, which a stream does not have; use zeros",
                tl_padding_mode_name(conv->cfg.padding_mode));
    tl_conv1d_stream_plan(&conv->groups, tl_kernels_of(workers), streaming);
}

static void conv1d_stream_pack(const tl_layer *layer, const tl_workers *workers, tl_real *const *parameter, tl_real *const *state,
                               tl_real *packed) {
    const conv1d_layer *conv = (const conv1d_layer *)layer;
    (void)state;
    tl_conv1d_stream_pack(&conv->groups, tl_kernels_of(workers), parameter[0], conv->cfg.no_bias ? NULL : parameter[1], packed);
}

static void conv1d_stream_run(const tl_layer *layer, const tl_stream_pass *pass) {
    tl_conv1d_stream_run(&((const conv1d_layer *)layer)->groups, pass);
}

static bool conv1d_stream_absorb(const tl_layer *layer, const tl_layer *next) {
    (void)layer;
    return next->ops == &tl_relu_layer_ops;
}

static const tl_stream_ops conv1d_stream = {
    .plan = conv1d_stream_plan, .pack = conv1d_stream_pack, .run = conv1d_stream_run, .absorb = conv1d_stream_absorb};

static const tl_setting settings[] = {
    {"filters", TL_SETTING_SIZE, offsetof(conv1d_layer, cfg.filters), NULL},
    {"kernel", TL_SETTING_SIZE, offsetof(conv1d_layer, cfg.kernel), NULL},
    {"stride", TL_SETTING_SIZE, offsetof(conv1d_layer, cfg.stride), NULL},
    {"dilation", TL_SETTING_SIZE, offsetof(conv1d_layer, cfg.dilation), NULL},
    {"padding", TL_SETTING_CHOICE, offsetof(conv1d_layer, cfg.padding), tl_padding_at},
    {"pad_left", TL_SETTING_SIZE, offsetof(conv1d_layer, cfg.pad_left), NULL},
    {"pad_right", TL_SETTING_SIZE, offsetof(conv1d_layer, cfg.pad_right), NULL},
    {"padding_mode", TL_SETTING_CHOICE, offsetof(conv1d_layer, cfg.padding_mode), tl_padding_mode_at},
    {"groups", TL_SETTING_SIZE, offsetof(conv1d_layer, cfg.groups), NULL},
    {"bias", TL_SETTING_UNLESS, offsetof(conv1d_layer, cfg.no_bias), NULL},
    {"init", TL_SETTING_CHOICE, offsetof(conv1d_layer, cfg.init), tl_init_at},
    {"engine", TL_SETTING_CHOICE, offsetof(conv1d_layer, cfg.engine), tl_engine_at},
    {0},
};

const tl_layer_ops tl_conv1d_layer_ops = {
    .name = "conv1d",
    .size = sizeof(conv1d_layer),
    .settings = settings,
    .reads = TL_READS_X,
    .rectifies = true,
    .masks = true,
    .setup = conv1d_setup,
    .out_length = conv1d_out_length,
    .scratch = conv1d_scratch,
    .flops = conv1d_flops,
    .forward = conv1d_forward,
    .backward = conv1d_backward,
    .stream = &conv1d_stream,
    .inference = &conv1d_inference,
    .reads_behind = conv1d_reads_behind,
};

tl_node tl_conv1d_sized(tl_model *model, tl_node x, const tl_conv1d_cfg *cfg, size_t size) {
    conv1d_layer layer = {.base.ops = &tl_conv1d_layer_ops};
    tl_builder_cfg(model, "conv1d", &layer.cfg, sizeof layer.cfg, cfg, size);
    return tl_layer_add(model, &x, 1, &layer.base);
}
