/* window.h: the geometry of the windows of convolution and pooling. */
#ifndef TL_WINDOW_H
#define TL_WINDOW_H

#include <tapline/layers.h>

/* Output t reads the inputs t·stride + j·dilation - pad_left for j in 0 … taps - 1. */
typedef struct tl_window_geometry {
    size_t taps, stride, dilation;
    size_t pad_left, pad_right;
    size_t out_length;
} tl_window_geometry;

/* The requested geometry; pads are 0 unless padding is TL_PADDING_EXPLICIT. */
typedef struct tl_window_spec {
    const char *taps_name; /* word for the taps in messages: "kernel", "window" */
    size_t taps, stride, dilation;
    tl_padding padding;
    size_t pad_left, pad_right;
} tl_window_spec;

/* Returns the name of the tl_padding with that number; NULL after the last one. */
const char *tl_padding_at(size_t index);

/* No network needs more taps, stride, dilation or padding: larger numbers come from damaged files. */
enum { TL_MAX_STEPS = 1 << 24 };

/* Returns the number of windows over the first `length` steps of such series: as if the series ended there, but with the same left
 * padding. Neither the left padding of TL_PADDING_SAME nor the checks depend on it. */
size_t tl_window_count(const tl_window_spec *cfg, size_t length);

/* Computes the geometry of the windows over `length` inputs. Fails if a value is out of range, or if the window is longer than the
 * padded input; the message names the value. */
tl_status tl_window_make(const tl_window_spec *cfg, size_t length, tl_window_geometry *window, tl_error *error);

#endif
