/* The probability that a standard normal variable is less than -x. */
static float net_tail(float x) { return 0.5f * erfcf(x * 0.707106781f); }
