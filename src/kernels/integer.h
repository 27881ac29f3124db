/* integer.h: kernel functions for networks in 8-bit integers (src/device). They do not depend on the precision of tl_real. */
#ifndef TL_KERNELS_INTEGER_H
#define TL_KERNELS_INTEGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TL_INTEGER_FILTERS = 16 }; /* filters in a block */

/* How 32-bit sums of filters become 8-bit integers: y = zero + round(sum · multiplier / 2^shift), limited to low … 127. Arrays
 * have entries for whole blocks of filters. */
typedef struct tl_integer_filters {
    size_t count;
    const int32_t *bias, *multiplier;
    const uint8_t *shift; /* 1 … 62 */
    int zero, low;
    bool wide; /* a shift is below 31: a result may exceed 32 bits before it is limited */
} tl_integer_filters;

/* A convolution of 8-bit integers. For output t and filter f, the sum is bias[f] + Σ x[t·x_row + s·x_segment + k] · weight[…]
 * over s < segments and k < 2·pairs. Elements of x after the end of a segment may be read, and are multiplied by weights of 0. */
typedef struct tl_integer_product {
    size_t rows; /* number of outputs t */
    size_t segments, pairs, x_row, x_segment;
    const int16_t *x;      /* integers minus their zero point, with padding */
    const int16_t *weight; /* (blocks, segments, pairs, 16 filters, 2) */
    tl_integer_filters filters;
    int8_t *y; /* (rows, y_row) */
    size_t y_row;
} tl_integer_product;

/* The functions of an instruction set. All sets compute the same integers. */
typedef struct tl_integer_kernels {
    void (*product)(const tl_integer_product *product);
    void (*depthwise)(const tl_integer_product *product);                /* channels = filters; weight: (segments, blocks, 16, 2) */
    void (*widen)(const int8_t *x, size_t count, int zero, int16_t *to); /* to = x - zero */
} tl_integer_kernels;

/* Returns the functions for the instruction set of tl_kernels_here. Defined in src/compute/cpu.c. */
const tl_integer_kernels *tl_integer_kernels_here(void);

extern const tl_integer_kernels tl_integer_kernels_baseline;
extern const tl_integer_kernels tl_integer_kernels_avx2;   /* x86-64 only */
extern const tl_integer_kernels tl_integer_kernels_avx512; /* x86-64 only */

#endif
