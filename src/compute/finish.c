#include "compute/finish.h"

#include "base/math.h"

enum { BLOCK = 4096 }; /* elements of a task */

static void rectify(const tl_kernels *kernels, tl_real *y, size_t count) {
    kernels->activate(&(tl_activation_run){.activation = TL_ACTIVATION_RELU, .from = y, .to = y, .count = count});
}

void tl_finish_some(const tl_kernels *kernels, const tl_finish *finish, tl_real *y, size_t first, size_t count) {
    y += first;
    if (finish->mask)
        kernels->activation_gradient(
            &(tl_activation_run){.activation = TL_ACTIVATION_RELU, .from = finish->mask + first, .dy = y, .to = y, .count = count});
    if (finish->relu) rectify(kernels, y, count);
    if (finish->added)
        (finish->relu_after ? kernels->add_relu : kernels->add)(y, finish->added + first, y, count);
    else if (finish->relu_after)
        rectify(kernels, y, count);
}

typedef struct finish_job {
    const tl_kernels *kernels;
    const tl_finish *finish;
    tl_real *y;
    size_t count;
} finish_job;

static void finish_task(void *context, size_t task, int worker) {
    (void)worker;
    const finish_job *job = context;
    const size_t first = task * BLOCK, rest = job->count - first;
    tl_finish_some(job->kernels, job->finish, job->y, first, tl_min(rest, BLOCK));
}

void tl_finish_all(const tl_workers *workers, const tl_finish *finish, tl_real *y, size_t count) {
    finish_job job = {.kernels = tl_kernels_of(workers), .finish = finish, .y = y, .count = count};
    if (tl_finish_steps(finish) == 0) return;
    tl_parallel(workers, tl_ceil_div(count, BLOCK), (double)count, finish_task, &job);
}
