/* The maximum of each window for each channel; NaN if the window contains a NaN. */
static void pool_max(const struct window *over, int channels, const float *x, float *y) {
    for (int t = 0; t < over->out_length; t++, y += channels) {
        const struct taps seen = taps_at(over, t);
        const float *from = x + (t * over->stride + seen.first - over->pad_left) * channels;
        for (int i = 0; i < channels; i++) y[i] = from[i];
        for (int j = seen.first + 1; j < seen.end; j++) {
            from += channels;
            for (int i = 0; i < channels; i++)
                if (from[i] > y[i] || from[i] != from[i]) y[i] = from[i];
        }
    }
}
