struct q_convolution {
    struct window over;
    int channels, filters, groups, x_zero, y_zero, low;
};

/* For each filter: the bias of its sum, and the factor multiplier / 2^shift of the sum. */
struct q_filters {
    const int *bias, *multiplier;
    const unsigned char *shift;
};
