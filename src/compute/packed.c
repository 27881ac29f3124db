#include "compute/packed.h"

#include <string.h>

size_t tl_packed_count(size_t taps, size_t channels, size_t width) { return tl_aligned_count(width) * (1 + taps * channels); }

void tl_packed_make(const tl_kernels *kernels, const tl_packed_weights *w, tl_real *packed) {
    memset(packed, 0, tl_packed_count(w->taps, w->channels, w->width) * sizeof *packed);
    if (w->bias) memcpy(packed, w->bias, w->width * sizeof *packed);
    tl_real *to = packed + tl_aligned_count(w->width);
    for (size_t first = 0, lanes; first < w->width; first += lanes) {
        lanes = tl_packed_lanes(kernels, w->width, first);
        const size_t width = w->width - first < lanes ? w->width - first : lanes;
        for (size_t i = 0; i < w->taps * w->channels; i++, to += lanes) {
            const ptrdiff_t tap = (ptrdiff_t)(i / w->channels) * w->tap_stride;
            const tl_real *from = w->weight + tap + (ptrdiff_t)(i % w->channels * w->channel_stride + first * w->output_stride);
            for (size_t o = 0; o < width; o++) to[o] = from[o * w->output_stride];
        }
    }
}

/* Computes a block with register tiles. */
static void sum_block(const tl_kernels *kernels, const tl_packed_sum *s, size_t first, size_t lanes, const tl_real *factor) {
    const tl_packed_runs window = tl_packed_runs_of(s);
    const size_t end = first + lanes < s->width ? first + lanes : s->width, maximum = kernels->direct_vectors * kernels->lanes;
    for (size_t at = first; at < end; at += maximum) {
        const size_t width = end - at < maximum ? end - at : maximum;
        kernels->direct_product(&(tl_direct_product){.x = s->x,
                                                     .row_stride = s->row_stride,
                                                     .runs = window.runs,
                                                     .run_stride = window.run_stride,
                                                     .count = window.count,
                                                     .stride = window.stride,
                                                     .factor = factor + (at - first),
                                                     .factor_stride = lanes,
                                                     .start = s->packed + at,
                                                     .out = s->out + at,
                                                     .out_stride = s->out_stride,
                                                     .rows = s->rows,
                                                     .vectors = (width + kernels->lanes - 1) / kernels->lanes,
                                                     .width = width});
    }
}

static void rectify(const tl_kernels *kernels, const tl_packed_sum *s) {
    const bool together = s->out_stride == s->width;
    const size_t runs = together ? 1 : s->rows, count = together ? s->rows * s->width : s->width;
    for (size_t run = 0; run < runs; run++) {
        tl_real *out = s->out + run * s->out_stride;
        kernels->activate(&(tl_activation_run){.activation = TL_ACTIVATION_RELU, .from = out, .to = out, .count = count});
    }
}

void tl_packed_run(const tl_kernels *kernels, const tl_packed_sum *s) {
    if (s->rows == 1) {
        tl_packed_row(kernels, s);
        return;
    }
    const tl_real *factor = s->packed + tl_aligned_count(s->width);
    for (size_t first = 0, lanes; first < s->width; first += lanes, factor += s->taps * s->channels * lanes) {
        lanes = tl_packed_lanes(kernels, s->width, first);
        sum_block(kernels, s, first, lanes, factor + s->first * s->channels * lanes);
    }
    if (s->relu) rectify(kernels, s);
}

/* ---- a tl_factor with its own copy of the weights; memory: the factor, the weights, its scratch ---- */

enum { FACTOR = 256 / (int)sizeof(tl_real) };

size_t tl_packed_factor_count(size_t inner, size_t width) {
    return FACTOR + tl_aligned_count(inner * width) + tl_aligned_count(tl_factor_scratch(inner, width));
}

void tl_packed_factor_make(const tl_kernels *kernels, const tl_packed_weights *w, tl_real *packed) {
    _Static_assert(sizeof(tl_factor) <= FACTOR * sizeof(tl_real), "a factor has its place");
    const size_t inner = w->taps * w->channels;
    tl_real *weight = packed + FACTOR;
    for (size_t i = 0; i < inner; i++) {
        const ptrdiff_t tap = (ptrdiff_t)(i / w->channels) * w->tap_stride;
        const tl_real *from = w->weight + tap + (ptrdiff_t)(i % w->channels * w->channel_stride);
        for (size_t o = 0; o < w->width; o++) weight[i * w->width + o] = from[o * w->output_stride];
    }
    const tl_factor factor = tl_factor_of(kernels, weight, inner, w->width, w->bias, weight + tl_aligned_count(inner * w->width));
    memcpy(packed, &factor, sizeof factor);
}

const tl_factor *tl_packed_factor(const tl_real *packed) { return (const void *)packed; }

void tl_packed_factor_multiply(const tl_real *packed, const tl_factor_rows *rows) {
    const tl_factor *factor = tl_packed_factor(packed);
    for (size_t block = 0, blocks = tl_factor_blocks(factor); block < blocks; block++) tl_factor_multiply(factor, block, rows);
}
