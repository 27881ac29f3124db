/* The maximum of all rows so far for each channel. state: maximum of the earlier rows, and whether there were any. */
static void running_max(const float *x, int rows, int channels, float *state, float *y) {
    float *any = state + channels;
    for (int t = 0; t < rows; t++, *any = 1)
        for (int c = 0; c < channels; c++)
            if (*any == 0 || x[t * channels + c] > state[c]) state[c] = x[t * channels + c];
    for (int c = 0; c < channels; c++) y[c] = state[c];
}
