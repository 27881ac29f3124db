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
    UNIT_ROWS = 160,  /* of dy at a time: its packed block stays in the first-level cache */
    PART_ROWS = 1024, /* of dy for each part, at least */
    MOST_PARTS = 16,  /* of the batch */
    TASKS_EACH = 4    /* tasks for each worker, to even out their speeds */
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
    size_t groups;             /* of blocks: a task is one group of one part */
} product_job;

static product_job job_of(const tl_conv1d_shape *whole) {
    const tl_conv1d_shape joined = tl_direct_joined(whole), *shape = &joined;
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

/* Adds the products of a segment's rows to the sums of a block; `product` has its dy. */
static void add_segment(const product_job *job, const tl_direct_segment *segment, tl_direct_product product, tl_real *sums) {
    const tl_direct_form *form = &job->form;
    const tl_direct_window window = tl_direct_window_of(form, segment->taps * form->in_width);
    product.count = segment->rows;
    product.row_step = window.step;
    product.rows = window.count;
    product.out = sums + segment->tap * form->in_width * product.out_step;
    for (size_t run = 0; run < window.runs; run++, product.out += window.count * product.out_step) {
        product.x = segment->x + run * window.run_step;
        job->kernels->direct_product(&product);
    }
}

/* Adds the products of a unit to the sums of a block. */
static void add_unit(const product_job *job, const tl_direct_unit *unit, size_t index, size_t part, tl_real *packed) {
    const tl_direct_form *form = &job->form;
    const tl_direct_block block = tl_direct_block_at(job->kernels, form->width, index);
    tl_real *sums = job->sums + (part * job->width + block.first) * job->inner;
    job->kernels->direct_pack(&(tl_direct_packing){.from = job->dy + unit->out + unit->begin * form->out_step + block.first,
                                                   .from_step = form->out_step,
                                                   .rows = unit->end - unit->begin,
                                                   .packed = packed,
                                                   .sums = job->bias_sums + part * job->width + block.first,
                                                   .vectors = block.vectors,
                                                   .width = block.width});
    tl_direct_product product = {.runs = 1,
                                 .step = form->in_step * form->in_width,
                                 .factor = packed,
                                 .factor_step = block.lanes,
                                 .out_step = block.lanes,
                                 .vectors = block.vectors,
                                 .width = block.lanes};
    for (size_t row = unit->begin; row < unit->end;) {
        const tl_direct_segment segment = tl_direct_segment_at(form, unit, row);
        add_segment(job, &segment, product, sums);
        product.factor += segment.rows * block.lanes;
        row += segment.rows;
    }
}

/* ---- tasks ---- */

static void clear_sums(const product_job *job, size_t index, size_t part) {
    const tl_direct_block block = tl_direct_block_at(job->kernels, job->form.width, index);
    const size_t at = part * job->width + block.first;
    memset(job->sums + at * job->inner, 0, job->inner * block.lanes * sizeof *job->sums);
    memset(job->bias_sums + at, 0, block.lanes * sizeof *job->bias_sums);
}

/* The sums of a group of blocks over one part of the batch. */
static void product_task(void *context, size_t task, int worker) {
    const product_job *job = context;
    const size_t part = task % job->parts, group = task / job->parts, blocks = tl_direct_blocks(job->kernels, job->form.width);
    const size_t begin = tl_split_at(blocks, job->groups, group), end = tl_split_at(blocks, job->groups, group + 1);
    const size_t units = job->batch * job->chunks, last = tl_split_at(units, job->parts, part + 1);
    tl_real *copy = job->copies + (size_t)worker * tl_direct_copy(&job->form, job->chunks);
    tl_real *packed = job->packed + (size_t)worker * packed_count(job);
    for (size_t block = begin; block < end; block++) clear_sums(job, block, part);
    for (size_t i = tl_split_at(units, job->parts, part); i < last; i++) {
        const tl_direct_unit unit = tl_direct_unit_at(&job->form, job->chunks, i, job->x, copy);
        for (size_t block = begin; block < end; block++) add_unit(job, &unit, block, part, packed);
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
    job.kernels = tl_kernels_of(workers);
    job.x = x;
    job.dy = dy;
    job.dweight = dweight;
    job.dbias = dbias;
    job.sums = scratch;
    job.bias_sums = job.sums + job.parts * job.width * job.inner;
    job.copies = job.bias_sums + job.parts * job.width;
    job.packed = job.copies + (size_t)tl_workers_count(workers) * tl_direct_copy(&job.form, job.chunks);
    const size_t blocks = tl_direct_blocks(job.kernels, shape->filters), count = (size_t)tl_workers_count(workers);
    job.groups = count > 1 ? tl_least(tl_divide_up(TASKS_EACH * count, job.parts), blocks) : 1;
    const double sums = (double)job.inner * (double)shape->filters;
    tl_parallel(workers, job.groups * job.parts, 2 * (double)(shape->batch * shape->out_length) * sums, product_task, &job);
    tl_parallel(workers, blocks, (double)job.parts * sums, gather_task, &job);
}
