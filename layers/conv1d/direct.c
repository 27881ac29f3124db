/* The direct engine: a register-tiled kernel that reads the input in place (no im2col), weights packed in blocks of vectors.
 *
 * Forward broadcasts inputs over vectors of filters. dX is the same sum over dy with the weights transposed, in one of two forms:
 * - the taps flipped, a convolution that gives dx itself; with a stride, one dense convolution for each residue of the position;
 * - with few channels, whose vectors would be mostly empty: all taps and channels as the outputs of a product without a window,
 *   which are then added into dx where they belong.
 */
#include "direct.h"

#include "memory.h"

#include <string.h>

enum {
    UNIT_BYTES = 192 * 1024,   /* input and output of a unit: a share of the second-level cache */
    UNIT_ROWS = 48,            /* of a unit at least: several tiles, and packed weights are read once for all of them */
    UNITS = 32,                /* wanted at least, for the workers to share */
    WEIGHT_BYTES = 192 * 1024, /* packed weights that stay in the second-level cache while the rows of a unit pass */
    PRODUCT_BYTES = 24 * 1024, /* products on their way into dx: the same */
    SCATTER_COST = 10,         /* adding a product into dx, in multiply-adds */
    LINE = 64 / sizeof(tl_real)
};

/* ---- weights ---- */

/* Element (tap, input element, output) of a form is weight[tap·tap_step + element·in_step + output·out_step]; one of the latter two
 * steps is 1. */
typedef struct packing {
    const tl_kernels *kernels;
    const tl_direct_form *form;
    const tl_real *weight;
    ptrdiff_t tap_step;
    size_t in_step, out_step;
    tl_real *packed; /* (blocks: (taps, in_width, lanes)) */
} packing;

/* `count` elements, each with its outputs side by side in memory. */
static void copy_outputs(const packing *p, const tl_real *from, const tl_direct_block *block, size_t count, tl_real *to) {
    for (size_t i = 0; i < count; i++) memcpy(to + i * block->lanes, from + i * p->in_step, block->width * sizeof *to);
}

/* The same, with the elements of an output side by side: a cache line of them at a time, since the outputs may lie so far apart
 * that their lines push each other out of the cache. */
static void transpose_outputs(const packing *p, const tl_real *from, const tl_direct_block *block, size_t count, tl_real *to) {
    for (size_t i = 0; i < count; i += LINE) {
        const size_t end = tl_least(i + LINE, count);
        for (size_t o = 0; o < block->width; o++)
            for (size_t k = i; k < end; k++) to[k * block->lanes + o] = from[k + o * p->out_step];
    }
}

/* One tap of one block, zero beyond the last output. */
static void pack_task(void *context, size_t task, int worker) {
    (void)worker;
    const packing *p = context;
    const tl_direct_form *form = p->form;
    const size_t tap = task % form->taps, count = form->in_width;
    const tl_direct_block block = tl_direct_block_at(p->kernels, form->width, task / form->taps);
    const tl_real *from = p->weight + (ptrdiff_t)tap * p->tap_step + (ptrdiff_t)(block.first * p->out_step);
    tl_real *to = p->packed + block.first * form->taps * count + tap * count * block.lanes;
    if (block.width < block.lanes) memset(to, 0, count * block.lanes * sizeof *to);
    if (p->out_step == 1)
        copy_outputs(p, from, &block, count, to);
    else
        transpose_outputs(p, from, &block, count, to);
}

static void pack(const packing *p, const tl_workers *workers) {
    const size_t blocks = tl_direct_blocks(p->kernels, p->form->width);
    const double elements = (double)p->form->taps * (double)p->form->in_width * (double)p->form->width;
    tl_parallel(workers, blocks * p->form->taps, elements, pack_task, (void *)p);
}

/* Elements that the packed weights of a form take, whatever the instruction set. */
static size_t packed_count(const tl_direct_form *form) {
    return tl_aligned_count(form->width) * tl_most(form->taps, 1) * form->in_width;
}

/* ---- a form ---- */

typedef struct sum_job {
    const tl_kernels *kernels;
    const tl_direct_form *form;
    size_t chunks; /* units of a sample */
    const tl_real *in, *weight, *start;
    tl_real *out, *copies; /* copies: of each worker */
} sum_job;

static size_t chunks_of(const tl_direct_form *form, size_t batch) {
    const size_t row = (form->in_step * form->in_width + form->width) * sizeof(tl_real);
    const size_t limit = tl_least(UNIT_BYTES / row, tl_divide_up(form->rows * batch, UNITS));
    return tl_divide_up(form->rows, tl_most(limit, UNIT_ROWS));
}

