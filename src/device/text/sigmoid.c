static float sigmoid(float x) { return 1 / (1 + net_exp(-x)); }
