/* Normalises each group of `width` channels over `rows` steps, then scales and shifts each channel. */
static void group_norm(const float *x, int rows, int channels, int width, float epsilon, const float *scale, const float *shift,
                       float *y) {
    for (int c = 0; c < channels; c += width) {
        const float first = x[c], count = (float)(rows * width);
        float mean = 0, squares = 0;
        for (int t = 0; t < rows; t++)
            for (int i = t * channels + c; i < t * channels + c + width; i++) mean += x[i] - first;
        mean /= count;
        for (int t = 0; t < rows; t++)
            for (int i = t * channels + c; i < t * channels + c + width; i++) {
                const float distance = (x[i] - first) - mean;
                squares += distance * distance;
            }
        const float factor = 1 / net_sqrt(squares / count + epsilon);
        for (int t = 0; t < rows; t++)
            for (int i = c; i < c + width; i++) {
                const int at = t * channels + i;
                y[at] = ((x[at] - first) - mean) * factor * scale[i] + shift[i];
            }
    }
}
