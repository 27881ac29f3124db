/* The gradient of the weights in the winograd engine: the transpose of forward, dg = Gᵀ[Σ (Bᵀ d) ⊙ (A dy)], where the sum is over
 * tiles and batch: one matrix product (groups·channels × tiles) · (tiles × filters) for each point.
 *
 * The batch is divided into parts that depend only on the shape. Each part has sums of its own, which are added in order, so that
 * the number of workers changes nothing. Within a part the blocks of filters are independent of each other.
 */
#include "layers/conv1d/winograd.h"

#include "base/math.h"
#include "base/memory.h"

#include <string.h>

enum {
    PART_ROWS = 2048, /* minimum rows of dy for each part */
    MAX_PARTS = 16    /* maximum parts of the batch */
};

typedef struct product_job {
    tl_winograd_form form;
    tl_winograd_cut cut;
    size_t parts, groups; /* groups of blocks: a task is a group of a part */
    size_t width, inner;  /* filters, rounded up; groups of taps · channels */
    size_t plane, each;   /* elements of a transformed unit at one point; elements of a worker's memory */
    const tl_real *x, *dy;
    tl_real *dweight, *dbias;
    tl_real *sums, *bias_sums; /* of each part: (blocks: (points, inner, lanes)) and (filters, rounded up) */
    tl_real *own;              /* of each worker */
} product_job;

/* Elements of a unit's transformed dy at all points, for a block of filters. */
static size_t gradient_count(const product_job *job) {
    const size_t rows = job->cut.samples * tl_ceil_div(job->form.tiles, job->cut.pieces) * job->form.dilation;
    return job->form.variant->points * rows * tl_min(job->width, TL_MAX_TILE_WIDTH);
}

/* Elements of a worker's memory, for units of the size that fits in the cache. */
static size_t own_count(const product_job *job) {
    const tl_winograd_form *form = &job->form;
    const size_t planes = form->variant->points * tl_winograd_plane(form, &job->cut);
    const size_t summing = tl_winograd_copy(form) + planes + gradient_count(job);
    const size_t finishing = form->variant->taps * form->in_width * tl_min(job->width, TL_MAX_TILE_WIDTH);
    return tl_aligned_count(tl_max(summing, finishing));
}

/* A job without its arrays. */
static product_job job_of(const tl_conv1d_shape *shape, const tl_tuning *tuning) {
    product_job job = {.form = tl_winograd_forward_form(shape)};
    job.cut = tl_winograd_cut_of(&job.form, 1, tuning->sum_rows);
    job.width = tl_aligned_count(shape->filters);
    job.inner = job.form.groups * job.form.in_width;
    job.each = own_count(&job);
    job.parts = tl_min(tl_power_of_two(shape->batch * shape->out_length / PART_ROWS), MAX_PARTS);
    const size_t samples = tl_max(shape->batch / job.parts, 1); /* of a part: its units have one size */
    job.cut.samples = samples / tl_ceil_div(samples, job.cut.samples);
    job.cut.units = tl_ceil_div(shape->batch, job.cut.samples) * job.cut.pieces;
    job.parts = tl_min(job.parts, job.cut.units);
    job.plane = tl_winograd_plane(&job.form, &job.cut);
    return job;
}

static tl_real *sums_of(const product_job *job, const tl_direct_block *block, size_t part) {
    return job->sums + (part * job->width + block->first) * job->form.variant->points * job->inner;
}

/* ---- a unit ---- */

/* A tile of dy at the border: rows after the last one count as 0. */
static void transform_border(const product_job *job, const tl_winograd_rows *tile, size_t rows) {
    const tl_winograd_form *form = &job->form;
    const size_t m = form->variant->outputs, d = form->dilation, width = tile->width;
    tl_real part[TL_WINOGRAD_OUTPUTS * TL_MAX_TILE_WIDTH];
    tl_winograd_rows one = *tile;
    one.from = part;
    one.from_row = width;
    one.tiles = 1;
    for (size_t q = 0; q < d; q++, one.to += one.to_stride) {
        memset(part, 0, m * width * sizeof *part);
        for (size_t i = 0; i < m && i * d + q < rows; i++)
            memcpy(part + i * width, tile->from + (i * d + q) * form->width, width * sizeof *part);
        form->variant->output_gradient(&one);
    }
}

