static float net_log1p(float x) { return log1pf(x); }
