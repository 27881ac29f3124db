/* log(1 + x) for 0 <= x <= 1. */
static float net_log1p(float x) {
    const float s = x / (x + 2), square = s * s;
    return x - s * (x - square * (0.666666399f + square * (0.400076257f + square * (0.282350419f + square * 0.268610231f))));
}
