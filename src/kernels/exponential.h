/* exponential.h: e^x and log(1 + x) of a vector. */
#ifndef TL_EXPONENTIAL_H
#define TL_EXPONENTIAL_H

#include "kernels/kernel.h"

#include <math.h>

/* e^x is a normal number between these two. */
#ifdef TAPLINE_F64
enum { TL_MANTISSA = 52, TL_EXPONENTIAL_TERMS = 10 };
static const tl_real tl_exponential_min = -708, tl_exponential_max = 709, tl_ln2_high = 0x1.62e42feep-1,
                     tl_ln2_low = 0x1.a39ef35793c76p-33;
#else
enum { TL_MANTISSA = 23, TL_EXPONENTIAL_TERMS = 5 };
static const tl_real tl_exponential_min = -87, tl_exponential_max = 88, tl_ln2_high = 0x1.62e4p-1f, tl_ln2_low = 0x1.7f7d1cp-20f;
#endif

/* (e^r - 1 - r) / r² for |r| ≤ ln 2 / 2: the polynomial with the smallest maximum error (Remez). It adds an eighth of a unit in the
 * last place to the error of e^r. */
#ifdef TAPLINE_F64
static const double tl_exponential_bend[TL_EXPONENTIAL_TERMS] = {
    0.50000000000000011,    0.16666666666666644,    0.041666666666624254,   0.008333333333356209,   0.0013888888917160792,
    0.00019841269784670452, 2.4801521366452146e-05, 2.7557355477478031e-06, 2.7620059101008136e-07, 2.5068186800518371e-08};
#else
static const double tl_exponential_bend[TL_EXPONENTIAL_TERMS] = {0.49999999552008623, 0.16666577213999562, 0.041666853429810108,
                                                                 0.0083631541493733481, 0.001390129729948096};
#endif

/* x = n·ln 2 + r with n = x / ln 2, rounded (Cody & Waite 1980), and scale = 2^n. If scale is out of range, x is limited to the end
 * of the range. */
typedef struct tl_reduced {
    tl_vector scale, r;
} tl_reduced;

/* For x - low, where `low` is small: a rounding error of x. */
TL_INLINE tl_reduced tl_reduced_less(tl_vector x, tl_vector low) {
    x = tl_bounded(x, tl_broadcast(tl_exponential_min), tl_broadcast(tl_exponential_max));
    /* Adding 1.5·2^TL_MANTISSA leaves the nearest integer in the low bits. */
    const tl_vector magic = tl_broadcast((tl_real)1.5 * (tl_real)((int64_t)1 << TL_MANTISSA));
    const tl_vector shifted = x * (tl_real)1.44269504088896340736 + magic, n = shifted - magic;
    const tl_mask bits = ((tl_mask)shifted << TL_MANTISSA) + (tl_mask)tl_broadcast(1);
    return (tl_reduced){.scale = (tl_vector)bits, .r = ((x - n * tl_ln2_high) - n * tl_ln2_low) - low};
}

/* e^x = scale·(rest + 1). e^x - 1 = scale·rest + (scale - 1) without cancellation for x ≥ 0. */
typedef struct tl_exponential {
    tl_vector scale, rest;
} tl_exponential;

TL_INLINE tl_exponential tl_exponential_less(tl_vector x, tl_vector low) {
    const tl_reduced x_of = tl_reduced_less(x, low);
    const tl_vector r = x_of.r, bend = tl_polynomial(r, tl_exponential_bend, TL_EXPONENTIAL_TERMS); /* e^r = 1 + r + r²·bend */
    return (tl_exponential){.scale = x_of.scale, .rest = r + r * r * bend};
}

TL_INLINE tl_exponential tl_exponential_of(tl_vector x) { return tl_exponential_less(x, (tl_vector){0}); }

/* e^r = (even + odd) / (even - odd), where the odd part is r times a polynomial in r²: the approximant of Padé, [3/3] or [6/6],
 * whose relative error for |r| ≤ ln 2 / 2 is below a tenth of a unit in the last place. */
#ifdef TAPLINE_F64
static const double tl_exponential_even[] = {1, 0.11363636363636363, 0.0012626262626262627, 1.5031265031265032e-06};
static const double tl_exponential_odd[] = {0.5, 0.015151515151515152, 6.3131313131313131e-05};
#else
static const double tl_exponential_even[] = {1, 0.1};
static const double tl_exponential_odd[] = {0.5, 0.0083333333333333333};
#endif

/* 1 / (1 + e^x), with one division. It is denormal for x at the end of the range. */
TL_INLINE tl_vector tl_logistic_below(tl_vector x) {
    const tl_reduced x_of = tl_reduced_less(x, (tl_vector){0});
    const tl_vector square = x_of.r * x_of.r;
    const tl_vector even = tl_polynomial(square, tl_exponential_even, sizeof tl_exponential_even / sizeof *tl_exponential_even);
    const tl_vector odd =
        x_of.r * tl_polynomial(square, tl_exponential_odd, sizeof tl_exponential_odd / sizeof *tl_exponential_odd);
    return (even - odd) / (x_of.scale * (even + odd) + (even - odd));
}

/* e^x: 0 and infinity outside of that range. */
TL_INLINE tl_vector tl_exponential_value(tl_vector x) {
    const tl_exponential e = tl_exponential_of(x);
    const tl_vector value = tl_where(~(x < tl_broadcast(tl_exponential_min)), e.scale * e.rest + e.scale);
    return tl_choose(x > tl_broadcast(tl_exponential_max), tl_broadcast((tl_real)INFINITY), value);
}

/* e^(x - low), 0 below that range. */
TL_INLINE tl_vector tl_exponential_decay(tl_vector x, tl_vector low) {
    const tl_exponential e = tl_exponential_less(x, low);
    return tl_where(~(x < tl_broadcast(tl_exponential_min)), e.scale * e.rest + e.scale);
}

/* e^x - 1 without cancellation near 0; outside of that range the value at its end. */
TL_INLINE tl_vector tl_exponential_less_one(tl_vector x) {
    const tl_exponential e = tl_exponential_of(x);
    return e.scale * e.rest + (e.scale - 1);
}

/* (2·artanh(s) - 2·s) / s³ as a polynomial in s², for s ≤ 1/3 (Remez); it adds at most an eighth of a unit in the last place to the
 * error of log(1 + x). */
#ifdef TAPLINE_F64
static const double tl_logarithm_bend[] = {0.66666666666666663,  0.40000000000014813, 0.28571428567052737, 0.22222222722631396,
                                           0.18181789194221706,  0.15385576378178434, 0.13314047479705865, 0.12001936214906146,
                                           0.087965840064435627, 0.16172372522579059};
#else
static const double tl_logarithm_bend[] = {0.66666639942775796, 0.40007625732093571, 0.28235041897867424, 0.26861023098960413};
#endif

/* log(1 + x) for 0 ≤ x ≤ 1. With s = x / (2 + x) it is 2·artanh(s); 2·s = x - s·x, so that the largest part is exact (Tang
 * 1990). */
TL_INLINE tl_vector tl_logarithm_above_one(tl_vector x) {
    const tl_vector s = x / (x + 2), square = s * s;
    return x - s * (x - square * tl_polynomial(square, tl_logarithm_bend, sizeof tl_logarithm_bend / sizeof *tl_logarithm_bend));
}

#endif
