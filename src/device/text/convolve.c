/* Number of outputs from t on (at most ROWS) that use the same taps. */
static int rows_alike(const struct window *over, int t) {
    const struct taps seen = taps_at(over, t);
    int rows = 1;
    while (rows < ROWS && t + rows < over->out_length) {
        const struct taps next = taps_at(over, t + rows);
        if (next.first != seen.first || next.end != seen.end) break;
        rows++;
    }
    return rows;
}

/* Computes `columns` filters of a group. x starts at the channels of the group; y, w and b start at the first of these filters. */
static void convolve_columns(const struct convolution *c, int columns, const float *x, const float *w, const float *b, float *y) {
    const struct window *over = &c->over;
    const int channels = c->channels / c->groups;
    struct products p = {0, channels, over->stride * c->channels, over->dilation * c->channels, c->filters, 0, c->filters, c->relu};
    for (int t = 0, rows; t < over->out_length; t += rows) {
        const struct taps seen = taps_at(over, t);
        const int start = seen.first < seen.end ? t * over->stride + seen.first * over->dilation - over->pad_left : 0;
        float *to = y + t * c->filters;
        rows = rows_alike(over, t);
        p.taps = seen.end - seen.first;
        p.count = channels;
        if (p.x_tap == channels) p.count *= p.taps, p.taps = 1; /* taps without gaps between them */
        multiply(&p, rows, columns, x + start * c->channels, w + seen.first * channels * c->filters, b, to);
    }
}

/* y: (out_length, filters) of x: (length, channels); w: (taps, channels / groups, filters), b: (filters). */
static void convolve(const struct convolution *c, const float *x, const float *w, const float *b, float *y) {
    const int filters = c->filters / c->groups, columns = columns_of(filters);
    for (int group = 0; group < c->groups; group++)
        for (int f = 0; f < filters; f += columns) {
            if (f + columns > filters) f = filters - columns; /* computes some filters twice */
            const int at = group * filters + f;
            convolve_columns(c, columns, x + group * (c->channels / c->groups), w + at, b + at, y + at);
        }
}
