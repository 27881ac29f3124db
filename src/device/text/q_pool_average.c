/* The mean of the steps of each window, by channel. multiplier, shift: of windows in which no step is missing, one is, and so on */
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
