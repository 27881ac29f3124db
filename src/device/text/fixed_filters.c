/* Tap j of a peak filter with `taps` taps: six parabolas with the heights -1, -1, 2, 2, -1, -1. */
static float peak_at(int j, int taps) {
    const int part = taps / 6, within = j % part, rising = j / part % 2 == 0 ? within + 1 : part - within;
    const float height = (float)rising / (float)part;
    return (j / part / 2 == 1 ? 2.0f : -1.0f) * height * height;
}

/* Applies seventeen fixed filters to the sum of the channels: increase and decrease with 2 ... 64 taps, peaks with 6 ... 96 taps.
 * Each filter has a factor and a bias. sum: (length), scratch memory. */
static void fixed_filters(const float *x, int length, int channels, const float *factor, const float *bias, float *sum, float *y) {
    for (int t = 0; t < length; t++) {
        sum[t] = 0;
        for (int c = 0; c < channels; c++) sum[t] += x[t * channels + c];
    }
    for (int f = 0; f < 17; f++) {
        const int taps = f < 12 ? 2 << f % 6 : 6 << (f - 12), left = (taps - 1) / 2;
        for (int t = 0; t < length; t++) y[t * 17 + f] = 0;
        for (int j = 0; j < taps; j++) {
            const float tap = f >= 12 ? peak_at(j, taps) : (j % 2 == 0) == (f < 6) ? -1.0f : 1.0f;
            const int first = j < left ? left - j : 0, end = length + left - j < length ? length + left - j : length;
            for (int t = first; t < end; t++) y[t * 17 + f] += tap * sum[t + j - left];
        }
        for (int t = 0; t < length; t++) y[t * 17 + f] = y[t * 17 + f] * factor[f] + bias[f];
    }
}
