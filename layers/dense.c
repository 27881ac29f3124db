#include "base/argument.h"
#include "base/math.h"
#include "compute/finish.h"
#include "compute/fold.h"
#include "compute/gemm.h"
#include "compute/packed.h"
#include "compute/parallel.h"
#include "compute/product.h"
#include "compute/transpose.h"
#include "graph/builder.h"
#include "layers/registry.h"

#include <string.h>

/* Products of the BLAS, which backward uses, are divided into parts that depend only on the shape: at most PARTS, each with at
 * least MIN_ROWS rows of the result. */
enum { PARTS = 16, MIN_ROWS = 64 };

/* A backward pass with so few units, and so few multiply-adds, takes less time than calls of the BLAS. */
enum { FEW_UNITS = 8, FEW_PRODUCTS = 1 << 16 };

/* Rows of dy in a partial sum of the bias gradient: see global_average_pool.c. */
enum { RUN = 64 };

typedef struct dense_layer {
    tl_layer base;
    size_t units;
    bool no_bias;
    tl_init init;
} dense_layer;

static void dense_setup(tl_layer *layer, tl_error *error) {
    const dense_layer *dense = (const dense_layer *)layer;
    const size_t channels = layer->in[0].channels, length = layer->in[0].length;
    tl_check_count("units", dense->units, 1, TL_GEMM_LIMIT, error);
    if (channels > TL_GEMM_LIMIT) tl_fail(error, TL_ERROR_SHAPE, "%zu channels exceed %d", channels, (int)TL_GEMM_LIMIT);
    if (length > TL_GEMM_LIMIT / layer->batch)
        tl_fail(error, TL_ERROR_SHAPE, "batch %zu of length %zu exceeds %d rows", layer->batch, length, (int)TL_GEMM_LIMIT);
    if (tl_failed(error)) return;
    const size_t units = dense->units;
    layer->out.channels = units;
    tl_layer_parameter(layer, "weight", 2, (const size_t[]){channels, units}, dense->init, channels, units);
    if (!dense->no_bias) tl_layer_parameter(layer, "bias", 1, &units, TL_INIT_ZEROS, channels, units);
}

static size_t dense_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)batch;
    (void)threads;
    const size_t channels = layer->in[0].channels, units = layer->out.channels;
    const size_t few = TL_MAX_TILE_WIDTH + channels * tl_min(units, FEW_UNITS);
    return tl_max(tl_factor_scratch(channels, units), few); /* the gradient of the bias needs less */
}

typedef struct dense_job {
    const tl_pass *pass;
    size_t rows, channels, units;
    bool bias;
    size_t parts;
} dense_job;

static dense_job run_of(const tl_layer *layer, const tl_pass *pass) {
    return (dense_job){.pass = pass,
                       .rows = pass->batch * layer->in[0].length,
                       .channels = layer->in[0].channels,
                       .units = layer->out.channels,
                       .bias = !((const dense_layer *)layer)->no_bias};
}

static void share(dense_job *job, size_t rows, tl_task task) {
    const size_t wanted = tl_ceil_div(rows, MIN_ROWS);
    job->parts = tl_min(wanted, PARTS);
    const double work = 2.0 * (double)job->rows * (double)job->channels * (double)job->units;
    tl_parallel(job->pass->workers, job->parts, work, task, job);
}

static void input_task(void *context, size_t part, int worker) {
    (void)worker;
    const dense_job *job = context;
    const size_t first = tl_split_at(job->rows, job->parts, part), last = tl_split_at(job->rows, job->parts, part + 1);
    tl_gemm(TL_OPERAND_PLAIN, TL_OPERAND_TRANSPOSED, last - first, job->channels, job->units, 1,
            job->pass->dy.data + first * job->units, job->units, job->pass->parameter[0], job->units, 0,
            job->pass->dx[0].data + first * job->channels, job->channels);
}

