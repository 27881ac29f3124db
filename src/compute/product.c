#include "compute/product.h"

#include "base/math.h"
#include "base/memory.h"
#include "compute/transpose.h"

#include <math.h>
#include <string.h>

enum {
    WEIGHT_BYTES = 192 * 1024, /* weights that stay in the second-level cache while all rows are computed */
    PART_ROWS = 48,            /* minimum of a part: several register tiles */
    PARTS = 16,                /* maximum number of parts of the rows, for the workers */
    LANES_COST = 10,           /* cost of adding the lanes of an output, in multiply-adds of a vector */
    PART_COST = 8,             /* cost of storing a partial vector, in the same unit */
    MAX_LANES = 64 / (int)sizeof(tl_real)
};

/* ---- blocks ---- */

size_t tl_direct_blocks(const tl_kernels *kernels, size_t width) {
    return tl_ceil_div(tl_ceil_div(width, kernels->lanes), kernels->direct_vectors);
}

tl_direct_block tl_direct_block_at(const tl_kernels *kernels, size_t width, size_t index) {
    const size_t vectors = tl_ceil_div(width, kernels->lanes), blocks = tl_direct_blocks(kernels, width);
    const size_t begin = tl_split_at(vectors, blocks, index), end = tl_split_at(vectors, blocks, index + 1);
    const size_t first = begin * kernels->lanes, lanes = (end - begin) * kernels->lanes;
    return (tl_direct_block){.first = first, .vectors = end - begin, .lanes = lanes, .width = tl_min(lanes, width - first)};
}

/* Usually there is one block; a stream would notice the divisions. */
size_t tl_lane_reduction_blocks(const tl_kernels *kernels, size_t width) {
    return width <= kernels->direct_vectors ? 1 : tl_ceil_div(width, kernels->direct_vectors);
}

tl_direct_block tl_lane_reduction_block_at(const tl_kernels *kernels, size_t width, size_t index) {
    const size_t blocks = tl_lane_reduction_blocks(kernels, width);
    if (blocks == 1) return (tl_direct_block){.vectors = width, .lanes = width, .width = width};
    const size_t first = tl_split_at(width, blocks, index);
    const size_t count = tl_split_at(width, blocks, index + 1) - first;
    return (tl_direct_block){.first = first, .vectors = count, .lanes = count, .width = count};
}

/* ---- the factor ---- */

double tl_outputs_cost(size_t inner, size_t width, size_t lanes) {
    return (double)(inner * tl_ceil_div(width, lanes) + (width % lanes ? PART_COST : 0));
}

double tl_lane_reduction_cost(size_t inner, size_t width, size_t lanes) {
    return width < lanes ? 1.2 * (double)width * (double)(tl_ceil_div(inner, lanes) + LANES_COST) : HUGE_VAL;
}

/* Vectors at the end of a row also contain elements of the next row, which are ignored. But nothing may be read after the last
 * row. */
static void copy_end(const tl_factor *f, const tl_direct_block *block, tl_real *end) {
    const tl_direct_block last = *block;
    for (size_t row = f->whole; row < f->inner; row++, end += last.lanes) {
        memset(end, 0, last.lanes * sizeof *end);
        memcpy(end, f->weight + row * f->width + last.first, last.width * sizeof *end);
    }
}

static void copy_dots(const tl_factor *f, const tl_real *weight, tl_real *to) {
    const size_t lanes = f->kernels->lanes;
    for (size_t b = 0; b < tl_factor_blocks(f); b++) {
        const tl_direct_block block = tl_lane_reduction_block_at(f->kernels, f->width, b);
        for (size_t i = 0; i < f->inner; i += lanes, to += block.width * lanes) {
            const size_t count = tl_min(lanes, f->inner - i);
            if (count < lanes) memset(to, 0, block.width * lanes * sizeof *to);
            tl_transpose(weight + i * f->width + block.first, f->width, count, block.width, to, lanes);
        }
    }
}

size_t tl_factor_blocks(const tl_factor *f) {
    return f->lane_reduction ? tl_lane_reduction_blocks(f->kernels, f->width) : tl_direct_blocks(f->kernels, f->width);
}

size_t tl_factor_scratch(size_t inner, size_t width) {
    const size_t end = (size_t)MAX_LANES * TL_MAX_TILE_WIDTH,
                 lane_reduction = width < MAX_LANES ? tl_aligned_count(inner) * width : 0;
    return tl_aligned_count(width) + tl_max(end, tl_aligned_count(lane_reduction));
}

static tl_direct_block last_block(const tl_kernels *kernels, size_t width) {
    return tl_direct_block_at(kernels, width, tl_direct_blocks(kernels, width) - 1);
}

tl_factor tl_factor_again(const tl_kernels *kernels, const tl_real *weight, size_t inner, size_t width, const tl_real *scratch) {
    tl_factor factor = {.kernels = kernels, .inner = inner, .width = width, .weight = weight, .start = scratch};
    const tl_direct_block last = last_block(kernels, width);
    const tl_real *copy = scratch + tl_aligned_count(width);
    factor.lane_reduction = tl_lane_reduction_cost(inner, width, kernels->lanes) < tl_outputs_cost(inner, width, kernels->lanes);
    if (factor.lane_reduction) {
        factor.weight = copy;
        return factor;
    }
    factor.whole = inner - tl_min(tl_ceil_div(last.lanes - last.width, width), inner);
    factor.end = copy;
    return factor;
}

