/* Activations and their derivatives, which are functions of the output, and sums. Outputs may lie over inputs. NaN passes. */
#include "kernels/kernel.h"

#include <float.h>
#include <string.h>

/* ---- the exponential function ---- */

#ifdef TAPLINE_F64
enum { MANTISSA = 52, TERMS = 12 };
static const tl_real least = -708, most = 709, ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
#else
enum { MANTISSA = 23, TERMS = 6 };
static const tl_real least = -87, most = 88, ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;
#endif

/* 1/k! for k = 2 …: the Taylor series; its remainder for |r| ≤ ln 2 / 2 is below half a unit in the last place. */
static const double series[] = {1. / 2,     1. / 6,      1. / 24,      1. / 120,      1. / 720,       1. / 5040,
                                1. / 40320, 1. / 362880, 1. / 3628800, 1. / 39916800, 1. / 479001600, 1. / 6227020800};

/* e^x = scale·(rest + 1), scale = 2^n with n = x / ln 2 rounded (Cody & Waite 1980); e^x - 1 = scale·rest + (scale - 1) without
 * cancellation where x ≥ 0. Beyond the range that scale can have, the value at its end. */
typedef struct exponential {
    tl_vector scale, rest;
} exponential;

TL_INLINE exponential exponential_of(tl_vector x) {
    const tl_vector low = tl_broadcast(least), high = tl_broadcast(most);
    x = tl_choose(x < low, low, x);
    x = tl_choose(x > high, high, x);
    /* Adding 1.5·2^MANTISSA leaves the nearest integer in the low bits. */
    const tl_vector magic = tl_broadcast((tl_real)1.5 * (tl_real)((int64_t)1 << MANTISSA));
    const tl_vector shifted = x * (tl_real)1.44269504088896340736 + magic, n = shifted - magic;
    const tl_vector r = (x - n * ln2_high) - n * ln2_low;
    tl_vector bend = tl_broadcast((tl_real)series[TERMS - 1]); /* e^r = 1 + r + r²·bend */
    TL_UNROLL for (int k = TERMS - 2; k >= 0; k--) bend = bend * r + (tl_real)series[k];
    const tl_mask bits = ((tl_mask)shifted << MANTISSA) + (tl_mask)tl_broadcast(1);
    return (exponential){.scale = (tl_vector)bits, .rest = r + r * r * bend};
}

/* ---- one vector of each function ---- */

TL_INLINE tl_vector relu(tl_vector x) { return tl_where(~(x < (tl_vector){0}), x); }
TL_INLINE tl_vector relu_gradient(tl_vector y, tl_vector d) { return tl_where(y > (tl_vector){0}, d); }

/* 0 where it would be denormal. */
TL_INLINE tl_vector sigmoid(tl_vector x) {
    const exponential e = exponential_of(-x);
    return tl_where(~(x < tl_broadcast(least)), 1 / (e.scale * e.rest + e.scale + 1));
}
TL_INLINE tl_vector sigmoid_gradient(tl_vector y, tl_vector d) { return d * (y * (1 - y)); }

/* tanh |x| = (e^2|x| - 1) / (e^2|x| + 1), with the sign of x. */
TL_INLINE tl_vector hyperbolic_tangent(tl_vector x) {
    const tl_mask sign = (tl_mask)x & (tl_mask)tl_broadcast((tl_real)-0.0);
    const tl_vector size = (tl_vector)((tl_mask)x ^ sign);
    const exponential e = exponential_of(size + size);
    const tl_vector less_one = e.scale * e.rest + (e.scale - 1), value = less_one / (less_one + 2);
    return (tl_vector)((tl_mask)value | sign);
}
TL_INLINE tl_vector tanh_gradient(tl_vector y, tl_vector d) { return d * ((1 - y) * (1 + y)); }

/* ---- over arrays ---- */

TL_INLINE void map(const tl_real *x, tl_real *y, size_t count, tl_vector (*function)(tl_vector)) {
    size_t i = 0;
    for (; i + TL_LANES <= count; i += TL_LANES) tl_store(y + i, function(tl_load(x + i)));
    tl_store_part(y + i, function(tl_load_part(x + i, count - i)), count - i);
}

TL_INLINE void map_pairs(const tl_real *a, const tl_real *b, tl_real *to, size_t count,
                         tl_vector (*function)(tl_vector, tl_vector)) {
    size_t i = 0;
    for (; i + TL_LANES <= count; i += TL_LANES) tl_store(to + i, function(tl_load(a + i), tl_load(b + i)));
    tl_store_part(to + i, function(tl_load_part(a + i, count - i), tl_load_part(b + i, count - i)), count - i);
}

static void map_relu(const tl_real *x, tl_real *y, size_t count) { map(x, y, count, relu); }
static void map_sigmoid(const tl_real *x, tl_real *y, size_t count) { map(x, y, count, sigmoid); }
static void map_tanh(const tl_real *x, tl_real *y, size_t count) { map(x, y, count, hyperbolic_tangent); }

static void map_relu_gradient(const tl_real *y, const tl_real *dy, tl_real *dx, size_t count) {
    map_pairs(y, dy, dx, count, relu_gradient);
}
static void map_sigmoid_gradient(const tl_real *y, const tl_real *dy, tl_real *dx, size_t count) {
    map_pairs(y, dy, dx, count, sigmoid_gradient);
}
static void map_tanh_gradient(const tl_real *y, const tl_real *dy, tl_real *dx, size_t count) {
    map_pairs(y, dy, dx, count, tanh_gradient);
}

/* ---- sums ---- */

TL_INLINE tl_vector add(tl_vector a, tl_vector b) { return a + b; }
TL_INLINE tl_vector add_relu(tl_vector a, tl_vector b) { return relu(a + b); }

void TL_KERNEL(tl_kernel_add)(const tl_real *a, const tl_real *b, tl_real *y, size_t count);
void TL_KERNEL(tl_kernel_add)(const tl_real *a, const tl_real *b, tl_real *y, size_t count) { map_pairs(a, b, y, count, add); }

void TL_KERNEL(tl_kernel_add_relu)(const tl_real *a, const tl_real *b, tl_real *y, size_t count);
void TL_KERNEL(tl_kernel_add_relu)(const tl_real *a, const tl_real *b, tl_real *y, size_t count) {
    map_pairs(a, b, y, count, add_relu);
}

extern const tl_activation TL_KERNEL(tl_kernel_relu), TL_KERNEL(tl_kernel_sigmoid), TL_KERNEL(tl_kernel_tanh);
const tl_activation TL_KERNEL(tl_kernel_relu) = {.forward = map_relu, .backward = map_relu_gradient};
const tl_activation TL_KERNEL(tl_kernel_sigmoid) = {.forward = map_sigmoid, .backward = map_sigmoid_gradient};
const tl_activation TL_KERNEL(tl_kernel_tanh) = {.forward = map_tanh, .backward = map_tanh_gradient};
