/* The transposed convolution: its forward is the dX of a convolution, its backward the forward. */
#include "layers/conv1d/variant.h"

#include "base/argument.h"
#include "base/math.h"
#include "base/memory.h"
#include "compute/parallel.h"
#include "compute/window.h"
#include "graph/builder.h"
#include "layers/registry.h"

#include <string.h>

/* Rows of dy in a partial sum of the bias gradient. */
enum { RUN = 64 };

/* A series becomes this many times longer. */
enum { MAX_STRIDE = 1 << 16 };

typedef struct transpose_layer {
    tl_layer base;
    tl_conv1d_transpose_cfg cfg;
    tl_conv1d_job job; /* [OUT] of setup: the convolution from the output to the input */
} transpose_layer;

static void check_ranges(const tl_conv1d_transpose_cfg *cfg, tl_error *error) {
    tl_check_count("filters", cfg->filters, 1, SIZE_MAX, error);
    tl_check_count("kernel", cfg->kernel, 1, TL_MAX_STEPS, error);
    tl_check_count("stride", cfg->stride, 1, MAX_STRIDE, error);
    tl_check_count("dilation", cfg->dilation, 1, TL_MAX_STEPS, error);
    tl_check_count("left padding", cfg->pad_left, 0, TL_MAX_STEPS, error);
    tl_check_count("right padding", cfg->pad_right, 0, TL_MAX_STEPS, error);
    tl_check_count("output padding", cfg->output_padding, 0, TL_MAX_STEPS, error);
    if (cfg->output_padding >= cfg->stride)
        tl_fail(error, TL_ERROR_ARGUMENT, "output padding %zu is not below the stride %zu", cfg->output_padding, cfg->stride);
}

/* Computes the number of outputs for `length` steps: *whole, minus the steps that are cut off; 0 if none are left. Returns false if
 * it overflows. */
static bool count_outputs(const tl_conv1d_transpose_cfg *cfg, size_t length, size_t *whole, size_t *left) {
    size_t extent;
    const size_t cut = cfg->pad_left + cfg->pad_right;
    if (!tl_multiply_sizes(length - 1, cfg->stride, whole)) return false;
    if (!tl_multiply_sizes(cfg->kernel - 1, cfg->dilation, &extent)) return false;
    if (!tl_sum(*whole, extent, whole) || !tl_sum(*whole, cfg->output_padding + 1, whole)) return false;
    *left = *whole > cut ? *whole - cut : 0;
    return *left <= PTRDIFF_MAX;
}

static void check_outputs(const transpose_layer *self, size_t *out_length, tl_error *error) {
    const tl_conv1d_transpose_cfg *cfg = &self->cfg;
    const size_t length = self->base.in[0].length;
    size_t whole;
    if (tl_failed(error)) return;
    if (!count_outputs(cfg, length, &whole, out_length))
        tl_fail(error, TL_ERROR_SHAPE, "the output of length %zu at stride %zu overflows", length, cfg->stride);
    else if (*out_length == 0)
        tl_fail(error, TL_ERROR_SHAPE, "padding of %zu and %zu steps cuts off all of an output of %zu", cfg->pad_left,
                cfg->pad_right, whole);
}

