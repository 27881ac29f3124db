/* A convolution of each channel by itself, one sample at a time: a vector of channels goes over its taps, or over time, in
 * registers. weight: (kernel, channels).
 */
#include "kernels/kernel.h"

/* The taps first … last - 1 of output t that lie inside the series. */
typedef struct taps {
    size_t first, last;
} taps;

TL_INLINE taps taps_at(const tl_depthwise_rows *p, size_t t) {
    const size_t start = t * p->stride, end = p->pad_left + p->length; /* in the padded series */
    const size_t before = start < p->pad_left ? p->pad_left - start : 0, inside = start < end ? end - start : 0;
    const taps all = {.first = (before + p->dilation - 1) / p->dilation, .last = (inside + p->dilation - 1) / p->dilation};
    return (taps){.first = all.first, .last = all.last < p->kernel ? all.last : p->kernel};
}

/* The row of x at a tap inside the series. */
TL_INLINE size_t row_at(const tl_depthwise_rows *p, size_t t, size_t tap) {
    return t * p->stride + tap * p->dilation - p->pad_left;
}

TL_INLINE tl_vector load(const tl_real *from, size_t part) { return part ? tl_load_part(from, part) : tl_load(from); }

TL_INLINE void store(tl_real *to, tl_vector value, size_t part) {
    if (part)
        tl_store_part(to, value, part);
    else
        tl_store(to, value);
}

/* What there is of the vector at a channel; 0: all of it. */
TL_INLINE size_t part_at(const tl_depthwise_rows *p, size_t channel) {
    return channel + TL_LANES <= p->channels ? 0 : p->channels - channel;
}

void TL_KERNEL(tl_kernel_depthwise)(const tl_depthwise_rows *p);
void TL_KERNEL(tl_kernel_depthwise)(const tl_depthwise_rows *p) {
    for (size_t t = 0; t < p->out_length; t++) {
        const taps w = taps_at(p, t);
        for (size_t c = 0; c < p->channels; c += TL_LANES) {
            const size_t part = part_at(p, c);
            tl_vector sum = p->bias ? load(p->bias + c, part) : (tl_vector){0};
            for (size_t j = w.first; j < w.last; j++)
                sum += load(p->x + row_at(p, t, j) * p->channels + c, part) * load(p->weight + j * p->channels + c, part);
            store(p->y + t * p->channels + c, sum, part);
        }
    }
}

TL_INLINE void add_product(tl_real *restrict to, const tl_real *restrict a, const tl_real *restrict b, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] += a[i] * b[i];
}

void TL_KERNEL(tl_kernel_depthwise_input)(const tl_depthwise_rows *p);
void TL_KERNEL(tl_kernel_depthwise_input)(const tl_depthwise_rows *p) {
    const size_t channels = p->channels;
    for (size_t i = 0; i < p->length * channels; i++) p->dx[i] = 0;
    for (size_t t = 0; t < p->out_length; t++) {
        const taps w = taps_at(p, t);
        for (size_t j = w.first; j < w.last; j++)
            add_product(p->dx + row_at(p, t, j) * channels, p->dy + t * channels, p->weight + j * channels, channels);
    }
}

void TL_KERNEL(tl_kernel_depthwise_weights)(const tl_depthwise_rows *p);
void TL_KERNEL(tl_kernel_depthwise_weights)(const tl_depthwise_rows *p) {
    for (size_t c = 0; c < p->channels; c += TL_LANES) {
        const size_t part = part_at(p, c);
        for (size_t j = 0; j < p->kernel; j++) {
            tl_real *to = p->dweight + j * p->channels + c;
            tl_vector sum = load(to, part);
            for (size_t t = 0; t < p->out_length; t++) {
                const taps w = taps_at(p, t);
                if (j < w.first || j >= w.last) continue;
                sum += load(p->x + row_at(p, t, j) * p->channels + c, part) * load(p->dy + t * p->channels + c, part);
            }
            store(to, sum, part);
        }
    }
}
