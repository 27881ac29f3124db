static float elu(float x, float alpha, float scale) { return scale * (x < 0 ? alpha * net_expm1(x) : x); }
