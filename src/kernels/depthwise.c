/* A depthwise convolution, one sample at a time: some vectors of channels go over their taps, or over time, in registers; several
 * of them, so that their sums do not wait for each other. weight: (kernel, channels).
 */
#include "kernels/kernel.h"

enum { MAX_VECTORS = 4 };

/* The numbers first … last - 1. */
typedef struct range {
    size_t first, last;
} range;

/* The n below `limit` for which n·step - before is in 0 … length - 1. */
TL_INLINE range range_of(size_t step, size_t before, size_t length, size_t limit) {
    const size_t first = tl_ceil_div(before, step), last = tl_ceil_div(before + length, step);
    return (range){.first = first, .last = tl_min(last, limit)};
}

/* The taps of output t that lie inside the series, and the outputs whose tap j lies inside it. */
TL_INLINE range taps_at(const tl_depthwise_rows *p, size_t t) {
    const size_t start = t * p->stride, end = p->pad_left + p->length; /* in the padded series */
    if (start >= end) return (range){0};
    return start < p->pad_left ? range_of(p->dilation, p->pad_left - start, p->length, p->kernel)
                               : range_of(p->dilation, 0, end - start, p->kernel);
}
TL_INLINE range outputs_of(const tl_depthwise_rows *p, size_t j) {
    const size_t start = j * p->dilation, end = p->pad_left + p->length;
    if (start >= end) return (range){0};
    return start < p->pad_left ? range_of(p->stride, p->pad_left - start, p->length, p->out_length)
                               : range_of(p->stride, 0, end - start, p->out_length);
}

/* The row of x at a tap inside the series. */
TL_INLINE size_t row_at(const tl_depthwise_rows *p, size_t t, size_t j) { return t * p->stride + j * p->dilation - p->pad_left; }

/* Consecutive channels: `vectors` whole vectors, or, if `part` is not 0, that many channels of one vector. */
typedef struct channels {
    size_t first, vectors, part;
} channels;

TL_INLINE channels channels_at(const tl_depthwise_rows *p, size_t first) {
    const size_t rest = p->channels - first;
    if (rest >= MAX_VECTORS * TL_LANES) return (channels){.first = first, .vectors = MAX_VECTORS};
    return (channels){.first = first, .vectors = 1, .part = rest < TL_LANES ? rest : 0};
}

TL_INLINE tl_vector load(const tl_real *from, size_t part) { return part ? tl_load_part(from, part) : tl_load(from); }

TL_INLINE void store(tl_real *to, tl_vector value, size_t part) {
    if (part)
        tl_store_part(to, value, part);
    else
        tl_store(to, value);
}

/* sum[v] += a · b, for each vector. */
TL_INLINE void add_products(tl_vector *sum, const tl_real *a, const tl_real *b, const size_t vectors, size_t part) {
    TL_UNROLL for (size_t v = 0; v < vectors; v++) sum[v] += load(a + v * TL_LANES, part) * load(b + v * TL_LANES, part);
}

TL_INLINE void load_all(tl_vector *sum, const tl_real *from, const size_t vectors, size_t part) {
    TL_UNROLL for (size_t v = 0; v < vectors; v++) sum[v] = from ? load(from + v * TL_LANES, part) : (tl_vector){0};
}

TL_INLINE void store_all(tl_real *to, const tl_vector *sum, const size_t vectors, size_t part) {
    TL_UNROLL for (size_t v = 0; v < vectors; v++) store(to + v * TL_LANES, sum[v], part);
}

/* ---- the loops over some channels ---- */

TL_INLINE void output(const tl_depthwise_rows *p, size_t c, const size_t vectors, size_t part) {
    for (size_t t = 0; t < p->out_length; t++) {
        const range taps = taps_at(p, t);
        tl_vector sum[MAX_VECTORS];
        load_all(sum, p->bias ? p->bias + c : NULL, vectors, part);
        for (size_t j = taps.first; j < taps.last; j++)
            add_products(sum, p->x + row_at(p, t, j) * p->channels + c, p->weight + j * p->channels + c, vectors, part);
        store_all(p->y + t * p->channels + c, sum, vectors, part);
    }
}

