/* Maximum and mean over windows of time. Each sample is a task: its windows may overlap, but they share no x with another's. */
#include "registry.h"
#include "window.h"

#include <string.h>

typedef struct pool_layer {
    tl_layer base;
    tl_pool_cfg cfg;
    tl_window window; /* [OUT] of setup */
} pool_layer;

static void pool_setup(tl_layer *layer, tl_error *error) {
    pool_layer *pool = (pool_layer *)layer;
    const tl_pool_cfg *cfg = &pool->cfg;
    const tl_window_cfg window = {.taps_name = "window",
                                  .taps = cfg->window,
                                  .stride = cfg->stride ? cfg->stride : cfg->window,
                                  .dilation = 1,
                                  .padding = cfg->padding,
                                  .pad_left = cfg->pad_left,
                                  .pad_right = cfg->pad_right};
    if (tl_window_make(&window, layer->in[0].length, &pool->window, error) != TL_OK) return;
    if (cfg->pad_left >= cfg->window || cfg->pad_right >= cfg->window)
        tl_fail(error, TL_ERROR_ARGUMENT, "padding %d and %d, each must be below the window %d", cfg->pad_left, cfg->pad_right,
                cfg->window);
    layer->out.length = pool->window.out_length;
}

typedef struct pool_run {
    const pool_layer *layer;
    const tl_pass *pass;
    size_t length, out_length, channels;
} pool_run;

static pool_run run_of(const tl_layer *layer, const tl_pass *pass) {
    return (pool_run){.layer = (const pool_layer *)layer,
                      .pass = pass,
                      .length = layer->in[0].length,
                      .out_length = layer->out.length,
                      .channels = layer->in[0].channels};
}

static void share_samples(pool_run *run, tl_task task) {
    const double work = (double)run->out_length * (double)run->layer->window.taps * (double)run->channels;
    tl_parallel(run->pass->workers, run->pass->batch, (double)run->pass->batch * work, task, run);
}

/* The inputs that output t sees: *first … *last - 1, never none, since every padding is shorter than the window. */
static void window_at(const pool_run *run, size_t t, size_t *first, size_t *last) {
    const tl_window *window = &run->layer->window;
    const size_t start = t * window->stride, pad = window->pad_left, end = start + window->taps - pad;
    *first = start > pad ? start - pad : 0;
    *last = end < run->length ? end : run->length;
}

/* ---- maximum ---- */

static void take_row(const tl_real *restrict x, size_t channels, tl_real *restrict best) {
    for (size_t c = 0; c < channels; c++) best[c] = x[c] > best[c] || x[c] != x[c] ? x[c] : best[c]; /* NaN wins, and stays */
}

static void largest(const tl_real *x, size_t first, size_t last, size_t channels, tl_real *best) {
    memcpy(best, x + first * channels, channels * sizeof *best);
    for (size_t t = first + 1; t < last; t++) take_row(x + t * channels, channels, best);
}

static void max_forward_task(void *context, size_t sample, int worker) {
    (void)worker;
    const pool_run *run = context;
    const tl_real *x = run->pass->x[0].data + sample * run->length * run->channels;
    tl_real *y = run->pass->y.data + sample * run->out_length * run->channels;
    for (size_t t = 0; t < run->out_length; t++) {
        size_t first, last;
        window_at(run, t, &first, &last);
        largest(x, first, last, run->channels, y + t * run->channels);
    }
}

/* Where x is the maximum, dx takes what is left of dy: all of it, or nothing after an equal maximum. */
static void give_row(const tl_real *restrict x, const tl_real *restrict best, size_t channels, tl_real *restrict left,
                     tl_real *restrict dx) {
    for (size_t c = 0; c < channels; c++) {
        const tl_real given = x[c] == best[c] ? left[c] : 0;
        dx[c] += given;
        left[c] = x[c] == best[c] ? 0 : left[c];
    }
}

