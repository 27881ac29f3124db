/* The gradient of the weights in the direct engine: a tile of it stays in registers over consecutive steps, and input values are
 * broadcast over vectors of dy; nothing is transposed.
 *
 * The batch is divided into parts that depend only on the shape. Each part has sums of its own, which are added in order, so that
 * the number of workers changes nothing. Within a part, blocks of filters and elements of the window are independent of each other.
 */
#include "layers/conv1d/direct.h"

#include "base/math.h"
#include "base/memory.h"
#include "compute/counted.h"

#include <string.h>

enum {
    UNIT_BYTES = 192 * 1024, /* of a unit's input: each of its lines is read again for the next sums before it leaves the cache */
    MIN_SHARE = 4,           /* minimum share of the rows that are wanted at a time */
    PART_ROWS = 2048,        /* minimum rows of dy for each part */
    MAX_PARTS = 16,          /* maximum parts of the batch */
    TASKS_EACH = 2,          /* tasks for each worker, to balance different speeds */
    SLICE = 128,             /* minimum elements of the window of a task */
    MIN_AHEAD = 24           /* minimum elements for prefetching the next ones meanwhile */
};

typedef struct product_job {
    const tl_kernels *kernels;
    tl_direct_form form;
    size_t batch, samples, chunks, units; /* a unit is `samples` samples, or one of `chunks` pieces of a sample */
    size_t max_rows;                      /* of a unit's sample */
    size_t parts, groups, slices;         /* a task is a group of blocks and a slice of the window in one part */
    size_t width, inner;                  /* filters, rounded up; kernel · channels */
    const size_t *counted; /* if the batch is processed as one long sample: the valid rows of its samples, of `length` rows each;
                              NULL: all are valid */
    size_t length;
    const tl_real *x, *dy;
    tl_real *dweight, *dbias;
    tl_real *sums, *bias_sums; /* of each part: (blocks: (kernel · channels, lanes)) and (filters, rounded up) */
    tl_real *own;              /* of each worker: zeros for a block; unused sums; copies; packed dy */
    bool may_turn;             /* in some instruction set */
    tl_real *turned; /* with elements of the window as lanes: sums of each part, (filters, kernel · channels, rounded up) */
} product_job;

/* ---- with elements of the window as lanes, where filters would leave many of them empty ---- */

/* Returns whether fewer lanes are empty then. Windows must have no gaps. */
static bool may_turn(const tl_conv1d_shape *shape, size_t lanes) {
    const size_t elements = shape->kernel * shape->channels;
    return shape->kernel > 1 && shape->stride == 1 && shape->dilation == 1 && shape->filters <= TL_MAX_TILE_WIDTH &&
           shape->filters * tl_round_up(elements, lanes) < elements * tl_round_up(shape->filters, lanes);
}

/* Returns whether it is done: all filters must be one block, and windows reach into copies at most. */
static bool turns(const tl_conv1d_shape *shape, const tl_kernels *kernels) {
    const tl_direct_form form = tl_direct_forward_form(shape);
    return may_turn(shape, kernels->lanes) && tl_direct_blocks(kernels, shape->filters) == 1 &&
           tl_direct_sees_all(&form, shape->out_length);
}

static size_t unit_rows(const tl_conv1d_shape *shape, const tl_tuning *tuning) {
    const size_t lanes = tl_min(shape->filters, TL_MAX_TILE_WIDTH), inputs = shape->stride * shape->channels;
    const size_t wanted = tuning->sum_rows; /* compared with them, loading and storing sums takes little time */
    return tl_min(tl_max(UNIT_BYTES / ((inputs + lanes) * sizeof(tl_real)), wanted / MIN_SHARE), wanted);
}

