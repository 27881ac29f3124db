/* The sum of rows, for means over time and gradients of biases. */
#include "kernels/kernel.h"

enum { BLOCK = 4 }; /* vectors, whose sums stay in registers */

TL_INLINE void sum_block(const tl_real *x, size_t rows, size_t width, tl_real *sum, const int vectors) {
    tl_vector s[BLOCK];
    TL_UNROLL for (int v = 0; v < vectors; v++) s[v] = tl_load(sum + v * TL_LANES);
    for (size_t r = 0; r < rows; r++, x += width) {
        TL_UNROLL for (int v = 0; v < vectors; v++) s[v] += tl_load(x + v * TL_LANES);
    }
    TL_UNROLL for (int v = 0; v < vectors; v++) tl_store(sum + v * TL_LANES, s[v]);
}

void TL_KERNEL(tl_kernel_sum_rows)(const tl_real *x, size_t rows, size_t width, tl_real *sum);
void TL_KERNEL(tl_kernel_sum_rows)(const tl_real *x, size_t rows, size_t width, tl_real *sum) {
    size_t c = 0;
    for (; c + BLOCK * TL_LANES <= width; c += BLOCK * TL_LANES) sum_block(x + c, rows, width, sum + c, BLOCK);
    for (; c + TL_LANES <= width; c += TL_LANES) sum_block(x + c, rows, width, sum + c, 1);
    for (; c < width; c++)
        for (size_t r = 0; r < rows; r++) sum[c] += x[r * width + c];
}
