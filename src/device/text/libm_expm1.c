static float net_expm1(float x) { return expm1f(x); }
