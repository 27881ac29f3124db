/* A function of each number, as a table; the channels of x go beside others in the rows of y. */
static void q_table(const signed char *x, int rows, int channels, int y_channels, const signed char *table, signed char *y) {
    for (int row = 0; row < rows; row++)
        for (int c = 0; c < channels; c++) y[row * y_channels + c] = table[x[row * channels + c] + 128];
}
