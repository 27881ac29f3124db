static float relu(float x) { return x < 0 ? 0 : x; }