static void transpose_setup(tl_layer *layer, tl_error *error) {
    transpose_layer *self = (transpose_layer *)layer;
    tl_conv1d_transpose_cfg *cfg = &self->cfg;
    if (cfg->stride == 0) cfg->stride = 1;
    if (cfg->dilation == 0) cfg->dilation = 1;
    check_ranges(cfg, error);
    size_t out_length = 0;
    check_outputs(self, &out_length, error);
    const tl_engine engine = cfg->engine != TL_ENGINE_AUTO ? cfg->engine : layer->engine;
    const tl_conv1d_spec spec = {.batch = layer->batch,
                                 .length = out_length,
                                 .channels = cfg->filters,
                                 .filters = layer->in[0].channels,
                                 .kernel = cfg->kernel,
                                 .stride = cfg->stride,
                                 .dilation = cfg->dilation,
                                 .padding = TL_PADDING_EXPLICIT,
                                 .pad_left = cfg->pad_left,
                                 .pad_right = cfg->pad_right,
                                 .forward = engine,
                                 .backward_input = engine,
                                 .backward_weights = engine};
    if (tl_conv1d_prepare(&spec, TL_CONV1D_BACKWARD_INPUT, &self->job, error) != TL_OK) return;
    const tl_conv1d_shape *shape = &self->job.shape;
    layer->out = (tl_shape){.length = shape->length, .channels = shape->channels};
    const size_t fan_in = shape->kernel * shape->filters, fan_out = shape->kernel * shape->channels;
    tl_layer_parameter(layer, "weight", 3, (const size_t[]){shape->kernel, shape->channels, shape->filters}, cfg->init, fan_in,
                       fan_out);
    if (!cfg->no_bias) tl_layer_parameter(layer, "bias", 1, &shape->channels, TL_INIT_ZEROS, fan_in, fan_out);
}

static size_t transpose_out_length(const tl_layer *layer, size_t length) {
    size_t whole, left;
    return count_outputs(&((const transpose_layer *)layer)->cfg, length, &whole, &left) ? left : 0;
}

static size_t transpose_scratch(const tl_layer *layer, size_t batch, int threads) {
    tl_conv1d_job job = ((const transpose_layer *)layer)->job;
    job.shape.batch = batch;
    const size_t engine = tl_conv1d_scratch(&job, threads);
    return tl_max(engine, job.shape.channels);
}

static void add_rows(const tl_real *restrict from, size_t rows, size_t channels, tl_real *restrict sum) {
    for (size_t row = 0; row < rows; row++)
        for (size_t c = 0; c < channels; c++) sum[c] += from[row * channels + c];
}

typedef struct bias_job {
    const tl_real *bias;
    tl_real *y;
    size_t length, channels;
} bias_job;

static void bias_task(void *context, size_t sample, int worker) {
    (void)worker;
    const bias_job *job = context;
    tl_real *y = job->y + sample * job->length * job->channels;
    for (size_t t = 0; t < job->length; t++) add_rows(job->bias, 1, job->channels, y + t * job->channels);
}

static void transpose_forward(const tl_layer *layer, const tl_pass *pass) {
    const transpose_layer *self = (const transpose_layer *)layer;
    tl_conv1d_shape shape = self->job.shape;
    shape.batch = pass->batch;
    self->job.engine[TL_CONV1D_BACKWARD_INPUT]->backward_input(&shape, pass->x[0].data, pass->parameter[0], pass->y.data,
                                                               pass->workers, pass->scratch);
    if (self->cfg.no_bias) return;
    bias_job job = {.bias = pass->parameter[1], .y = pass->y.data, .length = shape.length, .channels = shape.channels};
    tl_parallel(pass->workers, shape.batch, (double)tl_tensor_count(&pass->y), bias_task, &job);
}

static void bias_gradient(const tl_pass *pass, const tl_conv1d_shape *shape) {
    const size_t rows = shape->batch * shape->length, channels = shape->channels;
    tl_real *part = pass->scratch;
    for (size_t first = 0; first < rows; first += RUN) {
        memset(part, 0, channels * sizeof *part);
        add_rows(pass->dy.data + first * channels, tl_min(rows - first, RUN), channels, part);
        add_rows(part, 1, channels, pass->gradient[1]);
    }
}

static void transpose_backward(const tl_layer *layer, const tl_pass *pass) {
    const transpose_layer *self = (const transpose_layer *)layer;
    const tl_conv1d_ops *const *engine = self->job.engine;
    tl_conv1d_shape shape = self->job.shape;
    shape.batch = pass->batch;
    if (pass->gradient[0])
        engine[TL_CONV1D_BACKWARD_WEIGHTS]->backward_weights(&shape, pass->dy.data, pass->x[0].data, pass->gradient[0], NULL,
                                                             pass->workers, pass->scratch);
    if (!self->cfg.no_bias && pass->gradient[1]) bias_gradient(pass, &shape);
    tl_pass_part_done(pass->workers, TL_PASS_PART_WEIGHT_GRADIENT);
    if (!pass->dx[0].data) return;
    engine[TL_CONV1D_FORWARD]->forward(&shape, pass->dy.data, pass->parameter[0], NULL, pass->dx[0].data, pass->workers,
                                       pass->scratch);
    tl_pass_part_done(pass->workers, TL_PASS_PART_INPUT_GRADIENT);
}

