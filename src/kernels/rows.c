/* The sum of rows, for means over time and bias gradients. */
#include "kernels/columns.h"

typedef struct summed_rows {
    const tl_real *x; /* (rows, width) */
    size_t rows, width;
    tl_real *sum; /* (width) */
} summed_rows;

TL_INLINE void sum_columns(const void *rows, size_t c, const int vectors, size_t part, const int variant) {
    (void)variant;
    const summed_rows *n = rows;
    const tl_real *x = n->x + c;
    tl_vector sum[TL_WIDE_BLOCK];
    tl_load_columns(sum, n->sum + c, vectors, part);
    for (size_t row = 0; row < n->rows; row++, x += n->width) {
        TL_UNROLL for (int v = 0; v < vectors; v++) sum[v] += tl_load_some(x + v * TL_LANES, part);
    }
    tl_store_columns(n->sum + c, sum, vectors, part);
}

void TL_KERNEL(tl_kernel_sum_rows)(const tl_real *x, size_t rows, size_t width, tl_real *sum);
void TL_KERNEL(tl_kernel_sum_rows)(const tl_real *x, size_t rows, size_t width, tl_real *sum) {
    tl_by_columns(&(summed_rows){.x = x, .rows = rows, .width = width, .sum = sum}, width, TL_WIDE_BLOCK, 0, sum_columns);
}
