/* x if x is positive, else x times the slope of the channel. */
static void prelu(const float *x, int rows, int channels, const float *slope, float *y) {
    for (int row = 0; row < rows; row++)
        for (int c = 0; c < channels; c++) {
            const int at = row * channels + c;
            y[at] = x[at] < 0 ? slope[c] * x[at] : x[at];
        }
}
