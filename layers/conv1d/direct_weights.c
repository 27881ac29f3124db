/* The gradient of the weights in the direct engine: a tile of it stays in registers over a run of time, input values broadcast over
 * vectors of dy; nothing is transposed.
 *
 * The batch is cut into parts that the shape alone fixes; each sums on its own, and the sums are added in order, so that the number
 * of workers changes nothing. Within a part the blocks of filters are independent of each other.
 */
#include "direct.h"

#include "memory.h"

#include <string.h>

enum {
    UNIT_ROWS = 192,  /* of dy at a time: its packed block stays in the first-level cache */
    PART_ROWS = 1024, /* of dy for each part, at least */
    MOST_PARTS = 16,  /* of the batch */
    PACK_ROWS = 64    /* from so many weights for each filter on, packing dy pays */
};

typedef struct product_job {
    const tl_kernels *kernels;
    tl_direct_form form;
    size_t batch, chunks, parts;
    size_t width, inner; /* filters, rounded up; kernel · channels */
    const tl_real *x, *dy;
    tl_real *dweight, *dbias;
    tl_real *sums, *bias_sums; /* of each part: (blocks: (kernel · channels, lanes)) and (filters, rounded up) */
    tl_real *copies, *packed;  /* of each worker */
    bool in_place;             /* dy is read where it is */
} product_job;

static product_job job_of(const tl_conv1d_shape *shape) {
    product_job job = {.form = tl_direct_forward_form(shape), .batch = shape->batch};
    job.chunks = tl_divide_up(shape->out_length, UNIT_ROWS);
    job.parts = tl_least(tl_least(shape->batch * shape->out_length / PART_ROWS, MOST_PARTS), shape->batch * job.chunks);
    job.parts = tl_most(job.parts, 1);
    job.width = tl_aligned_count(shape->filters);
    job.inner = shape->kernel * shape->channels;
    return job;
}

static size_t packed_count(const product_job *job) {
    return tl_least(UNIT_ROWS, job->form.rows) * tl_least(job->width, TL_MOST_TILE_WIDTH);
}

/* ---- a unit of time ---- */

/* dy of a block: (rows, lanes), zero beyond the last filter. */
static void pack_rows(const tl_direct_form *form, const tl_direct_block *block, const tl_real *dy, size_t rows, tl_real *to) {
    for (size_t t = 0; t < rows; t++, to += block->lanes, dy += form->out_step) {
        memcpy(to, dy, block->width * sizeof *to);
        memset(to + block->width, 0, (block->lanes - block->width) * sizeof *to);
    }
}

/* Adds the products of a segment's rows to the sums of a block; `product` has its dy. */
static void add_segment(const product_job *job, const tl_direct_segment *segment, tl_direct_product product, tl_real *sums) {
    const tl_direct_form *form = &job->form;
    const tl_direct_window window = tl_direct_window_of(form, segment->taps);
    product.count = segment->rows;
    product.row_step = window.step;
    product.rows = window.count;
    product.out = sums + segment->tap * form->in_width * product.out_step;
    for (size_t run = 0; run < window.runs; run++, product.out += window.count * product.out_step) {
        product.x = segment->x + run * window.run_step;
        job->kernels->direct_product(&product);
    }
}

static void add_bias(const product_job *job, tl_direct_product product, size_t rows, tl_real *sums) {
    static const tl_real one = 1;
    product.x = &one;
    product.step = 0;
    product.count = rows;
    product.rows = 1;
    product.out = sums;
    job->kernels->direct_product(&product);
}

