/* Step t of a channel, or how much the step after it is larger. */
static float series_at(const float *x, int channels, int differences, int t) {
    return differences ? x[(t + 1) * channels] - x[t * channels] : x[t * channels];
}

/* Returns 0, or NaN if a number is not finite. */
static float fault_of(const float *x, int count) {
    float fault = 0;
    for (int i = 0; i < count; i++) fault += x[i] - x[i];
    return fault;
}
