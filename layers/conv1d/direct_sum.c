/* Computes forms of the direct engine: packs the weights in blocks of vectors, then computes the rows of the output, unit by
 * unit. */
#include "layers/conv1d/direct.h"

#include "base/math.h"
#include "base/memory.h"
#include "compute/finish.h"
#include "compute/transpose.h"

#include <string.h>

enum {
    UNIT_BYTES = 192 * 1024,   /* input and output of a unit: a part of the second-level cache */
    UNIT_ROWS = 48,            /* minimum rows of a unit: several tiles, so that packed weights are read once for all of them */
    UNITS = 32,                /* minimum number of units, for the workers */
    WEIGHT_BYTES = 192 * 1024, /* packed weights that stay in the second-level cache while the rows of a unit are computed */
    TILE_ROWS = 12,            /* rows of the tallest tile */
    BAND_STEPS = 8,            /* fewer steps between two positions take longer by themselves than with all vectors */
    JOINT_BLOCKS = 16,         /* above the blocks of a row of several positions, in any instruction set */
    LINE = 64 / sizeof(tl_real)
};

/* ---- outputs ---- */

static size_t block_count(const tl_kernels *kernels, const tl_direct_form *form) {
    return form->lane_reduction ? tl_lane_reduction_blocks(kernels, form->width) : tl_direct_blocks(kernels, form->width);
}

static tl_direct_block block_at(const tl_kernels *kernels, const tl_direct_form *form, size_t index) {
    return form->lane_reduction ? tl_lane_reduction_block_at(kernels, form->width, index)
                                : tl_direct_block_at(kernels, form->width, index);
}

/* ---- weights ---- */

typedef struct packing {
    const tl_kernels *kernels;
    const tl_direct_weights *weights;
    tl_real *packed; /* (blocks: (taps, in_width, lanes)) */
} packing;

/* Copies `count` elements, each with its outputs contiguous in memory. */
static void copy_outputs(const tl_direct_weights *w, const tl_real *from, const tl_direct_block *block, size_t count, tl_real *to) {
    for (size_t i = 0; i < count; i++) memcpy(to + i * block->lanes, from + i * w->in_stride, block->width * sizeof *to);
}

/* The same, if the elements of an output are contiguous: one cache line of them at a time, since outputs may be so far apart that
 * their cache lines evict each other. */
static void transpose_outputs(const tl_direct_weights *w, const tl_real *from, const tl_direct_block *block, size_t count,
                              tl_real *to) {
    for (size_t i = 0; i < count; i += LINE)
        tl_transpose(from + i, w->out_stride, block->width, tl_min(LINE, count - i), to + i * block->lanes, block->lanes);
}

/* With lane_reduction: (vectors of in_width, taps, outputs, lanes), for one tap. */
static void copy_vectors(const packing *p, const tl_real *from, const tl_direct_block *block, tl_real *to) {
    const tl_direct_form *form = p->weights->form;
    const size_t lanes = p->kernels->lanes;
    for (size_t i = 0; i < form->in_width; i += lanes, to += form->taps * block->width * lanes)
        for (size_t o = 0; o < block->width; o++) memcpy(to + o * lanes, from + i + o * p->weights->out_stride, lanes * sizeof *to);
}

/* A tap of a block, with zeros after the last output. */
static void pack_task(void *context, size_t task, int worker) {
    (void)worker;
    const packing *p = context;
    const tl_direct_weights *w = p->weights;
    const size_t taps = w->form->taps, tap = task % taps, count = w->form->in_width;
    const tl_direct_block block = block_at(p->kernels, w->form, task / taps);
    const tl_real *from = w->weight + (ptrdiff_t)tap * w->tap_stride + (ptrdiff_t)(block.first * w->out_stride);
    tl_real *to = p->packed + block.first * taps * count;
    if (w->form->lane_reduction) {
        copy_vectors(p, from, &block, to + tap * block.width * p->kernels->lanes);
        return;
    }
    to += tap * count * block.lanes;
    if (block.width < block.lanes) memset(to, 0, count * block.lanes * sizeof *to);
    if (w->out_stride == 1)
        copy_outputs(w, from, &block, count, to);
    else
        transpose_outputs(w, from, &block, count, to);
}

void tl_direct_pack(const tl_direct_weights *weights, const tl_workers *workers, tl_real *packed) {
    const tl_direct_form *form = weights->form;
    packing p = {.kernels = tl_kernels_of(workers), .weights = weights, .packed = packed};
    const double elements = (double)form->taps * (double)form->in_width * (double)form->width;
    tl_parallel(workers, block_count(p.kernels, form) * form->taps, elements, pack_task, &p);
}

/* Returns the elements of the packed weights of a form, for any instruction set. */
static size_t packed_count(const tl_direct_form *form) {
    return tl_aligned_count(form->width) * tl_max(form->taps, 1) * form->in_width;
}