static product_job job_of(const tl_conv1d_shape *whole, const tl_tuning *tuning) {
    const tl_conv1d_shape joined = tl_direct_joined(whole), *shape = &joined;
    product_job job = {.form = tl_direct_forward_form(shape), .batch = shape->batch};
    const size_t limit = unit_rows(shape, tuning);
    job.parts = tl_max(tl_min(tl_power_of_two(shape->batch * shape->out_length / PART_ROWS), MAX_PARTS), 1);
    job.chunks = tl_ceil_div(shape->out_length, limit);
    job.max_rows = tl_min(shape->out_length, limit);
    job.samples = tl_max(tl_min(limit / shape->out_length, shape->batch / job.parts), 1);
    job.units = tl_ceil_div(shape->batch, job.samples) * job.chunks;
    if (job.samples > 1) job.form.counted = NULL; /* units have the same rows of all samples */
    if (!shape->counted) job.counted = whole->counted;
    job.length = whole->out_length;
    job.parts = tl_min(job.parts, job.units);
    job.width = tl_aligned_count(shape->filters);
    job.inner = shape->kernel * shape->channels;
    for (size_t lanes = 16 / sizeof(tl_real); lanes <= 64 / sizeof(tl_real); lanes *= 2)
        job.may_turn = job.may_turn || may_turn(shape, lanes);
    return job;
}

static size_t copies_count(const product_job *job) { return job->samples * tl_direct_copy(&job->form, job->chunks); }

/* A smaller batch may have longer pieces: the maximum over all of them. */
static size_t packed_count(const product_job *job) {
    const size_t rows = job->samples * job->max_rows;
    return rows * tl_min(job->width, TL_MAX_TILE_WIDTH);
}

/* In place of packed dy there may be a copy of a sample. */
static size_t own_count(const product_job *job) {
    const size_t sample = job->may_turn ? job->max_rows * job->form.in_width + job->inner + TL_MAX_TILE_WIDTH : 0;
    return 2 * TL_MAX_TILE_WIDTH + tl_aligned_count(copies_count(job) + tl_max(packed_count(job), sample));
}

/* A single part needs no sums of its own: the gradient holds them. */
static size_t sums_count(const product_job *job) { return job->parts > 1 ? job->parts * job->width * job->inner : 0; }

static size_t turned_row(const product_job *job) { return tl_aligned_count(job->inner); }
static size_t turned_count(const product_job *job) { return job->may_turn ? job->parts * job->form.width * turned_row(job) : 0; }

/* ---- a unit of time ---- */

/* The same rows of some samples. */
typedef struct sample_unit {
    tl_direct_unit first;   /* of the first sample */
    size_t samples, stride; /* distance of their inputs in elements */
} sample_unit;

static sample_unit unit_at(const product_job *job, size_t index, tl_real *copies) {
    const tl_direct_form *form = &job->form;
    const size_t sample = index / job->chunks * job->samples, chunk = index % job->chunks, copy = tl_direct_copy(form, job->chunks);
    sample_unit made = {.samples = tl_min(job->samples, job->batch - sample)};
    for (size_t i = made.samples; i-- > 0;)
        made.first = tl_direct_unit_at(form, job->chunks, (sample + i) * job->chunks + chunk, job->x, copies + i * copy);
    made.stride = made.first.window == copies ? copy : form->in_length * form->in_width;
    return made;
}

/* The rows of a unit that count. A unit of several samples has none if it begins behind all of them. */
static tl_counted counted_of(const product_job *job, const tl_direct_unit *unit) {
    return tl_counted_in(job->counted, job->length, 1, unit->begin, unit->end);
}

/* The part of a unit that has only some of its rows. Units of samples with lengths of their own read their input in place. */
static sample_unit part_of(const product_job *job, const sample_unit *unit, size_t first, size_t count) {
    sample_unit part = *unit;
    if (!job->counted) return part;
    part.first.begin = first;
    part.first.end = part.first.inside = part.first.behind = first + count;
    part.first.window += (first - unit->first.begin) * job->form.in_stride * job->form.in_width;
    return part;
}

/* The sums that are computed at a time: a block of filters, elements from … to - 1 of the window. */
typedef struct sum_area {
    tl_direct_block block;
    size_t from, to;
    tl_real *out; /* of the block */
    size_t out_stride, width;
    tl_real *bias;
} sum_area;