static void max_backward_task(void *context, size_t sample, int worker) {
    const pool_run *run = context;
    const size_t channels = run->channels;
    const tl_real *x = run->pass->x[0].data + sample * run->length * channels;
    const tl_real *dy = run->pass->dy.data + sample * run->out_length * channels;
    tl_real *dx = run->pass->dx[0].data + sample * run->length * channels;
    tl_real *best = run->pass->scratch + (size_t)worker * 2 * channels, *left = best + channels;
    memset(dx, 0, run->length * channels * sizeof *dx);
    for (size_t t = 0; t < run->out_length; t++) {
        size_t first, last;
        window_at(run, t, &first, &last);
        largest(x, first, last, channels, best);
        memcpy(left, dy + t * channels, channels * sizeof *left);
        for (size_t i = first; i < last; i++) give_row(x + i * channels, best, channels, left, dx + i * channels);
    }
}

static size_t max_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)batch;
    return (size_t)threads * 2 * layer->in[0].channels;
}

static void max_forward(const tl_layer *layer, const tl_pass *pass) {
    pool_run run = run_of(layer, pass);
    share_samples(&run, max_forward_task);
}

static void max_backward(const tl_layer *layer, const tl_pass *pass) {
    if (!pass->dx[0].data) return;
    pool_run run = run_of(layer, pass);
    share_samples(&run, max_backward_task);
}

const tl_layer_ops tl_max_pool_layer_ops = {
    .name = "max_pool",
    .reads = TL_READS_X, /* finding the winners again is cheaper than keeping them */
    .setup = pool_setup,
    .scratch = max_scratch,
    .forward = max_forward,
    .backward = max_backward,
};

/* ---- mean ---- */

static void add_scaled(const tl_real *restrict from, tl_real scale, size_t channels, tl_real *restrict to) {
    for (size_t c = 0; c < channels; c++) to[c] += scale * from[c];
}

static void average_forward_task(void *context, size_t sample, int worker) {
    (void)worker;
    const pool_run *run = context;
    const size_t channels = run->channels;
    const tl_real *x = run->pass->x[0].data + sample * run->length * channels;
    tl_real *y = run->pass->y.data + sample * run->out_length * channels;
    for (size_t t = 0; t < run->out_length; t++, y += channels) {
        size_t first, last;
        window_at(run, t, &first, &last);
        memcpy(y, x + first * channels, channels * sizeof *y);
        for (size_t i = first + 1; i < last; i++) add_scaled(x + i * channels, 1, channels, y);
        for (size_t c = 0; c < channels; c++) y[c] /= (tl_real)(last - first);
    }
}

static void average_backward_task(void *context, size_t sample, int worker) {
    (void)worker;
    const pool_run *run = context;
    const size_t channels = run->channels;
    const tl_real *dy = run->pass->dy.data + sample * run->out_length * channels;
    tl_real *dx = run->pass->dx[0].data + sample * run->length * channels;
    memset(dx, 0, run->length * channels * sizeof *dx);
    for (size_t t = 0; t < run->out_length; t++, dy += channels) {
        size_t first, last;
        window_at(run, t, &first, &last);
        for (size_t i = first; i < last; i++) add_scaled(dy, 1 / (tl_real)(last - first), channels, dx + i * channels);
    }
}

static void average_forward(const tl_layer *layer, const tl_pass *pass) {
    pool_run run = run_of(layer, pass);
    share_samples(&run, average_forward_task);
}

static void average_backward(const tl_layer *layer, const tl_pass *pass) {
    if (!pass->dx[0].data) return;
    pool_run run = run_of(layer, pass);
    share_samples(&run, average_backward_task);
}

const tl_layer_ops tl_average_pool_layer_ops = {
    .name = "average_pool",
    .setup = pool_setup,
    .forward = average_forward,
    .backward = average_backward,
};

static tl_node add_pool(tl_model *model, tl_node x, const tl_pool_cfg *cfg, const tl_layer_ops *ops) {
    pool_layer layer = {.base.ops = ops};
    if (cfg) layer.cfg = *cfg;
    return tl_layer_add(model, &x, 1, &layer.base, sizeof layer);
}

tl_node tl_max_pool(tl_model *model, tl_node x, const tl_pool_cfg *cfg) { return add_pool(model, x, cfg, &tl_max_pool_layer_ops); }

tl_node tl_average_pool(tl_model *model, tl_node x, const tl_pool_cfg *cfg) {
    return add_pool(model, x, cfg, &tl_average_pool_layer_ops);
}
