/* Converts 8-bit integers back to numbers. */
static void dequantize(const signed char *x, int count, float scale, int zero, float *y) {
    for (int i = 0; i < count; i++) y[i] = (float)(x[i] - zero) * scale;
}
