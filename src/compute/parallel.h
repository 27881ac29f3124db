/* parallel.h: the threads of a model. Only parallel.c uses OpenMP. */
#ifndef TL_PARALLEL_H
#define TL_PARALLEL_H

#include <tapline/layer.h>
#include <tapline/profile.h>

#include "kernels/kernels.h"

struct tl_workers {
    int count; /* at least 1 */
    const tl_kernels *kernels;
    const tl_tuning *tuning;
    tl_observer observer; /* of the model (tapline/profile.h); NULL: none */
    void *observer_context;
    tl_node layer; /* with an observer: the layer that runs */
};

enum { TL_MAX_THREADS = 1024 };

/* Returns `threads` workers, at most TL_MAX_THREADS; 0: as many as the machine, or OMP_NUM_THREADS, offers. */
tl_workers tl_workers_of(int threads);

/* Tells the observer, if there is one, that a part of the layer's pass has ended. Called by the thread that runs the pass. */
static inline void tl_pass_part_done(const tl_workers *workers, tl_pass_part part) {
    if (workers->observer) workers->observer(workers->observer_context, workers->layer, part);
}

/* Denormal numbers make arithmetic forty times slower. Between these two calls they count as zero on this thread (x86: MXCSR with
 * flush to zero and denormals are zero; arm64: FPCR with flush to zero). tl_parallel does the same on the other threads. */
unsigned tl_denormals_off(void);
void tl_denormals_restore(unsigned before);

#endif
