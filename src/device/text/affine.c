static float affine(float x, float scale, float shift) { return scale * x + shift; }
