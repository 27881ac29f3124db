#include "compute/parallel.h"

#include "base/math.h"
#include "base/memory.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

/* Less work than this takes less time than waking the other threads does (a few microseconds at some GFLOP/s). */
static const double serial_limit = 2e5;

/* Each worker has a share of consecutive tasks, the same in every pass: what it wrote in the last pass is in its cache in the next
 * one. A worker that has finished takes tasks of others. */
enum { MAX_SHARES = 64 /* more workers divide these shares */ };

/* The only global state of the library. After a fork, the child has no OpenMP threads, but the runtime would wait for them forever
 * (GCC bug 58378). The child of a process that has used OpenMP threads therefore computes on one thread. */
static struct {
    pthread_once_t once;
    atomic_bool used, lost;
} openmp_threads = {.once = PTHREAD_ONCE_INIT};

static void lose_threads(void) { atomic_store(&openmp_threads.lost, atomic_load(&openmp_threads.used)); }
static void watch_forks(void) { pthread_atfork(NULL, NULL, lose_threads); }

tl_workers tl_workers_of(int threads) {
    pthread_once(&openmp_threads.once, watch_forks);
    const int offered = omp_get_max_threads(), maximum = offered < TL_MAX_THREADS ? offered : TL_MAX_THREADS;
    const int count = threads > 0 ? threads : maximum;
    return (tl_workers){.count = count, .kernels = tl_kernels_here(), .tuning = tl_tuning_here()};
}

int tl_workers_count(const tl_workers *workers) { return workers->count; }

const tl_kernels *tl_kernels_of(const tl_workers *workers) { return workers->kernels; }

const tl_tuning *tl_tuning_of(const tl_workers *workers) { return workers->tuning; }

size_t tl_split_at(size_t count, size_t parts, size_t part) {
    if (parts == 1) return count * part; /* the most frequent case, without a division */
    const size_t whole = count / parts, rest = count % parts;
    return part * whole + tl_min(part, rest);
}

unsigned tl_denormals_off(void) {
#if defined(__SSE2__)
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040u);
    return before;
#elif defined(__aarch64__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | UINT64_C(1) << 24));
    return (unsigned)before;
#else
    return 0;
#endif
}

void tl_denormals_restore(unsigned before) {
#if defined(__SSE2__)
    _mm_setcsr(before);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)before));
#else
    (void)before;
#endif
}

/* Tasks next … end - 1 of a worker's share are not done yet. */
typedef struct share {
    _Alignas(2 * TL_ALIGNMENT) size_t next; /* on two cache lines of its own, since processors fetch lines in pairs */
    size_t end;
} share;

/* Runs the tasks of the worker's own share, then the remaining tasks of others. */
static void run_shares(share *shares, size_t count, tl_task body, void *context) {
    const int worker = omp_get_thread_num();
    for (size_t i = 0; i < count; i++) {
        share *from = &shares[((size_t)worker + i) % count];
        for (;;) {
            size_t task;
#pragma omp atomic capture relaxed
            task = from->next++;
            if (task >= from->end) break;
            body(context, task, worker);
        }
    }
}

void tl_parallel(const tl_workers *workers, size_t tasks, double work, tl_task body, void *context) {
    /* On the calling thread, the pass has already turned denormal numbers off. */
    if (workers->count == 1 || tasks <= 1 || work < serial_limit || atomic_load(&openmp_threads.lost)) {
        for (size_t task = 0; task < tasks; task++) body(context, task, 0);
        return;
    }
    share shares[MAX_SHARES];
    const size_t sharers = workers->count < MAX_SHARES ? (size_t)workers->count : MAX_SHARES;
    for (size_t i = 0; i < sharers; i++)
        shares[i] = (share){.next = tl_split_at(tasks, sharers, i), .end = tl_split_at(tasks, sharers, i + 1)};
    atomic_store(&openmp_threads.used, true);
    /* Always the same number of threads: libgomp ends the threads that a smaller team does not need, and has to create them again
     * later. */
#pragma omp parallel num_threads(workers->count)
    {
        const unsigned before = tl_denormals_off();
        run_shares(shares, sharers, body, context);
        tl_denormals_restore(before);
    }
}
