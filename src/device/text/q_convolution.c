struct q_convolution {
    struct window over;
    int channels, filters, groups, x_zero, y_zero, low;
};

/* What the sums of each filter become. */
struct q_filters {
    const int *bias, *multiplier;
    const unsigned char *shift;
};