/* Adds up the gradients of all outputs that read an input: those t with t·stride = i + pad_left - j·dilation. */
TL_INLINE void input_gradient(const tl_depthwise_rows *p, size_t c, const size_t vectors, size_t part, const bool strided) {
    for (size_t i = 0; i < p->length; i++) {
        const size_t place = i + p->pad_left, end = p->out_length * p->stride;
        const size_t first = place < end ? 0 : (place - end) / p->dilation + 1, all = place / p->dilation + 1;
        tl_vector sum[MAX_VECTORS];
        load_all(sum, NULL, vectors, part);
        for (size_t j = first; j < tl_min(all, p->kernel); j++) {
            const size_t at = place - j * p->dilation, t = strided ? at / p->stride : at;
            if (strided && t * p->stride != at) continue;
            add_products(sum, p->dy + t * p->channels + c, p->weight + j * p->channels + c, vectors, part);
        }
        store_all(p->dx + i * p->channels + c, sum, vectors, part);
    }
}

TL_INLINE void weight_gradient(const tl_depthwise_rows *p, size_t c, const size_t vectors, size_t part) {
    for (size_t j = 0; j < p->kernel; j++) {
        const range outputs = outputs_of(p, j);
        tl_real *to = p->dweight + j * p->channels + c;
        tl_vector sum[MAX_VECTORS];
        load_all(sum, to, vectors, part);
        for (size_t t = outputs.first; t < outputs.last; t++)
            add_products(sum, p->x + row_at(p, t, j) * p->channels + c, p->dy + t * p->channels + c, vectors, part);
        store_all(to, sum, vectors, part);
    }
}

/* ---- over all channels ----
 *
 * Whole vectors and parts of one are loops of their own: in a common loop clang multiplies in two branches and adds after them, so
 * that products are rounded before they are added, in some of the functions.
 */

void TL_KERNEL(tl_kernel_depthwise)(const tl_depthwise_rows *p);
void TL_KERNEL(tl_kernel_depthwise)(const tl_depthwise_rows *p) {
    for (channels c = {0}; c.first < p->channels; c.first += c.vectors * TL_LANES) {
        c = channels_at(p, c.first);
        if (c.vectors == MAX_VECTORS)
            output(p, c.first, MAX_VECTORS, 0);
        else if (c.part)
            output(p, c.first, 1, c.part);
        else
            output(p, c.first, 1, 0);
    }
}

TL_INLINE void input_gradients(const tl_depthwise_rows *p, const bool strided) {
    for (channels c = {0}; c.first < p->channels; c.first += c.vectors * TL_LANES) {
        c = channels_at(p, c.first);
        if (c.vectors == MAX_VECTORS)
            input_gradient(p, c.first, MAX_VECTORS, 0, strided);
        else if (c.part)
            input_gradient(p, c.first, 1, c.part, strided);
        else
            input_gradient(p, c.first, 1, 0, strided);
    }
}

void TL_KERNEL(tl_kernel_depthwise_input)(const tl_depthwise_rows *p);
void TL_KERNEL(tl_kernel_depthwise_input)(const tl_depthwise_rows *p) {
    if (p->stride > 1)
        input_gradients(p, true);
    else
        input_gradients(p, false);
}

void TL_KERNEL(tl_kernel_depthwise_weights)(const tl_depthwise_rows *p);
void TL_KERNEL(tl_kernel_depthwise_weights)(const tl_depthwise_rows *p) {
    for (channels c = {0}; c.first < p->channels; c.first += c.vectors * TL_LANES) {
        c = channels_at(p, c.first);
        if (c.vectors == MAX_VECTORS)
            weight_gradient(p, c.first, MAX_VECTORS, 0);
        else if (c.part)
            weight_gradient(p, c.first, 1, c.part);
        else
            weight_gradient(p, c.first, 1, 0);
    }
}
