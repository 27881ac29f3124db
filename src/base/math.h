/* math.h: arithmetic with sizes. */
#ifndef TL_MATH_H
#define TL_MATH_H

#include <stddef.h>

static inline size_t tl_min(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t tl_max(size_t a, size_t b) { return a > b ? a : b; }

/* Returns the greatest common divisor. */
static inline size_t tl_common_divisor(size_t a, size_t b) {
    while (b > 0) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Returns a / b, rounded up. */
static inline size_t tl_ceil_div(size_t a, size_t b) { return a / b + (a % b != 0); }

/* Returns a, rounded up to a multiple of b. */
static inline size_t tl_round_up(size_t a, size_t b) { return tl_ceil_div(a, b) * b; }

#endif
