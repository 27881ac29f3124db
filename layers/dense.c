#include "base/math.h"
#include "compute/gemm.h"
#include "compute/packed.h"
#include "compute/product.h"
#include "graph/builder.h"
#include "layers/registry.h"

#include <string.h>

/* Products of the BLAS, which backward takes, are cut into parts that the shape alone fixes: at most PARTS of at least so many rows
 * of the result. */
enum { PARTS = 16, LEAST_ROWS = 64 };

/* Rows of dy that are summed by themselves first, for the gradient of the bias: see global_average_pool.c. */
enum { RUN = 64 };

typedef struct dense_layer {
    tl_layer base;
    int units;
    bool no_bias;
    tl_init init;
} dense_layer;

static void dense_setup(tl_layer *layer, tl_error *error) {
    const dense_layer *dense = (const dense_layer *)layer;
    const size_t channels = layer->in[0].channels, length = layer->in[0].length;
    if (dense->units < 1) tl_fail(error, TL_ERROR_ARGUMENT, "units %d is below 1", dense->units);
    if (channels > TL_GEMM_LIMIT) tl_fail(error, TL_ERROR_SHAPE, "%zu channels exceed %d", channels, (int)TL_GEMM_LIMIT);
    if (length > TL_GEMM_LIMIT / layer->batch)
        tl_fail(error, TL_ERROR_SHAPE, "batch %zu of length %zu exceeds %d rows", layer->batch, length, (int)TL_GEMM_LIMIT);
    if (tl_failed(error)) return;
    const size_t units = (size_t)dense->units;
    layer->out.channels = units;
    tl_layer_parameter(layer, "weight", 2, (const size_t[]){channels, units}, dense->init, channels, units);
    if (!dense->no_bias) tl_layer_parameter(layer, "bias", 1, &units, TL_INIT_ZEROS, channels, units);
}

static size_t dense_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)batch;
    (void)threads;
    return tl_factor_scratch(layer->in[0].channels, layer->out.channels); /* the gradient of the bias takes less */
}

typedef struct dense_run {
    const tl_pass *pass;
    size_t rows, channels, units;
    bool bias;
    size_t parts;
} dense_run;

static dense_run run_of(const tl_layer *layer, const tl_pass *pass) {
    return (dense_run){.pass = pass,
                       .rows = pass->batch * layer->in[0].length,
                       .channels = layer->in[0].channels,
                       .units = layer->out.channels,
                       .bias = !((const dense_layer *)layer)->no_bias};
}

static void share(dense_run *run, size_t rows, tl_task task) {
    const size_t wanted = tl_ceil_div(rows, LEAST_ROWS);
    run->parts = tl_min(wanted, PARTS);
    const double work = 2.0 * (double)run->rows * (double)run->channels * (double)run->units;
    tl_parallel(run->pass->workers, run->parts, work, task, run);
}

static void input_task(void *context, size_t part, int worker) {
    (void)worker;
    const dense_run *run = context;
    const size_t first = tl_split_at(run->rows, run->parts, part), last = tl_split_at(run->rows, run->parts, part + 1);
    tl_gemm(TL_PLAIN, TL_TRANSPOSED, last - first, run->channels, run->units, 1, run->pass->dy.data + first * run->units,
            run->units, run->pass->parameter[0], run->units, 0, run->pass->dx[0].data + first * run->channels, run->channels);
}

/* A part is some rows of the weight, so that nothing is summed across parts. */
static void weight_task(void *context, size_t part, int worker) {
    (void)worker;
    const dense_run *run = context;
    const size_t first = tl_split_at(run->channels, run->parts, part), last = tl_split_at(run->channels, run->parts, part + 1);
    tl_gemm(TL_TRANSPOSED, TL_PLAIN, last - first, run->units, run->rows, 1, run->pass->x[0].data + first, run->channels,
            run->pass->dy.data, run->units, 1, run->pass->gradient[0] + first * run->units, run->units);
}

