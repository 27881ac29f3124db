struct convolution {
    struct window over;
    int channels, filters, groups, relu;
};
