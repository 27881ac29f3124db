/* Activations and their derivatives, sums and products. Outputs may be the same memory as inputs. NaN stays NaN. */
#include "kernels/normal.h"

/* Parameters of the functions below: a and b of the run. */
typedef struct scales {
    tl_vector a, b;
} scales;

static const tl_real half = (tl_real)0.5;

/* ---- one vector of each function, and of its derivative times d: computed from y, or from x if the parameter is called x ---- */

TL_INLINE tl_vector relu(tl_vector x, scales s) {
    (void)s;
    return tl_where(~(x < (tl_vector){0}), x);
}
TL_INLINE tl_vector relu_gradient(tl_vector y, tl_vector d, scales s) {
    (void)s;
    return tl_where(y > (tl_vector){0}, d);
}

TL_INLINE tl_vector leaky_relu(tl_vector x, scales s) { return tl_choose(x < (tl_vector){0}, s.a * x, x); }
TL_INLINE tl_vector leaky_relu_gradient(tl_vector y, tl_vector d, scales s) { return tl_choose(y > (tl_vector){0}, d, s.a * d); }

TL_INLINE tl_vector elu(tl_vector x, scales s) { return s.b * tl_choose(x < (tl_vector){0}, s.a * tl_exponential_less_one(x), x); }
TL_INLINE tl_vector elu_gradient(tl_vector y, tl_vector d, scales s) {
    return d * tl_choose(y > (tl_vector){0}, s.b, y + s.a * s.b);
}

/* Where the result would be denormal, it is 0, since passes set denormal numbers to 0. */
TL_INLINE tl_vector sigmoid(tl_vector x, scales s) {
    (void)s;
    return tl_logistic_below(-x);
}
TL_INLINE tl_vector sigmoid_gradient(tl_vector y, tl_vector d, scales s) {
    (void)s;
    return d * (y * (1 - y));
}

TL_INLINE tl_vector hard_sigmoid(tl_vector x, scales s) {
    (void)s;
    const tl_vector zero = {0}, one = tl_broadcast(1), y = x * (1 / (tl_real)6) + half;
    return tl_choose(y < zero, zero, tl_choose(y > one, one, y));
}
TL_INLINE tl_vector hard_sigmoid_gradient(tl_vector y, tl_vector d, scales s) {
    (void)s;
    return tl_where((y > (tl_vector){0}) & (y < tl_broadcast(1)), d * (1 / (tl_real)6));
}

/* tanh |x| = (e^2|x| - 1) / (e^2|x| + 1), with the sign of x. */
TL_INLINE tl_vector hyperbolic_tangent(tl_vector x, scales s) {
    (void)s;
    const tl_mask sign = (tl_mask)x & (tl_mask)tl_broadcast((tl_real)-0.0);
    const tl_vector size = (tl_vector)((tl_mask)x ^ sign);
    const tl_vector less_one = tl_exponential_less_one(size + size), value = less_one / (less_one + 2);
    return (tl_vector)((tl_mask)value | sign);
}
TL_INLINE tl_vector tanh_gradient(tl_vector y, tl_vector d, scales s) {
    (void)s;
    return d * ((1 - y) * (1 + y));
}

TL_INLINE tl_vector exponential(tl_vector x, scales s) {
    (void)s;
    return tl_exponential_value(x);
}
TL_INLINE tl_vector exponential_gradient(tl_vector y, tl_vector d, scales s) {
    (void)s;
    return y * d;
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), to two units in the last place; its derivative is 1 - e^-y. */
TL_INLINE tl_vector softplus(tl_vector x, scales s) {
    const tl_vector below = (tl_vector)((tl_mask)x | (tl_mask)tl_broadcast((tl_real)-0.0)); /* -|x| */
    return relu(x, s) + tl_logarithm_above_one(tl_exponential_decay(below, (tl_vector){0}));
}
TL_INLINE tl_vector softplus_gradient(tl_vector y, tl_vector d, scales s) {
    (void)s;
    return -d * tl_exponential_less_one(-y);
}

