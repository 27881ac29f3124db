/* Scales each channel of a series to mean 0 and standard deviation 1; a constant channel becomes 0. */
static void scale_series(const float *x, int length, int channels, float *y) {
    for (int c = 0; c < channels; c++) {
        const int end = length * channels;
        float largest = 0, mean = 0, rest = 0, squares = 0;
        for (int i = c; i < end; i += channels) {
            y[i] = x[i] - x[c]; /* a constant becomes exactly 0 */
            if (y[i] > largest) largest = y[i];
            if (-y[i] > largest) largest = -y[i];
        }
        if (!(largest > 0)) continue;
        for (int i = c; i < end; i += channels) mean += y[i] /= largest; /* squares cannot overflow or underflow */
        mean /= (float)length;
        for (int i = c; i < end; i += channels) rest += y[i] - mean; /* rounding error of the mean */
        mean += rest / (float)length;
        for (int i = c; i < end; i += channels) {
            y[i] -= mean;
            squares += y[i] * y[i];
        }
        for (int i = c; i < end; i += channels) y[i] *= 1 / net_sqrt(squares / (float)length);
    }
}
