/* One pass over the flat buffers for each step of an optimizer. */
#include "kernels/kernel.h"

#include <tgmath.h>

void TL_KERNEL(tl_kernel_adam)(const tl_adam_run *run);
void TL_KERNEL(tl_kernel_adam)(const tl_adam_run *run) {
    const tl_adam_run r = *run;
    tl_real *restrict value = r.value, *restrict mean = r.mean, *restrict square = r.square;
    const tl_real *restrict gradient = r.gradient;
    for (size_t i = 0; i < r.count; i++) {
        const tl_real g = gradient[i] * r.scale + r.decay * value[i];
        mean[i] = r.beta1 * mean[i] + r.keep1 * g;
        square[i] = r.beta2 * square[i] + r.keep2 * g * g;
        value[i] -= r.rate * mean[i] / (sqrt(square[i]) * r.root + r.epsilon);
    }
}

void TL_KERNEL(tl_kernel_sgd)(const tl_sgd_run *run);
void TL_KERNEL(tl_kernel_sgd)(const tl_sgd_run *run) {
    const tl_sgd_run r = *run;
    tl_real *restrict value = r.value, *restrict velocity = r.velocity;
    const tl_real *restrict gradient = r.gradient;
    for (size_t i = 0; i < r.count; i++) {
        const tl_real g = gradient[i] * r.scale + r.decay * value[i];
        velocity[i] = r.momentum * velocity[i] + g;
        value[i] -= r.of_gradient * g + r.of_velocity * velocity[i];
    }
}