/* ---- sums ---- */

/* The elements of the window that the outputs first … last of a row read. */
typedef struct span {
    size_t from, to;
} span;

/* Whether vectors read different elements, so many that it is worth leaving out the others. */
static bool in_bands(const tl_direct_form *form) {
    return form->position_width > 0 && form->position_step * form->in_width >= BAND_STEPS;
}

static span span_of(const tl_direct_form *form, size_t first, size_t last) {
    if (!in_bands(form)) return (span){.from = 0, .to = form->taps * form->in_width};
    const size_t from = first / form->position_width * form->position_step, to = last / form->position_width * form->position_step;
    return (span){.from = from * form->in_width, .to = (to + form->position_taps) * form->in_width};
}

size_t tl_direct_left_out(const tl_direct_form *form, size_t lanes) {
    size_t steps = 0;
    if (form->width <= 2 * lanes) return 0; /* two vectors take all steps */
    for (size_t first = 0; in_bands(form) && first < form->width; first += lanes) {
        const span read = span_of(form, first, tl_min(first + lanes, form->width) - 1);
        steps += form->taps * form->in_width - (read.to - read.from);
    }
    return steps;
}

/* What a block of outputs reads of rows of several positions; and how much of that its last vector does not read at the beginning,
 * and its first one at the end. */
typedef struct joint_block {
    span read;
    size_t lead, trail;
} joint_block;

static joint_block joint_block_of(const tl_direct_form *form, const tl_direct_block *block, size_t lanes) {
    const size_t last = block->first + block->width - 1, end = tl_min(block->first + lanes - 1, last);
    const span read = span_of(form, block->first, last), first = span_of(form, block->first, end);
    const span behind = span_of(form, block->first + (block->vectors - 1) * lanes, last);
    const bool shared = behind.from < first.to; /* by all vectors */
    return (joint_block){.read = read, .lead = shared ? behind.from - read.from : 0, .trail = shared ? read.to - first.to : 0};
}

typedef struct sum_job {
    const tl_kernels *kernels;
    const tl_direct_form *form;
    size_t chunks;         /* units of a sample */
    size_t blocks;         /* of outputs */
    tl_direct_block block; /* the first one */
    const tl_real *in, *weight, *start;
    tl_factor factor;         /* weights that are used in place */
    const joint_block *joint; /* (blocks) of rows of several positions; else NULL */
    tl_real *out, *copies;    /* copies: one for each worker */
    const tl_finish *finish;  /* NULL: nothing */
    unsigned steps;           /* the same for kernel functions; 0: after the rows of a unit */
} sum_job;

static size_t rows_in_cache(const tl_direct_form *form) {
    return UNIT_BYTES / ((form->in_stride * form->in_width + form->width) * sizeof(tl_real));
}

static size_t chunks_of(const tl_direct_form *form, size_t batch) {
    const size_t limit = tl_min(rows_in_cache(form), tl_ceil_div(form->rows * batch, UNITS));
    return tl_ceil_div(form->rows, tl_max(limit, UNIT_ROWS));
}

bool tl_direct_always_sees_all(const tl_direct_form *form) {
    return tl_direct_sees_all(form, tl_max(rows_in_cache(form), UNIT_ROWS));
}

/* With a kernel of 1, the input is read once, in the order of its rows: the rows of a tile are prefetched one tile before. */
static tl_prefetch expected(const tl_direct_form *form, const tl_direct_segment *segment, const tl_direct_block *block) {
    const size_t stride = form->in_stride * form->in_width;
    const bool cached = form->rows <= rows_in_cache(form); /* by the layer before */
    if (form->taps != 1 || form->in_width < form->width || block->first > 0 || segment->rows <= TILE_ROWS || cached)
        return (tl_prefetch){0};
    return (tl_prefetch){
        .at = segment->x + TILE_ROWS * stride, .rows = segment->rows - TILE_ROWS, .stride = stride, .width = form->in_width};
}

