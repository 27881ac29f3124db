/* MiniRocket's kernels on a series or its differences: nine taps, three of which have the weight 2 and the others -1. */
struct rocket {
    int length, channels, differences;
    int chosen;             /* elements of `channel` for each kernel; 0: all kernels read the first row */
    int dilations;          /* number of dilations */
    int statistics, stride; /* features of each bias, and the distance between them in y */
    const int *dilation;    /* (dilations, 2) distance of the taps, number of biases of each kernel */
    const float *bias;      /* of all kernels at the first dilation, then at the next */
    const int *channel;     /* (dilations, 84, chosen) the channels that a kernel adds up, then -1 */
};

/* The negative sum of all nine taps, which all kernels share. */
static void rocket_share(const float *x, int steps, int distance, float *shared) {
    for (int t = 0; t < steps; t++) {
        float sum = x[t];
        for (int tap = -4; tap <= 4; tap++) {
            const int at = t + tap * distance;
            if (tap != 0 && at >= 0 && at < steps) sum += x[at];
        }
        shared[t] = -sum;
    }
}

/* Adds a channel to the outputs of the kernel whose taps of weight 2 are these. It adds x three times, because a product and a sum
 * may be rounded together. */
static void rocket_add(const float *x, const float *shared, int steps, int distance, const int *tap, int first, float *output) {
    for (int t = 0; t < steps; t++) {
        float sum = shared[t];
        for (int i = 0; i < 3; i++) {
            const int at = t + (tap[i] - 4) * distance;
            if (at >= 0 && at < steps) sum += x[at] + x[at] + x[at];
        }
        output[t] = first ? sum : output[t] + sum;
    }
}

/* All kernels at dilation number d. x: (channels, steps); shared: the same; output: (steps). Returns the number of biases. */
static int rocket_dilation(const struct rocket *r, int d, const float *x, const float *shared, const float *bias, float *output,
                           float *y) {
    const int steps = r->length - r->differences, distance = r->dilation[2 * d], biases = r->dilation[2 * d + 1];
    int kernel = 0;
    for (int i = 0; i < 9; i++)
        for (int j = i + 1; j < 9; j++)
            for (int k = j + 1; k < 9; k++, kernel++) {
                const int tap[3] = {i, j, k}, *channel = r->channel + (d * 84 + kernel) * r->chosen;
                const int cut = (d + kernel) % 2 == 1 && steps > 8 * distance ? 4 * distance : 0; /* outputs without padding */
                for (int n = 0; n == 0 || (n < r->chosen && channel[n] >= 0); n++) {
                    const int at = channel[n] * steps;
                    rocket_add(x + at, shared + at, steps, distance, tap, n == 0, output);
                }
                for (int b = kernel * biases; b < (kernel + 1) * biases; b++)
                    rocket_pool(output + cut, steps - 2 * cut, bias[b], r->statistics, r->stride, y + b);
            }
    return 84 * biases;
}

/* x: (length, channels); y: (statistics, biases), rows `stride` apart; scratch: ((2 channels + 1) length). */
static void rocket(const struct rocket *r, const float *x, float *scratch, float *y) {
    const int steps = r->length - r->differences, count = r->channels * steps;
    const float *bias = r->bias, fault = fault_of(x, r->length * r->channels);
    float *shared = scratch + count, *output = shared + count;
    for (int i = 0; i < count; i++) scratch[i] = series_at(x + i / steps, r->channels, r->differences, i % steps);
    for (int d = 0; d < r->dilations; d++) {
        for (int c = 0; c < r->channels; c++) rocket_share(scratch + c * steps, steps, r->dilation[2 * d], shared + c * steps);
        const int biases = rocket_dilation(r, d, scratch, shared, bias, output, y);
        for (int i = 0; i < r->statistics * biases; i++) y[i / biases * r->stride + i % biases] += fault;
        bias += biases;
        y += biases;
    }
}
