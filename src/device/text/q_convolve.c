enum { Q_COLUMNS = 16 }; /* number of sums that are computed together */

/* Adds the products of `columns` filters for output t. Factors have 16 bits and sums 32 bits, so no sum overflows or saturates. */
static void q_sums(const struct q_convolution *c, int columns, int t, const signed char *x, const signed char *w, int *sums) {
    const struct window *over = &c->over;
    const struct taps seen = taps_at(over, t);
    const int channels = c->channels / c->groups, start = t * over->stride - over->pad_left;
    for (int j = seen.first; j < seen.end; j++) {
        const signed char *row = x + (start + j * over->dilation) * c->channels, *to = w + j * channels * c->filters;
        for (int k = 0; k < channels; k++, to += c->filters) {
            const short value = (short)(row[k] - c->x_zero);
            for (int i = 0; i < columns; i++) sums[i] += value * (short)to[i];
        }
    }
}

/* y: (out_length, filters); x: (length, channels); w: (taps, channels / groups, filters). */
static void q_convolve(const struct q_convolution *c, const signed char *x, const signed char *w, const struct q_filters *f,
                       signed char *y) {
    const int channels = c->channels / c->groups, filters = c->filters / c->groups;
    for (int t = 0; t < c->over.out_length; t++)
        for (int first = 0, columns; first < c->filters; first += columns) {
            const int group = first / filters, rest = (group + 1) * filters - first;
            int sums[Q_COLUMNS];
            columns = rest < Q_COLUMNS ? rest : Q_COLUMNS;
            for (int i = 0; i < columns; i++) sums[i] = f->bias[first + i];
            q_sums(c, columns, t, x + group * channels, w + first, sums);
            for (int i = 0; i < columns; i++)
                y[t * c->filters + first + i] =
                    requantize(sums[i], f->multiplier[first + i], f->shift[first + i], c->y_zero, c->low);
        }
}