static double transpose_flops(const tl_layer *layer) {
    const tl_conv1d_transpose_cfg *cfg = &((const transpose_layer *)layer)->cfg;
    return 2 * (double)cfg->kernel * (double)cfg->filters * (double)layer->in[0].length * (double)layer->in[0].channels;
}

/* ---- stream ---- */

static void transpose_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    const transpose_layer *self = (const transpose_layer *)layer;
    const ptrdiff_t behind = (ptrdiff_t)self->cfg.pad_right - (ptrdiff_t)self->cfg.output_padding;
    (void)error;
    tl_conv1d_transpose_stream_plan(&self->job.shape, behind, tl_kernels_of(workers), streaming);
}

static void transpose_stream_pack(const tl_layer *layer, const tl_workers *workers, tl_real *const *parameter,
                                  tl_real *const *state, tl_real *packed) {
    const transpose_layer *self = (const transpose_layer *)layer;
    (void)state;
    tl_conv1d_transpose_stream_pack(&self->job.shape, tl_kernels_of(workers), parameter[0], self->cfg.no_bias ? NULL : parameter[1],
                                    packed);
}

static void transpose_stream_run(const tl_layer *layer, const tl_stream_pass *pass) {
    const transpose_layer *self = (const transpose_layer *)layer;
    tl_conv1d_transpose_stream_run(&self->job.shape, !self->cfg.no_bias, pass);
}

static const tl_stream_ops transpose_stream = {
    .plan = transpose_stream_plan, .pack = transpose_stream_pack, .run = transpose_stream_run};

static const tl_setting settings[] = {
    {"filters", TL_SETTING_SIZE, offsetof(transpose_layer, cfg.filters), NULL},
    {"kernel", TL_SETTING_SIZE, offsetof(transpose_layer, cfg.kernel), NULL},
    {"stride", TL_SETTING_SIZE, offsetof(transpose_layer, cfg.stride), NULL},
    {"dilation", TL_SETTING_SIZE, offsetof(transpose_layer, cfg.dilation), NULL},
    {"pad_left", TL_SETTING_SIZE, offsetof(transpose_layer, cfg.pad_left), NULL},
    {"pad_right", TL_SETTING_SIZE, offsetof(transpose_layer, cfg.pad_right), NULL},
    {"output_padding", TL_SETTING_SIZE, offsetof(transpose_layer, cfg.output_padding), NULL},
    {"bias", TL_SETTING_UNLESS, offsetof(transpose_layer, cfg.no_bias), NULL},
    {"init", TL_SETTING_CHOICE, offsetof(transpose_layer, cfg.init), tl_init_at},
    {"engine", TL_SETTING_CHOICE, offsetof(transpose_layer, cfg.engine), tl_engine_at},
    {0},
};

const tl_layer_ops tl_conv1d_transpose_layer_ops = {
    .name = "conv1d_transpose",
    .size = sizeof(transpose_layer),
    .settings = settings,
    .reads = TL_READS_X,
    .setup = transpose_setup,
    .out_length = transpose_out_length,
    .scratch = transpose_scratch,
    .flops = transpose_flops,
    .forward = transpose_forward,
    .backward = transpose_backward,
    .stream = &transpose_stream,
};

tl_node tl_conv1d_transpose_sized(tl_model *model, tl_node x, const tl_conv1d_transpose_cfg *cfg, size_t size) {
    transpose_layer layer = {.base.ops = &tl_conv1d_transpose_layer_ops};
    tl_builder_cfg(model, "conv1d_transpose", &layer.cfg, sizeof layer.cfg, cfg, size);
    return tl_layer_add(model, &x, 1, &layer.base);
}
