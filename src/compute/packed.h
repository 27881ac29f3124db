/* packed.h: sums over windows for streams, with weights that were packed once: a single row is as fast per row as many.
 *
 * Additions have the order of the direct engine, tap by tap and channel by channel: the bits are the same for any number of rows.
 */
#ifndef TL_PACKED_H
#define TL_PACKED_H

#include "base/memory.h"
#include "compute/product.h"

#include "kernels/kernels.h"

/* The weights of a layer: element (tap, channel, output) is weight[tap·tap_stride + channel·channel_stride + output·output_stride].
 */
typedef struct tl_packed_weights {
    size_t taps, channels, width;
    const tl_real *weight;
    ptrdiff_t tap_stride;
    size_t channel_stride, output_stride;
    const tl_real *bias; /* (width) or NULL */
} tl_packed_weights;

/* Returns the number of elements of packed weights for any instruction set: a multiple of a cache line. */
size_t tl_packed_count(size_t taps, size_t channels, size_t width);

void tl_packed_make(const tl_kernels *kernels, const tl_packed_weights *weights, tl_real *packed);

/* out[r][o] = start[o] + the sum over taps first … last - 1 and channels of x[r·row_stride + tap·tap_stride + channel] · weight,
 * for all rows r. */
typedef struct tl_packed_sum {
    const tl_real *packed;
    size_t taps, channels, width; /* of the packed weights */
    size_t first, last;
    const tl_real *x; /* first row, at tap `first` */
    size_t tap_stride, row_stride;
    const tl_real *start; /* (width, rounded up to a cache line) initial values of a row; NULL: the bias, or 0 */
    tl_real *out;
    size_t out_stride, rows;
    bool relu; /* max(…, 0); NaN stays NaN */
} tl_packed_sum;

void tl_packed_run(const tl_kernels *kernels, const tl_packed_sum *sum);

/* ---- a tl_factor with its own copy of the weights ---- */

/* Returns the number of elements that it takes; `weights` as above, tap after tap. It must not be moved. */
size_t tl_packed_factor_count(size_t inner, size_t width);
void tl_packed_factor_make(const tl_kernels *kernels, const tl_packed_weights *weights, tl_real *packed);

/* Returns the factor, which is valid as long as `packed`. */
const tl_factor *tl_packed_factor(const tl_real *packed);

/* Computes rows of y = bias + x · weight, for all outputs. */
void tl_packed_factor_multiply(const tl_real *packed, const tl_factor_rows *rows);

/* ---- one row; inlined into its caller, since every nanosecond counts ---- */

/* packed: initial values of the outputs (width, rounded up to a cache line); then blocks of outputs of at most TL_ROW_VECTORS
 * vectors, each (taps, channels, lanes of the block), with zeros after the last output. */

/* Returns the number of outputs of the block that begins at `first`, rounded up to whole vectors. */
static inline size_t tl_packed_lanes(const tl_kernels *kernels, size_t width, size_t first) {
    const size_t lanes = kernels->lanes, maximum = TL_ROW_VECTORS * lanes, left = width - first; /* lanes is a power of two */
    return left > maximum ? maximum : (left + lanes - 1) & ~(lanes - 1);
}

/* A window as runs of contiguous elements at equal distances, as few as possible. */
typedef struct tl_packed_runs {
    size_t runs, run_stride, count, stride;
} tl_packed_runs;

/* One struct, so that its members stay in registers. */
static inline tl_packed_runs tl_packed_runs_of(const tl_packed_sum *s) {
    const size_t taps = s->last - s->first;
    const bool dense = taps == 1 || s->tap_stride == s->channels, single = !dense && s->channels == 1;
    return (tl_packed_runs){.runs = dense || single ? 1 : taps,
                            .run_stride = s->tap_stride,
                            .count = dense    ? taps * s->channels
                                     : single ? taps
                                              : s->channels,
                            .stride = single ? s->tap_stride : 1};
}

static inline __attribute__((always_inline)) void tl_packed_row(const tl_kernels *kernels, const tl_packed_sum *s) {
    const tl_packed_runs window = tl_packed_runs_of(s);
    const tl_real *factor = s->packed + tl_aligned_count(s->width), *start = s->start ? s->start : s->packed;
    for (size_t first = 0, lanes; first < s->width; first += lanes, factor += s->taps * s->channels * lanes) {
        lanes = tl_packed_lanes(kernels, s->width, first);
        kernels->row_product(&(tl_row_product){.x = s->x,
                                               .runs = window.runs,
                                               .run_stride = window.run_stride,
                                               .count = window.count,
                                               .stride = window.stride,
                                               .factor = factor + s->first * s->channels * lanes,
                                               .start = start + first,
                                               .out = s->out + first,
                                               .width = s->width - first < lanes ? s->width - first : lanes,
                                               .relu = s->relu});
    }
}

#endif