/* A part is some rows of the weight, so that nothing is summed across parts. */
static void weight_task(void *context, size_t part, int worker) {
    (void)worker;
    const dense_job *job = context;
    const size_t first = tl_split_at(job->channels, job->parts, part), last = tl_split_at(job->channels, job->parts, part + 1);
    tl_gemm(TL_OPERAND_TRANSPOSED, TL_OPERAND_PLAIN, last - first, job->units, job->rows, 1, job->pass->x[0].data + first,
            job->channels, job->pass->dy.data, job->units, 1, job->pass->gradient[0] + first * job->units, job->units);
}

/* ---- backward with few units: lanes are channels ---- */

static bool has_few(const dense_job *job) {
    const double products = (double)job->rows * (double)job->channels * (double)job->units;
    return job->units <= FEW_UNITS && products <= FEW_PRODUCTS && job->channels % tl_kernels_of(job->pass->workers)->lanes == 0;
}

/* out: (product.rows, channels) = the product of dy and `factor`: (product.count, channels). */
static void multiply_few(const dense_job *job, tl_direct_product product, const tl_real *factor, tl_real *out) {
    const tl_kernels *kernels = tl_kernels_of(job->pass->workers);
    product.x = job->pass->dy.data;
    product.runs = 1;
    product.factor_stride = product.out_stride = job->channels;
    product.start = job->pass->scratch;
    memset(job->pass->scratch, 0, TL_MAX_TILE_WIDTH * sizeof *out);
    for (size_t i = 0; i < tl_direct_blocks(kernels, job->channels); i++) {
        const tl_direct_block block = tl_direct_block_at(kernels, job->channels, i);
        product.factor = factor + block.first;
        product.out = out + block.first;
        product.vectors = block.vectors;
        product.width = block.width;
        kernels->direct_product(&product);
    }
}

static void few_inputs(const dense_job *job) {
    tl_real *turned = job->pass->scratch + TL_MAX_TILE_WIDTH; /* the weight, (units, channels) */
    tl_transpose(job->pass->parameter[0], job->units, job->channels, job->units, turned, job->channels);
    multiply_few(job, (tl_direct_product){.row_stride = job->units, .rows = job->rows, .stride = 1, .count = job->units}, turned,
                 job->pass->dx[0].data);
}

static void few_weights(const dense_job *job) {
    tl_real *turned = job->pass->scratch + TL_MAX_TILE_WIDTH, *to = job->pass->gradient[0]; /* of the weight, (units, channels) */
    multiply_few(job, (tl_direct_product){.row_stride = 1, .rows = job->units, .stride = job->units, .count = job->rows},
                 job->pass->x[0].data, turned);
    for (size_t c = 0; c < job->channels; c++)
        for (size_t u = 0; u < job->units; u++) *to++ += turned[u * job->channels + c];
}

static void bias_gradient(const dense_job *job) {
    const tl_kernels *kernels = tl_kernels_of(job->pass->workers);
    tl_real *part = job->pass->scratch;
    for (size_t first = 0; first < job->rows; first += RUN) {
        memset(part, 0, job->units * sizeof *part);
        kernels->sum_rows(job->pass->dy.data + first * job->units, tl_min(job->rows - first, RUN), job->units, part);
        kernels->sum_rows(part, 1, job->units, job->pass->gradient[1]);
    }
}

static void dense_forward(const tl_layer *layer, const tl_pass *pass) {
    const dense_job job = run_of(layer, pass);
    const tl_product product = {.rows = job.rows,
                                .inner = job.channels,
                                .width = job.units,
                                .x = pass->x[0].data,
                                .weight = pass->parameter[0],
                                .bias = job.bias ? pass->parameter[1] : NULL,
                                .y = pass->y.data};
    tl_product_run(&product, pass->workers, pass->scratch);
}

static void dense_backward(const tl_layer *layer, const tl_pass *pass) {
    dense_job job = run_of(layer, pass);
    const bool few = has_few(&job);
    if (pass->gradient[0] && few)
        few_weights(&job);
    else if (pass->gradient[0])
        share(&job, job.channels, weight_task);
    if (job.bias && pass->gradient[1]) bias_gradient(&job);
    tl_pass_part_done(pass->workers, TL_PASS_PART_WEIGHT_GRADIENT);
    if (!pass->dx[0].data) return;
    if (few)
        few_inputs(&job);
    else
        share(&job, job.rows, input_task);
    tl_pass_part_done(pass->workers, TL_PASS_PART_INPUT_GRADIENT);
}

