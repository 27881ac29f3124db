/* product.h: a matrix product by the kernel of the direct engine, and the blocks that it takes at a time. */
#ifndef TL_PRODUCT_H
#define TL_PRODUCT_H

#include <tapline/layer.h>

#include "kernels/kernels.h"

/* y = bias + x · weight. The bits of a row of y do not depend on the other rows, nor on how many there are: the sums go in the
 * order of `inner`. A BLAS, which has other ways for other numbers of rows, rounds them differently. */
typedef struct tl_product {
    size_t rows, inner, width;
    const tl_real *x;      /* (rows, inner) */
    const tl_real *weight; /* (inner, width) */
    const tl_real *bias;   /* (width) or NULL */
    tl_real *y;            /* [OUT] (rows, width) */
} tl_product;

/* scratch: tl_product_scratch(width) elements. */
void tl_product_run(const tl_product *product, const tl_workers *workers, tl_real *scratch);
size_t tl_product_scratch(size_t width);

/* Outputs are computed in blocks of at most kernels->direct_vectors vectors, whose sizes differ by at most one. */
typedef struct tl_direct_block {
    size_t first;   /* output */
    size_t vectors; /* of kernels->lanes outputs each */
    size_t lanes;   /* of all its vectors */
    size_t width;   /* outputs: `lanes`, or fewer in the last block */
} tl_direct_block;

size_t tl_direct_blocks(const tl_kernels *kernels, size_t width);
tl_direct_block tl_direct_block_at(const tl_kernels *kernels, size_t width, size_t index);

/* A multiply-add of a vector's lane, beside the operations that tl_parallel counts. */
#define TL_VECTOR_WORK 0.4

#endif