static void add_unit(const product_job *job, const tl_direct_unit *unit, const tl_direct_block *block, tl_real *packed,
                     tl_real *sums, tl_real *bias_sums) {
    const tl_direct_form *form = &job->form;
    const size_t rows = unit->end - unit->begin;
    const tl_real *dy = job->dy + unit->out + unit->begin * form->out_step + block->first;
    if (!job->in_place) pack_rows(form, block, dy, rows, packed);
    tl_direct_product product = {.runs = 1,
                                 .step = form->in_step * form->in_width,
                                 .factor = job->in_place ? dy : packed,
                                 .factor_step = job->in_place ? form->out_step : block->lanes,
                                 .out_step = block->lanes,
                                 .vectors = block->vectors,
                                 .width = block->lanes};
    if (job->dbias) add_bias(job, product, rows, bias_sums);
    for (size_t row = unit->begin; row < unit->end;) {
        const tl_direct_segment segment = tl_direct_segment_at(form, unit, row);
        add_segment(job, &segment, product, sums);
        product.factor += segment.rows * product.factor_step;
        row += segment.rows;
    }
}

/* ---- tasks ---- */

/* The sums of one block over one part of the batch. */
static void product_task(void *context, size_t task, int worker) {
    const product_job *job = context;
    const tl_direct_form *form = &job->form;
    const size_t part = task % job->parts, units = job->batch * job->chunks;
    const tl_direct_block block = tl_direct_block_at(job->kernels, form->width, task / job->parts);
    tl_real *sums = job->sums + (part * job->width + block.first) * job->inner;
    tl_real *bias_sums = job->bias_sums + part * job->width + block.first;
    tl_real *copy = job->copies + (size_t)worker * tl_direct_copy(form, job->chunks);
    tl_real *packed = job->packed + (size_t)worker * packed_count(job);
    memset(sums, 0, job->inner * block.lanes * sizeof *sums);
    memset(bias_sums, 0, block.lanes * sizeof *bias_sums);
    for (size_t i = tl_split_at(units, job->parts, part); i < tl_split_at(units, job->parts, part + 1); i++) {
        const tl_direct_unit unit = tl_direct_unit_at(form, job->chunks, i, job->x, copy);
        add_unit(job, &unit, &block, packed, sums, bias_sums);
    }
}

/* Adds the parts' sums of one block to the gradient, in order. */
static void gather_task(void *context, size_t task, int worker) {
    (void)worker;
    const product_job *job = context;
    const tl_direct_block block = tl_direct_block_at(job->kernels, job->form.width, task);
    for (size_t part = 0; part < job->parts; part++) {
        const tl_real *sums = job->sums + (part * job->width + block.first) * job->inner;
        tl_real *to = job->dweight + block.first;
        for (size_t i = 0; i < job->inner; i++, to += job->form.width, sums += block.lanes)
            for (size_t o = 0; o < block.width; o++) to[o] += sums[o];
        const tl_real *bias_sums = job->bias_sums + part * job->width + block.first;
        for (size_t o = 0; job->dbias && o < block.width; o++) job->dbias[block.first + o] += bias_sums[o];
    }
}

/* ---- the pass ---- */

size_t tl_direct_weights_scratch(const tl_conv1d_shape *shape, int workers) {
    const product_job job = job_of(shape);
    const size_t each = tl_direct_copy(&job.form, job.chunks) + packed_count(&job);
    return job.parts * job.width * (job.inner + 1) + (size_t)workers * each;
}

void tl_direct_backward_weights(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *dy, tl_real *dweight, tl_real *dbias,
                                const tl_workers *workers, tl_real *scratch) {
    product_job job = job_of(shape);
    job.kernels = tl_kernels_here();
    job.x = x;
    job.dy = dy;
    job.dweight = dweight;
    job.dbias = dbias;
    job.sums = scratch;
    job.bias_sums = job.sums + job.parts * job.width * job.inner;
    job.copies = job.bias_sums + job.parts * job.width;
    job.packed = job.copies + (size_t)tl_workers_count(workers) * tl_direct_copy(&job.form, job.chunks);
    job.in_place = shape->filters % job.kernels->lanes == 0 && job.inner < PACK_ROWS;
    const size_t blocks = tl_direct_blocks(job.kernels, shape->filters);
    const double sums = (double)job.inner * (double)shape->filters;
    tl_parallel(workers, blocks * job.parts, 2 * (double)(shape->batch * shape->out_length) * sums, product_task, &job);
    tl_parallel(workers, blocks, (double)job.parts * sums, gather_task, &job);
}
