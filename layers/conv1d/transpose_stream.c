/* A transposed convolution on a stream. Window k ends with input k and computes the outputs whose newest input is k; each residue
 * of the position has its own taps. The additions have the order of the direct engine, which has three methods.
 */
#include "layers/conv1d/direct.h"
#include "layers/conv1d/variant.h"

#include "base/memory.h"
#include "compute/packed.h"

#include <string.h>

enum { ORDER, INPUTS }; /* tl_streaming.own: a tl_direct_order; number of inputs that an output reads */

static tl_conv1d_shape unpadded(const tl_conv1d_shape *shape) {
    tl_conv1d_shape s = *shape;
    s.pad_left = 0; /* positions are those of the whole output */
    return s;
}

static size_t residue_count(const tl_conv1d_shape *s, size_t residue) {
    return tl_packed_count(tl_direct_taps_of(s, residue).count, s->filters, s->channels);
}

void tl_conv1d_transpose_stream_plan(const tl_conv1d_shape *shape, ptrdiff_t behind, const tl_kernels *kernels,
                                     tl_streaming *streaming) {
    const tl_conv1d_shape s = unpadded(shape);
    const size_t reach = (s.kernel - 1) * s.dilation;
    const ptrdiff_t cut =
        (ptrdiff_t)s.stride - 1 - (ptrdiff_t)reach + behind; /* of the outputs of the newest input, if it is the last one */
    streaming->constants[ORDER] = tl_direct_input_order(shape, kernels->lanes);
    streaming->constants[INPUTS] = reach / s.stride + 1;
    streaming->left = reach / s.stride;
    streaming->outputs = s.stride;
    streaming->skip = shape->pad_left;
    /* These outputs are known to exist only after later inputs. */
    streaming->extent = streaming->constants[INPUTS] + (cut > 0 ? tl_ceil_div((size_t)cut, s.stride) : 0);
    streaming->packed = tl_aligned_count(s.channels);
    for (size_t r = 0; r < s.stride; r++) streaming->packed += residue_count(&s, r);
    streaming->partial = tl_aligned_count(s.channels);
}

/* With lane reduction: blocks of outputs, each (vectors of inputs, taps, outputs, lanes). */
static void pack_lane_reduction(const tl_conv1d_shape *s, const tl_kernels *kernels, const tl_packed_weights *w, tl_real *to) {
    const size_t lanes = kernels->lanes;
    for (size_t first = 0; first < s->channels; first += kernels->direct_vectors)
        for (size_t i = 0; i < s->filters; i += lanes)
            for (size_t tap = 0; tap < w->taps; tap++)
                for (size_t o = first; o < tl_min(first + kernels->direct_vectors, s->channels); o++, to += lanes)
                    memcpy(to, w->weight + (ptrdiff_t)tap * w->tap_stride + (ptrdiff_t)(o * w->output_stride + i),
                           lanes * sizeof *to);
}

void tl_conv1d_transpose_stream_pack(const tl_conv1d_shape *shape, const tl_kernels *kernels, const tl_real *weight,
                                     const tl_real *bias, tl_real *packed) {
    const tl_conv1d_shape s = unpadded(shape);
    const bool lane_reduction = tl_direct_input_order(shape, kernels->lanes) == TL_DIRECT_BY_LANES;
    const size_t tap = s.channels * s.filters;
    if (bias) memcpy(packed, bias, s.channels * sizeof *packed);
    packed += tl_aligned_count(s.channels);
    for (size_t r = 0; r < s.stride; packed += residue_count(&s, r++)) {
        const tl_direct_taps taps = tl_direct_taps_of(&s, r);
        const tl_packed_weights weights = {.taps = taps.count,
                                           .channels = s.filters,
                                           .width = s.channels,
                                           .weight = weight + taps.last * tap,
                                           .tap_stride = -(ptrdiff_t)(taps.every * tap),
                                           .channel_stride = 1,
                                           .output_stride = s.filters};
        if (lane_reduction)
            pack_lane_reduction(&s, kernels, &weights, packed);
        else
            tl_packed_make(kernels, &weights, packed);
    }
}

static void add_rows(tl_real *restrict to, size_t stride, const tl_real *restrict from, size_t rows, size_t count) {
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < count; i++) to[row * stride + i] += from[i];
}

/* Computes the products of each tap separately, and adds them one after the other. */
static void sum_by_taps(const tl_kernels *kernels, const tl_packed_sum *sum, tl_real *product) {
    for (size_t row = 0; row < sum->rows; row++) {
        tl_packed_sum part = *sum;
        tl_real *out = sum->out + row * sum->out_stride;
        memset(out, 0, sum->width * sizeof *out);
        part.rows = 1;
        part.out = product;
        for (size_t tap = 0; tap < sum->taps; tap++) {
            part.first = tap;
            part.last = tap + 1;
            part.x = sum->x + row * sum->row_stride + tap * sum->tap_stride;
            tl_packed_row(kernels, &part);
            add_rows(out, 0, product, 1, sum->width);
        }
    }
}

/* Sums each lane of a vector of inputs separately, and adds the lanes at the end. */
static void sum_by_lanes(const tl_kernels *kernels, const tl_packed_sum *sum) {
    const size_t lanes = kernels->lanes;
    for (size_t first = 0; first < sum->width; first += kernels->direct_vectors) {
        const size_t outputs = tl_min(kernels->direct_vectors, sum->width - first);
        kernels->direct_lane_reduction(&(tl_direct_product){.x = sum->x,
                                                            .row_stride = sum->row_stride,
                                                            .runs = sum->channels / lanes,
                                                            .run_stride = lanes,
                                                            .count = sum->taps,
                                                            .stride = sum->tap_stride,
                                                            .factor = sum->packed + first * sum->taps * sum->channels,
                                                            .factor_stride = outputs * lanes,
                                                            .out = sum->out + first,
                                                            .out_stride = sum->out_stride,
                                                            .rows = sum->rows,
                                                            .vectors = outputs});
    }
}

void tl_conv1d_transpose_stream_run(const tl_conv1d_shape *shape, bool biased, const tl_stream_pass *pass) {
    const tl_kernels *kernels = tl_kernels_of(pass->workers);
    const tl_conv1d_shape s = unpadded(shape);
    const tl_real *packed = pass->packed + tl_aligned_count(s.channels);
    for (size_t r = 0; r < s.stride; packed += residue_count(&s, r++)) {
        const tl_direct_taps taps = tl_direct_taps_of(&s, r);
        const size_t oldest = taps.count ? (taps.last * s.dilation - r) / s.stride : 0; /* inputs before the newest one */
        const tl_packed_sum sum = {.packed = packed,
                                   .taps = taps.count,
                                   .channels = s.filters,
                                   .width = s.channels,
                                   .last = taps.count,
                                   .x = pass->x[0] + (pass->streaming->constants[INPUTS] - 1 - oldest) * s.filters,
                                   .tap_stride = taps.every * s.dilation / s.stride * s.filters,
                                   .row_stride = s.filters,
                                   .out = pass->y + r * s.channels,
                                   .out_stride = s.stride * s.channels,
                                   .rows = pass->windows};
        if (pass->streaming->constants[ORDER] == TL_DIRECT_BY_TAPS)
            sum_by_taps(kernels, &sum, pass->partial);
        else if (pass->streaming->constants[ORDER] == TL_DIRECT_BY_LANES)
            sum_by_lanes(kernels, &sum);
        else
            tl_packed_run(kernels, &sum);
    }
    if (biased) add_rows(pass->y, s.channels, pass->packed, pass->windows * s.stride, s.channels);
}
