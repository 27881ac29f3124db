/* Pads a series with mirrored steps (mode 'r'), with copies of its first and last step (mode 'l'), or periodically (mode 'c'). */
static void pad(const float *x, int length, int channels, char mode, int pad_left, int padded, float *y) {
    for (int t = 0; t < padded; t++, y += channels) {
        int from = t - pad_left;
        if (mode == 'r') from = from < 0 ? -from : from >= length ? 2 * (length - 1) - from : from;
        if (mode == 'l') from = from < 0 ? 0 : from >= length ? length - 1 : from;
        if (mode == 'c') from = (from % length + length) % length;
        for (int i = 0; i < channels; i++) y[i] = x[from * channels + i];
    }
}
