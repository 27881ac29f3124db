/* Adds several arrays. Each term is (integer - zero) * multiplier / 2^20, with the zero point and the multiplier of its array. */
static void q_add(const signed char *const *terms, int inputs, int count, const int *zero, const int *multiplier, int y_zero,
                  int low, signed char *y) {
    for (int i = 0; i < count; i++) {
        long long sum = 0;
        for (int e = 0; e < inputs; e++) sum += (long long)(terms[e][i] - zero[e]) * multiplier[e];
        y[i] = requantize(sum, 1, 20, y_zero, low);
    }
}
