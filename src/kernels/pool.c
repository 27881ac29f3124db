/* Maximum and mean over windows of time, one sample at a time: a vector of channels goes over its window in registers.
 *
 * Where the channels do not fill a vector, outputs that are stored once and in order are still stored as whole vectors: the
 * elements after the channels belong to rows that are stored later. Only at the end of the sample the vector is partial.
 */
#include "kernels/kernel.h"

/* The inputs that output t reads: first … last - 1; at least one, since every padding is shorter than the window. */
typedef struct window {
    size_t first, last;
} window;

TL_INLINE window window_at(const tl_pool_rows *p, size_t t) {
    const size_t start = t * p->stride, end = start + p->taps - p->pad_left;
    return (window){.first = start > p->pad_left ? start - p->pad_left : 0, .last = tl_min(end, p->length)};
}

/* The number of elements of the vector at channel c of a row, in a sample of `rows` rows; 0: all, including elements after the
 * row. */
TL_INLINE size_t part_at(const tl_pool_rows *p, size_t rows, size_t row, size_t c) {
    return row * p->channels + c + TL_LANES <= rows * p->channels ? 0 : p->channels - c;
}

TL_INLINE tl_vector load(const tl_real *from, size_t part) { return part ? tl_load_part(from, part) : tl_load(from); }

TL_INLINE void store(tl_real *to, tl_vector value, size_t part) {
    if (part)
        tl_store_part(to, value, part);
    else
        tl_store(to, value);
}

/* The maximum; NaN wins over numbers. */
TL_INLINE tl_vector larger(tl_vector best, tl_vector value) {
    const tl_mask nan = value != value; // NOLINT(misc-redundant-expression): true of NaN alone
    return tl_choose((value > best) | nan, value, best);
}

/* ---- forward: one vector of one output; x begins at its channels, and `part` of the vector is used (0: all) ---- */

TL_INLINE tl_vector largest(const tl_pool_rows *p, const tl_real *x, window w, size_t part) {
    tl_vector best = load(x + w.first * p->channels, part);
    for (size_t i = w.first + 1; i < w.last; i++) best = larger(best, load(x + i * p->channels, part));
    return best;
}

/* The weight of each input in the mean of a window. Only the few windows with padding need a division. */
TL_INLINE tl_real share_of(const tl_pool_rows *p, window w, tl_real of_whole) {
    return w.last - w.first == p->taps ? of_whole : 1 / (tl_real)(w.last - w.first);
}

TL_INLINE tl_vector mean(const tl_pool_rows *p, const tl_real *x, window w, tl_real share, size_t part) {
    tl_vector sum = load(x + w.first * p->channels, part);
    for (size_t i = w.first + 1; i < w.last; i++) sum += load(x + i * p->channels, part);
    return sum * share;
}

/* The outputs whose windows lie inside the sample and whose rows can be read and written as whole vectors. */
TL_INLINE window plain_outputs(const tl_pool_rows *p) {
    const size_t behind = tl_round_up(p->channels, TL_LANES) - p->channels; /* elements after the channels in the last vector */
    const size_t rows = tl_ceil_div(behind, p->channels), needed = p->taps + rows, padded = p->length + p->pad_left;
    const size_t first = tl_ceil_div(p->pad_left, p->stride);
    const size_t inside = padded < needed ? 0 : (padded - needed) / p->stride + 1;
    const size_t whole = p->out_length < rows ? 0 : p->out_length - rows, last = tl_min(inside, whole);
    return (window){.first = tl_min(first, last), .last = last};
}

TL_INLINE void forward_at(const tl_pool_rows *p, size_t t, tl_real of_whole, const bool maximum) {
    const window w = window_at(p, t);
    const tl_real share = share_of(p, w, of_whole);
    for (size_t c = 0; c < p->channels; c += TL_LANES) {
        const size_t part = part_at(p, p->length, w.last - 1, c);
        const tl_vector y = maximum ? largest(p, p->x + c, w, part) : mean(p, p->x + c, w, share, part);
        store(p->y + t * p->channels + c, y, part_at(p, p->out_length, t, c));
    }
}

/* The plain outputs; `taps` is that of p, a constant where it is small. */
TL_INLINE void forward_plain(const tl_pool_rows *p, window plain, const size_t taps, tl_real of_whole, const bool maximum) {
    const window whole = {.first = 0, .last = taps};
    if (plain.first == plain.last) return;
    const tl_real *x = p->x + (plain.first * p->stride - p->pad_left) * p->channels;
    tl_real *y = p->y + plain.first * p->channels;
    for (size_t t = plain.first; t < plain.last; t++, x += p->stride * p->channels, y += p->channels)
        for (size_t c = 0; c < p->channels; c += TL_LANES)
            tl_store(y + c, maximum ? largest(p, x + c, whole, 0) : mean(p, x + c, whole, of_whole, 0));
}

