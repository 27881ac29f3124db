/* The loops of batch and group normalisation over rows of channels, with the ReLU after it if there is one.
 *
 * Backward needs to know whether the input of the ReLU was above zero. It computes this again from x, which it reads anyway.
 */
#include "kernels/columns.h"

enum { PLAIN = 0, RELU = 1 }; /* variants */

/* Elements and rows of a group: all columns of a group are computed before the next group, so that memory is read nearly in its
 * order. A block of columns that goes through many rows jumps by a row each time, which is slower. */
enum { GROUP = 1024, MIN_ROWS = 4 };

enum { LINE = 64 / sizeof(tl_real) };

/* Prefetches the elements from … to - 1 of what is read and written: hardware does not foresee the jumps from block to block. */
TL_INLINE void look_ahead(const tl_norm_rows *n, size_t from, size_t to) {
    for (size_t i = from; i < to; i += LINE) {
        if (!n->repeats) __builtin_prefetch(n->x + i);
        if (n->dy) __builtin_prefetch(n->dy + i);
        if (n->out && n->out != n->dy) __builtin_prefetch(n->out + i, 1);
    }
}

TL_INLINE void by_groups(const tl_norm_rows *rows, const int widest, const int variant, tl_column_block block) {
    const size_t each = tl_max(GROUP / rows->channels, MIN_ROWS);
    tl_norm_rows n = *rows;
    for (size_t left = rows->rows; left > 0; left -= n.rows) {
        const size_t count = tl_min(left, each) * n.channels;
        n.rows = tl_min(left, each);
        look_ahead(&n, count, count + tl_min(left - n.rows, each) * n.channels);
        tl_by_columns(&n, n.channels, widest, variant, block);
        n.adds = true;
        if (!n.repeats) n.x += count;
        if (n.dy) n.dy += count;
        if (n.out) n.out += count;
    }
}

/* The registers of a block. */
typedef struct coefficients {
    tl_vector centre[TL_WIDE_BLOCK], factor[TL_WIDE_BLOCK], term[TL_WIDE_BLOCK];
} coefficients;

TL_INLINE coefficients load_coefficients(const tl_norm_rows *n, size_t c, const int vectors, size_t part) {
    coefficients k;
    tl_load_columns(k.centre, n->centre + c, vectors, part);
    tl_load_columns(k.factor, n->factor + c, vectors, part);
    tl_load_columns(k.term, n->term + c, vectors, part);
    return k;
}

/* d where the input of the ReLU, y = (x - centre) · factor + term, is above zero; else 0. */
TL_INLINE tl_vector pass_gradient(const coefficients *k, int v, tl_vector centred, tl_vector d) {
    return tl_where((centred * k->factor[v] + k->term[v]) > (tl_vector){0}, d);
}

/* The sums of earlier rows; 0 if there are none. */
TL_INLINE void load_sums(const tl_norm_rows *n, size_t c, tl_vector *first, tl_vector *second, const int vectors, size_t part) {
    TL_UNROLL for (int v = 0; v < vectors; v++) first[v] = second[v] = (tl_vector){0};
    if (!n->adds) return;
    tl_load_columns(first, n->first + c, vectors, part);
    tl_load_columns(second, n->second + c, vectors, part);
}

/* ---- sums over the rows of x - start and of its square ---- */

TL_INLINE void moments(const void *rows, size_t c, const int vectors, size_t part, const int variant) {
    (void)variant;
    const tl_norm_rows *n = rows;
    tl_vector start[TL_WIDE_BLOCK], first[TL_WIDE_BLOCK], second[TL_WIDE_BLOCK];
    const tl_real *x = n->x + c;
    const size_t step = n->repeats ? 0 : n->channels;
    tl_load_columns(start, n->start + c, vectors, part);
    load_sums(n, c, first, second, vectors, part);
    for (size_t row = 0; row < n->rows; row++, x += step) {
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const tl_vector d = tl_load_some(x + v * TL_LANES, part) - start[v];
            first[v] += d;
            second[v] += d * d;
        }
    }
    tl_store_columns(n->first + c, first, vectors, part);
    tl_store_columns(n->second + c, second, vectors, part);
}

void TL_KERNEL(tl_kernel_norm_moments)(const tl_norm_rows *n);
void TL_KERNEL(tl_kernel_norm_moments)(const tl_norm_rows *n) { by_groups(n, TL_WIDE_BLOCK, PLAIN, moments); }

