/* window.h: where the windows of convolution and pooling lie. */
#ifndef TL_WINDOW_H
#define TL_WINDOW_H

#include <tapline/layers.h>

/* Output t reads inputs t·stride + j·dilation - pad_left for j in 0 … taps-1. */
typedef struct tl_window {
    size_t taps, stride, dilation;
    size_t pad_left, pad_right;
    size_t out_length;
} tl_window;

/* What is asked for; pads count for TL_PADDING_EXPLICIT only and are 0 otherwise. */
typedef struct tl_window_cfg {
    const char *taps_name; /* what messages call the taps: "kernel", "window" */
    int64_t taps, stride, dilation;
    tl_padding padding;
    int64_t pad_left, pad_right;
} tl_window_cfg;

/* The name of the tl_padding of that number; NULL behind the last. */
const char *tl_padding_at(size_t index);

/* No network needs more: taps, strides, dilation and padding beyond come from damaged files. */
enum { TL_MAX_STEPS = 1 << 24 };

/* Fails where a number of steps, called `what`, is outside of `minimum` … TL_MAX_STEPS. */
tl_status tl_steps_check(const char *what, int64_t steps, int64_t minimum, tl_error *error);

/* How many windows there are over the first `length` steps of such series: those that would be there if the series ended there, but
 * with the padding on the left as it is. Neither the left padding of TL_PADDING_SAME nor what was checked depends on it. */
size_t tl_window_count(const tl_window_cfg *cfg, size_t length);

/* Sets *window to the windows over `length` inputs; fails naming the value that is out of range, or where the window is longer than
 * the padded input. */
tl_status tl_window_make(const tl_window_cfg *cfg, size_t length, tl_window *window, tl_error *error);

#endif
