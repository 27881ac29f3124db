/* The newest rows of numbers, twice one behind the other, so that any `rows` of them lie side by side. */
struct line {
    float *at;
    int rows, channels;
};

struct place {
    int row;      /* that is written next, of the first copy */
    unsigned end; /* how many have been written */
};

/* Where a layer is in a series: its next window begins with row `from`, before the beginning where `before` is above 0. The first
 * `drop` rows that it makes do not count. */
struct reader {
    unsigned from;
    int before, drop;
};

INLINE float *new_row(const struct line *line, const struct place *place) { return line->at + place->row * line->channels; }

/* The row is complete. */
INLINE void end_row(const struct line *line, struct place *place) {
    float *row = new_row(line, place), *again = row + line->rows * line->channels;
    if (line->rows > 1)
        for (int i = 0; i < line->channels; i++) again[i] = row[i];
    place->row = place->row + 1 < line->rows ? place->row + 1 : 0;
    place->end++;
}
