#include "compute/im2col.h"

#include "base/math.h"

#include <string.h>

/* The part of a row of the matrix that lies inside the series: taps first … last - 1 of the window; tap `first` is input `at`. */
typedef struct overlap {
    size_t first, last, at;
} overlap;

static overlap overlap_of(const tl_columns *c, size_t t) {
    const tl_window_geometry *w = &c->window;
    const size_t start = t * w->stride; /* in the padded series, which ends at pad_left + length */
    overlap o = {.last = w->taps};
    if (start < w->pad_left) o.first = tl_ceil_div(w->pad_left - start, w->dilation);
    if (start + (w->taps - 1) * w->dilation >= w->pad_left + c->length)
        o.last = start < w->pad_left + c->length ? (w->pad_left + c->length - start - 1) / w->dilation + 1 : 0;
    if (o.first >= o.last) return (overlap){0};
    o.at = start + o.first * w->dilation - w->pad_left;
    return o;
}

void tl_im2col(const tl_columns *c, const tl_real *x, size_t first, size_t rows, tl_real *columns) {
    const size_t channels = c->channels, taps = c->window.taps, dilation = c->window.dilation;
    for (size_t row = first; row < first + rows; row++, columns += taps * channels) {
        const overlap o = overlap_of(c, row % c->window.out_length);
        const tl_real *from = x + (row / c->window.out_length * c->length + o.at) * channels;
        tl_real *to = columns + o.first * channels;
        memset(columns, 0, o.first * channels * sizeof *columns);
        memset(columns + o.last * channels, 0, (taps - o.last) * channels * sizeof *columns);
        if (dilation == 1)
            memcpy(to, from, (o.last - o.first) * channels * sizeof *to);
        else
            for (size_t j = o.first; j < o.last; j++, to += channels, from += dilation * channels)
                memcpy(to, from, channels * sizeof *to);
    }
}

static void add(tl_real *restrict to, const tl_real *restrict from, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] += from[i];
}

void tl_col2im(const tl_columns *c, const tl_real *columns, size_t first, size_t rows, tl_real *dx) {
    const size_t channels = c->channels, taps = c->window.taps, dilation = c->window.dilation;
    for (size_t row = first; row < first + rows; row++, columns += taps * channels) {
        const overlap o = overlap_of(c, row % c->window.out_length);
        const tl_real *from = columns + o.first * channels;
        tl_real *to = dx + (row / c->window.out_length * c->length + o.at) * channels;
        if (dilation == 1)
            add(to, from, (o.last - o.first) * channels);
        else
            for (size_t j = o.first; j < o.last; j++, from += channels, to += dilation * channels) add(to, from, channels);
    }
}
