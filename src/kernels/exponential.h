/* exponential.h: e^x of a vector. */
#ifndef TL_EXPONENTIAL_H
#define TL_EXPONENTIAL_H

#include "kernels/kernel.h"

#include <math.h>

/* e^x is a normal number from least to most. */
#ifdef TAPLINE_F64
enum { TL_MANTISSA = 52, TL_EXPONENTIAL_TERMS = 12 };
static const tl_real tl_exponential_least = -708, tl_exponential_most = 709, tl_ln2_high = 0x1.62e42feep-1,
                     tl_ln2_low = 0x1.a39ef35793c76p-33;
#else
enum { TL_MANTISSA = 23, TL_EXPONENTIAL_TERMS = 6 };
static const tl_real tl_exponential_least = -87, tl_exponential_most = 88, tl_ln2_high = 0x1.62e4p-1f, tl_ln2_low = 0x1.7f7d1cp-20f;
#endif

/* 1/k! for k = 2 …: the Taylor series; its remainder for |r| ≤ ln 2 / 2 is below half a unit in the last place. */
static const double tl_exponential_series[] = {1. / 2,       1. / 6,        1. / 24,        1. / 120,
                                               1. / 720,     1. / 5040,     1. / 40320,     1. / 362880,
                                               1. / 3628800, 1. / 39916800, 1. / 479001600, 1. / 6227020800};

/* e^x = scale·(rest + 1), scale = 2^n with n = x / ln 2 rounded (Cody & Waite 1980); e^x - 1 = scale·rest + (scale - 1) without
 * cancellation where x ≥ 0. Beyond the range that scale can have, the value at its end. */
typedef struct tl_exponential {
    tl_vector scale, rest;
} tl_exponential;

TL_INLINE tl_exponential tl_exponential_of(tl_vector x) {
    const tl_vector low = tl_broadcast(tl_exponential_least), high = tl_broadcast(tl_exponential_most);
    x = tl_bounded(x, low, high);
    /* Adding 1.5·2^TL_MANTISSA leaves the nearest integer in the low bits. */
    const tl_vector magic = tl_broadcast((tl_real)1.5 * (tl_real)((int64_t)1 << TL_MANTISSA));
    const tl_vector shifted = x * (tl_real)1.44269504088896340736 + magic, n = shifted - magic;
    const tl_vector r = (x - n * tl_ln2_high) - n * tl_ln2_low;
    tl_vector bend = tl_broadcast((tl_real)tl_exponential_series[TL_EXPONENTIAL_TERMS - 1]); /* e^r = 1 + r + r²·bend */
    TL_UNROLL for (int k = TL_EXPONENTIAL_TERMS - 2; k >= 0; k--) bend = bend * r + (tl_real)tl_exponential_series[k];
    const tl_mask bits = ((tl_mask)shifted << TL_MANTISSA) + (tl_mask)tl_broadcast(1);
    return (tl_exponential){.scale = (tl_vector)bits, .rest = r + r * r * bend};
}

/* e^x itself: 0 and infinity beyond that range. */
TL_INLINE tl_vector tl_exponential_value(tl_vector x) {
    const tl_exponential e = tl_exponential_of(x);
    const tl_vector value = tl_where(~(x < tl_broadcast(tl_exponential_least)), e.scale * e.rest + e.scale);
    return tl_choose(x > tl_broadcast(tl_exponential_most), tl_broadcast((tl_real)INFINITY), value);
}

/* e^x - 1 without cancellation near 0; beyond that range the value at its end. */
TL_INLINE tl_vector tl_exponential_less_one(tl_vector x) {
    const tl_exponential e = tl_exponential_of(x);
    return e.scale * e.rest + (e.scale - 1);
}

#endif
