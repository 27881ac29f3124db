/* Softmax over the channels of each row. The output may be the input. */
#include "kernels/exponential.h"

/* The largest logit is subtracted first, so that e^x cannot overflow and the sum is at least 1. A NaN that the comparisons miss is
 * in the sum. */
TL_INLINE tl_vector largest_of(const tl_real *x, size_t channels) {
    const size_t whole = channels / TL_LANES * TL_LANES, part = channels - whole;
    const tl_vector minimum = tl_broadcast(-(tl_real)INFINITY);
    tl_vector largest = minimum;
    for (size_t c = 0; c < whole; c += TL_LANES) largest = tl_larger(tl_load(x + c), largest);
    if (part) largest = tl_larger(tl_choose(tl_first(part), tl_load_part(x + whole, part), minimum), largest);
    return tl_broadcast(tl_largest(largest));
}

TL_INLINE void softmax_row(const tl_real *x, tl_real *y, size_t channels) {
    const size_t whole = channels / TL_LANES * TL_LANES, part = channels - whole;
    const tl_vector largest = largest_of(x, channels);
    tl_vector sum = {0}, last = {0};
    for (size_t c = 0; c < whole; c += TL_LANES) {
        const tl_vector e = tl_exponential_decay(tl_load(x + c) - largest, (tl_vector){0});
        tl_store(y + c, e);
        sum += e;
    }
    if (part) {
        last = tl_exponential_decay(tl_load_part(x + whole, part) - largest, (tl_vector){0});
        sum += tl_where(tl_first(part), last);
    }
    const tl_vector share = tl_broadcast(1 / tl_total(sum));
    for (size_t c = 0; c < whole; c += TL_LANES) tl_store(y + c, tl_load(y + c) * share);
    if (part) tl_store_halves(y + whole, last * share, part);
}

void TL_KERNEL(tl_kernel_softmax)(const tl_real *x, tl_real *y, size_t rows, size_t channels);
void TL_KERNEL(tl_kernel_softmax)(const tl_real *x, tl_real *y, size_t rows, size_t channels) {
    for (size_t row = 0; row < rows; row++) softmax_row(x + row * channels, y + row * channels, channels);
}

/* dx = y · (dy - sum of dy · y). */
TL_INLINE void gradient_row(const tl_real *y, const tl_real *dy, tl_real *dx, size_t channels) {
    const size_t whole = channels / TL_LANES * TL_LANES, part = channels - whole;
    tl_vector sum = {0};
    for (size_t c = 0; c < whole; c += TL_LANES) sum += tl_load(dy + c) * tl_load(y + c);
    if (part) sum += tl_load_part(dy + whole, part) * tl_load_part(y + whole, part);
    const tl_vector dot = tl_broadcast(tl_total(sum));
    for (size_t c = 0; c < whole; c += TL_LANES) tl_store(dx + c, tl_load(y + c) * (tl_load(dy + c) - dot));
    if (part) tl_store_halves(dx + whole, tl_load_part(y + whole, part) * (tl_load_part(dy + whole, part) - dot), part);
}

void TL_KERNEL(tl_kernel_softmax_gradient)(const tl_real *y, const tl_real *dy, tl_real *dx, size_t rows, size_t channels);
void TL_KERNEL(tl_kernel_softmax_gradient)(const tl_real *y, const tl_real *dy, tl_real *dx, size_t rows, size_t channels) {
    for (size_t row = 0; row < rows; row++) gradient_row(y + row * channels, dy + row * channels, dx + row * channels, channels);
}
