/* Normalises the channels of each step. */
static void layer_norm(const float *x, int rows, int channels, float epsilon, const float *scale, const float *shift, float *y) {
    for (int row = 0; row < rows; row++)
        group_norm(x + row * channels, 1, channels, channels, epsilon, scale, shift, y + row * channels);
}
