static float softplus(float x) { return (x < 0 ? 0 : x) + net_log1p(net_exp(x < 0 ? x : -x)); }
