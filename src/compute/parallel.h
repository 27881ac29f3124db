/* parallel.h: the threads of one model. parallel.c is the only file that names OpenMP. */
#ifndef TL_PARALLEL_H
#define TL_PARALLEL_H

#include <tapline/layer.h>

#include "kernels/kernels.h"

struct tl_workers {
    int count; /* at least 1 */
    const tl_kernels *kernels;
    const tl_tuning *tuning;
};

enum { TL_MAX_THREADS = 1024 };

/* `threads` workers, up to TL_MOST_THREADS; 0: as many as the machine, or OMP_NUM_THREADS, offers, up to as many. */
tl_workers tl_workers_of(int threads);

/* Denormal numbers slow arithmetic forty-fold: between these two calls they count as zero on this thread (x86's MXCSR: flush to
 * zero, denormals are zero; arm64's FPCR: flush to zero). tl_parallel does the same on the other threads. */
unsigned tl_denormals_off(void);
void tl_denormals_restore(unsigned before);

#endif
