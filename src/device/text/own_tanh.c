static float net_tanh(float x) {
    const float size = x < 0 ? -x : x, less_one = net_expm1(size > 20 ? 40 : 2 * size), y = less_one / (less_one + 2);
    return x < 0 ? -y : y;
}
