static float net_expm1(float x) {
    if (!(x >= -87)) return x < 0 ? -1 : x;
    if (x > 88) return INFINITY;
    const struct power p = power_of(x);
    return p.scale * p.rest + (p.scale - 1);
}
