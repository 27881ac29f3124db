/* Windows over time: output t reads the steps t * stride + tap * dilation - pad_left of its input, if they exist. */
struct window {
    int length, out_length, taps, stride, dilation, pad_left;
};
