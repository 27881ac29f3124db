/* transpose.h: transposes matrices. */
#ifndef TL_TRANSPOSE_H
#define TL_TRANSPOSE_H

#include <tapline/base.h>

/* to[j·to_stride + i] = from[i·from_stride + j] for i < rows and j < columns; the two must not overlap. */
void tl_transpose(const tl_real *from, size_t from_stride, size_t rows, size_t columns, tl_real *to, size_t to_stride);

#endif
