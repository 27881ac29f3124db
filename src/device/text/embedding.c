/* Looks up rows of a table. The result is NaN if x is no index of a row. */
static void embedding(const float *x, int rows, int vocabulary, int units, const float *table, float *y) {
    for (int row = 0; row < rows; row++, y += units) {
        const int number = x[row] >= 0 && x[row] < (float)vocabulary ? (int)x[row] : -1;
        const int known = number >= 0 && (float)number == x[row];
        for (int i = 0; i < units; i++) y[i] = known ? table[number * units + i] : NAN;
    }
}
