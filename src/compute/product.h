/* product.h: matrix products with the kernel functions of the direct engine, and the blocks that they work on. */
#ifndef TL_PRODUCT_H
#define TL_PRODUCT_H

#include <tapline/layer.h>

#include "kernels/kernels.h"

/* ---- blocks ---- */

/* Outputs are computed in blocks of at most kernels->direct_vectors vectors, whose sizes differ by at most one vector. */
typedef struct tl_direct_block {
    size_t first;   /* first output */
    size_t vectors; /* number of vectors, each with kernels->lanes outputs */
    size_t lanes;   /* lanes of all vectors */
    size_t width;   /* number of outputs: `lanes`, or fewer in the last block */
} tl_direct_block;

size_t tl_direct_blocks(const tl_kernels *kernels, size_t width);
tl_direct_block tl_direct_block_at(const tl_kernels *kernels, size_t width, size_t index);

/* The same for kernels->direct_lane_reduction, whose vectors belong to one output each. */
size_t tl_lane_reduction_blocks(const tl_kernels *kernels, size_t width);
tl_direct_block tl_lane_reduction_block_at(const tl_kernels *kernels, size_t width, size_t index);

/* ---- products ---- */

/* The right factor of a product, (inner, width), in the form that the kernel functions read. */
typedef struct tl_factor {
    const tl_kernels *kernels;
    size_t inner, width;
    bool lane_reduction;   /* lanes are elements of x instead of outputs, because there are few outputs */
    const tl_real *weight; /* (inner, width) in place; with lane_reduction a copy: blocks of (vectors of inner, outputs, lanes) */
    const tl_real *start;  /* (width, rounded up to whole vectors) the bias, or zeros */
    size_t whole;          /* rows of the weight from which whole vectors can be read */
    const tl_real *end;    /* without lane_reduction: copies of the other rows, (inner - whole, lanes of the last block) */
} tl_factor;

/* The rows of a product: row r of x begins at x + r · row_stride. */
typedef struct tl_factor_rows {
    const tl_real *x;
    size_t row_stride, rows;
    tl_real *y; /* [OUT] */
    size_t y_stride;
} tl_factor_rows;

/* bias: (width) or NULL; scratch: (tl_factor_scratch), used as long as the factor. */
tl_factor tl_factor_of(const tl_kernels *kernels, const tl_real *weight, size_t inner, size_t width, const tl_real *bias,
                       tl_real *scratch);

/* Returns the factor that tl_factor_of has made with this memory. */
tl_factor tl_factor_again(const tl_kernels *kernels, const tl_real *weight, size_t inner, size_t width, const tl_real *scratch);

size_t tl_factor_scratch(size_t inner, size_t width); /* the same for every instruction set */
size_t tl_factor_blocks(const tl_factor *factor);

/* Computes rows of y = bias + x · weight, for one block of outputs. The order of the additions depends only on inner, width and
 * lanes: the bits of a row do not depend on other rows, or on their number. (A BLAS uses other methods for other numbers of
 * rows.) */
void tl_factor_multiply(const tl_factor *factor, size_t block, const tl_factor_rows *rows);

/* The approximate cost of a row, in multiply-adds of vectors: with lanes that are outputs, and with lanes that are inner elements
 * (lane reduction; HUGE_VAL for many outputs). A factor uses lane reduction if it costs less. */
double tl_outputs_cost(size_t inner, size_t width, size_t lanes);
double tl_lane_reduction_cost(size_t inner, size_t width, size_t lanes);

/* A whole product: x (rows, inner), y (rows, width). scratch: (tl_factor_scratch). */
typedef struct tl_product {
    size_t rows, inner, width;
    const tl_real *x, *weight, *bias;
    tl_real *y;
} tl_product;

void tl_product_run(const tl_product *product, const tl_workers *workers, tl_real *scratch);

/* The same with a factor of the weight and the bias. */
void tl_product_run_factor(const tl_product *product, const tl_factor *factor, const tl_workers *workers);

/* Work of a multiply-add of one lane, in the operations that tl_parallel counts. */
#define TL_VECTOR_WORK 0.4

#endif
