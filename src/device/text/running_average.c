/* The mean of all rows so far. state: sums, their rounding errors (Kahan 1965), number of rows. */
static void running_average(const float *x, int rows, int channels, float *state, float *y) {
    float *sum = state, *rest = state + channels, *count = rest + channels;
    *count += (float)rows;
    for (int c = 0; c < channels; c++) {
        for (int t = 0; t < rows; t++) {
            const float value = x[t * channels + c] - rest[c], total = sum[c] + value;
            rest[c] = (total - sum[c]) - value;
            sum[c] = total;
        }
        y[c] = sum[c] / *count;
    }
}