/* Adds the elements from … to - 1 of the windows of a segment, for a block of outputs; `out` is the place of its first row. */
static void sum_segment(const sum_job *job, const tl_direct_segment *segment, const tl_direct_block *block, size_t from, size_t to,
                        const joint_block *joint, tl_real *out) {
    const tl_direct_form *form = job->form;
    const size_t first = segment->tap * form->in_width, begin = tl_max(joint ? joint->read.from : from, first);
    const size_t end = tl_max(begin, tl_min(joint ? joint->read.to : to, first + segment->taps * form->in_width));
    const bool banded = joint && begin == joint->read.from && end == joint->read.to;
    const tl_direct_window window = tl_direct_window_of(form, end - begin);
    const unsigned finish = to == form->taps * form->in_width ? job->steps : 0;
    if (segment->width <= block->first || (begin == end && from > 0 && !finish)) return;
    const size_t width = tl_min(block->width, segment->width - block->first);
    const size_t vectors = width == block->width ? block->vectors : tl_ceil_div(width, job->kernels->lanes);
    const tl_real *added = finish & TL_FINISH_ADD ? job->finish->added + (out - job->out) + block->first : NULL;
    job->kernels->direct_product(&(tl_direct_product){.x = segment->x + (end > begin ? tl_direct_offset(form, begin - first) : 0),
                                                      .row_stride = form->in_stride * form->in_width,
                                                      .runs = window.runs,
                                                      .run_stride = window.run_stride,
                                                      .count = window.count,
                                                      .stride = window.stride,
                                                      .factor = job->weight + block->first * form->taps * form->in_width +
                                                                (end > begin ? begin * block->lanes : 0),
                                                      .factor_stride = block->lanes,
                                                      .start = from == 0 ? job->start + block->first : NULL,
                                                      .out = out + block->first,
                                                      .out_stride = form->out_stride,
                                                      .rows = segment->rows,
                                                      .vectors = vectors,
                                                      .width = width,
                                                      .finish = finish,
                                                      .added = added,
                                                      .lead = banded ? joint->lead : 0,
                                                      .trail = banded ? joint->trail : 0,
                                                      .prefetch = {expected(form, segment, block)}});
}

/* The elements of the window whose weights for a block stay in the cache, above 0. */
static size_t elements_in_cache(const tl_direct_form *form, const tl_direct_block *block, size_t elements) {
    const size_t bytes = block->lanes * sizeof(tl_real);
    if (elements * bytes <= WEIGHT_BYTES) return tl_max(elements, 1);
    const size_t limit = WEIGHT_BYTES / bytes;
    return form->tap_stride == 1 ? limit : tl_max(limit / form->in_width, 1) * form->in_width;
}

/* A part of the weights is used for all rows of the unit before the next part replaces it in the cache. */
static void sum_block(const sum_job *job, const tl_direct_unit *unit, const tl_direct_block *block, const joint_block *joint) {
    const tl_direct_form *form = job->form;
    const size_t elements = form->taps * form->in_width, maximum = elements_in_cache(form, block, elements);
    for (size_t from = 0; from < elements || from == 0; from += maximum) {
        for (size_t row = unit->begin; row < unit->end;) {
            const tl_direct_segment segment = tl_direct_segment_at(form, unit, row);
            sum_segment(job, &segment, block, from, tl_min(from + maximum, elements), elements <= maximum ? joint : NULL,
                        job->out + unit->out + row * form->out_stride);
            row += segment.rows;
        }
    }
}

/* The same with lane_reduction: all taps of a vector before the next vector, so that the input is read evenly from memory. */
static void reduce_lanes(const sum_job *job, const tl_direct_unit *unit, const tl_direct_block *block) {
    const tl_direct_form *form = job->form;
    const size_t lanes = job->kernels->lanes, stride = block->width * lanes;
    const tl_real *weight = job->weight + block->first * form->taps * form->in_width;
    for (size_t row = unit->begin; row < unit->end;) {
        const tl_direct_segment segment = tl_direct_segment_at(form, unit, row);
        job->kernels->direct_lane_reduction(
            &(tl_direct_product){.x = segment.x,
                                 .row_stride = form->in_stride * form->in_width,
                                 .runs = form->in_width / lanes,
                                 .run_stride = lanes,
                                 .count = segment.taps,
                                 .stride = form->tap_stride * form->in_width,
                                 .factor = weight + segment.tap * stride,
                                 .factor_stride = stride,
                                 .factor_skip = (form->taps - segment.taps) * stride,
                                 .out = job->out + unit->out + row * form->out_stride + block->first,
                                 .out_stride = form->out_stride,
                                 .rows = segment.rows,
                                 .vectors = block->width});
        row += segment.rows;
    }
}

/* The same if windows are the rows of a product. */
static void multiply_windows(const sum_job *job, const tl_direct_unit *unit, size_t block) {
    const tl_direct_form *form = job->form;
    for (size_t row = unit->begin; row < unit->end;) {
        const tl_direct_segment segment = tl_direct_segment_at(form, unit, row);
        tl_factor_multiply(&job->factor, block,
                           &(tl_factor_rows){.x = segment.x,
                                             .row_stride = form->in_stride * form->in_width,
                                             .rows = segment.rows,
                                             .y = job->out + unit->out + row * form->out_stride,
                                             .y_stride = form->out_stride});
        row += segment.rows;
    }
}

/* Finishes the outputs of a unit, which are in the cache. Only the last row of a sample may be shorter than the others, and only if
 * rows have no gaps. */
