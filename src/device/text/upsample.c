/* Repeats each step `factor` times. */
static void upsample(const float *x, int length, int channels, int factor, float *y) {
    for (int t = 0; t < length * factor; t++)
        for (int c = 0; c < channels; c++) y[t * channels + c] = x[t / factor * channels + c];
}
