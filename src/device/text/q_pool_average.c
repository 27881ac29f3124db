/* The mean of each window, for each channel. Steps in the padding do not count: multiplier[n] and shift[n] are the factor for
 * windows with n missing steps. */
static void q_pool_average(const struct window *over, int channels, int x_zero, int y_zero, const int *multiplier,
                           const unsigned char *shift, const signed char *x, signed char *y) {
    for (int t = 0; t < over->out_length; t++)
        for (int c = 0; c < channels; c++) {
            const struct taps seen = taps_at(over, t);
            const int start = t * over->stride - over->pad_left, missing = over->taps - (seen.end - seen.first);
            int sum = 0;
            for (int j = seen.first; j < seen.end; j++) sum += x[(start + j) * channels + c] - x_zero;
            y[t * channels + c] = requantize(sum, multiplier[missing], shift[missing], y_zero, -128);
        }
}
