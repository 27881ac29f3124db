/* Maximum and mean over windows of time. Each sample is a task: its windows may overlap, but not with those of other samples. Small
 * samples are a task together: if they consist of whole windows, they are one long sample. */
#include "base/math.h"
#include "compute/counted.h"
#include "compute/window.h"
#include "graph/builder.h"
#include "kernels/kernels.h"
#include "layers/registry.h"

#include <string.h>

typedef struct pool_layer {
    tl_layer base;
    tl_pool_cfg cfg;
    tl_window_geometry window; /* [OUT] of setup */
} pool_layer;

static tl_window_spec window_of(const tl_pool_cfg *cfg) {
    return (tl_window_spec){.taps_name = "window",
                            .taps = cfg->window,
                            .stride = cfg->stride ? cfg->stride : cfg->window,
                            .dilation = 1,
                            .padding = cfg->padding,
                            .pad_left = cfg->pad_left,
                            .pad_right = cfg->pad_right};
}

static void pool_setup(tl_layer *layer, tl_error *error) {
    pool_layer *pool = (pool_layer *)layer;
    const tl_pool_cfg *cfg = &pool->cfg;
    const tl_window_spec window = window_of(cfg);
    if (tl_window_make(&window, layer->in[0].length, &pool->window, error) != TL_OK) return;
    if (cfg->pad_left >= cfg->window || cfg->pad_right >= cfg->window)
        tl_fail(error, TL_ERROR_ARGUMENT, "padding of %zu and %zu steps: each must be below the window %zu", cfg->pad_left,
                cfg->pad_right, cfg->window);
    layer->out.length = pool->window.out_length;
}

static size_t pool_out_length(const tl_layer *layer, size_t length) {
    const tl_window_spec window = window_of(&((const pool_layer *)layer)->cfg);
    return tl_window_count(&window, length);
}

enum { BLOCK = 4096 }; /* elements of a task with several samples */

typedef struct pool_job {
    const tl_layer *layer;
    const tl_pass *pass;
    const tl_pooling *pooling;
    size_t samples; /* of a task */
} pool_job;

/* Returns the samples of a task. */
static size_t samples_together(const tl_layer *layer, const tl_pass *pass) {
    const tl_window_geometry *window = &((const pool_layer *)layer)->window;
    const tl_shape in = layer->in[0];
    const bool whole = window->pad_left == 0 && window->stride == window->taps && window->out_length * window->taps == in.length;
    return whole && !pass->lengths ? tl_max(BLOCK / (in.length * in.channels), 1) : 1;
}

static void pool_task(void *context, size_t task, int worker) {
    (void)worker;
    const pool_job *job = context;
    const tl_window_geometry *window = &((const pool_layer *)job->layer)->window;
    const tl_shape in = job->layer->in[0];
    const size_t sample = task * job->samples, samples = tl_min(job->samples, job->pass->batch - sample);
    const size_t before = sample * in.length * in.channels, after = sample * window->out_length * in.channels;
    tl_pool_rows rows = {.length = samples * in.length,
                         .out_length = samples * window->out_length,
                         .channels = in.channels,
                         .taps = window->taps,
                         .stride = window->stride,
                         .pad_left = window->pad_left};
    if (job->pass->lengths) {
        rows.length = job->pass->lengths[sample];
        rows.out_length = job->pass->out_lengths[sample];
    }
    if (job->pass->x[0].data) rows.x = job->pass->x[0].data + before;
    if (job->pass->dy.data) {
        rows.dy = job->pass->dy.data + after;
        rows.dx = job->pass->dx[0].data + before;
        rows.adds = job->pass->adds[0];
        job->pooling->backward(&rows);
    } else {
        rows.y = job->pass->y.data + after;
        job->pooling->forward(&rows);
    }
}

static void pool(const tl_layer *layer, const tl_pass *pass, const tl_pooling *pooling) {
    pool_job job = {.layer = layer, .pass = pass, .pooling = pooling, .samples = samples_together(layer, pass)};
    const tl_window_geometry *window = &((const pool_layer *)layer)->window;
    const double work = (double)pass->batch * (double)window->out_length * (double)window->taps * (double)layer->in[0].channels;
    tl_parallel(pass->workers, tl_ceil_div(pass->batch, job.samples), work, pool_task, &job);
}

static const tl_setting settings[] = {
    {"window", TL_SETTING_SIZE, offsetof(pool_layer, cfg.window), NULL},
    {"stride", TL_SETTING_SIZE, offsetof(pool_layer, cfg.stride), NULL},
    {"padding", TL_SETTING_CHOICE, offsetof(pool_layer, cfg.padding), tl_padding_at},
    {"pad_left", TL_SETTING_SIZE, offsetof(pool_layer, cfg.pad_left), NULL},
    {"pad_right", TL_SETTING_SIZE, offsetof(pool_layer, cfg.pad_right), NULL},
    {0},
};

/* ---- stream ---- */

static void pool_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    const tl_window_geometry *window = &((const pool_layer *)layer)->window;
    (void)workers;
    (void)error;
    streaming->extent = window->taps;
    streaming->stride = window->stride;
    streaming->left = window->pad_left;
}

/* Steps outside of the series do not count. */
static void stream_windows(const tl_layer *layer, const tl_stream_pass *pass, const tl_pooling *pooling) {
    const size_t channels = layer->in[0].channels;
    pooling->forward(&(tl_pool_rows){.length = pass->steps - pass->before,
                                     .out_length = pass->windows,
                                     .channels = channels,
                                     .taps = pass->streaming->extent,
                                     .stride = pass->streaming->stride,
                                     .pad_left = pass->before,
                                     .x = pass->x[0] + pass->before * channels,
                                     .y = pass->y});
}

