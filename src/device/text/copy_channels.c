/* Copies the channels of x into wider rows of y. */
static void copy_channels(const float *x, int rows, int channels, int y_channels, float *y) {
    for (int row = 0; row < rows; row++)
        for (int c = 0; c < channels; c++) y[row * y_channels + c] = x[row * channels + c];
}
