/* e^x = scale * rest + scale for -87 <= x <= 88; scale is a power of two. */
struct power {
    float scale, rest;
};

static struct power power_of(float x) {
    const int n = (int)(x * 1.44269504f + (x < 0 ? -0.5f : 0.5f)), size = n < 0 ? -n : n;
    const float r = (x - (float)n * 0.693145752f) - (float)n * 1.42860677e-06f; /* x - n * log 2; the first product is exact */
    struct power p = {1, 0};
    float base = n < 0 ? 0.5f : 2.0f;
    for (int bit = 1; bit <= size; bit *= 2, base *= base)
        if (size & bit) p.scale *= base;
    p.rest = r + r * r * (0.499999996f + r * (0.166665772f + r * (0.0416668534f + r * (0.00836315415f + r * 0.00139012973f))));
    return p;
}