/* Transforms the tiles of a sample for a block of filters, to (tile, series, lanes) of each point. */
static void transform_sample(const product_job *job, const tl_winograd_unit *unit, const tl_direct_block *block, const tl_real *dy,
                             size_t rows, tl_real *to) {
    const tl_winograd_form *form = &job->form;
    const size_t block_rows = form->variant->outputs * form->dilation, row = tl_winograd_out_row(form);
    const bool dense = form->dilation == 1;
    const size_t end = unit->tile + unit->tiles, whole = tl_min(end, form->rows / block_rows);
    tl_winograd_rows tile = {.from_row = row,
                             .from_stride = dense ? form->variant->outputs * row : form->width,
                             .to_row = rows * block->lanes,
                             .to_stride = block->lanes,
                             .width = block->width};
    for (size_t i = unit->tile, run; i < end; i += run) {
        run = dense && i < whole ? whole - i : 1;
        tile.from = dy + i * block_rows * form->width + block->first;
        tile.to = to + (i - unit->tile) * form->dilation * block->lanes;
        tile.tiles = dense ? run : form->dilation;
        if (i < whole)
            form->variant->output_gradient(&tile);
        else
            transform_border(job, &tile, form->rows - i * block_rows);
    }
}

/* The initial values of the sums of a part. */
static const tl_real zeros[TL_MAX_TILE_WIDTH];

/* The same sums for the single output, which follows the vectors of the others. */
static void add_single(const tl_winograd_form *form, const tl_direct_product *vectors) {
    tl_real *sum = vectors->out + vectors->width;
    for (size_t i = 0; vectors->start && i < vectors->rows; i++)
        memset(sum + i * vectors->out_stride, 0, form->kernels->lanes * sizeof *sum);
    form->kernels->direct_single_gradient(&(tl_single_gradient){.x = vectors->x,
                                                                .runs = vectors->runs,
                                                                .run_stride = vectors->run_stride,
                                                                .count = vectors->count,
                                                                .stride = vectors->stride,
                                                                .width = vectors->rows,
                                                                .dy = vectors->factor + vectors->width,
                                                                .dy_stride = vectors->factor_stride,
                                                                .sum = sum,
                                                                .sum_stride = vectors->out_stride});
}

/* Adds the products of a unit to the sums of a block. `last`: the last block of the unit; `first`: the first unit of the part.
 * `planes`: its transformed input. */
static void add_unit(const product_job *job, const tl_winograd_unit *unit, const tl_direct_block *block, bool last, bool first,
                     size_t part, const tl_real *planes, tl_real *gradient) {
    const tl_winograd_form *form = &job->form;
    const size_t rows = unit->tiles * form->dilation, all = unit->samples * rows, row = form->plane_row;
    for (size_t i = 0; i < unit->samples; i++)
        transform_sample(job, unit, block, job->dy + (unit->sample + i) * form->out_count, all, gradient + i * rows * block->lanes);
    const size_t at_once = form->dilation == 1 ? form->groups : 1;
    const bool ahead = last && tl_winograd_is_far(form);
    tl_direct_product product = {.row_stride = 1,
                                 .runs = unit->samples,
                                 .run_stride = unit->in_tiles * row,
                                 .count = rows,
                                 .stride = form->dilation == 1 ? row : form->in_width,
                                 .factor_stride = block->lanes,
                                 .start = first ? zeros : NULL,
                                 .out = sums_of(job, block, part),
                                 .out_stride = block->lanes,
                                 .rows = at_once * form->in_width,
                                 .vectors = block->vectors,
                                 .width = tl_winograd_factor_row(form, block)};
    for (size_t p = 0; p < form->variant->points; p++) {
        product.factor = gradient + p * all * block->lanes;
        if (ahead) product.prefetch[0] = tl_winograd_prefetch(form, unit, true, p, job->dy, form->out_count, form->width);
        if (ahead) product.prefetch[1] = tl_winograd_prefetch(form, unit, true, p, job->x, form->in_count, form->in_width);
        for (size_t group = 0; group < form->groups; group += at_once, product.out += product.rows * block->lanes) {
            product.x = planes + p * job->plane + group * row;
            form->kernels->direct_product(&product);
            if (tl_winograd_has_single(form, block)) add_single(form, &product);
            product.prefetch[0].rows = product.prefetch[1].rows = 0;
        }
    }
}

