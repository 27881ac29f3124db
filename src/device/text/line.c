/* A ring buffer of the newest rows. It has two copies, one after the other, so that any `rows` rows are contiguous. */
struct line {
    float *at;
    int rows, channels;
};

struct place {
    int row;      /* the row of the first copy that is written next */
    unsigned end; /* number of rows written */
};

/* The position of a layer in a series. Its next window starts at row `from`, or `before` rows before the start of the series. The
 * first `drop` rows of its output are discarded. */
struct reader {
    unsigned from;
    int before, drop;
};

INLINE float *new_row(const struct line *line, const struct place *place) { return line->at + place->row * line->channels; }

/* Ends a row that is complete. */
INLINE void end_row(const struct line *line, struct place *place) {
    float *row = new_row(line, place), *again = row + line->rows * line->channels;
    if (line->rows > 1)
        for (int i = 0; i < line->channels; i++) again[i] = row[i];
    place->row = place->row + 1 < line->rows ? place->row + 1 : 0;
    place->end++;
}
