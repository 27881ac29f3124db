/* The maximum of each window, for each channel. */
static void q_pool_max(const struct window *over, int channels, const signed char *x, signed char *y) {
    for (int t = 0; t < over->out_length; t++)
        for (int c = 0; c < channels; c++) {
            const struct taps seen = taps_at(over, t);
            const int start = t * over->stride - over->pad_left;
            signed char largest = -128;
            for (int j = seen.first; j < seen.end; j++) {
                const signed char value = x[(start + j) * channels + c];
                if (value > largest) largest = value;
            }
            y[t * channels + c] = largest;
        }
}