static sum_area area_at(const product_job *job, size_t part, size_t index, size_t slice) {
    const size_t grain = job->form.tap_stride == 1 ? 1 : job->form.in_width, count = job->inner / grain;
    const tl_direct_block block = tl_direct_block_at(job->kernels, job->form.width, index);
    sum_area a = {.block = block,
                  .from = tl_split_at(count, job->slices, slice) * grain,
                  .to = tl_split_at(count, job->slices, slice + 1) * grain,
                  .bias = slice == 0 ? job->bias_sums + part * job->width + block.first : NULL};
    const bool own = job->parts > 1;
    a.out = own ? job->sums + (part * job->width + block.first) * job->inner : job->dweight + block.first;
    a.out_stride = own ? block.lanes : job->form.width;
    a.width = own ? block.lanes : block.width;
    return a;
}

/* Returns its rows from begin / whole to end / whole. */
static tl_prefetch share_of(const tl_prefetch *prefetch, size_t begin, size_t end, size_t whole) {
    const size_t first = prefetch->rows * begin / whole;
    tl_prefetch share = *prefetch;
    share.at += first * share.stride;
    share.rows = prefetch->rows * end / whole - first;
    return share;
}

/* Adds the products of a segment's rows to an area; `product` has the dy of these rows. */
static void add_segment(const product_job *job, const sum_area *area, const tl_direct_segment *segment, const tl_prefetch *prefetch,
                        tl_direct_product product) {
    const tl_direct_form *form = &job->form;
    const size_t first = segment->tap * form->in_width, begin = tl_max(area->from, first);
    const size_t end = tl_min(area->to, first + segment->taps * form->in_width);
    if (begin >= end) return;
    const tl_direct_window window = tl_direct_window_of(form, end - begin);
    const tl_real *x = segment->x + tl_direct_offset(form, begin - first);
    product.count = segment->rows;
    product.row_stride = window.stride;
    product.rows = window.count;
    product.out = area->out + begin * area->out_stride;
    for (size_t run = 0; run < window.runs; run++, product.out += window.count * area->out_stride) {
        product.x = x + run * window.run_stride;
        for (size_t i = 0; i < 2; i++) product.prefetch[i] = share_of(&prefetch[i], run, run + 1, window.runs);
        job->kernels->direct_product(&product);
    }
}

/* Returns the dy of a unit as contiguous rows: in place if a block has all filters. Adds their sums to the bias. */
static const tl_real *factor_of(const product_job *job, const sample_unit *unit, const sum_area *area, tl_real *own) {
    const tl_direct_form *form = &job->form;
    const tl_real *dy = job->dy + unit->first.out + unit->first.begin * form->out_stride + area->block.first;
    const size_t rows = unit->samples * (unit->first.end - unit->first.begin);
    tl_real *packed = own + 2 * TL_MAX_TILE_WIDTH + copies_count(job);
    if (area->block.lanes == form->width) {
        if (area->bias) job->kernels->sum_rows(dy, rows, form->width, area->bias);
        return dy;
    }
    job->kernels->direct_pack(&(tl_direct_packing){.from = dy,
                                                   .from_stride = form->out_stride,
                                                   .rows = rows,
                                                   .packed = packed,
                                                   .sums = area->bias ? area->bias : own + TL_MAX_TILE_WIDTH,
                                                   .vectors = area->block.vectors,
                                                   .width = area->block.width,
                                                   .apart = form->taps > 1}); /* a kernel of 1 has all rows in order */
    return packed;
}

/* Prefetches what follows a block of a unit: dy of another block, or the next unit (`next`) with its input. It is not done for few
 * elements, which are computed before the memory would answer. */
static void look_ahead(const product_job *job, const sample_unit *unit, size_t block, bool next, tl_prefetch prefetch[2]) {
    const tl_direct_form *form = &job->form;
    const tl_direct_block columns = tl_direct_block_at(job->kernels, form->width, block);
    const tl_direct_unit *first = &unit->first;
    const size_t row = form->in_stride * form->in_width;
    const size_t rows = job->inner / job->slices < MIN_AHEAD ? 0 : unit->samples * (first->end - first->begin);
    prefetch[0] = (tl_prefetch){.at = job->dy + first->out + first->begin * form->out_stride + columns.first,
                                .rows = rows,
                                .stride = form->out_stride,
                                .width = columns.width};
    prefetch[1] = (tl_prefetch){.at = first->in + first->begin * row, .rows = next ? rows : 0, .stride = row, .width = row};
    if (next) {
        prefetch[0].at += rows * form->out_stride;
        prefetch[1].at += rows * row;
    }
}

