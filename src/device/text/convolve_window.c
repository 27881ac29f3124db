/* Computes one output of a convolution. x is the complete window. */
INLINE void convolve_window(const struct convolution *c, const float *x, const float *w, const float *b, float *y) {
    const int channels = c->groups > 1 ? c->channels / c->groups : c->channels;
    const int filters = c->groups > 1 ? c->filters / c->groups : c->filters, columns = columns_of(filters);
    const struct products p = {c->over.taps, channels, 0, c->over.dilation * c->channels, c->filters, 0, 0, c->relu};
    for (int group = 0; group < c->groups; group++)
        for (int f = 0; f < filters; f += columns) {
            if (f + columns > filters) f = filters - columns; /* computes some filters twice */
            const int at = group * filters + f;
            multiply(&p, 1, columns, x + group * channels, w + at, b + at, y + at);
        }
}
