/* One pass over the flat buffers for a step of each optimizer, and one for the norm of the gradients. */
#include "kernels/kernel.h"

#include <tgmath.h>

enum { SUMS = 32 }; /* independent sums: enough to hide the latency of an addition */

double TL_KERNEL(tl_kernel_squares)(const tl_real *x, size_t count);
double TL_KERNEL(tl_kernel_squares)(const tl_real *x, size_t count) {
    double sum[SUMS] = {0};
    size_t i = 0;
    for (; i + SUMS <= count; i += SUMS)
        for (int s = 0; s < SUMS; s++) sum[s] += (double)x[i + (size_t)s] * (double)x[i + (size_t)s];
    for (; i < count; i++) sum[0] += (double)x[i] * (double)x[i];
    for (int half = SUMS / 2; half > 0; half /= 2)
        for (int s = 0; s < half; s++) sum[s] += sum[s + half];
    return sum[0];
}

/* The gradient of element i with its penalties; the derivative of |value| at 0 is taken as 0. */
TL_INLINE tl_real penalised(const tl_step_run *run, tl_real gradient, tl_real value) {
    const tl_real sign = (tl_real)(value > 0) - (tl_real)(value < 0);
    return gradient * run->scale + run->decay * value + run->l1 * sign;
}

void TL_KERNEL(tl_kernel_adam)(const tl_adam_run *run);
void TL_KERNEL(tl_kernel_adam)(const tl_adam_run *run) {
    const tl_adam_run r = *run;
    tl_real *restrict value = r.run.value, *restrict mean = r.mean, *restrict square = r.square;
    const tl_real *restrict gradient = r.run.gradient;
    for (size_t i = 0; i < r.run.count; i++) {
        const tl_real g = penalised(&r.run, gradient[i], value[i]);
        mean[i] = r.beta1 * mean[i] + r.rest1 * g;
        square[i] = r.beta2 * square[i] + r.rest2 * g * g;
        value[i] = r.keep * value[i] - r.rate * mean[i] / (sqrt(square[i]) * r.root + r.epsilon);
    }
}

void TL_KERNEL(tl_kernel_sgd)(const tl_sgd_run *run);
void TL_KERNEL(tl_kernel_sgd)(const tl_sgd_run *run) {
    const tl_sgd_run r = *run;
    tl_real *restrict value = r.run.value, *restrict velocity = r.velocity;
    const tl_real *restrict gradient = r.run.gradient;
    for (size_t i = 0; i < r.run.count; i++) {
        const tl_real g = penalised(&r.run, gradient[i], value[i]);
        velocity[i] = r.momentum * velocity[i] + g;
        value[i] -= r.of_gradient * g + r.of_velocity * velocity[i];
    }
}

void TL_KERNEL(tl_kernel_rmsprop)(const tl_rmsprop_run *run);
void TL_KERNEL(tl_kernel_rmsprop)(const tl_rmsprop_run *run) {
    const tl_rmsprop_run r = *run;
    tl_real *restrict value = r.run.value, *restrict square = r.square, *restrict velocity = r.velocity;
    const tl_real *restrict gradient = r.run.gradient;
    for (size_t i = 0; i < r.run.count; i++) {
        const tl_real g = penalised(&r.run, gradient[i], value[i]);
        square[i] = r.alpha * square[i] + r.rest * g * g;
        velocity[i] = r.momentum * velocity[i] + g / (sqrt(square[i]) + r.epsilon);
        value[i] -= r.rate * velocity[i];
    }
}

void TL_KERNEL(tl_kernel_adagrad)(const tl_adagrad_run *run);
void TL_KERNEL(tl_kernel_adagrad)(const tl_adagrad_run *run) {
    const tl_adagrad_run r = *run;
    tl_real *restrict value = r.run.value, *restrict square = r.square;
    const tl_real *restrict gradient = r.run.gradient;
    for (size_t i = 0; i < r.run.count; i++) {
        const tl_real g = penalised(&r.run, gradient[i], value[i]);
        square[i] += g * g;
        value[i] -= r.rate * g / (sqrt(square[i]) + r.epsilon);
    }
}