/* Adds the products of a unit to an area. */
static void add_unit(const product_job *job, const sample_unit *unit, const sum_area *area, const tl_prefetch *prefetch,
                     tl_real *own) {
    const tl_direct_form *form = &job->form;
    const tl_direct_unit *first = &unit->first;
    const tl_real *factor = factor_of(job, unit, area, own);
    for (size_t row = first->begin; row < first->end;) {
        const tl_direct_segment segment = tl_direct_segment_at(form, first, row);
        const size_t at = row - first->begin, all = first->end - first->begin;
        const tl_prefetch share[2] = {share_of(&prefetch[0], at, at + segment.rows, all),
                                      share_of(&prefetch[1], at, at + segment.rows, all)};
        add_segment(job, area, &segment, share,
                    (tl_direct_product){.runs = unit->samples,
                                        .run_stride = unit->stride,
                                        .stride = form->in_stride * form->in_width,
                                        .factor = factor + at * area->block.lanes,
                                        .factor_stride = area->block.lanes,
                                        .factor_skip = (all - segment.rows) * area->block.lanes,
                                        .out_stride = area->out_stride,
                                        .vectors = area->block.vectors,
                                        .width = area->width});
        row += segment.rows;
    }
}

/* Adds the products of the same rows of some samples to the turned sums. x begins at the first window. */
static void multiply_turned(const product_job *job, const tl_real *x, size_t stride, const tl_real *dy, size_t samples, size_t rows,
                            tl_real *sums) {
    const tl_direct_form *form = &job->form;
    for (size_t i = 0; i < tl_direct_blocks(job->kernels, job->inner); i++) {
        const tl_direct_block block = tl_direct_block_at(job->kernels, job->inner, i);
        job->kernels->direct_product(&(tl_direct_product){.x = dy,
                                                          .row_stride = 1,
                                                          .runs = samples,
                                                          .run_stride = form->out_count,
                                                          .count = rows,
                                                          .stride = form->width,
                                                          .factor = x + block.first,
                                                          .factor_stride = form->in_width,
                                                          .factor_skip = stride - rows * form->in_width,
                                                          .out = sums + block.first,
                                                          .out_stride = turned_row(job),
                                                          .rows = form->width,
                                                          .vectors = block.vectors,
                                                          .width = block.lanes});
    }
}

/* The same for a unit. Vectors end behind their windows: where that is behind x, the last sample is copied. */
static void add_turned(const product_job *job, const sample_unit *unit, tl_real *copy, tl_real *sums) {
    const tl_direct_form *form = &job->form;
    const tl_direct_unit *first = &unit->first;
    const size_t rows = first->end - first->begin, windows = (rows - 1) * form->in_width + job->inner;
    const tl_real *dy = job->dy + first->out + first->begin * form->width,
                  *end = job->x + job->batch * form->in_length * form->in_width;
    const tl_real *last = first->window + (unit->samples - 1) * unit->stride;
    const bool in_place = last >= job->x && last < end, copies = in_place && (size_t)(end - last) < windows + TL_MAX_TILE_WIDTH;
    const size_t samples = unit->samples - copies;
    if (samples > 0) multiply_turned(job, first->window, unit->stride, dy, samples, rows, sums);
    if (!copies) return;
    memcpy(copy, last, windows * sizeof *copy);
    memset(copy + windows, 0, TL_MAX_TILE_WIDTH * sizeof *copy);
    multiply_turned(job, copy, windows, dy + samples * form->out_count, 1, rows, sums);
}

/* ---- tasks ---- */

