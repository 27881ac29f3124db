/* The taps from `first` to `end - 1`. */
struct taps {
    int first, end;
};

/* The taps of output t that are on steps of the input, not on the padding. */
static struct taps taps_at(const struct window *over, int t) {
    const int start = t * over->stride - over->pad_left, rest = over->length - start;
    struct taps seen;
    seen.first = start >= 0 ? 0 : (over->dilation - 1 - start) / over->dilation;
    seen.end = rest <= 0 ? 0 : (rest + over->dilation - 1) / over->dilation;
    if (seen.end > over->taps) seen.end = over->taps;
    if (seen.first > seen.end) seen.first = seen.end;
    return seen;
}