static void max_stream_run(const tl_layer *layer, const tl_stream_pass *pass) {
    stream_windows(layer, pass, tl_kernels_of(pass->workers)->max_pool);
}

static void average_stream_run(const tl_layer *layer, const tl_stream_pass *pass) {
    stream_windows(layer, pass, tl_kernels_of(pass->workers)->average_pool);
}

static const tl_stream_ops max_stream = {.plan = pool_stream_plan, .run = max_stream_run};
static const tl_stream_ops average_stream = {.plan = pool_stream_plan, .run = average_stream_run};

/* ---- maximum ---- */

static void max_forward(const tl_layer *layer, const tl_pass *pass) { pool(layer, pass, tl_kernels_of(pass->workers)->max_pool); }

static void max_backward(const tl_layer *layer, const tl_pass *pass) {
    if (pass->dx[0].data) pool(layer, pass, tl_kernels_of(pass->workers)->max_pool);
}

static double max_flops(const tl_layer *layer) {
    return ((double)((const pool_layer *)layer)->window.taps - 1) * tl_layer_elements(layer);
}

const tl_layer_ops tl_max_pool_layer_ops = {
    .name = "max_pool",
    .size = sizeof(pool_layer),
    .settings = settings,
    .reads = TL_READS_X, /* finding the maximum again is cheaper than storing its position */
    .adds = true,
    .setup = pool_setup,
    .out_length = pool_out_length,
    .flops = max_flops,
    .forward = max_forward,
    .backward = max_backward,
    .selects = true,
    .stream = &max_stream,
    .reads_behind = tl_reads_counted,
};

/* ---- maximum over all of time: one window ---- */

static void global_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    const size_t length = layer->in[0].length;
    ((pool_layer *)layer)->window = (tl_window_geometry){.taps = length, .stride = length, .dilation = 1, .out_length = 1};
    layer->out.length = 1;
}

static size_t one_step(const tl_layer *layer, size_t length) {
    (void)layer;
    (void)length;
    return 1;
}

/* state: the maximum so far, and that of the new steps (channels each). */
static void global_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    (void)workers;
    (void)error;
    streaming->over_all = true;
    streaming->state = 2 * layer->in[0].channels;
}

static void global_stream_run(const tl_layer *layer, const tl_stream_pass *pass) {
    const size_t channels = layer->in[0].channels;
    tl_real *best = pass->state, *fresh = best + channels;
    if (!pass->streaming->running) {
        max_stream_run(layer, pass);
        return;
    }
    tl_pool_rows rows = {.channels = channels, .out_length = 1};
    for (size_t i = 0; i < pass->windows; i++) {
        const bool begins = pass->first + i == 0;
        rows.x = pass->x[0] + i * pass->streaming->stride * channels;
        rows.length = rows.taps = rows.stride = pass->streaming->stride;
        rows.y = begins ? best : fresh;
        tl_kernels_of(pass->workers)->max_pool->forward(&rows);
        rows.x = best;
        rows.length = rows.taps = rows.stride = begins ? 1 : 2;
        rows.y = pass->y + i * channels;
        tl_kernels_of(pass->workers)->max_pool->forward(&rows);
        memcpy(best, rows.y, channels * sizeof *best);
    }
}

static const tl_stream_ops global_stream = {.plan = global_stream_plan, .run = global_stream_run};

const tl_layer_ops tl_global_max_pool_layer_ops = {
    .name = "global_max_pool",
    .size = sizeof(pool_layer),
    .reads = TL_READS_X,
    .adds = true,
    .setup = global_setup,
    .out_length = one_step,
    .flops = max_flops,
    .forward = max_forward,
    .backward = max_backward,
    .selects = true,
    .stream = &global_stream,
    .reads_behind = tl_reads_counted,
};

/* ---- mean ---- */

static void average_forward(const tl_layer *layer, const tl_pass *pass) {
    pool(layer, pass, tl_kernels_of(pass->workers)->average_pool);
}

static void average_backward(const tl_layer *layer, const tl_pass *pass) {
    if (pass->dx[0].data) pool(layer, pass, tl_kernels_of(pass->workers)->average_pool);
}

static double average_flops(const tl_layer *layer) {
    return (double)((const pool_layer *)layer)->window.taps * tl_layer_elements(layer);
}

const tl_layer_ops tl_average_pool_layer_ops = {
    .name = "average_pool",
    .size = sizeof(pool_layer),
    .settings = settings,
    .setup = pool_setup,
    .out_length = pool_out_length,
    .flops = average_flops,
    .forward = average_forward,
    .backward = average_backward,
    .selects = true,
    .stream = &average_stream,
    .reads_behind = tl_reads_counted,
};

static tl_node add_pool(tl_model *model, tl_node x, const tl_pool_cfg *cfg, size_t size, const tl_layer_ops *ops) {
    pool_layer layer = {.base.ops = ops};
    tl_builder_cfg(model, ops->name, &layer.cfg, sizeof layer.cfg, cfg, size);
    return tl_layer_add(model, &x, 1, &layer.base);
}

tl_node tl_max_pool_sized(tl_model *model, tl_node x, const tl_pool_cfg *cfg, size_t size) {
    return add_pool(model, x, cfg, size, &tl_max_pool_layer_ops);
}

tl_node tl_average_pool_sized(tl_model *model, tl_node x, const tl_pool_cfg *cfg, size_t size) {
    return add_pool(model, x, cfg, size, &tl_average_pool_layer_ops);
}

tl_node tl_global_max_pool(tl_model *model, tl_node x) { return add_pool(model, x, NULL, 0, &tl_global_max_pool_layer_ops); }
