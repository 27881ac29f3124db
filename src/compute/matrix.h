/* matrix.h: copies of matrices in another order. */
#ifndef TL_MATRIX_H
#define TL_MATRIX_H

#include <tapline/base.h>

/* to[j·to_step + i] = from[i·from_step + j] for i < rows and j < columns; they do not overlap. */
void tl_transposed_copy(const tl_real *from, size_t from_step, size_t rows, size_t columns, tl_real *to, size_t to_step);

#endif
