/* One filter for each channel. y: (out_length, channels); x: (length, channels); w: (taps, channels). */
static void q_convolve_depthwise(const struct q_convolution *c, const signed char *x, const signed char *w,
                                 const struct q_filters *f, signed char *y) {
    const struct window *over = &c->over;
    const int channels = c->channels;
    for (int t = 0; t < over->out_length; t++) {
        const struct taps seen = taps_at(over, t);
        const int start = t * over->stride - over->pad_left;
        for (int i = 0; i < channels; i++) {
            int sum = f->bias[i];
            for (int j = seen.first; j < seen.end; j++)
                sum += (x[(start + j * over->dilation) * channels + i] - c->x_zero) * w[j * channels + i];
            y[t * channels + i] = requantize(sum, f->multiplier[i], f->shift[i], c->y_zero, c->low);
        }
    }
}