/* The value of a polynomial at 1 is the sum of its coefficients: dbias is the sum of dy's tiles at point 1. */
static void add_bias(const product_job *job, const tl_winograd_unit *unit, const tl_direct_block *block, bool first, size_t part,
                     const tl_real *gradient) {
    static const tl_real one = 1;
    const tl_winograd_form *form = &job->form;
    const size_t all = unit->samples * unit->tiles * form->dilation, vectors = tl_winograd_factor_row(form, block);
    tl_direct_product product = {.x = &one,
                                 .runs = 1,
                                 .count = all,
                                 .factor = gradient + form->variant->at_one * all * block->lanes,
                                 .factor_stride = block->lanes,
                                 .start = first ? zeros : NULL,
                                 .out = job->bias_sums + part * job->width + block->first,
                                 .out_stride = block->lanes,
                                 .rows = 1,
                                 .vectors = block->vectors,
                                 .width = vectors};
    form->kernels->direct_product(&product);
    if (!tl_winograd_has_single(form, block)) return;
    product.factor += vectors;
    product.out += vectors;
    product.vectors = 1;
    product.width = form->kernels->lanes;
    form->kernels->direct_product(&product);
}

/* ---- tasks ---- */

/* Clears the sums of a part without counted rows. */
static void clear_sums(const product_job *job, size_t index, size_t part) {
    const tl_direct_block block = tl_winograd_block_at(&job->form, index);
    memset(sums_of(job, &block, part), 0, job->form.variant->points * job->inner * block.lanes * sizeof *job->sums);
    memset(job->bias_sums + part * job->width + block.first, 0, block.lanes * sizeof *job->bias_sums);
}

/* Computes the sums of a group of blocks over one part of the batch. */
static void product_task(void *context, size_t task, int worker) {
    const product_job *job = context;
    const tl_winograd_form *form = &job->form;
    const size_t part = task / job->groups, group = task % job->groups, blocks = tl_winograd_blocks(form);
    const size_t begin = tl_split_at(blocks, job->groups, group), end = tl_split_at(blocks, job->groups, group + 1);
    tl_real *copy = job->own + (size_t)worker * job->each, *planes = copy + tl_winograd_copy(form);
    tl_real *gradient = planes + form->variant->points * job->plane;
    memset(gradient, 0, gradient_count(job) * sizeof *gradient); /* lanes without a filter */
    const size_t first = tl_split_at(job->cut.units, job->parts, part), last = tl_split_at(job->cut.units, job->parts, part + 1);
    bool begun = false;
    for (size_t i = first; i < last; i++) {
        const tl_winograd_unit unit = tl_winograd_unit_at(form, &job->cut, i);
        if (unit.tiles == 0) continue; /* zeros */
        tl_winograd_transform_input(form, &unit, job->x, job->plane, planes, copy);
        for (size_t b = begin; b < end; b++) {
            const tl_direct_block block = tl_winograd_block_at(form, b);
            add_unit(job, &unit, &block, b + 1 == end, !begun, part, planes, gradient);
            add_bias(job, &unit, &block, !begun, part, gradient);
        }
        begun = true;
    }
    for (size_t b = begin; b < end && !begun; b++) clear_sums(job, b, part);
}