/* Sums of a separate part start from 0. */
static void clear_area(const product_job *job, const sum_area *area) {
    if (area->bias) memset(area->bias, 0, area->block.lanes * sizeof *area->bias);
    if (job->parts > 1)
        memset(area->out + area->from * area->out_stride, 0, (area->to - area->from) * area->out_stride * sizeof(tl_real));
}

/* Adds the products of a unit to the blocks first … end - 1. */
static void add_blocks(const product_job *job, const sample_unit *unit, size_t part, size_t slice, size_t first, size_t end,
                       bool more, tl_real *own) {
    for (size_t block = first; block < end; block++) {
        const sum_area area = area_at(job, part, block, slice);
        tl_prefetch prefetch[2];
        look_ahead(job, unit, block + 1 < end ? block + 1 : first, block + 1 == end && more, prefetch);
        add_unit(job, unit, &area, prefetch, own);
    }
}

/* Computes the sums of a group of blocks and a slice of the window over one part of the batch. */
static void product_task(void *context, size_t task, int worker) {
    const product_job *job = context;
    const size_t part = task / (job->groups * job->slices), slice = task % job->slices, group = task / job->slices % job->groups;
    const size_t blocks = tl_direct_blocks(job->kernels, job->form.width);
    const size_t begin = tl_split_at(blocks, job->groups, group), end = tl_split_at(blocks, job->groups, group + 1);
    tl_real *own = job->own + (size_t)worker * own_count(job);
    for (size_t block = begin; block < end; block++) {
        const sum_area area = area_at(job, part, block, slice);
        clear_area(job, &area);
    }
    memset(own, 0, 2 * TL_MAX_TILE_WIDTH * sizeof *own);
    const size_t last = tl_split_at(job->units, job->parts, part + 1);
    for (size_t i = tl_split_at(job->units, job->parts, part); i < last; i++) {
        const sample_unit unit = unit_at(job, i, own + 2 * TL_MAX_TILE_WIDTH);
        for (tl_counted run = counted_of(job, &unit.first); tl_next_counted(&run);) {
            const sample_unit some = part_of(job, &unit, run.first, run.count);
            add_blocks(job, &some, part, slice, begin, end, i + 1 < last, own);
        }
    }
}

static void turned_task(void *context, size_t part, int worker) {
    const product_job *job = context;
    const sum_area area = area_at(job, part, 0, 0);
    tl_real *own = job->own + (size_t)worker * own_count(job), *sums = job->turned + part * job->form.width * turned_row(job);
    memset(area.bias, 0, area.block.lanes * sizeof *area.bias);
    memset(sums, 0, job->form.width * turned_row(job) * sizeof *sums);
    const size_t last = tl_split_at(job->units, job->parts, part + 1);
    for (size_t i = tl_split_at(job->units, job->parts, part); i < last; i++) {
        const sample_unit unit = unit_at(job, i, own + 2 * TL_MAX_TILE_WIDTH);
        if (unit.first.begin == unit.first.end) continue;
        factor_of(job, &unit, &area, own);
        add_turned(job, &unit, own + 2 * TL_MAX_TILE_WIDTH + copies_count(job), sums);
    }
}

static void gather_turned(const product_job *job) {
    const size_t filters = job->form.width, row = turned_row(job);
    for (size_t part = 0; part < job->parts; part++) {
        const tl_real *sums = job->turned + part * filters * row, *bias_sums = job->bias_sums + part * job->width;
        tl_real *to = job->dweight;
        for (size_t i = 0; i < job->inner; i++)
            for (size_t o = 0; o < filters; o++) *to++ += sums[o * row + i];
        for (size_t o = 0; job->dbias && o < filters; o++) job->dbias[o] += bias_sums[o];
    }
}

