/* The convolution as matrix products: tiles of im2col that stay in cache, and the BLAS. With K = kernel · channels, rows being
 * those of batch × out_length and X their windows, (rows, K):
 *
 *     y = X · W,     dX = dy · Wᵀ, added back window by window,     dW = Xᵀ · dy.
 *
 * At stride 1, dX is itself the convolution of dy with the taps in reverse order and channels and filters exchanged, which writes
 * each element of dX once instead of adding kernel products to it.
 */
#include "layers/conv1d/engine.h"

#include "base/math.h"
#include "compute/counted.h"
#include "compute/gemm.h"
#include "compute/im2col.h"

#include <string.h>

enum {
    TILE = (1 << 19) / sizeof(tl_real), /* elements of a tile of windows: 512 KiB stay in the second-level cache */
    MIN_ROWS = 128,                     /* minimum rows of a tile, since the BLAS copies all weights for each product */
    MAX_ROWS = 512,                     /* maximum rows of a tile; larger products are not faster */
    MIRROR_CHANNELS = 16, /* minimum channels for dX as a convolution, since the BLAS is slow on products with fewer columns */
    PART_ROWS = 512,      /* minimum rows of a part of the batch with its own dW */
    MAX_PARTS = 8,        /* maximum parts of the batch */
    BIAS_RUN = 64         /* rows of dy in a partial sum: the error grows with rows / 64 */
};

typedef struct gemm_job {
    const tl_conv1d_shape *shape;
    tl_columns columns;
    size_t width;     /* K */
    size_t rows;      /* of the whole batch */
    size_t tile_rows; /* maximum for a tile */
    size_t tasks;
    bool plain; /* the windows are the samples themselves: x is their matrix */
    const tl_real *x, *weight, *bias, *dy;
    tl_real *y, *dx;
    tl_real *sums;  /* (tasks, K · filters + filters): dW and db of each part */
    tl_real *tiles; /* one for each worker */
} gemm_job;

static gemm_job job_of(const tl_conv1d_shape *s) {
    gemm_job job = {.shape = s, .width = s->kernel * s->channels, .rows = s->batch * s->out_length};
    job.columns = (tl_columns){.window = {.taps = s->kernel,
                                          .stride = s->stride,
                                          .dilation = s->dilation,
                                          .pad_left = s->pad_left,
                                          .out_length = s->out_length},
                               .length = s->length,
                               .channels = s->channels};
    job.tile_rows = tl_min(tl_min(tl_max(tl_max(TILE / job.width, tl_min(4 * TILE / job.width, MIN_ROWS)), 1), MAX_ROWS), job.rows);
    job.plain = s->kernel == 1 && s->stride == 1 && s->length == s->out_length;
    return job;
}

static double work_of(const gemm_job *job) { return 2.0 * (double)job->rows * (double)job->width * (double)job->shape->filters; }

/* Returns the windows of some rows: in the tile of this worker, or in place. */
static const tl_real *windows(const gemm_job *job, size_t first, size_t rows, int worker) {
    if (job->plain) return job->x + first * job->width;
    tl_real *tile = job->tiles + (size_t)worker * job->tile_rows * job->width;
    tl_im2col(&job->columns, job->x, first, rows, tile);
    return tile;
}

/* Returns whether any of these output rows counts. A tile that has one is computed as a whole: the rounding of a product depends on
 * its rows. */
static bool any_counts(const gemm_job *job, size_t first, size_t rows) {
    tl_counted run = tl_counted_in(job->shape->counted, job->shape->out_length, 1, first, first + rows);
    return tl_next_counted(&run);
}

/* ---- forward: a task is a tile ---- */

static void forward_task(void *context, size_t task, int worker) {
    const gemm_job *job = context;
    const size_t filters = job->shape->filters, first = tl_split_at(job->rows, job->tasks, task);
    const size_t rows = tl_split_at(job->rows, job->tasks, task + 1) - first;
    tl_real *y = job->y + first * filters;
    if (!any_counts(job, first, rows)) return;
    for (size_t row = 0; job->bias && row < rows; row++) memcpy(y + row * filters, job->bias, filters * sizeof *y);
    tl_gemm(TL_OPERAND_PLAIN, TL_OPERAND_PLAIN, rows, filters, job->width, 1, windows(job, first, rows, worker), job->width,
            job->weight, filters, job->bias ? 1 : 0, y, filters);
}

static void forward(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *weight, const tl_real *bias, tl_real *y,
                    const tl_workers *workers, tl_real *scratch) {
    gemm_job job = job_of(shape);
    job.x = x;
    job.weight = weight;
    job.bias = bias;
    job.y = y;
    job.tiles = scratch;
    job.tasks = tl_ceil_div(job.rows, job.tile_rows);
    tl_parallel(workers, job.tasks, work_of(&job), forward_task, &job);
}

/* ---- dX: a task is some samples, since the windows of a sample overlap ---- */

