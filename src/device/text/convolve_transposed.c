/* Adds the products with tap j: step i of x contributes to output i * stride + j * dilation - pad_left. */
static void add_tap(const struct convolution *c, int j, int columns, const float *x, const float *w, float *y) {
    const struct window *over = &c->over;
    const struct products p = {1, c->channels, c->channels, 0, c->filters, over->stride * c->filters, over->stride * c->filters, 0};
    const int shift = j * over->dilation - over->pad_left, last = over->out_length - 1 - shift;
    const int first = shift >= 0 ? 0 : (over->stride - 1 - shift) / over->stride;
    int end = last < 0 ? 0 : last / over->stride + 1;
    if (end > over->length) end = over->length;
    for (int i = first; i < end; i += ROWS) {
        float *to = y + (i * over->stride + shift) * c->filters;
        multiply(&p, end - i < ROWS ? end - i : ROWS, columns, x + i * c->channels, w, to, to);
    }
}

/* The transpose of a convolution. y: (out_length, filters) of x: (length, channels); w: (taps, channels, filters), b: (filters). */
static void convolve_transposed(const struct convolution *c, const float *x, const float *w, const float *b, float *y) {
    const int columns = columns_of(c->filters);
    for (int f = 0; f < c->filters; f += columns) {
        if (f + columns > c->filters) f = c->filters - columns; /* computes some filters twice */
        for (int t = 0; t < c->over.out_length; t++)
            for (int i = f; i < f + columns; i++) y[t * c->filters + i] = b[i];
        for (int j = 0; j < c->over.taps; j++) add_tap(c, j, columns, x, w + j * c->channels * c->filters + f, y + f);
    }
    if (c->relu) rectify(y, c->over.out_length * c->filters);
}
