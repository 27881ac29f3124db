static float net_sqrt(float x) {
    float scale = 1;
    if (!(x > 0) || x > 3e38f) return x;
    for (; x > 4; x /= 4) scale *= 2;
    for (; x < 1; x *= 4) scale /= 2;
    float root = (1 + x) / 2;
    for (int i = 0; i < 4; i++) root = (root + x / root) / 2;
    return scale * root;
}
