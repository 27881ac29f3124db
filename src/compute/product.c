#include "compute/product.h"

#include "base/math.h"
#include "base/memory.h"

#include <string.h>

enum {
    WEIGHT_BYTES = 192 * 1024, /* weights that stay in the second-level cache while the rows of a part pass */
    PART_ROWS = 48,            /* of a part at least: several tiles of registers */
    PARTS = 16,                /* of the rows at most, for the workers to share */
    MOST_LANES = 64 / (int)sizeof(tl_real)
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

/* ---- the product ---- */

/* Weights are read where they lie: behind the outputs of the last block are those of the next row, which count for nothing. Only
 * of the rows at the end, whose vectors would reach beyond the array, there is a copy. */
typedef struct product_job {
    const tl_product *product;
    const tl_kernels *kernels;
    size_t parts, blocks;
    size_t whole;         /* rows of the weight whose vectors lie in it in every block */
    const tl_real *start; /* (width, whole vectors) the bias, or zeros */
    const tl_real *end;   /* (inner - whole, lanes of the last block) */
} product_job;

/* A run of rows of y and of the inner index, for a block of outputs. */
typedef struct portion {
    size_t row, rows, first, count;
} portion;

static void add_piece(const product_job *job, const tl_direct_block *block, const portion *piece) {
    const tl_product *p = job->product;
    const bool copied = piece->first >= job->whole && block->width < block->lanes;
    job->kernels->direct_product(&(tl_direct_product){.x = p->x + piece->row * p->inner + piece->first,
                                                      .row_step = p->inner,
                                                      .runs = 1,
                                                      .count = piece->count,
                                                      .step = 1,
                                                      .factor = copied ? job->end + (piece->first - job->whole) * block->lanes
                                                                       : p->weight + piece->first * p->width + block->first,
                                                      .factor_step = copied ? block->lanes : p->width,
                                                      .start = piece->first == 0 ? job->start + block->first : NULL,
                                                      .out = p->y + piece->row * p->width + block->first,
                                                      .out_step = p->width,
                                                      .rows = piece->rows,
                                                      .vectors = block->vectors,
                                                      .width = block->width});
}

/* Some rows of a block: a part of the weights at a time is used for all of them before the next one takes its place in the cache.
 */
static void product_task(void *context, size_t task, int worker) {
    (void)worker;
    const product_job *job = context;
    const size_t inner = job->product->inner, part = task / job->blocks, rows = job->product->rows;
    const tl_direct_block block = tl_direct_block_at(job->kernels, job->product->width, task % job->blocks);
    const size_t most = WEIGHT_BYTES / (block.lanes * sizeof(tl_real));
    portion piece = {.row = tl_split_at(rows, job->parts, part)};
    piece.rows = tl_split_at(rows, job->parts, part + 1) - piece.row;
    for (; piece.first < inner; piece.first += piece.count) {
        const size_t stop = piece.first < job->whole ? job->whole : inner;
        piece.count = tl_min(most, stop - piece.first);
        add_piece(job, &block, &piece);
    }
}

static void copy_end(const tl_product *p, const tl_direct_block *last, size_t whole, tl_real *end) {
    for (size_t row = whole; row < p->inner; row++, end += last->lanes) {
        memset(end, 0, last->lanes * sizeof *end);
        memcpy(end, p->weight + row * p->width + last->first, last->width * sizeof *end);
    }
}

size_t tl_product_scratch(size_t width) { return tl_aligned_count(width) + (size_t)MOST_LANES * TL_MOST_TILE_WIDTH; }

void tl_product_run(const tl_product *product, const tl_workers *workers, tl_real *scratch) {
    const tl_product *p = product;
    const tl_kernels *kernels = tl_kernels_of(workers);
    const size_t blocks = tl_direct_blocks(kernels, p->width);
    const tl_direct_block last = tl_direct_block_at(kernels, p->width, blocks - 1);
    const size_t beyond = tl_ceil_div(last.lanes - last.width, p->width);
    product_job job = {.product = p,
                       .kernels = kernels,
                       .parts = tl_min(tl_ceil_div(p->rows, PART_ROWS), PARTS),
                       .blocks = blocks,
                       .whole = p->inner - tl_min(beyond, p->inner),
                       .start = scratch,
                       .end = scratch + tl_aligned_count(p->width)};
    memset(scratch, 0, tl_aligned_count(p->width) * sizeof *scratch);
    if (p->bias) memcpy(scratch, p->bias, p->width * sizeof *scratch);
    copy_end(p, &last, job.whole, scratch + tl_aligned_count(p->width));
    tl_parallel(workers, job.parts * blocks, TL_VECTOR_WORK * (double)p->rows * (double)p->inner * (double)p->width, product_task,
                &job);
}
