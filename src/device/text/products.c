/* Computes y[row][i] = b[row][i] + the sum over tap, j of x[row][tap][j] * w[tap][j][i]. Strides count elements. */
enum { ROWS = 4, COLUMNS = 2 * LANES };

struct products {
    int taps, count;         /* number of taps; number of elements j in each tap */
    int x_row, x_tap, w_row; /* strides between rows of x, between taps of x, and between rows w[tap][j] */
    int b_row, y_row;        /* strides between rows of b (0: all use one row), and between rows of y */
    int relu;                /* negative sums become 0 */
};

/* Computes at most ROWS rows of COLUMNS sums in registers. Rows that do not exist repeat the last one. */
static void multiply_tile(const struct products *p, int rows, const float *x, const float *w, const float *b, float *y) {
    const int at1 = rows > 1 ? 1 : 0, at2 = rows > 2 ? 2 : at1, at3 = rows > 3 ? 3 : at2;
    const float *b1 = b + at1 * p->b_row, *b2 = b + at2 * p->b_row, *b3 = b + at3 * p->b_row;
    float *y1 = y + at1 * p->y_row, *y2 = y + at2 * p->y_row, *y3 = y + at3 * p->y_row;
    const int x1 = at1 * p->x_row, x2 = at2 * p->x_row, x3 = at3 * p->x_row, w_row = p->w_row;
    lanes left0 = *(const lanes_at *)b, left1 = *(const lanes_at *)b1, left2 = *(const lanes_at *)b2, left3 = *(const lanes_at *)b3;
    lanes right0 = *(const lanes_at *)(b + LANES), right1 = *(const lanes_at *)(b1 + LANES),
          right2 = *(const lanes_at *)(b2 + LANES), right3 = *(const lanes_at *)(b3 + LANES);
    for (int tap = 0; tap < p->taps; tap++, x += p->x_tap)
        for (int j = 0; j < p->count; j++, w += w_row) {
            const lanes left = *(const lanes_at *)w, right = *(const lanes_at *)(w + LANES);
            const float a0 = x[j], a1 = x[j + x1], a2 = x[j + x2], a3 = x[j + x3];
            left0 += a0 * left, right0 += a0 * right;
            left1 += a1 * left, right1 += a1 * right;
            left2 += a2 * left, right2 += a2 * right;
            left3 += a3 * left, right3 += a3 * right;
        }
    store(y3, left3, p->relu), store(y3 + LANES, right3, p->relu);
    store(y2, left2, p->relu), store(y2 + LANES, right2, p->relu);
    store(y1, left1, p->relu), store(y1 + LANES, right1, p->relu);
    store(y, left0, p->relu), store(y + LANES, right0, p->relu);
}

/* The same for one column. */
static void multiply_column(const struct products *p, int rows, const float *x, const float *w, const float *b, float *y) {
    const int at1 = rows > 1 ? 1 : 0, at2 = rows > 2 ? 2 : at1, at3 = rows > 3 ? 3 : at2;
    const int x1 = at1 * p->x_row, x2 = at2 * p->x_row, x3 = at3 * p->x_row, w_row = p->w_row;
    float sum0 = b[0], sum1 = b[at1 * p->b_row], sum2 = b[at2 * p->b_row], sum3 = b[at3 * p->b_row];
    for (int tap = 0; tap < p->taps; tap++, x += p->x_tap)
        for (int j = 0; j < p->count; j++, w += w_row) {
            sum0 += x[j] * *w;
            sum1 += x[j + x1] * *w;
            sum2 += x[j + x2] * *w;
            sum3 += x[j + x3] * *w;
        }
    y[at3 * p->y_row] = p->relu && sum3 < 0 ? 0 : sum3;
    y[at2 * p->y_row] = p->relu && sum2 < 0 ? 0 : sum2;
    y[at1 * p->y_row] = p->relu && sum1 < 0 ? 0 : sum1;
    y[0] = p->relu && sum0 < 0 ? 0 : sum0;
}
