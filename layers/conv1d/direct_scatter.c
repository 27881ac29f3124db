/* The gradient of the input by adding products to their places: all taps and channels of a time step of dy are the outputs of a
 * product without a window. It is for few channels, which fill the vectors together with their taps.
 */
#include "layers/conv1d/direct.h"

#include "base/math.h"
#include "base/memory.h"
#include "compute/finish.h"

#include <string.h>

enum { PRODUCT_BYTES = 24 * 1024 /* memory for products before they are added to dx; it stays in the first-level cache */ };

typedef struct scatter_job {
    const tl_kernels *kernels;
    const tl_conv1d_shape *shape;
    size_t width, rows; /* products of a worker at a time: (rows, width) */
    const tl_real *dy, *weight, *zero;
    tl_real *dx, *products;
} scatter_job;

static tl_direct_form scatter_form(const tl_conv1d_shape *shape) {
    return (tl_direct_form){.in_width = shape->filters, .taps = 1, .tap_stride = 1, .width = shape->kernel * shape->channels};
}

static size_t scatter_rows(const tl_conv1d_shape *shape, size_t width) {
    return tl_min(tl_max(PRODUCT_BYTES / (width * sizeof(tl_real)), 1), shape->out_length);
}

/* `prefetch`: the number of rows that come next. */
static void multiply_rows(const scatter_job *job, const tl_real *dy, size_t rows, size_t prefetch, tl_real *products) {
    const tl_direct_form form = scatter_form(job->shape);
    const tl_prefetch next = {.at = dy + rows * form.in_width, .rows = prefetch, .width = form.in_width, .stride = form.in_width};
    for (size_t i = 0; i < tl_direct_blocks(job->kernels, form.width); i++) {
        const tl_direct_block block = tl_direct_block_at(job->kernels, form.width, i);
        job->kernels->direct_product(&(tl_direct_product){.x = dy,
                                                          .row_stride = form.in_width,
                                                          .runs = 1,
                                                          .count = form.in_width,
                                                          .stride = 1,
                                                          .factor = job->weight + block.first * form.in_width,
                                                          .factor_stride = block.lanes,
                                                          .start = job->zero,
                                                          .prefetch = {i == 0 ? next : (tl_prefetch){0}},
                                                          .out = products + block.first,
                                                          .out_stride = job->width,
                                                          .rows = rows,
                                                          .vectors = block.vectors,
                                                          .width = block.lanes});
    }
}

/* Adds the products of output `t`: neighbouring taps are also neighbours in dx. */
static void scatter_row(const tl_conv1d_shape *shape, const tl_real *products, size_t t, tl_real *dx) {
    const size_t channels = shape->channels, taps = shape->dilation == 1 ? shape->kernel : 1;
    for (size_t tap = 0; tap < shape->kernel; tap += taps) {
        const ptrdiff_t position = (ptrdiff_t)(t * shape->stride + tap * shape->dilation) - (ptrdiff_t)shape->pad_left;
        const ptrdiff_t begin = position < 0 ? -position : 0, left = (ptrdiff_t)shape->length - position;
        const ptrdiff_t end = left < (ptrdiff_t)taps ? left : (ptrdiff_t)taps;
        if (begin >= end) continue;
        const tl_real *from = products + (tap + (size_t)begin) * channels;
        tl_real *to = dx + (size_t)(position + begin) * channels;
        for (size_t i = 0; i < (size_t)(end - begin) * channels; i++) to[i] += from[i];
    }
}

/* The rows of dy that reach the steps of dx that count. */
static size_t rows_needed(const tl_conv1d_shape *shape, size_t steps) {
    return tl_min((steps - 1 + shape->pad_left) / shape->stride + 1, shape->out_length);
}

/* A sample. */
static void scatter_task(void *context, size_t task, int worker) {
    const scatter_job *job = context;
    const tl_conv1d_shape *shape = job->shape;
    const tl_real *dy = job->dy + task * shape->out_length * shape->filters;
    tl_real *dx = job->dx + task * shape->length * shape->channels;
    tl_real *products = job->products + (size_t)worker * job->rows * job->width;
    const size_t steps = shape->counted ? shape->counted[task] : shape->length, all = rows_needed(shape, steps);
    memset(dx, 0, steps * shape->channels * sizeof *dx);
    for (size_t begin = 0; begin < all; begin += job->rows) {
        const size_t rows = tl_min(job->rows, all - begin), behind = tl_min(job->rows, all - begin - rows);
        multiply_rows(job, dy + begin * shape->filters, rows, behind, products);
        for (size_t r = 0; r < rows; r++) scatter_row(shape, products + r * job->width, begin + r, dx);
    }
    const size_t sample = shape->length * shape->channels;
    if (shape->finish) tl_finish_some(job->kernels, shape->finish, job->dx, task * sample, steps * shape->channels);
}

size_t tl_direct_scatter_scratch(const tl_conv1d_shape *shape, int workers) {
    const tl_direct_form form = scatter_form(shape);
    const size_t width = tl_aligned_count(form.width);
    return width * (1 + form.in_width) + (size_t)workers * scatter_rows(shape, width) * width;
}

void tl_direct_scatter(const tl_conv1d_shape *shape, const tl_real *dy, const tl_real *weight, tl_real *dx,
                       const tl_workers *workers, tl_real *scratch) {
    const tl_kernels *kernels = tl_kernels_of(workers);
    const tl_direct_form form = scatter_form(shape);
    const size_t width = tl_aligned_count(form.width);
    const tl_direct_weights weights = {.form = &form, .weight = weight, .in_stride = 1, .out_stride = shape->filters};
    tl_direct_pack(&weights, workers, scratch + width);
    memset(scratch, 0, width * sizeof *scratch);
    scatter_job job = {.kernels = kernels,
                       .shape = shape,
                       .width = width,
                       .rows = scatter_rows(shape, width),
                       .dy = dy,
                       .weight = scratch + width,
                       .zero = scratch,
                       .dx = dx,
                       .products = scratch + width + width * form.in_width};
    const double work = TL_VECTOR_WORK * (double)(shape->batch * shape->out_length) * (double)form.in_width * (double)form.width;
    tl_parallel(workers, shape->batch, work, scatter_task, &job);
}