tl_factor tl_factor_of(const tl_kernels *kernels, const tl_real *weight, size_t inner, size_t width, const tl_real *bias,
                       tl_real *scratch) {
    const tl_factor factor = tl_factor_again(kernels, weight, inner, width, scratch);
    const tl_direct_block last = last_block(kernels, width);
    const size_t start = tl_aligned_count(width);
    memset(scratch, 0, start * sizeof *scratch);
    if (bias) memcpy(scratch, bias, width * sizeof *scratch);
    if (factor.lane_reduction)
        copy_dots(&factor, weight, scratch + start);
    else
        copy_end(&factor, &last, scratch + start);
    return factor;
}

/* ---- products ---- */

static void multiply_dots(const tl_factor *f, size_t index, const tl_factor_rows *rows) {
    const tl_direct_block block = tl_lane_reduction_block_at(f->kernels, f->width, index);
    const size_t lanes = f->kernels->lanes, whole = f->inner / lanes, rest = f->inner - whole * lanes;
    f->kernels->direct_lane_reduction(&(tl_direct_product){.x = rows->x,
                                                           .row_stride = rows->row_stride,
                                                           .runs = 1,
                                                           .count = whole,
                                                           .stride = lanes,
                                                           .rest = rest,
                                                           .factor = f->weight + block.first * (whole + (rest > 0)) * lanes,
                                                           .factor_stride = block.width * lanes,
                                                           .start = f->start + block.first,
                                                           .out = rows->y + block.first,
                                                           .out_stride = rows->y_stride,
                                                           .rows = rows->rows,
                                                           .vectors = block.width});
}

/* Adds the inner elements first … first + count - 1; if first is 0, the sums start from the bias. */
static void add_part(const tl_factor *f, const tl_direct_block *block, const tl_factor_rows *rows, size_t first, size_t count) {
    const bool copied = first >= f->whole && block->width < block->lanes;
    f->kernels->direct_product(&(tl_direct_product){.x = rows->x + first,
                                                    .row_stride = rows->row_stride,
                                                    .runs = 1,
                                                    .count = count,
                                                    .stride = 1,
                                                    .factor = copied ? f->end + (first - f->whole) * block->lanes
                                                                     : f->weight + first * f->width + block->first,
                                                    .factor_stride = copied ? block->lanes : f->width,
                                                    .start = first == 0 ? f->start + block->first : NULL,
                                                    .out = rows->y + block->first,
                                                    .out_stride = rows->y_stride,
                                                    .rows = rows->rows,
                                                    .vectors = block->vectors,
                                                    .width = block->width});
}

/* A part of the weights is used for all rows before the next part replaces it in the cache. */
void tl_factor_multiply(const tl_factor *f, size_t block, const tl_factor_rows *rows) {
    if (f->lane_reduction) {
        multiply_dots(f, block, rows);
        return;
    }
    const tl_direct_block at = tl_direct_block_at(f->kernels, f->width, block);
    const size_t maximum = WEIGHT_BYTES / (at.lanes * sizeof(tl_real));
    for (size_t first = 0, count; first < f->inner; first += count) {
        count = tl_min(maximum, (first < f->whole ? f->whole : f->inner) - first);
        add_part(f, &at, rows, first, count);
    }
}

typedef struct product_job {
    const tl_product *product;
    const tl_factor *factor;
    size_t parts, blocks;
} product_job;

static void product_task(void *context, size_t task, int worker) {
    (void)worker;
    const product_job *job = context;
    const tl_product *p = job->product;
    const size_t part = task / job->blocks, first = tl_split_at(p->rows, job->parts, part);
    tl_factor_multiply(job->factor, task % job->blocks,
                       &(tl_factor_rows){.x = p->x + first * p->inner,
                                         .row_stride = p->inner,
                                         .rows = tl_split_at(p->rows, job->parts, part + 1) - first,
                                         .y = p->y + first * p->width,
                                         .y_stride = p->width});
}

void tl_product_run(const tl_product *p, const tl_workers *workers, tl_real *scratch) {
    const tl_factor factor = tl_factor_of(tl_kernels_of(workers), p->weight, p->inner, p->width, p->bias, scratch);
    tl_product_run_factor(p, &factor, workers);
}

void tl_product_run_factor(const tl_product *p, const tl_factor *factor, const tl_workers *workers) {
    product_job job = {.product = p, .factor = factor, .parts = tl_min(tl_ceil_div(p->rows, PART_ROWS), PARTS)};
    job.blocks = tl_factor_blocks(factor);
    const double work = TL_VECTOR_WORK * (double)p->rows * (double)p->inner * (double)p->width;
    tl_parallel(workers, job.parts * job.blocks, work, product_task, &job);
}