static void bias_gradient(const dense_run *run) {
    const tl_kernels *kernels = tl_kernels_of(run->pass->workers);
    tl_real *part = run->pass->scratch;
    for (size_t first = 0; first < run->rows; first += RUN) {
        memset(part, 0, run->units * sizeof *part);
        kernels->sum_rows(run->pass->dy.data + first * run->units, tl_min(run->rows - first, RUN), run->units, part);
        kernels->sum_rows(part, 1, run->units, run->pass->gradient[1]);
    }
}

static void dense_forward(const tl_layer *layer, const tl_pass *pass) {
    const dense_run run = run_of(layer, pass);
    const tl_product product = {.rows = run.rows,
                                .inner = run.channels,
                                .width = run.units,
                                .x = pass->x[0].data,
                                .weight = pass->parameter[0],
                                .bias = run.bias ? pass->parameter[1] : NULL,
                                .y = pass->y.data};
    tl_product_run(&product, pass->workers, pass->scratch);
}

static void dense_backward(const tl_layer *layer, const tl_pass *pass) {
    dense_run run = run_of(layer, pass);
    if (pass->gradient[0]) share(&run, run.channels, weight_task);
    if (run.bias && pass->gradient[1]) bias_gradient(&run);
    if (pass->dx[0].data) share(&run, run.rows, input_task);
}

static double dense_flops(const tl_layer *layer) { return 2 * (double)layer->in[0].channels * tl_layer_elements(layer); }

/* ---- on a stream ---- */

static void dense_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *how, tl_error *error) {
    (void)workers;
    (void)error;
    how->packed = tl_packed_factor_count(layer->in[0].channels, layer->out.channels);
}

static void dense_stream_pack(const tl_layer *layer, const tl_workers *workers, tl_real *const *parameter, tl_real *const *state,
                              tl_real *packed) {
    (void)state;
    tl_packed_factor_make(tl_kernels_of(workers),
                          &(tl_packed_weights){.taps = 1,
                                               .channels = layer->in[0].channels,
                                               .width = layer->out.channels,
                                               .weight = parameter[0],
                                               .channel_step = layer->out.channels,
                                               .output_step = 1,
                                               .bias = ((const dense_layer *)layer)->no_bias ? NULL : parameter[1]},
                          packed);
}

static void dense_stream_run(const tl_layer *layer, const tl_stream_pass *pass) {
    tl_packed_factor_multiply(pass->packed, &(tl_factor_rows){.x = pass->x[0],
                                                              .row_step = layer->in[0].channels,
                                                              .rows = pass->windows,
                                                              .y = pass->y,
                                                              .y_step = layer->out.channels});
}

static const tl_stream_ops dense_stream = {.plan = dense_stream_plan, .pack = dense_stream_pack, .run = dense_stream_run};

static const tl_setting settings[] = {
    {"units", TL_SETTING_INTEGER, offsetof(dense_layer, units), NULL},
    {"bias", TL_SETTING_UNLESS, offsetof(dense_layer, no_bias), NULL},
    {"init", TL_SETTING_CHOICE, offsetof(dense_layer, init), tl_init_name},
    {0},
};

const tl_layer_ops tl_dense_layer_ops = {
    .name = "dense",
    .size = sizeof(dense_layer),
    .settings = settings,
    .reads = TL_READS_X,
    .setup = dense_setup,
    .scratch = dense_scratch,
    .flops = dense_flops,
    .forward = dense_forward,
    .backward = dense_backward,
    .stepwise = true,
    .stream = &dense_stream,
};

tl_node tl_dense_sized(tl_model *model, tl_node x, const tl_dense_cfg *cfg, size_t size) {
    tl_dense_cfg own;
    tl_builder_cfg(model, "dense", &own, sizeof own, cfg, size);
    const dense_layer layer = {
        .base.ops = &tl_dense_layer_ops,
        .units = own.units,
        .no_bias = own.no_bias,
        .init = own.init,
    };
    return tl_layer_add(model, &x, 1, &layer.base);
}
