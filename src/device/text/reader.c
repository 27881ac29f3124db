/* Pointer to the row with the number `from`. */
INLINE const float *rows_from(const struct line *line, const struct place *place, unsigned from) {
    const int row = place->row - (int)(place->end - from);
    return line->at + (row < 0 ? row + line->rows : row) * line->channels;
}

/* Whether the `extent` rows of the reader's next window have been written. */
INLINE int ready(const struct place *place, const struct reader *reader, int extent) {
    return (int)(place->end - reader->from) >= extent;
}

INLINE void go_on(struct reader *reader, int stride) {
    reader->from += (unsigned)stride;
    if (reader->before > 0) reader->before = reader->before > stride ? reader->before - stride : 0;
}