static void finish_unit(const sum_job *job, const tl_direct_unit *unit) {
    const tl_direct_form *form = job->form;
    const size_t stride = form->out_stride, begin = unit->begin * stride;
    if (!job->finish || job->steps || unit->begin == unit->end) return;
    if (stride == form->width) {
        const size_t end = (unit->end - 1) * stride + (unit->end == form->rows ? form->last_width : form->width);
        tl_finish_some(job->kernels, job->finish, job->out, unit->out + begin, end - begin);
        return;
    }
    for (size_t row = unit->begin; row < unit->end; row++)
        tl_finish_some(job->kernels, job->finish, job->out, unit->out + row * stride, form->width);
}

static void sum_task(void *context, size_t task, int worker) {
    const sum_job *job = context;
    tl_real *copy = job->copies + (size_t)worker * tl_direct_copy(job->form, job->chunks);
    const tl_direct_unit unit = tl_direct_unit_cut(job->form, job->chunks, task, job->in, copy);
    for (size_t i = 0; job->form->in_place && i < tl_factor_blocks(&job->factor); i++) multiply_windows(job, &unit, i);
    for (size_t i = 0; !job->form->in_place && i < job->blocks; i++) {
        const tl_direct_block block = i == 0 ? job->block : block_at(job->kernels, job->form, i);
        if (job->form->lane_reduction)
            reduce_lanes(job, &unit, &block);
        else
            sum_block(job, &unit, &block, job->joint ? &job->joint[i] : NULL);
    }
    finish_unit(job, &unit);
}

static size_t weights_scratch(const tl_direct_form *form) {
    return form->in_place ? tl_factor_scratch(form->taps * form->in_width, form->width)
                          : tl_aligned_count(form->width) + packed_count(form);
}

size_t tl_direct_sum_scratch(const tl_direct_form *form, size_t batch, int workers) {
    return weights_scratch(form) + (size_t)workers * tl_direct_copy(form, chunks_of(form, batch));
}

size_t tl_direct_packed_count(const tl_direct_form *form) { return weights_scratch(form); }

/* packed: the initial values of the sums, then the weights; or what a factor needs. */
void tl_direct_make_packed(const tl_direct_weights *weights, const tl_real *bias, const tl_workers *workers, tl_real *packed) {
    const tl_direct_form *form = weights->form;
    const size_t start = tl_aligned_count(form->width);
    if (form->in_place) {
        tl_factor_of(tl_kernels_of(workers), weights->weight, form->taps * form->in_width, form->width, bias, packed);
        return;
    }
    tl_direct_pack(weights, workers, packed + start);
    memset(packed, 0, start * sizeof *packed);
    if (bias) memcpy(packed, bias, form->width * sizeof *packed);
}

/* `weight`: of a form whose weights are in place. */
static void sum(const tl_direct_form *form, size_t batch, const tl_real *in, const tl_real *weight, const tl_real *packed,
                const tl_finish *finish, tl_real *out, const tl_workers *workers, tl_real *copies) {
    const bool late = finish && (form->in_place || form->lane_reduction || finish->mask);
    sum_job job = {.kernels = tl_kernels_of(workers),
                   .form = form,
                   .chunks = chunks_of(form, batch),
                   .blocks = block_count(tl_kernels_of(workers), form),
                   .block = block_at(tl_kernels_of(workers), form, 0),
                   .in = in,
                   .weight = packed + tl_aligned_count(form->width),
                   .start = packed,
                   .out = out,
                   .copies = copies,
                   .finish = finish,
                   .steps = finish && !late ? tl_finish_steps(finish) : 0};
    joint_block joint[JOINT_BLOCKS];
    for (size_t i = 0; in_bands(form) && i < job.blocks; i++) {
        const tl_direct_block block = block_at(job.kernels, form, i);
        joint[i] = joint_block_of(form, &block, job.kernels->lanes);
        job.joint = joint;
    }
    if (form->in_place) job.factor = tl_factor_again(job.kernels, weight, form->taps * form->in_width, form->width, packed);
    const double sums = (double)form->taps * (double)form->in_width * (double)form->width;
    tl_parallel(workers, batch * job.chunks, TL_VECTOR_WORK * (double)(batch * form->rows) * sums, sum_task, &job);
}

void tl_direct_sum_packed(const tl_direct_form *form, size_t batch, const tl_real *in, const tl_real *packed,
                          const tl_finish *finish, tl_real *out, const tl_workers *workers, tl_real *scratch) {
    sum(form, batch, in, NULL, packed, finish, out, workers, scratch);
}

void tl_direct_sum(const tl_direct_weights *weights, size_t batch, const tl_real *in, const tl_real *bias, tl_real *out,
                   const tl_workers *workers, tl_real *scratch) {
    tl_direct_make_packed(weights, bias, workers, scratch);
    sum(weights->form, batch, in, weights->weight, scratch, weights->form->finish, out, workers,
        scratch + weights_scratch(weights->form));
}
