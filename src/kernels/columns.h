/* columns.h: loops over rows, with coefficients for each column.
 *
 * A block of columns goes through all rows, so that its coefficients and sums stay in registers.
 */
#ifndef TL_COLUMNS_H
#define TL_COLUMNS_H

#include "kernels/kernel.h"

/* Vectors of a wide block and of a middle block; single vectors follow, and the last one may be partial. The wide block uses all
 * registers, because a row of a block is a run of memory, and short runs at large distances are slow to load. Both have enough
 * independent sums to hide the latency of an addition. */
enum { TL_WIDE_BLOCK = TL_VECTOR_REGISTERS == 32 ? 8 : 4, TL_MIDDLE_BLOCK = TL_WIDE_BLOCK / 2 };

/* `vectors` vectors of columns from column c on. A single last vector may have only `part` elements (0: all). `variant`: the loop
 * is compiled for each. */
typedef void (*tl_column_block)(const void *rows, size_t c, const int vectors, size_t part, const int variant);

TL_INLINE void tl_by_columns(const void *rows, size_t columns, const int widest, const int variant, tl_column_block block) {
    size_t c = 0;
    if (widest > TL_MIDDLE_BLOCK)
        for (; c + TL_WIDE_BLOCK * TL_LANES <= columns; c += TL_WIDE_BLOCK * TL_LANES) block(rows, c, TL_WIDE_BLOCK, 0, variant);
    for (; c + TL_MIDDLE_BLOCK * TL_LANES <= columns; c += TL_MIDDLE_BLOCK * TL_LANES) block(rows, c, TL_MIDDLE_BLOCK, 0, variant);
    for (; c + TL_LANES <= columns; c += TL_LANES) block(rows, c, 1, 0, variant);
    if (c < columns) block(rows, c, 1, columns - c, variant);
}

TL_INLINE void tl_load_columns(tl_vector *to, const tl_real *from, const int vectors, size_t part) {
    TL_UNROLL for (int v = 0; v < vectors; v++) to[v] = tl_load_some(from + v * TL_LANES, part);
}

TL_INLINE void tl_store_columns(tl_real *to, const tl_vector *from, const int vectors, size_t part) {
    TL_UNROLL for (int v = 0; v < vectors; v++) tl_store_some(to + v * TL_LANES, from[v], part);
}

#endif
