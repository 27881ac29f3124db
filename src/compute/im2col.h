/* im2col.h: windows of a series as the rows of a matrix, so that a convolution is a matrix product. */
#ifndef TL_IM2COL_H
#define TL_IM2COL_H

#include "compute/window.h"

/* The windows of a batch: (batch, length, channels) inputs. Row n·out_length + t of the matrix is window t of sample n: taps ·
 * channels elements, those outside the series 0. */
typedef struct tl_columns {
    tl_window window;
    size_t length, channels;
} tl_columns;

/* columns: (rows, taps · channels) = rows first … first + rows - 1 of the matrix of x. */
void tl_im2col(const tl_columns *c, const tl_real *x, size_t first, size_t rows, tl_real *columns);

/* The transpose: adds each element of those rows to the element of dx that it is a copy of. */
void tl_col2im(const tl_columns *c, const tl_real *columns, size_t first, size_t rows, tl_real *dx);

#endif
