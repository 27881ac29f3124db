/* Makes `factor` steps from each step by linear interpolation between the centres of the steps of x. */
static void upsample_linear(const float *x, int length, int channels, int factor, float *y) {
    for (int t = 0; t < length * factor; t++) {
        const int place = 2 * t + 1 - factor; /* in units of a step / (2 * factor) */
        const int left = place <= 0 ? 0 : place / (2 * factor), right = left + 1 < length ? left + 1 : left;
        const float weight = place <= 0 ? 0 : (float)(place % (2 * factor)) / (float)(2 * factor);
        for (int c = 0; c < channels; c++)
            y[t * channels + c] = (1 - weight) * x[left * channels + c] + weight * x[right * channels + c];
    }
}
