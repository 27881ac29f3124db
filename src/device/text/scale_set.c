/* (x - mean) / deviation of each channel; `rest` is the rounding error of the mean. */
static void scale_set(const float *x, int length, int channels, const float *mean, const float *rest, const float *deviation,
                      float *y) {
    for (int t = 0; t < length; t++)
        for (int c = 0; c < channels; c++) y[t * channels + c] = ((x[t * channels + c] - mean[c]) - rest[c]) / deviation[c];
}