static size_t input_tasks(const gemm_job *job) {
    const size_t samples = tl_max(job->tile_rows / job->shape->out_length, 1);
    return tl_ceil_div(job->shape->batch, samples);
}

static void input_task(void *context, size_t task, int worker) {
    const gemm_job *job = context;
    const tl_conv1d_shape *s = job->shape;
    const size_t begin = tl_split_at(s->batch, job->tasks, task), end = tl_split_at(s->batch, job->tasks, task + 1);
    tl_real *tile = job->tiles + (size_t)worker * job->tile_rows * job->width;
    memset(job->dx + begin * s->length * s->channels, 0, (end - begin) * s->length * s->channels * sizeof *job->dx);
    for (size_t first = begin * s->out_length; first < end * s->out_length; first += job->tile_rows) {
        const size_t rows = tl_min(job->tile_rows, end * s->out_length - first);
        tl_gemm(TL_OPERAND_PLAIN, TL_OPERAND_TRANSPOSED, rows, job->width, s->filters, 1, job->dy + first * s->filters, s->filters,
                job->weight, s->filters, 0, tile, job->width);
        tl_col2im(&job->columns, tile, first, rows, job->dx);
    }
}

/* Returns whether dX is computed as a convolution, whose shape is *mirror. It has a row for each input, while the other way has one
 * for each output: with far fewer outputs it would mostly multiply zeros. */
static bool mirrored(const tl_conv1d_shape *s, tl_conv1d_shape *mirror) {
    const size_t extent = (s->kernel - 1) * s->dilation;
    if (s->length > s->out_length + s->out_length / 4) return false;
    if (s->stride > 1 || s->pad_left > extent || s->channels < MIRROR_CHANNELS || s->filters > TL_GEMM_LIMIT / s->kernel)
        return false;
    *mirror = *s;
    mirror->length = s->out_length;
    mirror->out_length = s->length;
    mirror->channels = s->filters;
    mirror->filters = s->channels;
    mirror->pad_left = extent - s->pad_left;
    return true;
}

typedef struct mirror_job {
    const tl_conv1d_shape *shape;
    const tl_real *weight; /* (kernel, channels, filters) */
    tl_real *flipped;      /* (kernel, filters, channels), taps in reverse order */
} mirror_job;

static void flip_task(void *context, size_t tap, int worker) {
    (void)worker;
    const mirror_job *job = context;
    const size_t channels = job->shape->channels, filters = job->shape->filters;
    const tl_real *from = job->weight + tap * channels * filters;
    tl_real *to = job->flipped + (job->shape->kernel - 1 - tap) * channels * filters;
    for (size_t f = 0; f < filters; f++)
        for (size_t c = 0; c < channels; c++) to[f * channels + c] = from[c * filters + f];
}

static size_t weights_of(const tl_conv1d_shape *s) { return s->kernel * s->channels * s->filters; }

static void backward_input(const tl_conv1d_shape *shape, const tl_real *dy, const tl_real *weight, tl_real *dx,
                           const tl_workers *workers, tl_real *scratch) {
    tl_conv1d_shape mirror;
    if (mirrored(shape, &mirror)) {
        tl_parallel(workers, shape->kernel, (double)weights_of(shape), flip_task,
                    &(mirror_job){.shape = shape, .weight = weight, .flipped = scratch});
        forward(&mirror, dy, scratch, NULL, dx, workers, scratch + weights_of(shape));
        return;
    }
    gemm_job job = job_of(shape);
    job.dy = dy;
    job.weight = weight;
    job.dx = dx;
    job.tiles = scratch;
    job.tasks = input_tasks(&job);
    tl_parallel(workers, job.tasks, work_of(&job), input_task, &job);
}

/* ---- dW and db: a task is a part of the batch with its own sums; parts depend only on the shape ---- */

static size_t weight_tasks(const gemm_job *job) { return tl_min(tl_max(job->rows / PART_ROWS, 1), MAX_PARTS); }

static size_t sums_size(const gemm_job *job) { return (job->width + 1) * job->shape->filters; }

static void add_rows(tl_real *restrict sum, const tl_real *restrict from, size_t rows, size_t filters) {
    for (size_t row = 0; row < rows; row++)
        for (size_t f = 0; f < filters; f++) sum[f] += from[row * filters + f];
}

static void bias_gradient(const gemm_job *job, size_t begin, size_t end, tl_real *dbias, tl_real *run) {
    const size_t filters = job->shape->filters;
    memset(dbias, 0, filters * sizeof *dbias);
    for (size_t first = begin; first < end; first += BIAS_RUN) {
        if (!any_counts(job, first, tl_min(BIAS_RUN, end - first))) continue;
        memset(run, 0, filters * sizeof *run);
        add_rows(run, job->dy + first * filters, tl_min(BIAS_RUN, end - first), filters);
        add_rows(dbias, run, 1, filters);
    }
}

