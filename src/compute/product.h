/* product.h: matrix products by the kernels of the direct engine, and the blocks that these take at a time. */
#ifndef TL_PRODUCT_H
#define TL_PRODUCT_H

#include <tapline/layer.h>

#include "kernels/kernels.h"

/* ---- blocks ---- */

/* Outputs are computed in blocks of at most kernels->direct_vectors vectors, whose sizes differ by at most one. */
typedef struct tl_direct_block {
    size_t first;   /* output */
    size_t vectors; /* of kernels->lanes outputs each */
    size_t lanes;   /* of all its vectors */
    size_t width;   /* outputs: `lanes`, or fewer in the last block */
} tl_direct_block;

size_t tl_direct_blocks(const tl_kernels *kernels, size_t width);
tl_direct_block tl_direct_block_at(const tl_kernels *kernels, size_t width, size_t index);

/* The same for kernels->direct_lane_reduction, whose vectors are one output each. */
size_t tl_dots_blocks(const tl_kernels *kernels, size_t width);
tl_direct_block tl_dots_block_at(const tl_kernels *kernels, size_t width, size_t index);

/* ---- products ---- */

/* The right factor of a product, (inner, width), as the kernels read it. */
typedef struct tl_factor {
    const tl_kernels *kernels;
    size_t inner, width;
    bool lane_reduction;   /* vectors hold elements of x in place of outputs, which would leave them mostly empty */
    const tl_real *weight; /* (inner, width) where it lies; with dots a copy (blocks: (vectors of inner, outputs, lanes)) */
    const tl_real *start;  /* (width, in whole vectors) the bias, or zeros */
    size_t whole;          /* rows of the weight from which whole vectors can be read */
    const tl_real *end;    /* copies of the others, without dots: (inner - whole, lanes of the last block) */
} tl_factor;

/* Rows of a product: row r of x begins r · row_stride elements behind `x`. */
typedef struct tl_factor_rows {
    const tl_real *x;
    size_t row_stride, rows;
    tl_real *y; /* [OUT] */
    size_t y_stride;
} tl_factor_rows;

/* bias: (width) or NULL; scratch: tl_factor_scratch elements, which the factor keeps. */
tl_factor tl_factor_of(const tl_kernels *kernels, const tl_real *weight, size_t inner, size_t width, const tl_real *bias,
                       tl_real *scratch);
size_t tl_factor_scratch(size_t inner, size_t width); /* whatever the instruction set */
size_t tl_factor_blocks(const tl_factor *factor);

/* Rows of y = bias + x · weight, for one block of outputs. The sums go in an order that inner, width and lanes alone fix: the bits
 * of a row do not depend on the other rows, nor on how many there are. (A BLAS has other ways for other numbers of rows.) */
void tl_factor_multiply(const tl_factor *factor, size_t block, const tl_factor_rows *rows);

/* About what a row takes, in multiply-adds of vectors of outputs, and of vectors of inner elements (HUGE_VAL for many outputs): a
 * factor has dots where they cost less. */
double tl_outputs_cost(size_t inner, size_t width, size_t lanes);
double tl_dots_cost(size_t inner, size_t width, size_t lanes);

/* A whole product: x (rows, inner), y (rows, width). scratch: tl_factor_scratch. */
typedef struct tl_product {
    size_t rows, inner, width;
    const tl_real *x, *weight, *bias;
    tl_real *y;
} tl_product;

void tl_product_run(const tl_product *product, const tl_workers *workers, tl_real *scratch);

/* A multiply-add of a vector's lane, beside the operations that tl_parallel counts. */
#define TL_VECTOR_WORK 0.4

#endif
