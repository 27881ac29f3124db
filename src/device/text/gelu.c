static float gelu(float x) {
    const float below = x * net_tail(x < 0 ? -x : x);
    return x > 0 ? x - below : below;
}
