/* Applies one filter to each channel. y: (out_length, channels) of x: (length, channels); w: (taps, channels), b: (channels). */
static void convolve_depthwise(const struct convolution *c, const float *x, const float *w, const float *b, float *y) {
    const struct window *over = &c->over;
    const int channels = c->channels, vectors = channels - channels % LANES;
    for (int t = 0; t < over->out_length; t++, y += channels) {
        const struct taps seen = taps_at(over, t);
        const int start = t * over->stride - over->pad_left;
        for (int i = 0; i < vectors; i += LANES) {
            lanes sum = *(const lanes_at *)(b + i);
            for (int j = seen.first; j < seen.end; j++)
                sum += *(const lanes_at *)(x + (start + j * over->dilation) * channels + i) *
                       *(const lanes_at *)(w + j * channels + i);
            store(y + i, sum, c->relu);
        }
        for (int i = vectors; i < channels; i++) {
            y[i] = b[i];
            for (int j = seen.first; j < seen.end; j++)
                y[i] += x[(start + j * over->dilation) * channels + i] * w[j * channels + i];
            if (c->relu && y[i] < 0) y[i] = 0;
        }
    }
}
