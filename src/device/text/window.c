/* Windows over time: output t sees the steps t * stride + tap * dilation - pad_left of its input, those that exist. */
struct window {
    int length, out_length, taps, stride, dilation, pad_left;
};
