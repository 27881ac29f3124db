/* Maximum and mean over windows of time, one sample at a time: a vector of channels goes over its window in registers. */
#include "kernels/kernel.h"

/* The inputs that output t sees: first … last - 1, never none, since every padding is shorter than the window. */
typedef struct window {
    size_t first, last;
} window;

TL_INLINE window window_at(const tl_pool_rows *p, size_t t) {
    const size_t start = t * p->stride, end = start + p->taps - p->pad_left;
    return (window){.first = start > p->pad_left ? start - p->pad_left : 0, .last = end < p->length ? end : p->length};
}

TL_INLINE tl_vector load(const tl_real *from, size_t part) { return part ? tl_load_part(from, part) : tl_load(from); }

TL_INLINE void store(tl_real *to, tl_vector value, size_t part) {
    if (part)
        tl_store_part(to, value, part);
    else
        tl_store(to, value);
}

/* ---- one vector of one output; x and dx begin at its channels, `part` of a vector is there (0: all of it) ---- */

/* NaN wins, and stays. */
TL_INLINE tl_vector largest(const tl_pool_rows *p, const tl_real *x, window w, size_t part) {
    tl_vector best = load(x + w.first * p->channels, part);
    for (size_t i = w.first + 1; i < w.last; i++) {
        const tl_vector value = load(x + i * p->channels, part);
        const tl_mask nan = value != value; // NOLINT(misc-redundant-expression): true of NaN alone
        best = tl_choose((value > best) | nan, value, best);
    }
    return best;
}

/* The first of equal maxima takes all of d. */
TL_INLINE void give_largest(const tl_pool_rows *p, const tl_real *x, tl_vector d, tl_real *dx, window w, size_t part) {
    const tl_vector best = largest(p, x, w, part);
    for (size_t i = w.first; i < w.last; i++) {
        tl_real *to = dx + i * p->channels;
        const tl_mask here = load(x + i * p->channels, part) == best;
        store(to, load(to, part) + tl_where(here, d), part);
        d = tl_where(~here, d);
    }
}

TL_INLINE tl_vector mean(const tl_pool_rows *p, const tl_real *x, window w, size_t part) {
    tl_vector sum = load(x + w.first * p->channels, part);
    for (size_t i = w.first + 1; i < w.last; i++) sum += load(x + i * p->channels, part);
    return sum * (1 / (tl_real)(w.last - w.first));
}

TL_INLINE void give_mean(const tl_pool_rows *p, tl_vector d, tl_real *dx, window w, size_t part) {
    d *= 1 / (tl_real)(w.last - w.first);
    for (size_t i = w.first; i < w.last; i++) {
        tl_real *to = dx + i * p->channels;
        store(to, load(to, part) + d, part);
    }
}

/* ---- all of a sample ---- */

TL_INLINE void forward(const tl_pool_rows *p, const bool maximum) {
    const size_t rest = p->channels % TL_LANES;
    for (size_t t = 0; t < p->out_length; t++) {
        const window w = window_at(p, t);
        for (size_t c = 0; c < p->channels; c += TL_LANES) {
            const size_t part = c + TL_LANES <= p->channels ? 0 : rest;
            store(p->y + t * p->channels + c, maximum ? largest(p, p->x + c, w, part) : mean(p, p->x + c, w, part), part);
        }
    }
}

TL_INLINE void backward(const tl_pool_rows *p, const bool maximum) {
    const size_t rest = p->channels % TL_LANES;
    for (size_t i = 0; i < p->length * p->channels; i++) p->dx[i] = 0;
    for (size_t t = 0; t < p->out_length; t++) {
        const window w = window_at(p, t);
        for (size_t c = 0; c < p->channels; c += TL_LANES) {
            const size_t part = c + TL_LANES <= p->channels ? 0 : rest;
            const tl_vector d = load(p->dy + t * p->channels + c, part);
            if (maximum)
                give_largest(p, p->x + c, d, p->dx + c, w, part);
            else
                give_mean(p, d, p->dx + c, w, part);
        }
    }
}

static void max_forward(const tl_pool_rows *p) { forward(p, true); }
static void max_backward(const tl_pool_rows *p) { backward(p, true); }
static void average_forward(const tl_pool_rows *p) { forward(p, false); }
static void average_backward(const tl_pool_rows *p) { backward(p, false); }

extern const tl_pooling TL_KERNEL(tl_kernel_max_pool), TL_KERNEL(tl_kernel_average_pool);
const tl_pooling TL_KERNEL(tl_kernel_max_pool) = {.forward = max_forward, .backward = max_backward};
const tl_pooling TL_KERNEL(tl_kernel_average_pool) = {.forward = average_forward, .backward = average_backward};
