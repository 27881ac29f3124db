/* Probabilities of the channels of each step. */
static void softmax(const float *x, int rows, int channels, float *y) {
    for (int row = 0; row < rows; row++, x += channels, y += channels) {
        float largest = x[0], sum = 0;
        for (int c = 1; c < channels; c++)
            if (x[c] > largest) largest = x[c];
        for (int c = 0; c < channels; c++) sum += y[c] = net_exp(x[c] - largest);
        for (int c = 0; c < channels; c++) y[c] /= sum;
    }
}