TL_INLINE void forward(const tl_pool_rows *rows, const bool maximum) {
    const tl_pool_rows own = *rows, *p = &own; /* a copy stays in registers, since a store might change *rows */
    const tl_real of_whole = 1 / (tl_real)p->taps;
    const window plain = plain_outputs(p);
    for (size_t t = 0; t < plain.first; t++) forward_at(p, t, of_whole, maximum);
    if (p->taps == 2)
        forward_plain(p, plain, 2, of_whole, maximum);
    else if (p->taps == 3)
        forward_plain(p, plain, 3, of_whole, maximum);
    else
        forward_plain(p, plain, p->taps, of_whole, maximum);
    for (size_t t = plain.last; t < p->out_length; t++) forward_at(p, t, of_whole, maximum);
}

static void max_forward(const tl_pool_rows *p) { forward(p, true); }
static void average_forward(const tl_pool_rows *p) { forward(p, false); }

/* ---- maximum, backward: the first of several equal maxima gets all of d ---- */

TL_INLINE tl_vector give(tl_vector x, tl_vector best, tl_vector *d, tl_vector sum) {
    const tl_mask here = x == best;
    sum += tl_where(here, *d);
    *d = tl_where(~here, *d);
    return sum;
}

TL_INLINE void give_largest(const tl_pool_rows *p, const tl_real *x, tl_vector d, tl_real *dx, window w, size_t part) {
    const tl_vector best = largest(p, x, w, part);
    for (size_t i = w.first; i < w.last; i++) {
        tl_real *to = dx + i * p->channels;
        store(to, give(load(x + i * p->channels, part), best, &d, load(to, part)), part);
    }
}

/* Rows of dx are set to zero just before the first window that reads them adds to them, so that the sample goes through the cache
 * once. */
TL_INLINE size_t clear_until(const tl_pool_rows *p, size_t row, size_t stop) {
    for (size_t i = row * p->channels; i < stop * p->channels; i++) p->dx[i] = 0;
    return tl_max(stop, row);
}

/* ---- the same for windows of three inputs with stride 1: an input collects from the windows that read it, so that dx is written
 * once ---- */

/* The sum, and d of window t where input i is the first maximum of the window; x and dy begin at the channels. */
TL_INLINE tl_vector collect(const tl_pool_rows *p, const tl_real *x, const tl_real *dy, size_t i, size_t t, tl_vector sum,
                            size_t part) {
    const window w = window_at(p, t);
    const tl_vector best = largest(p, x, w, part);
    tl_mask first = load(x + i * p->channels, part) == best;
    for (size_t row = w.first; row < i; row++) first &= ~(load(x + row * p->channels, part) == best);
    return sum + tl_where(first, load(dy + t * p->channels, part));
}

/* The windows first … last - 1. */
TL_INLINE void collect_at(const tl_pool_rows *p, size_t i, size_t first, size_t last) {
    for (size_t c = 0; c < p->channels; c += TL_LANES) {
        const size_t left = p->channels - c, part = left < TL_LANES ? left : 0;
        tl_real *dx = p->dx + i * p->channels + c;
        tl_vector sum = p->adds ? load(dx, part) : (tl_vector){0};
        for (size_t t = first; t < last; t++) sum = collect(p, p->x + c, p->dy + c, i, t, sum, part);
        store(dx, sum, part);
    }
}

/* An input whose three windows are whole; dy begins at the first of them. Of equal maxima the first one counts; comparisons with
 * NaN are false. */
TL_INLINE tl_vector collect_three(const tl_real *x, const tl_real *dy, size_t channels, tl_vector sum, size_t part) {
    const tl_vector value = load(x, part);
    const tl_mask above = value > load(x - channels, part), not_below = value >= load(x + channels, part);
    sum += tl_where(above & (value > load(x - 2 * channels, part)), load(dy, part));
    sum += tl_where(above & not_below, load(dy + channels, part));
    return sum + tl_where(not_below & (value >= load(x + 2 * channels, part)), load(dy + 2 * channels, part));
}

TL_INLINE void collect_three_at(const tl_pool_rows *p, size_t i) {
    const tl_real *x = p->x + i * p->channels, *dy = p->dy + (i + p->pad_left - 2) * p->channels;
    tl_real *dx = p->dx + i * p->channels;
    for (size_t c = 0; c < p->channels; c += TL_LANES) {
        const size_t left = p->channels - c, part = left < TL_LANES ? left : 0;
        store(dx + c, collect_three(x + c, dy + c, p->channels, p->adds ? load(dx + c, part) : (tl_vector){0}, part), part);
    }
}

TL_INLINE void max_backward_three(const tl_pool_rows *p) {
    for (size_t i = 0; i < p->length; i++) {
        const size_t end = i + p->pad_left + 1, last = tl_min(end, p->out_length), first = end > 3 ? end - 3 : 0;
        if (i >= 2 && i + 2 < p->length && end <= p->out_length)
            collect_three_at(p, i);
        else
            collect_at(p, i, tl_min(first, last), last);
    }
}

