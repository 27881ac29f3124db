/* im2col.h: copies the windows of a series into the rows of a matrix, so that a convolution becomes a matrix product. */
#ifndef TL_IM2COL_H
#define TL_IM2COL_H

#include "compute/window.h"

/* The windows of a batch of inputs (batch, length, channels). Row n·out_length + t of the matrix is window t of sample n: taps ·
 * channels elements; elements outside of the series are 0. */
typedef struct tl_columns {
    tl_window_geometry window;
    size_t length, channels;
} tl_columns;

/* Writes rows first … first + rows - 1 of the matrix of x to columns: (rows, taps · channels) [OUT]. */
void tl_im2col(const tl_columns *c, const tl_real *x, size_t first, size_t rows, tl_real *columns);

/* The transpose: adds each element of these rows to the element of dx that it was copied from. */
void tl_col2im(const tl_columns *c, const tl_real *columns, size_t first, size_t rows, tl_real *dx);

#endif
