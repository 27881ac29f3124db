/* Depthwise convolution, with the functions of an engine: shape->channels is shape->filters, and the weight is (kernel,
 * channels). */
#include "layers/conv1d/variant.h"

#include "base/math.h"
#include "kernels/kernels.h"

#include <string.h>

/* Parts of the batch: each has sums of its own for the gradients. */
enum { MAX_PARTS = 8 };

typedef struct depthwise_job {
    const tl_conv1d_shape *shape;
    void (*kernel)(const tl_depthwise_rows *rows);
    const tl_real *x, *weight, *bias, *dy;
    tl_real *y, *dx;
    tl_real *sums; /* (parts, kernel · channels + channels): dW and db of each part */
    size_t parts;
} depthwise_job;

static bool supports(const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    (void)pass;
    return shape->channels == shape->filters;
}

static size_t parts_of(const tl_conv1d_shape *s) { return tl_min(s->batch, MAX_PARTS); }
static size_t sums_size(const tl_conv1d_shape *s) { return (s->kernel + 1) * s->channels; }

static size_t scratch(const tl_conv1d_shape *shape, tl_conv1d_pass pass, int workers) {
    (void)workers;
    return pass == TL_CONV1D_BACKWARD_WEIGHTS ? parts_of(shape) * sums_size(shape) : 0;
}

/* Processes the valid rows of one sample. */
static tl_depthwise_rows sample_of(const depthwise_job *job, size_t sample) {
    const tl_conv1d_shape *s = job->shape;
    const size_t in = sample * s->length * s->channels, out = sample * s->out_length * s->channels;
    return (tl_depthwise_rows){.length = s->counted && job->dx ? s->counted[sample] : s->length,
                               .out_length = s->counted && !job->dx ? s->counted[sample] : s->out_length,
                               .channels = s->channels,
                               .kernel = s->kernel,
                               .stride = s->stride,
                               .dilation = s->dilation,
                               .pad_left = s->pad_left,
                               .x = job->x ? job->x + in : NULL,
                               .weight = job->weight,
                               .bias = job->bias,
                               .dy = job->dy ? job->dy + out : NULL,
                               .y = job->y ? job->y + out : NULL,
                               .dx = job->dx ? job->dx + in : NULL};
}

static double work_of(const tl_conv1d_shape *s) {
    return 2.0 * (double)s->batch * (double)s->out_length * (double)s->kernel * (double)s->channels;
}

static void sample_task(void *context, size_t sample, int worker) {
    (void)worker;
    const depthwise_job *job = context;
    const tl_depthwise_rows rows = sample_of(job, sample);
    job->kernel(&rows);
}

static void forward(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *weight, const tl_real *bias, tl_real *y,
                    const tl_workers *workers, tl_real *memory) {
    (void)memory;
    depthwise_job job = {
        .shape = shape, .kernel = tl_kernels_of(workers)->depthwise, .x = x, .weight = weight, .bias = bias, .y = y};
    tl_parallel(workers, shape->batch, work_of(shape), sample_task, &job);
}

static void backward_input(const tl_conv1d_shape *shape, const tl_real *dy, const tl_real *weight, tl_real *dx,
                           const tl_workers *workers, tl_real *memory) {
    (void)memory;
    depthwise_job job = {.shape = shape, .kernel = tl_kernels_of(workers)->depthwise_input, .weight = weight, .dy = dy, .dx = dx};
    tl_parallel(workers, shape->batch, work_of(shape), sample_task, &job);
}

static void add_rows(tl_real *restrict sum, const tl_real *restrict from, size_t rows, size_t channels) {
    for (size_t row = 0; row < rows; row++)
        for (size_t c = 0; c < channels; c++) sum[c] += from[row * channels + c];
}

static void part_task(void *context, size_t part, int worker) {
    (void)worker;
    const depthwise_job *job = context;
    const tl_conv1d_shape *s = job->shape;
    tl_real *dweight = job->sums + part * sums_size(s), *dbias = dweight + s->kernel * s->channels;
    memset(dweight, 0, sums_size(s) * sizeof *dweight);
    for (size_t sample = tl_split_at(s->batch, job->parts, part); sample < tl_split_at(s->batch, job->parts, part + 1); sample++) {
        tl_depthwise_rows rows = sample_of(job, sample);
        rows.dweight = dweight;
        job->kernel(&rows);
        add_rows(dbias, rows.dy, rows.out_length, s->channels);
    }
}

static void backward_weights(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *dy, tl_real *dweight, tl_real *dbias,
                             const tl_workers *workers, tl_real *memory) {
    depthwise_job job = {.shape = shape,
                         .kernel = tl_kernels_of(workers)->depthwise_weights,
                         .x = x,
                         .dy = dy,
                         .sums = memory,
                         .parts = parts_of(shape)};
    tl_parallel(workers, job.parts, work_of(shape), part_task, &job);
    for (size_t part = 0; part < job.parts; part++) {
        const tl_real *sums = job.sums + part * sums_size(shape);
        add_rows(dweight, sums, 1, shape->kernel * shape->channels);
        if (dbias) add_rows(dbias, sums + shape->kernel * shape->channels, 1, shape->channels);
    }
}

static size_t reads_behind(const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    (void)pass;
    return tl_conv1d_reach(shape);
}

const tl_conv1d_ops tl_conv1d_depthwise = {
    .name = "depthwise",
    .supports = supports,
    .scratch = scratch,
    .forward = forward,
    .backward_input = backward_input,
    .backward_weights = backward_weights,
    .reads_behind = reads_behind,
};
