static void rectify(float *y, int count) {
    for (int i = 0; i < count; i++) y[i] = y[i] < 0 ? 0 : y[i];
}
