/* Computes one row of COLUMNS sums. Each sum has four independent parts. */
INLINE void multiply_row(const struct products *p, const float *x, const float *w, const float *b, float *y) {
    const int w_row = p->w_row, whole = p->count - p->count % 4;
    lanes left0 = *(const lanes_at *)b, right0 = *(const lanes_at *)(b + LANES);
    lanes left1 = left0 * 0, left2 = left1, left3 = left1, right1 = left1, right2 = left1, right3 = left1;
    for (int tap = 0; tap < p->taps; tap++, x += p->x_tap) {
        for (int j = 0; j < whole; j += 4, w += 4 * w_row) {
            const float *w1 = w + w_row, *w2 = w1 + w_row, *w3 = w2 + w_row;
            left0 += x[j] * *(const lanes_at *)w, right0 += x[j] * *(const lanes_at *)(w + LANES);
            left1 += x[j + 1] * *(const lanes_at *)w1, right1 += x[j + 1] * *(const lanes_at *)(w1 + LANES);
            left2 += x[j + 2] * *(const lanes_at *)w2, right2 += x[j + 2] * *(const lanes_at *)(w2 + LANES);
            left3 += x[j + 3] * *(const lanes_at *)w3, right3 += x[j + 3] * *(const lanes_at *)(w3 + LANES);
        }
        for (int j = whole; j < p->count; j++, w += w_row)
            left0 += x[j] * *(const lanes_at *)w, right0 += x[j] * *(const lanes_at *)(w + LANES);
    }
    store(y, (left0 + left1) + (left2 + left3), p->relu);
    store(y + LANES, (right0 + right1) + (right2 + right3), p->relu);
}

/* The columns of a tile, or 1 if there are fewer. */
INLINE int columns_of(int count) { return count >= COLUMNS ? COLUMNS : 1; }

INLINE void multiply(const struct products *p, int rows, int columns, const float *x, const float *w, const float *b, float *y) {
    if (columns == COLUMNS && rows == 1)
        multiply_row(p, x, w, b, y);
    else if (columns == COLUMNS)
        multiply_tile(p, rows, x, w, b, y);
    else
        multiply_column(p, rows, x, w, b, y);
}