/* Adds the sums of all parts for a group of taps, in order, to those of the first part. */
static void join_parts(const product_job *job, const tl_direct_block *block, size_t group) {
    const size_t count = job->form.in_width * block->lanes, row = job->inner * block->lanes;
    for (size_t p = 0; p < job->form.variant->points; p++) {
        const size_t at = p * row + group * count;
        tl_real *to = sums_of(job, block, 0) + at;
        for (size_t part = 1; part < job->parts; part++) {
            const tl_real *sums = sums_of(job, block, part) + at;
            for (size_t i = 0; i < count; i++) to[i] += sums[i];
        }
    }
}

static void finish_bias(const product_job *job, const tl_direct_block *block) {
    const tl_real *bias = job->bias_sums + block->first;
    for (size_t o = 0; job->dbias && o < block->width; o++) {
        tl_real sum = bias[o];
        for (size_t part = 1; part < job->parts; part++) sum += bias[part * job->width + o];
        job->dbias[block->first + o] += sum;
    }
}

/* Combines the parts of a group of taps of a block, transforms the sums and adds them to the gradient. */
static void finish_task(void *context, size_t task, int worker) {
    const product_job *job = context;
    const tl_winograd_form *form = &job->form;
    const size_t group = task % form->groups;
    const tl_direct_block block = tl_winograd_block_at(form, task / form->groups);
    const size_t taps = form->variant->taps, count = form->in_width * block.lanes;
    tl_real *taps_sums = job->own + (size_t)worker * job->each;
    join_parts(job, &block, group);
    if (group == 0) finish_bias(job, &block);
    form->variant->weights_gradient(&(tl_winograd_rows){.from = sums_of(job, &block, 0) + group * count,
                                                        .from_row = job->inner * block.lanes,
                                                        .to = taps_sums,
                                                        .to_row = count,
                                                        .tiles = 1,
                                                        .width = count});
    const size_t first = group * taps * form->in_width, here = tl_min(taps * form->in_width, form->window - first);
    tl_real *to = job->dweight + first * form->width + block.first;
    for (size_t i = 0; i < here; i++, to += form->width)
        for (size_t o = 0; o < block.width; o++) to[o] += taps_sums[i * block.lanes + o];
}

/* ---- the pass ---- */

/* For any tuning. */
size_t tl_winograd_weights_scratch(const tl_conv1d_shape *shape, int workers) {
    size_t maximum = 0;
    for (size_t i = 0; i < TL_TUNINGS; i++) {
        const product_job job = job_of(shape, &tl_tunings[i]);
        const size_t sums = job.parts * job.width * (job.form.variant->points * job.inner + 1);
        maximum = tl_max(maximum, sums + (size_t)workers * job.each);
    }
    return maximum;
}

void tl_winograd_backward_weights(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *dy, tl_real *dweight,
                                  tl_real *dbias, const tl_workers *workers, tl_real *scratch) {
    product_job job = job_of(shape, tl_tuning_of(workers));
    job.x = x;
    job.dy = dy;
    job.dweight = dweight;
    job.dbias = dbias;
    job.sums = scratch;
    job.bias_sums = job.sums + job.parts * job.width * job.form.variant->points * job.inner;
    job.own = job.bias_sums + job.parts * job.width;
    const size_t blocks = tl_winograd_blocks(&job.form), count = (size_t)tl_workers_count(workers);
    job.groups = tl_min(tl_ceil_div(count, job.parts), blocks); /* no more than needed, since each group transforms the input */
    const double sums = (double)job.inner * (double)shape->filters;
    tl_parallel(workers, job.groups * job.parts, TL_VECTOR_WORK * (double)(shape->batch * shape->out_length) * sums, product_task,
                &job);
    tl_parallel(workers, blocks * job.form.groups, (double)job.parts * (double)job.form.variant->points * sums, finish_task, &job);
}
