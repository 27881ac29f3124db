/* The probability that a standard normal variable is less than -x. */
static float net_tail(float x) {
    if (!(x < 13)) return x > 0 ? 0 : x;
    const float above = 0.5f + x * (0.435568837f + x * (0.181220199f + x * (0.0399551118f + x * 0.00401590509f)));
    const float below = 1 + x * (1.66902259f + x * (1.19412365f + x * (0.464151891f + x * (0.100160038f + x * 0.0100662369f))));
    return above / below * net_exp(-x * x / 2);
}