/* ---- y = (x - centre) · factor + term, with the ReLU if there is one ---- */

TL_INLINE void normalise(const void *rows, size_t c, const int vectors, size_t part, const int variant) {
    const tl_norm_rows *n = rows;
    const coefficients k = load_coefficients(n, c, vectors, part);
    const tl_real *x = n->x + c;
    tl_real *y = n->out + c;
    for (size_t row = 0; row < n->rows; row++, x += n->channels, y += n->channels) {
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const tl_vector value = (tl_load_some(x + v * TL_LANES, part) - k.centre[v]) * k.factor[v] + k.term[v];
            tl_store_some(y + v * TL_LANES, variant == RELU ? tl_where(~(value < (tl_vector){0}), value) : value, part);
        }
    }
}

void TL_KERNEL(tl_kernel_norm_apply)(const tl_norm_rows *n);
void TL_KERNEL(tl_kernel_norm_apply)(const tl_norm_rows *n) {
    if (n->relu)
        by_groups(n, TL_WIDE_BLOCK, RELU, normalise);
    else
        by_groups(n, TL_WIDE_BLOCK, PLAIN, normalise);
}

/* ---- sums over the rows of d and of d · (x - centre), where d is the gradient after the ReLU ---- */

TL_INLINE void gradient_sums(const void *rows, size_t c, const int vectors, size_t part, const int variant) {
    const tl_norm_rows *n = rows;
    const coefficients k = load_coefficients(n, c, vectors, part);
    tl_vector first[TL_WIDE_BLOCK], second[TL_WIDE_BLOCK];
    const tl_real *x = n->x + c, *dy = n->dy + c;
    load_sums(n, c, first, second, vectors, part);
    for (size_t row = 0; row < n->rows; row++, x += n->channels, dy += n->channels) {
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const tl_vector centred = tl_load_some(x + v * TL_LANES, part) - k.centre[v];
            const tl_vector all = tl_load_some(dy + v * TL_LANES, part);
            const tl_vector d = variant == RELU ? pass_gradient(&k, v, centred, all) : all;
            first[v] += d;
            second[v] += d * centred;
        }
    }
    tl_store_columns(n->first + c, first, vectors, part);
    tl_store_columns(n->second + c, second, vectors, part);
}

void TL_KERNEL(tl_kernel_norm_gradient_sums)(const tl_norm_rows *n);
void TL_KERNEL(tl_kernel_norm_gradient_sums)(const tl_norm_rows *n) {
    if (n->relu)
        by_groups(n, TL_WIDE_BLOCK, RELU, gradient_sums);
    else
        by_groups(n, TL_WIDE_BLOCK, PLAIN, gradient_sums);
}

/* ---- dx = factor · d + slope · (x - centre) + offset; the five coefficients of each vector of a middle block fit in the registers
 * ----
 */

TL_INLINE void gradient(const void *rows, size_t c, const int vectors, size_t part, const int variant) {
    const tl_norm_rows *n = rows;
    const coefficients k = load_coefficients(n, c, vectors, part);
    tl_vector slope[TL_MIDDLE_BLOCK], offset[TL_MIDDLE_BLOCK];
    tl_load_columns(slope, n->slope + c, vectors, part);
    tl_load_columns(offset, n->offset + c, vectors, part);
    const tl_real *x = n->x + c, *dy = n->dy + c;
    tl_real *dx = n->out + c;
    for (size_t row = 0; row < n->rows; row++, x += n->channels, dy += n->channels, dx += n->channels) {
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const tl_vector centred = tl_load_some(x + v * TL_LANES, part) - k.centre[v];
            const tl_vector all = tl_load_some(dy + v * TL_LANES, part);
            const tl_vector d = variant == RELU ? pass_gradient(&k, v, centred, all) : all;
            tl_store_some(dx + v * TL_LANES, k.factor[v] * d + (slope[v] * centred + offset[v]), part);
        }
    }
}

void TL_KERNEL(tl_kernel_norm_gradient)(const tl_norm_rows *n);
void TL_KERNEL(tl_kernel_norm_gradient)(const tl_norm_rows *n) {
    if (n->relu)
        by_groups(n, TL_MIDDLE_BLOCK, RELU, gradient);
    else
        by_groups(n, TL_MIDDLE_BLOCK, PLAIN, gradient);
}