static void max_backward(const tl_pool_rows *rows) {
    const tl_pool_rows own = *rows, *p = &own;
    size_t cleared = 0; /* rows */
    if (p->taps == 3 && p->stride == 1) {
        max_backward_three(p);
        return;
    }
    for (size_t t = 0; t < p->out_length; t++) {
        const window w = window_at(p, t);
        if (!p->adds) cleared = clear_until(p, cleared, w.last);
        for (size_t c = 0; c < p->channels; c += TL_LANES) {
            const size_t left = p->channels - c, part = left < TL_LANES ? left : 0;
            give_largest(p, p->x + c, load(p->dy + t * p->channels + c, part), p->dx + c, w, part);
        }
    }
    if (!p->adds) clear_until(p, cleared, p->length);
}

/* ---- mean, backward ---- */

/* Input i gets its part of the gradients of the windows first … stop - 1 that read it. */
TL_INLINE void average_backward_overlapping(const tl_pool_rows *p, tl_real of_whole) {
    for (size_t i = 0, first = 0, stop = 0; i < p->length; i++) {
        while (stop < p->out_length && stop * p->stride <= i + p->pad_left) stop++;
        while (first < stop && first * p->stride + p->taps <= i + p->pad_left) first++;
        for (size_t c = 0; c < p->channels; c += TL_LANES) {
            tl_vector sum = {0};
            for (size_t t = first; t < stop; t++) {
                const tl_real share = share_of(p, window_at(p, t), of_whole);
                sum += load(p->dy + t * p->channels + c, part_at(p, p->out_length, t, c)) * share;
            }
            store(p->dx + i * p->channels + c, sum, part_at(p, p->length, i, c));
        }
    }
}

/* The only window that reads an input gives it its part. Returns the row behind the window; rows from `row` on are still to be
 * written. */
TL_INLINE size_t spread(const tl_pool_rows *p, size_t t, size_t row, tl_real of_whole) {
    const window w = window_at(p, t);
    const tl_real share = share_of(p, w, of_whole);
    clear_until(p, row, w.first);
    for (row = w.first; row < w.last; row++)
        for (size_t c = 0; c < p->channels; c += TL_LANES)
            store(p->dx + row * p->channels + c, load(p->dy + t * p->channels + c, part_at(p, p->out_length, t, c)) * share,
                  part_at(p, p->length, row, c));
    return w.last;
}

/* The same for plain outputs without rows between their windows. `taps` is that of p, a constant where it is small; if a row is one
 * vector, it is computed once for all of them. */
TL_INLINE void spread_plain(const tl_pool_rows *p, window plain, const size_t taps, tl_real share) {
    const size_t channels = p->channels;
    if (plain.first == plain.last) return;
    const tl_real *dy = p->dy + plain.first * channels;
    tl_real *dx = p->dx + (plain.first * taps - p->pad_left) * channels;
    for (size_t t = plain.first; t < plain.last; t++, dy += channels) {
        const tl_vector d = tl_load(dy) * share;
        for (size_t row = 0; row < taps; row++, dx += channels) {
            tl_store(dx, d);
            for (size_t c = TL_LANES; c < channels; c += TL_LANES) tl_store(dx + c, tl_load(dy + c) * share);
        }
    }
}

TL_INLINE void average_backward_apart(const tl_pool_rows *p, tl_real of_whole) {
    const window none = {0}, plain = p->stride == p->taps ? plain_outputs(p) : none;
    size_t row = 0;
    for (size_t t = 0; t < plain.first; t++) row = spread(p, t, row, of_whole);
    if (p->taps == 2)
        spread_plain(p, plain, 2, of_whole);
    else if (p->taps == 3)
        spread_plain(p, plain, 3, of_whole);
    else
        spread_plain(p, plain, p->taps, of_whole);
    if (plain.first < plain.last) row = plain.last * p->stride - p->pad_left;
    for (size_t t = plain.last; t < p->out_length; t++) row = spread(p, t, row, of_whole);
    clear_until(p, row, p->length);
}

static void average_backward(const tl_pool_rows *rows) {
    const tl_pool_rows own = *rows, *p = &own;
    const tl_real of_whole = 1 / (tl_real)p->taps;
    if (p->stride < p->taps)
        average_backward_overlapping(p, of_whole);
    else
        average_backward_apart(p, of_whole);
}

extern const tl_pooling TL_KERNEL(tl_kernel_max_pool), TL_KERNEL(tl_kernel_average_pool);
const tl_pooling TL_KERNEL(tl_kernel_max_pool) = {.forward = max_forward, .backward = max_backward};
const tl_pooling TL_KERNEL(tl_kernel_average_pool) = {.forward = average_forward, .backward = average_backward};