/* Elements from … to-1 of the windows of a segment, for a block of outputs; `out` is the place of its first row. */
static void sum_segment(const sum_job *job, const tl_direct_segment *segment, const tl_direct_block *block, size_t from, size_t to,
                        tl_real *out) {
    const tl_direct_form *form = job->form;
    const size_t first = segment->tap * form->in_width, begin = tl_most(from, first);
    const size_t end = tl_most(begin, tl_least(to, first + segment->taps * form->in_width));
    const tl_direct_window window = tl_direct_window_of(form, end - begin);
    if (begin == end && from > 0) return;
    job->kernels->direct_product(&(tl_direct_product){.x = segment->x + (end > begin ? tl_direct_offset(form, begin - first) : 0),
                                                      .row_step = form->in_step * form->in_width,
                                                      .runs = window.runs,
                                                      .run_step = window.run_step,
                                                      .count = window.count,
                                                      .step = window.step,
                                                      .factor = job->weight + block->first * form->taps * form->in_width +
                                                                (end > begin ? begin * block->lanes : 0),
                                                      .factor_step = block->lanes,
                                                      .start = from == 0 ? job->start + block->first : NULL,
                                                      .out = out + block->first,
                                                      .out_step = form->out_step,
                                                      .rows = segment->rows,
                                                      .vectors = block->vectors,
                                                      .width = block->width});
}

/* A part of the weights at a time is used for all rows of the unit before the next one takes its place in the cache. */
static void sum_block(const sum_job *job, const tl_direct_unit *unit, const tl_direct_block *block) {
    const tl_direct_form *form = job->form;
    const size_t elements = form->taps * form->in_width, limit = WEIGHT_BYTES / (block->lanes * sizeof(tl_real));
    const size_t most = form->tap_step == 1 ? limit : tl_most(limit / form->in_width, 1) * form->in_width;
    for (size_t from = 0; from < elements || from == 0; from += most) {
        for (size_t row = unit->begin; row < unit->end;) {
            const tl_direct_segment segment = tl_direct_segment_at(form, unit, row);
            sum_segment(job, &segment, block, from, tl_least(from + most, elements), job->out + unit->out + row * form->out_step);
            row += segment.rows;
        }
    }
}

static void sum_task(void *context, size_t task, int worker) {
    const sum_job *job = context;
    tl_real *copy = job->copies + (size_t)worker * tl_direct_copy(job->form, job->chunks);
    const tl_direct_unit unit = tl_direct_unit_at(job->form, job->chunks, task, job->in, copy);
    for (size_t i = 0; i < tl_direct_blocks(job->kernels, job->form->width); i++) {
        const tl_direct_block block = tl_direct_block_at(job->kernels, job->form->width, i);
        sum_block(job, &unit, &block);
    }
}

/* Scratch memory of a form: what its sums start from, packed weights, padded copies. */
static size_t form_scratch(const tl_direct_form *form, size_t batch, int workers) {
    const size_t copies = (size_t)workers * tl_direct_copy(form, chunks_of(form, batch));
    return tl_aligned_count(form->width) + packed_count(form) + copies;
}

/* Computes a form; `weights` lacks the place to pack to. */
static void run_form(const packing *weights, size_t batch, const tl_real *in, const tl_real *bias, tl_real *out,
                     const tl_workers *workers, tl_real *scratch) {
    const tl_direct_form *form = weights->form;
    packing place = *weights;
    place.packed = scratch + tl_aligned_count(form->width);
    pack(&place, workers);
    memset(scratch, 0, tl_aligned_count(form->width) * sizeof *scratch);
    if (bias) memcpy(scratch, bias, form->width * sizeof *scratch);
    sum_job job = {.kernels = weights->kernels,
                   .form = form,
                   .chunks = chunks_of(form, batch),
                   .in = in,
                   .weight = place.packed,
                   .start = scratch,
                   .out = out,
                   .copies = place.packed + packed_count(form)};
    const double sums = (double)form->taps * (double)form->in_width * (double)form->width;
    tl_parallel(workers, batch * job.chunks, 2 * (double)(batch * form->rows) * sums, sum_task, &job);
}

/* ---- forward ---- */

static void forward(const tl_conv1d_shape *whole, const tl_real *x, const tl_real *weight, const tl_real *bias, tl_real *y,
                    const tl_workers *workers, tl_real *scratch) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    const tl_direct_form form = tl_direct_forward_form(&shape);
    const packing weights = {.kernels = tl_kernels_here(),
                             .form = &form,
                             .weight = weight,
                             .tap_step = (ptrdiff_t)(form.in_width * form.width),
                             .in_step = form.width,
                             .out_step = 1};
    run_form(&weights, shape.batch, x, bias, y, workers, scratch);
}

