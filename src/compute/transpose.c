#include "compute/transpose.h"

#include <string.h>

/* Squares of vectors that every processor has. */
enum { SIDE = 16 / (int)sizeof(tl_real) };
typedef tl_real vector __attribute__((vector_size(16)));

static inline vector load(const tl_real *from) {
    vector value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void store(tl_real *to, vector value) { memcpy(to, &value, sizeof value); }

static inline void transpose_square(const tl_real *from, size_t from_stride, tl_real *to, size_t to_stride) {
#ifdef TAPLINE_F64
    const vector a = load(from), b = load(from + from_stride);
    store(to, __builtin_shufflevector(a, b, 0, 2));
    store(to + to_stride, __builtin_shufflevector(a, b, 1, 3));
#else
    const vector a = load(from), b = load(from + from_stride), c = load(from + 2 * from_stride), d = load(from + 3 * from_stride);
    const vector ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_behind = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const vector cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_behind = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    store(to, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
    store(to + to_stride, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
    store(to + 2 * to_stride, __builtin_shufflevector(ab_behind, cd_behind, 0, 1, 4, 5));
    store(to + 3 * to_stride, __builtin_shufflevector(ab_behind, cd_behind, 2, 3, 6, 7));
#endif
}

void tl_transpose(const tl_real *from, size_t from_stride, size_t rows, size_t columns, tl_real *to, size_t to_stride) {
    const size_t square_rows = rows / SIDE * SIDE, square_columns = columns / SIDE * SIDE;
    for (size_t i = 0; i < square_rows; i += SIDE)
        for (size_t j = 0; j < square_columns; j += SIDE)
            transpose_square(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = i < square_rows ? square_columns : 0; j < columns; j++) to[j * to_stride + i] = from[i * from_stride + j];
}
