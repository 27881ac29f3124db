/* (x - mean) * factor + shift of each channel. */
static void batch_norm(const float *x, int rows, int channels, const float *mean, const float *factor, const float *shift,
                       float *y) {
    for (int row = 0; row < rows; row++)
        for (int c = 0; c < channels; c++) y[row * channels + c] = (x[row * channels + c] - mean[c]) * factor[c] + shift[c];
}
