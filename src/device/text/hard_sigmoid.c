static float hard_sigmoid(float x) {
    const float y = x / 6 + 0.5f;
    return y < 0 ? 0 : y > 1 ? 1 : y;
}
