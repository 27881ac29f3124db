/* Replaces each integer by its entry in a table. A row of y has y_channels integers; `channels` of them are written. */
static void q_table(const signed char *x, int rows, int channels, int y_channels, const signed char *table, signed char *y) {
    for (int row = 0; row < rows; row++)
        for (int c = 0; c < channels; c++) y[row * y_channels + c] = table[x[row * channels + c] + 128];
}
