/* Groups of eight kernels of nine taps that compete for each step of a series or of its differences. */
struct hydra {
    int length, channels;
    int chosen;            /* elements of `channel` for each group; 0: all groups read the first one */
    int doublings, groups; /* dilations 1, 2, 4 …; groups on the series, and on the differences, at each */
    const float *weight;   /* (doublings, 2, groups, 9, 8) */
    const int *channel;    /* (doublings, 2, groups, chosen) the channels that a group adds up, then -1 */
};

/* The input of a group: (steps). */
static void hydra_input(const struct hydra *h, const float *x, const int *channel, int differences, float *input) {
    for (int n = 0; n == 0 || (n < h->chosen && channel[n] >= 0); n++)
        for (int t = 0; t < h->length - differences; t++) {
            const float value = series_at(x + channel[n], h->channels, differences, t);
            input[t] = n == 0 ? value : input[t] + value;
        }
}

/* The square roots of two numbers for each kernel: the sum of its outputs at the steps where it is the largest of the group, and
 * the number of steps where it is the smallest. y: (2, 8). */
static void hydra_group(const float *input, int steps, int distance, const float *weight, float fault, float *y) {
    for (int f = 0; f < 16; f++) y[f] = 0;
    for (int t = 0; t < steps; t++) {
        float output[8] = {0};
        int high = 0, low = 0;
        for (int tap = 0; tap < 9; tap++) {
            const int at = t + (tap - 4) * distance;
            for (int k = 0; k < 8 && at >= 0 && at < steps; k++) output[k] += input[at] * weight[tap * 8 + k];
        }
        for (int k = 1; k < 8; k++) {
            if (output[k] > output[high]) high = k;
            if (output[k] < output[low]) low = k;
        }
        y[high] += output[high];
        y[8 + low] += 1;
    }
    for (int f = 0; f < 16; f++) y[f] = net_sqrt(y[f] > 0 ? y[f] : 0) + fault;
}

/* x: (length, channels); y: (doublings, 2, groups, 16); scratch: (length). */
static void hydra(const struct hydra *h, const float *x, float *scratch, float *y) {
    const float fault = fault_of(x, h->length * h->channels);
    for (int row = 0; row < 2 * h->doublings * h->groups; row++) {
        const int half = row / h->groups, differences = half % 2;
        hydra_input(h, x, h->channel + row * h->chosen, differences, scratch);
        hydra_group(scratch, h->length - differences, 1 << half / 2, h->weight + row * 72, fault, y + row * 16);
    }
}