TL_INLINE tl_vector silu(tl_vector x, scales s) { return x * sigmoid(x, s); }
TL_INLINE tl_vector silu_gradient(tl_vector x, tl_vector d, scales s) {
    const tl_vector far = tl_broadcast(2 * tl_exponential_max); /* beyond it the result is 0 or 1 */
    x = tl_bounded(x, -far, far);
    const tl_vector y = sigmoid(x, s);
    return d * (y * (1 + x * (1 - y)));
}

/* x times the distribution function of the standard normal distribution, which is `tail` below 0 and 1 - tail above: to four units
 * in the last place for |x| ≤ 3, to seven for every normal result. The derivative: to three units in the last place of 1. */
TL_INLINE tl_vector gelu(tl_vector x, scales s) {
    (void)s;
    const tl_vector far = tl_broadcast(tl_normal_far), bounded = tl_bounded(x, -far, far);
    const tl_normal_tail tail = tl_normal_tail_of(tl_choose(bounded < (tl_vector){0}, -bounded, bounded));
    const tl_vector below = bounded * tail.ratio * tail.density;
    return tl_choose(x > (tl_vector){0}, x - below, below);
}
TL_INLINE tl_vector gelu_gradient(tl_vector x, tl_vector d, scales s) {
    (void)s;
    const tl_vector far = tl_broadcast(tl_normal_far), bounded = tl_bounded(x, -far, far);
    const tl_vector size = tl_choose(bounded < (tl_vector){0}, -bounded, bounded);
    const tl_normal_tail tail = tl_normal_tail_of(size);
    const tl_vector below = (tail.ratio - size * (tl_real)0.39894228040143267794) * tail.density;
    return d * tl_choose(x > (tl_vector){0}, 1 - below, below);
}

/* x·(1 + tanh z) / 2 = x·sigmoid(2z) with z = sqrt(2/pi)·(x + 0.044715·x³). */
static const tl_real gelu_slope = (tl_real)1.59576912160573071176, gelu_cube = (tl_real)0.044715;

TL_INLINE tl_vector gelu_tanh(tl_vector x, scales s) { return x * sigmoid(gelu_slope * (x + gelu_cube * x * x * x), s); }
TL_INLINE tl_vector gelu_tanh_gradient(tl_vector x, tl_vector d, scales s) {
    const tl_vector far = tl_broadcast(tl_normal_far); /* beyond it the result is 0 or 1 */
    x = tl_bounded(x, -far, far);
    const tl_vector y = sigmoid(gelu_slope * (x + gelu_cube * x * x * x), s);
    return d * (y + x * y * (1 - y) * gelu_slope * (1 + 3 * gelu_cube * x * x));
}

TL_INLINE tl_vector affine(tl_vector x, scales s) { return s.a * x + s.b; }
TL_INLINE tl_vector affine_gradient(tl_vector y, tl_vector d, scales s) {
    (void)y;
    return s.a * d;
}

/* ---- over arrays ---- */

TL_INLINE void map(const tl_activation_run *run, tl_vector (*function)(tl_vector, scales)) {
    const tl_real *x = run->from;
    tl_real *y = run->to;
    const size_t count = run->count;
    const scales s = {.a = tl_broadcast(run->a), .b = tl_broadcast(run->b)};
    size_t i = 0;
    for (; i + TL_LANES <= count; i += TL_LANES) tl_store(y + i, function(tl_load(x + i), s));
    tl_store_part(y + i, function(tl_load_part(x + i, count - i), s), count - i);
}

TL_INLINE void map_pairs(const tl_real *a, const tl_real *b, tl_real *to, size_t count, scales s,
                         tl_vector (*function)(tl_vector, tl_vector, scales)) {
    size_t i = 0;
    for (; i + TL_LANES <= count; i += TL_LANES) tl_store(to + i, function(tl_load(a + i), tl_load(b + i), s));
    tl_store_part(to + i, function(tl_load_part(a + i, count - i), tl_load_part(b + i, count - i), s), count - i);
}

TL_INLINE void map_gradient(const tl_activation_run *run, tl_vector (*function)(tl_vector, tl_vector, scales)) {
    const scales s = {.a = tl_broadcast(run->a), .b = tl_broadcast(run->b)};
    /* An array that is not read may be NULL; dy is passed in its place. */
    map_pairs(run->from ? run->from : run->dy, run->dy, run->to, run->count, s, function);
}

