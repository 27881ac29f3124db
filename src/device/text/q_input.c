/* Converts numbers to the nearest 8-bit integers. */
static void quantize(const float *x, int count, float scale, int zero, signed char *y) {
    for (int i = 0; i < count; i++) {
        const float place = x[i] / scale;
        const int nearest = place > 300 ? 300 : place < -300 ? -300 : (int)(place < 0 ? place - 0.5f : place + 0.5f);
        const int value = nearest + zero;
        y[i] = (signed char)(value < -128 ? -128 : value > 127 ? 127 : value);
    }
}
