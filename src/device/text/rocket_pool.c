/* The share of the outputs that are above a bias. With 4 statistics also how much they are above it on average, the mean of their
 * places, and the largest number of them in a row. y: (statistics), `stride` apart. */
static void rocket_pool(const float *output, int count, float bias, int statistics, int stride, float *y) {
    int above = 0, run = 0, longest = 0;
    float sum = 0, places = 0;
    for (int t = 0; t < count; t++) above += output[t] > bias;
    y[0] = (float)above / (float)count;
    if (statistics == 1) return;
    for (int t = 0; t < count; t++) {
        run = output[t] > bias ? run + 1 : 0;
        if (run == 0) continue;
        sum += output[t] - bias;
        places += (float)t;
        if (run > longest) longest = run;
    }
    y[stride] = above > 0 ? sum / (float)above : 0;
    y[2 * stride] = above > 0 ? places / (float)above : -1;
    y[3 * stride] = (float)longest;
}