static size_t forward_scratch(const tl_conv1d_shape *shape, int workers) {
    const tl_direct_form form = tl_direct_forward_form(shape);
    return form_scratch(&form, shape->batch, workers);
}

/* ---- backward to the input: taps flipped ---- */

static size_t common_divisor(size_t a, size_t b) {
    while (b) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Positions residue, residue + stride, … of dx. With a stride only every stride / gcd(stride, dilation)-th tap meets them. */
typedef struct residue_taps {
    size_t every, last, count; /* taps last, last - every, … */
} residue_taps;

static residue_taps taps_of(const tl_conv1d_shape *shape, size_t residue) {
    const size_t stride = shape->stride, every = stride / common_divisor(shape->dilation, stride);
    size_t tap = 0;
    while (tap < tl_least(every, shape->kernel) && tap * shape->dilation % stride != (residue + shape->pad_left) % stride) tap++;
    if (tap == tl_least(every, shape->kernel)) return (residue_taps){.every = every};
    const size_t count = (shape->kernel - 1 - tap) / every + 1;
    return (residue_taps){.every = every, .last = tap + (count - 1) * every, .count = count};
}

static tl_direct_form residue_form(const tl_conv1d_shape *shape, size_t residue) {
    const residue_taps taps = taps_of(shape, residue);
    const ptrdiff_t reach = (ptrdiff_t)(residue + shape->pad_left) - (ptrdiff_t)(taps.last * shape->dilation);
    return (tl_direct_form){.in_length = shape->out_length,
                            .in_width = shape->filters,
                            .first = taps.count ? reach / (ptrdiff_t)shape->stride : 0,
                            .in_step = 1,
                            .taps = taps.count,
                            .tap_step = taps.every * shape->dilation / shape->stride,
                            .rows = (shape->length - residue - 1) / shape->stride + 1,
                            .width = shape->channels,
                            .out_first = residue * shape->channels,
                            .out_step = shape->stride * shape->channels,
                            .out_count = shape->length * shape->channels};
}

static size_t residues_of(const tl_conv1d_shape *shape) { return tl_least(shape->stride, shape->length); }

static size_t flipped_scratch(const tl_conv1d_shape *shape, int workers) {
    size_t most = 0;
    for (size_t residue = 0; residue < residues_of(shape); residue++) {
        const tl_direct_form form = residue_form(shape, residue);
        most = tl_most(most, form_scratch(&form, shape->batch, workers));
    }
    return most;
}

static void backward_flipped(const tl_conv1d_shape *shape, const tl_real *dy, const tl_real *weight, tl_real *dx,
                             const tl_workers *workers, tl_real *scratch) {
    const size_t tap = shape->channels * shape->filters;
    for (size_t residue = 0; residue < residues_of(shape); residue++) {
        const residue_taps taps = taps_of(shape, residue);
        const tl_direct_form form = residue_form(shape, residue);
        const packing weights = {.kernels = tl_kernels_here(),
                                 .form = &form,
                                 .weight = weight + taps.last * tap,
                                 .tap_step = -(ptrdiff_t)(taps.every * tap),
                                 .in_step = 1,
                                 .out_step = shape->filters};
        run_form(&weights, shape->batch, dy, NULL, dx, workers, scratch);
    }
}

/* ---- backward to the input: products added into place ---- */

typedef struct scatter_job {
    const tl_kernels *kernels;
    const tl_conv1d_shape *shape;
    size_t width, rows; /* of the products of a worker at a time: (rows, width) */
    const tl_real *dy, *weight, *zero;
    tl_real *dx, *products;
} scatter_job;

static tl_direct_form scatter_form(const tl_conv1d_shape *shape) {
    return (tl_direct_form){.in_width = shape->filters, .taps = 1, .tap_step = 1, .width = shape->kernel * shape->channels};
}

static size_t scatter_rows(const tl_conv1d_shape *shape, size_t width) {
    return tl_least(tl_most(PRODUCT_BYTES / (width * sizeof(tl_real)), 1), shape->out_length);
}

static void multiply_rows(const scatter_job *job, const tl_real *dy, size_t rows, tl_real *products) {
    const tl_direct_form form = scatter_form(job->shape);
    for (size_t i = 0; i < tl_direct_blocks(job->kernels, form.width); i++) {
        const tl_direct_block block = tl_direct_block_at(job->kernels, form.width, i);
        job->kernels->direct_product(&(tl_direct_product){.x = dy,
                                                          .row_step = form.in_width,
                                                          .runs = 1,
                                                          .count = form.in_width,
                                                          .step = 1,
                                                          .factor = job->weight + block.first * form.in_width,
                                                          .factor_step = block.lanes,
                                                          .start = job->zero,
                                                          .out = products + block.first,
                                                          .out_step = job->width,
                                                          .rows = rows,
                                                          .vectors = block.vectors,
                                                          .width = block.lanes});
    }
}

/* Adds the products of output `t`: taps side by side lie side by side in dx too. */
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

/* One sample. */
static void scatter_task(void *context, size_t task, int worker) {
    const scatter_job *job = context;
    const tl_conv1d_shape *shape = job->shape;
    const tl_real *dy = job->dy + task * shape->out_length * shape->filters;
    tl_real *dx = job->dx + task * shape->length * shape->channels;
    tl_real *products = job->products + (size_t)worker * job->rows * job->width;
    memset(dx, 0, shape->length * shape->channels * sizeof *dx);
    for (size_t begin = 0; begin < shape->out_length; begin += job->rows) {
        const size_t rows = tl_least(job->rows, shape->out_length - begin);
        multiply_rows(job, dy + begin * shape->filters, rows, products);
        for (size_t r = 0; r < rows; r++) scatter_row(shape, products + r * job->width, begin + r, dx);
    }
}

static size_t scatter_scratch(const tl_conv1d_shape *shape, int workers) {
    const tl_direct_form form = scatter_form(shape);
    const size_t width = tl_aligned_count(form.width);
    return width * (1 + form.in_width) + (size_t)workers * scatter_rows(shape, width) * width;
}

static void backward_scattered(const tl_conv1d_shape *shape, const tl_real *dy, const tl_real *weight, tl_real *dx,
                               const tl_workers *workers, tl_real *scratch) {
    const tl_kernels *kernels = tl_kernels_here();
    const tl_direct_form form = scatter_form(shape);
    const size_t width = tl_aligned_count(form.width);
    const packing weights = {
        .kernels = kernels, .form = &form, .weight = weight, .in_step = 1, .out_step = shape->filters, .packed = scratch + width};
    pack(&weights, workers);
    memset(scratch, 0, width * sizeof *scratch);
    scatter_job job = {.kernels = kernels,
                       .shape = shape,
                       .width = width,
                       .rows = scatter_rows(shape, width),
                       .dy = dy,
                       .weight = weights.packed,
                       .zero = scratch,
                       .dx = dx,
                       .products = weights.packed + packed_count(&form)};
    const double work = 2 * (double)(shape->batch * shape->out_length) * (double)form.in_width * (double)form.width;
    tl_parallel(workers, shape->batch, work, scatter_task, &job);
}

/* Which form needs fewer multiply-adds on whole vectors, zeros and what lies outside included. */
static bool scatters(const tl_conv1d_shape *shape, size_t lanes) {
    const double channels = (double)(tl_divide_up(shape->channels, lanes) * lanes), filters = (double)shape->filters;
    const double outputs = (double)(tl_divide_up(shape->kernel * shape->channels, lanes) * lanes);
    const size_t rows = shape->length / shape->stride;
    const double flipped = (double)rows * (double)shape->kernel * channels * filters;
    return (double)shape->out_length * outputs * (filters + SCATTER_COST) < 0.8 * flipped;
}

static void backward_input(const tl_conv1d_shape *whole, const tl_real *dy, const tl_real *weight, tl_real *dx,
                           const tl_workers *workers, tl_real *scratch) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    if (scatters(&shape, tl_kernels_here()->lanes))
        backward_scattered(&shape, dy, weight, dx, workers, scratch);
    else
        backward_flipped(&shape, dy, weight, dx, workers, scratch);
}

/* ---- the engine ---- */

static bool supports(const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    (void)shape;
    (void)pass;
    return true;
}

static size_t scratch_of(const tl_conv1d_shape *whole, tl_conv1d_pass pass, int workers) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    switch (pass) {
    case TL_FORWARD:
        return forward_scratch(&shape, workers);
    case TL_BACKWARD_INPUT:
        return tl_most(flipped_scratch(&shape, workers), scatter_scratch(&shape, workers));
    case TL_BACKWARD_WEIGHTS:
        break;
    }
    return tl_direct_weights_scratch(&shape, workers);
}

const tl_conv1d_ops tl_conv1d_direct = {
    .name = "direct",
    .engine = TL_ENGINE_DIRECT,
    .supports = supports,
    .scratch = scratch_of,
    .forward = forward,
    .backward_input = backward_input,
    .backward_weights = tl_direct_backward_weights,
};