void TL_KERNEL(tl_kernel_activate)(const tl_activation_run *run);
void TL_KERNEL(tl_kernel_activate)(const tl_activation_run *run) {
    switch (run->activation) {
    case TL_ACTIVATION_RELU:
        map(run, relu);
        break;
    case TL_ACTIVATION_LEAKY_RELU:
        map(run, leaky_relu);
        break;
    case TL_ACTIVATION_ELU:
        map(run, elu);
        break;
    case TL_ACTIVATION_SIGMOID:
        map(run, sigmoid);
        break;
    case TL_ACTIVATION_HARD_SIGMOID:
        map(run, hard_sigmoid);
        break;
    case TL_ACTIVATION_TANH:
        map(run, hyperbolic_tangent);
        break;
    case TL_ACTIVATION_EXPONENTIAL:
        map(run, exponential);
        break;
    case TL_ACTIVATION_SOFTPLUS:
        map(run, softplus);
        break;
    case TL_ACTIVATION_SILU:
        map(run, silu);
        break;
    case TL_ACTIVATION_GELU:
        map(run, gelu);
        break;
    case TL_ACTIVATION_GELU_TANH:
        map(run, gelu_tanh);
        break;
    case TL_ACTIVATION_AFFINE:
        map(run, affine);
        break;
    }
}

void TL_KERNEL(tl_kernel_activation_gradient)(const tl_activation_run *run);
void TL_KERNEL(tl_kernel_activation_gradient)(const tl_activation_run *run) {
    switch (run->activation) {
    case TL_ACTIVATION_RELU:
        map_gradient(run, relu_gradient);
        break;
    case TL_ACTIVATION_LEAKY_RELU:
        map_gradient(run, leaky_relu_gradient);
        break;
    case TL_ACTIVATION_ELU:
        map_gradient(run, elu_gradient);
        break;
    case TL_ACTIVATION_SIGMOID:
        map_gradient(run, sigmoid_gradient);
        break;
    case TL_ACTIVATION_HARD_SIGMOID:
        map_gradient(run, hard_sigmoid_gradient);
        break;
    case TL_ACTIVATION_TANH:
        map_gradient(run, tanh_gradient);
        break;
    case TL_ACTIVATION_EXPONENTIAL:
        map_gradient(run, exponential_gradient);
        break;
    case TL_ACTIVATION_SOFTPLUS:
        map_gradient(run, softplus_gradient);
        break;
    case TL_ACTIVATION_SILU:
        map_gradient(run, silu_gradient);
        break;
    case TL_ACTIVATION_GELU:
        map_gradient(run, gelu_gradient);
        break;
    case TL_ACTIVATION_GELU_TANH:
        map_gradient(run, gelu_tanh_gradient);
        break;
    case TL_ACTIVATION_AFFINE:
        map_gradient(run, affine_gradient);
        break;
    }
}

/* ---- sums and products ---- */

TL_INLINE tl_vector multiply(tl_vector a, tl_vector b, scales s) {
    (void)s;
    return a * b;
}
TL_INLINE tl_vector add(tl_vector a, tl_vector b, scales s) {
    (void)s;
    return a + b;
}
TL_INLINE tl_vector add_relu(tl_vector a, tl_vector b, scales s) { return relu(a + b, s); }

void TL_KERNEL(tl_kernel_multiply)(const tl_real *a, const tl_real *b, tl_real *y, size_t count);
void TL_KERNEL(tl_kernel_multiply)(const tl_real *a, const tl_real *b, tl_real *y, size_t count) {
    map_pairs(a, b, y, count, (scales){0}, multiply);
}

void TL_KERNEL(tl_kernel_add)(const tl_real *a, const tl_real *b, tl_real *y, size_t count);
void TL_KERNEL(tl_kernel_add)(const tl_real *a, const tl_real *b, tl_real *y, size_t count) {
    map_pairs(a, b, y, count, (scales){0}, add);
}

void TL_KERNEL(tl_kernel_add_relu)(const tl_real *a, const tl_real *b, tl_real *y, size_t count);
void TL_KERNEL(tl_kernel_add_relu)(const tl_real *a, const tl_real *b, tl_real *y, size_t count) {
    map_pairs(a, b, y, count, (scales){0}, add_relu);
}
