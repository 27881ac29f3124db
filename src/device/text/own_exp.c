static float net_exp(float x) {
    if (!(x >= -87)) return x < 0 ? 0 : x;
    if (x > 88) return INFINITY;
    const struct power p = power_of(x);
    return p.scale * p.rest + p.scale;
}