/* Adds the sums of all parts for one block to the gradient, in order. */
static void gather_task(void *context, size_t task, int worker) {
    (void)worker;
    const product_job *job = context;
    const tl_direct_block block = tl_direct_block_at(job->kernels, job->form.width, task);
    for (size_t part = 0; part < job->parts; part++) {
        const tl_real *sums = job->sums + (part * job->width + block.first) * job->inner;
        tl_real *to = job->dweight + block.first;
        for (size_t i = 0; i < job->inner && job->parts > 1; i++, to += job->form.width, sums += block.lanes)
            for (size_t o = 0; o < block.width; o++) to[o] += sums[o];
        const tl_real *bias_sums = job->bias_sums + part * job->width + block.first;
        for (size_t o = 0; job->dbias && o < block.width; o++) job->dbias[block.first + o] += bias_sums[o];
    }
}

/* ---- the pass ---- */

/* For any tuning. */
size_t tl_direct_weights_scratch(const tl_conv1d_shape *shape, int workers) {
    size_t maximum = 0;
    for (size_t i = 0; i < TL_TUNINGS; i++) {
        const product_job job = job_of(shape, &tl_tunings[i]);
        maximum =
            tl_max(maximum, sums_count(&job) + job.parts * job.width + (size_t)workers * own_count(&job) + turned_count(&job));
    }
    return maximum;
}

bool tl_direct_weights_mixes(const tl_conv1d_shape *shape) {
    tl_conv1d_shape two = *shape;
    two.batch = 2;
    if (tl_direct_joined(&two).batch == 1) return false;
    for (size_t i = 0; i < TL_TUNINGS; i++)
        if (unit_rows(shape, &tl_tunings[i]) / shape->out_length > 1) return true;
    return false;
}

/* Tasks in the same part repeat its copies of the input or of dy: no more of them than the workers need. */
static void cut_tasks(product_job *job, size_t workers) {
    const size_t blocks = tl_direct_blocks(job->kernels, job->form.width);
    const size_t wanted = workers > 1 ? tl_ceil_div(TASKS_EACH * workers, job->parts) : 1;
    job->groups = tl_min(wanted, blocks);
    job->slices = tl_max(tl_min(wanted / job->groups, job->inner / SLICE), 1);
    if (job->form.tap_stride > 1) job->slices = tl_min(job->slices, job->form.taps);
}

double tl_direct_weights_cost(const tl_conv1d_shape *shape) {
    const size_t lanes = tl_kernels_here()->lanes;
    const double filters = (double)tl_round_up(shape->filters, lanes), batch = (double)shape->batch;
    const double rows = batch * (double)shape->out_length, elements = (double)(shape->kernel * shape->channels);
    if (turns(shape, tl_kernels_here())) {
        const double own = (double)shape->filters, lanes_used = (double)tl_round_up(shape->kernel * shape->channels, lanes);
        return 1.07 * rows * lanes_used * own + 4 * (elements + rows) * own + 600 * batch + 11000;
    }
    return 1.07 * rows * elements * filters * tl_direct_share(shape) + 4 * (elements + rows) * filters + 600 * batch + 11000;
}

void tl_direct_backward_weights(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *dy, tl_real *dweight, tl_real *dbias,
                                const tl_workers *workers, tl_real *scratch) {
    product_job job = job_of(shape, tl_tuning_of(workers));
    job.kernels = tl_kernels_of(workers);
    job.x = x;
    job.dy = dy;
    job.dweight = dweight;
    job.dbias = dbias;
    job.sums = scratch;
    job.bias_sums = job.sums + sums_count(&job);
    job.own = job.bias_sums + job.parts * job.width;
    job.turned = job.own + (size_t)tl_workers_count(workers) * own_count(&job);
    cut_tasks(&job, (size_t)tl_workers_count(workers));
    const size_t blocks = tl_direct_blocks(job.kernels, shape->filters);
    const double sums = (double)job.inner * (double)shape->filters;
    if (turns(shape, job.kernels)) {
        tl_parallel(workers, job.parts, TL_VECTOR_WORK * (double)(shape->batch * shape->out_length) * sums, turned_task, &job);
        gather_turned(&job);
        return;
    }
    tl_parallel(workers, job.parts * job.groups * job.slices, TL_VECTOR_WORK * (double)(shape->batch * shape->out_length) * sums,
                product_task, &job);
    tl_parallel(workers, blocks, (double)job.parts * sums, gather_task, &job);
}
