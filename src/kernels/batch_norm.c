/* The loops of batch normalisation over rows (batch × length) of channels, with the ReLU after it where there is one.
 *
 * A block of channels goes down all rows at a time, so that its coefficients and sums stay in registers. What backward needs of
 * the ReLU is whether its input was above zero: that is computed again from x, which is read anyway.
 */
#include "kernels/kernel.h"

/* Vectors of a wide block and of a middle one; then come single ones. As many as the registers hold, since a row of a block is a
 * run of memory and short runs far apart are slow to come; enough independent sums to hide the latency of an addition in any case.
 */
enum { BLOCK = TL_VECTOR_REGISTERS == 32 ? 8 : 4, MIDDLE = BLOCK / 2 };

/* What a block keeps in registers. */
typedef struct coefficients {
    tl_vector centre[BLOCK], factor[BLOCK], term[BLOCK], slope[BLOCK], offset[BLOCK];
} coefficients;

TL_INLINE void load_all(tl_vector *to, const tl_real *from, const int vectors) {
    TL_UNROLL for (int v = 0; v < vectors; v++) to[v] = tl_load(from + v * TL_LANES);
}

/* d where the output y = (x - centre) · factor + term of the ReLU's input is above zero, else 0. */
TL_INLINE tl_vector pass_gradient(const coefficients *k, int v, tl_vector centred, tl_vector d) {
    return tl_where((centred * k->factor[v] + k->term[v]) > (tl_vector){0}, d);
}

/* ---- the sums over the rows of x - x[0] and of its square ---- */

TL_INLINE void moments_block(const tl_norm_rows *n, size_t c, const int vectors) {
    tl_vector start[BLOCK], first[BLOCK] = {0}, second[BLOCK] = {0};
    const tl_real *x = n->x + c;
    load_all(start, x, vectors);
    for (size_t row = 0; row < n->rows; row++, x += n->channels) {
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const tl_vector d = tl_load(x + v * TL_LANES) - start[v];
            first[v] += d;
            second[v] += d * d;
        }
    }
    TL_UNROLL for (int v = 0; v < vectors; v++) {
        tl_store(n->first + c + v * TL_LANES, first[v]);
        tl_store(n->second + c + v * TL_LANES, second[v]);
    }
}

static void moments_rest(const tl_norm_rows *n, size_t c) {
    tl_real first = 0, second = 0;
    for (size_t row = 0; row < n->rows; row++) {
        const tl_real d = n->x[row * n->channels + c] - n->x[c];
        first += d;
        second += d * d;
    }
    n->first[c] = first;
    n->second[c] = second;
}

void TL_KERNEL(tl_kernel_norm_moments)(const tl_norm_rows *n);
void TL_KERNEL(tl_kernel_norm_moments)(const tl_norm_rows *n) {
    size_t c = 0;
    for (; c + BLOCK * TL_LANES <= n->channels; c += BLOCK * TL_LANES) moments_block(n, c, BLOCK);
    for (; c + MIDDLE * TL_LANES <= n->channels; c += MIDDLE * TL_LANES) moments_block(n, c, MIDDLE);
    for (; c + TL_LANES <= n->channels; c += TL_LANES) moments_block(n, c, 1);
    for (; c < n->channels; c++) moments_rest(n, c);
}

/* ---- y = (x - centre) · factor + term, through the ReLU where there is one ---- */

TL_INLINE void normalise_block(const tl_norm_rows *n, size_t c, const int vectors, const bool relu) {
    coefficients k;
    load_all(k.centre, n->centre + c, vectors);
    load_all(k.factor, n->factor + c, vectors);
    load_all(k.term, n->term + c, vectors);
    const tl_real *x = n->x + c;
    tl_real *y = n->out + c;
    for (size_t row = 0; row < n->rows; row++, x += n->channels, y += n->channels) {
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const tl_vector value = (tl_load(x + v * TL_LANES) - k.centre[v]) * k.factor[v] + k.term[v];
            tl_store(y + v * TL_LANES, relu ? tl_where(~(value < (tl_vector){0}), value) : value);
        }
    }
}

static void normalise_rest(const tl_norm_rows *n, size_t c) {
    for (size_t i = c; i < n->rows * n->channels; i += n->channels) {
        const tl_real value = (n->x[i] - n->centre[c]) * n->factor[c] + n->term[c];
        n->out[i] = n->relu && value < 0 ? 0 : value;
    }
}

TL_INLINE void normalise(const tl_norm_rows *n, const bool relu) {
    size_t c = 0;
    for (; c + BLOCK * TL_LANES <= n->channels; c += BLOCK * TL_LANES) normalise_block(n, c, BLOCK, relu);
    for (; c + MIDDLE * TL_LANES <= n->channels; c += MIDDLE * TL_LANES) normalise_block(n, c, MIDDLE, relu);
    for (; c + TL_LANES <= n->channels; c += TL_LANES) normalise_block(n, c, 1, relu);
    for (; c < n->channels; c++) normalise_rest(n, c);
}

