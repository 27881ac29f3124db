#include "parallel.h"

#include <omp.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

/* Below this much work, waking the other threads takes longer than doing it (a few microseconds at some GFLOP/s). */
static const double serial_limit = 2e5;

tl_workers tl_workers_of(int threads) {
    return (tl_workers){.count = threads > 0 ? threads : omp_get_max_threads(), .kernels = tl_kernels_here()};
}

int tl_workers_count(const tl_workers *workers) { return workers->count; }

const tl_kernels *tl_kernels_of(const tl_workers *workers) { return workers->kernels; }

size_t tl_split_at(size_t count, size_t parts, size_t part) {
    if (parts == 1) return count * part; /* the most frequent case needs no division */
    const size_t whole = count / parts, rest = count % parts;
    return part * whole + (part < rest ? part : rest);
}

unsigned tl_denormals_off(void) {
#if defined(__SSE2__)
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040u);
    return before;
#else
    return 0;
#endif
}

void tl_denormals_restore(unsigned before) {
#if defined(__SSE2__)
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

void tl_parallel(const tl_workers *workers, size_t tasks, double work, tl_task body, void *context) {
    /* Denormal numbers are off on the thread that calls: the passes see to it once. */
    if (workers->count == 1 || tasks <= 1 || work < serial_limit) {
        for (size_t task = 0; task < tasks; task++) body(context, task, 0);
        return;
    }
    /* Always all of them: where a team shrinks, libgomp ends the threads that are over and has to make them again later. */
#pragma omp parallel num_threads(workers->count)
    {
        const unsigned before = tl_denormals_off();
#pragma omp for schedule(dynamic, 1)
        for (size_t task = 0; task < tasks; task++) body(context, task, omp_get_thread_num());
        tl_denormals_restore(before);
    }
}