static double dense_flops(const tl_layer *layer) { return 2 * (double)layer->in[0].channels * tl_layer_elements(layer); }

/* ---- inference with packed weights ---- */

static size_t dense_packed(const tl_layer *layer) { return tl_packed_factor_count(layer->in[0].channels, layer->out.channels); }

/* The folded weights and biases. */
static size_t dense_pack_scratch(const tl_layer *layer) {
    return tl_aligned_count(layer->in[0].channels * layer->out.channels) + layer->out.channels;
}

static void dense_pack(const tl_layer *layer, const tl_packing *p) {
    const size_t channels = layer->in[0].channels, units = layer->out.channels;
    tl_packed_weights weights = {.taps = 1,
                                 .channels = channels,
                                 .width = units,
                                 .weight = p->parameter[0],
                                 .channel_stride = units,
                                 .output_stride = 1,
                                 .bias = ((const dense_layer *)layer)->no_bias ? NULL : p->parameter[1]};
    if (p->affine) {
        tl_real *bias = p->scratch + tl_aligned_count(channels * units);
        tl_fold_weights(p->affine, weights.weight, channels, units, p->scratch);
        tl_fold_bias(p->affine, weights.bias, units, bias);
        weights.weight = p->scratch;
        weights.bias = bias;
    }
    tl_packed_factor_make(tl_kernels_of(p->workers), &weights, p->packed);
}

static void dense_run(const tl_layer *layer, const tl_pass *pass, const tl_real *packed, const tl_finish *finish) {
    const dense_job job = run_of(layer, pass);
    const tl_product product = {
        .rows = job.rows, .inner = job.channels, .width = job.units, .x = pass->x[0].data, .y = pass->y.data};
    tl_product_run_factor(&product, tl_packed_factor(packed), pass->workers);
    tl_finish_all(pass->workers, finish, pass->y.data, job.rows * job.units);
}

static const tl_inference_ops dense_inference = {
    .packed = dense_packed, .pack_scratch = dense_pack_scratch, .pack = dense_pack, .run = dense_run};

/* ---- stream ---- */

static void dense_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    (void)workers;
    (void)error;
    streaming->packed = tl_packed_factor_count(layer->in[0].channels, layer->out.channels);
}

static void dense_stream_pack(const tl_layer *layer, const tl_workers *workers, tl_real *const *parameter, tl_real *const *state,
                              tl_real *packed) {
    (void)state;
    tl_packed_factor_make(tl_kernels_of(workers),
                          &(tl_packed_weights){.taps = 1,
                                               .channels = layer->in[0].channels,
                                               .width = layer->out.channels,
                                               .weight = parameter[0],
                                               .channel_stride = layer->out.channels,
                                               .output_stride = 1,
                                               .bias = ((const dense_layer *)layer)->no_bias ? NULL : parameter[1]},
                          packed);
}

static void dense_stream_run(const tl_layer *layer, const tl_stream_pass *pass) {
    tl_packed_factor_multiply(pass->packed, &(tl_factor_rows){.x = pass->x[0],
                                                              .row_stride = layer->in[0].channels,
                                                              .rows = pass->windows,
                                                              .y = pass->y,
                                                              .y_stride = layer->out.channels});
}

static const tl_stream_ops dense_stream = {.plan = dense_stream_plan, .pack = dense_stream_pack, .run = dense_stream_run};

static const tl_setting settings[] = {
    {"units", TL_SETTING_SIZE, offsetof(dense_layer, units), NULL},
    {"bias", TL_SETTING_UNLESS, offsetof(dense_layer, no_bias), NULL},
    {"init", TL_SETTING_CHOICE, offsetof(dense_layer, init), tl_init_at},
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
    .inference = &dense_inference,
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