static void weight_task(void *context, size_t task, int worker) {
    const gemm_job *job = context;
    const size_t filters = job->shape->filters;
    const size_t begin = tl_split_at(job->rows, job->tasks, task), end = tl_split_at(job->rows, job->tasks, task + 1);
    const size_t tiles = tl_ceil_div(end - begin, job->tile_rows);
    tl_real *dweight = job->sums + task * sums_size(job);
    bool begun = false;
    bias_gradient(job, begin, end, dweight + job->width * filters, dweight); /* dweight is not used yet */
    memset(dweight, 0, job->width * filters * sizeof *dweight);              /* for a part in which no row counts */
    for (size_t tile = 0; tile < tiles; tile++) {
        const size_t first = begin + tl_split_at(end - begin, tiles, tile);
        const size_t rows = begin + tl_split_at(end - begin, tiles, tile + 1) - first;
        if (!any_counts(job, first, rows)) continue;
        tl_gemm(TL_OPERAND_TRANSPOSED, TL_OPERAND_PLAIN, job->width, filters, rows, 1, windows(job, first, rows, worker),
                job->width, job->dy + first * filters, filters, begun ? 1 : 0, dweight, filters);
        begun = true;
    }
}

static void backward_weights(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *dy, tl_real *dweight, tl_real *dbias,
                             const tl_workers *workers, tl_real *scratch) {
    gemm_job job = job_of(shape);
    job.x = x;
    job.dy = dy;
    job.tasks = weight_tasks(&job);
    job.sums = scratch;
    job.tiles = scratch + job.tasks * sums_size(&job);
    tl_parallel(workers, job.tasks, work_of(&job), weight_task, &job);
    for (size_t part = 0; part < job.tasks; part++) {
        const tl_real *sums = job.sums + part * sums_size(&job);
        add_rows(dweight, sums, 1, job.width * shape->filters);
        if (dbias) add_rows(dbias, sums + job.width * shape->filters, 1, shape->filters);
    }
}

/* ---- the engine ---- */

static bool supports(const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    (void)pass;
    return shape->filters <= TL_GEMM_LIMIT && shape->kernel <= TL_GEMM_LIMIT / shape->channels;
}

static double up_to_multiple(size_t count, size_t of) { return (double)(count + (of - count % of) % of); }

/* Multiply-adds of a product, including those of padding columns. The BLAS uses another method for small products. */
static double product_cost(double rows, size_t columns, double inner) {
    const double small = 1e6;
    if (rows * (double)columns * inner < small) return 0.95 * rows * up_to_multiple(columns, 4) * inner;
    return 1.45 * rows * up_to_multiple(columns, 16) * inner;
}

static double cost(const tl_conv1d_shape *s, tl_conv1d_pass pass) {
    const gemm_job job = job_of(s);
    const double rows = (double)job.rows, width = (double)job.width, filters = (double)s->filters;
    const double windows = job.plain ? 0 : rows * width, weights = width * filters;
    tl_conv1d_shape mirror;
    switch (pass) {
    case TL_CONV1D_FORWARD:
        return product_cost(rows, s->filters, width) + 2.5 * windows + 0.7 * weights + 670 * rows + 6000;
    case TL_CONV1D_BACKWARD_INPUT:
        if (mirrored(s, &mirror))
            return product_cost(rows, s->channels, (double)s->kernel * filters) + 1.2 * rows * (double)s->kernel * filters +
                   34 * weights + 450 * rows + 9600;
        return product_cost(rows, s->kernel * s->channels, filters) + 11.5 * rows * width + 0.9 * weights + 450 * rows + 9600;
    case TL_CONV1D_BACKWARD_WEIGHTS:
        break;
    }
    return product_cost(rows, s->filters, width) + 3 * windows + 6.7 * weights + 4 * rows * filters + (job.plain ? 0 : 550 * rows) +
           7000;
}

static size_t tiles_size(const tl_conv1d_shape *shape, int workers) {
    const gemm_job job = job_of(shape);
    return job.plain ? 0 : (size_t)workers * job.tile_rows * job.width;
}

static size_t scratch(const tl_conv1d_shape *shape, tl_conv1d_pass pass, int workers) {
    const gemm_job job = job_of(shape);
    tl_conv1d_shape mirror;
    if (pass == TL_CONV1D_FORWARD) return tiles_size(shape, workers);
    if (pass == TL_CONV1D_BACKWARD_WEIGHTS) return tiles_size(shape, workers) + weight_tasks(&job) * sums_size(&job);
    if (mirrored(shape, &mirror)) return weights_of(shape) + tiles_size(&mirror, workers);
    return (size_t)workers * job.tile_rows * job.width;
}

const tl_conv1d_ops tl_conv1d_gemm = {
    .name = "gemm",
    .engine = TL_ENGINE_GEMM,
    .mixes_samples = true,
    .supports = supports,
    .cost = cost,
    .scratch = scratch,
    .forward = forward,
    .backward_input = backward_input,
    .backward_weights = backward_weights,
};