void TL_KERNEL(tl_kernel_norm_apply)(const tl_norm_rows *n);
void TL_KERNEL(tl_kernel_norm_apply)(const tl_norm_rows *n) {
    if (n->relu)
        normalise(n, true);
    else
        normalise(n, false);
}

/* ---- the sums over the rows of d and of d · (x - centre), d being the gradient that the ReLU passes ---- */

TL_INLINE void gradient_sums_block(const tl_norm_rows *n, size_t c, const int vectors, const bool relu) {
    coefficients k;
    load_all(k.centre, n->centre + c, vectors);
    load_all(k.factor, n->factor + c, vectors);
    load_all(k.term, n->term + c, vectors);
    tl_vector first[BLOCK] = {0}, second[BLOCK] = {0};
    const tl_real *x = n->x + c, *dy = n->dy + c;
    for (size_t row = 0; row < n->rows; row++, x += n->channels, dy += n->channels) {
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const tl_vector centred = tl_load(x + v * TL_LANES) - k.centre[v], all = tl_load(dy + v * TL_LANES);
            const tl_vector d = relu ? pass_gradient(&k, v, centred, all) : all;
            first[v] += d;
            second[v] += d * centred;
        }
    }
    TL_UNROLL for (int v = 0; v < vectors; v++) {
        tl_store(n->first + c + v * TL_LANES, first[v]);
        tl_store(n->second + c + v * TL_LANES, second[v]);
    }
}

static void gradient_sums_rest(const tl_norm_rows *n, size_t c) {
    tl_real first = 0, second = 0;
    for (size_t i = c; i < n->rows * n->channels; i += n->channels) {
        const tl_real centred = n->x[i] - n->centre[c];
        const tl_real d = !n->relu || centred * n->factor[c] + n->term[c] > 0 ? n->dy[i] : 0;
        first += d;
        second += d * centred;
    }
    n->first[c] = first;
    n->second[c] = second;
}

TL_INLINE void gradient_sums(const tl_norm_rows *n, const bool relu) {
    size_t c = 0;
    for (; c + BLOCK * TL_LANES <= n->channels; c += BLOCK * TL_LANES) gradient_sums_block(n, c, BLOCK, relu);
    for (; c + MIDDLE * TL_LANES <= n->channels; c += MIDDLE * TL_LANES) gradient_sums_block(n, c, MIDDLE, relu);
    for (; c + TL_LANES <= n->channels; c += TL_LANES) gradient_sums_block(n, c, 1, relu);
    for (; c < n->channels; c++) gradient_sums_rest(n, c);
}

void TL_KERNEL(tl_kernel_norm_gradient_sums)(const tl_norm_rows *n);
void TL_KERNEL(tl_kernel_norm_gradient_sums)(const tl_norm_rows *n) {
    if (n->relu)
        gradient_sums(n, true);
    else
        gradient_sums(n, false);
}

/* ---- dx = factor · d + slope · (x - centre) + offset ---- */

TL_INLINE void gradient_block(const tl_norm_rows *n, size_t c, const int vectors, const bool relu) {
    coefficients k;
    load_all(k.centre, n->centre + c, vectors);
    load_all(k.factor, n->factor + c, vectors);
    load_all(k.term, n->term + c, vectors);
    load_all(k.slope, n->slope + c, vectors);
    load_all(k.offset, n->offset + c, vectors);
    const tl_real *x = n->x + c, *dy = n->dy + c;
    tl_real *dx = n->out + c;
    for (size_t row = 0; row < n->rows; row++, x += n->channels, dy += n->channels, dx += n->channels) {
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const tl_vector centred = tl_load(x + v * TL_LANES) - k.centre[v], all = tl_load(dy + v * TL_LANES);
            const tl_vector d = relu ? pass_gradient(&k, v, centred, all) : all;
            tl_store(dx + v * TL_LANES, k.factor[v] * d + (k.slope[v] * centred + k.offset[v]));
        }
    }
}

static void gradient_rest(const tl_norm_rows *n, size_t c) {
    for (size_t i = c; i < n->rows * n->channels; i += n->channels) {
        const tl_real centred = n->x[i] - n->centre[c];
        const tl_real d = !n->relu || centred * n->factor[c] + n->term[c] > 0 ? n->dy[i] : 0;
        n->out[i] = n->factor[c] * d + (n->slope[c] * centred + n->offset[c]);
    }
}

/* Five coefficients of each vector of a middle block fit the registers. */
TL_INLINE void gradient(const tl_norm_rows *n, const bool relu) {
    size_t c = 0;
    for (; c + MIDDLE * TL_LANES <= n->channels; c += MIDDLE * TL_LANES) gradient_block(n, c, MIDDLE, relu);
    for (; c + TL_LANES <= n->channels; c += TL_LANES) gradient_block(n, c, 1, relu);
    for (; c < n->channels; c++) gradient_rest(n, c);
}

void TL_KERNEL(tl_kernel_norm_gradient)(const tl_norm_rows *n);
void TL_KERNEL(tl_kernel_norm_gradient)(const tl_norm_rows *n) {
    if (n->relu)
        gradient(n, true);
    else
        gradient(n, false);
}
