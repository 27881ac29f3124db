static float leaky_relu(float x, float slope) { return x < 0 ? slope * x : x; }
