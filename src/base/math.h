/* math.h: arithmetic of sizes. */
#ifndef TL_MATH_H
#define TL_MATH_H

#include <stddef.h>

static inline size_t tl_min(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t tl_max(size_t a, size_t b) { return a > b ? a : b; }

/* The largest number that divides both. */
static inline size_t tl_common_divisor(size_t a, size_t b) {
    while (b > 0) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* a / b, rounded up. */
static inline size_t tl_ceil_div(size_t a, size_t b) { return a / b + (a % b != 0); }

/* a rounded up to a multiple of b. */
static inline size_t tl_round_up(size_t a, size_t b) { return tl_ceil_div(a, b) * b; }

#endif
