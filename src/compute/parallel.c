#include "compute/parallel.h"

#include "base/math.h"
#include "base/memory.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

/* Below this much work, waking the other threads takes longer than doing it (a few microseconds at some GFLOP/s). */
static const double serial_limit = 2e5;

/* Each worker has a share of the tasks, neighbours of each other and the same ones in every pass: what it wrote in the last pass is
 * in its cache in the next one. Who has done his takes over what is left of others'. */
enum { MAX_SHARES = 64 /* more workers than these share them */ };

/* The only state of the library. After a fork the threads of OpenMP are gone in the child, where its runtime waits for them for
 * ever (GCC bug 58378): a child of a process that has used them computes on one thread. */
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
    if (parts == 1) return count * part; /* the most frequent case needs no division */
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

/* Tasks next … end-1 are left of a worker's share. */
typedef struct share {
    _Alignas(2 * TL_ALIGNMENT) size_t next; /* of a line of its own, and of the one that comes along with it */
    size_t end;
} share;

/* Tasks of the worker's own share, then what others have left. */
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
    /* Denormal numbers are off on the thread that calls: the passes see to it once. */
    if (workers->count == 1 || tasks <= 1 || work < serial_limit || atomic_load(&openmp_threads.lost)) {
        for (size_t task = 0; task < tasks; task++) body(context, task, 0);
        return;
    }
    share shares[MAX_SHARES];
    const size_t sharers = workers->count < MAX_SHARES ? (size_t)workers->count : MAX_SHARES;
    for (size_t i = 0; i < sharers; i++)
        shares[i] = (share){.next = tl_split_at(tasks, sharers, i), .end = tl_split_at(tasks, sharers, i + 1)};
    atomic_store(&openmp_threads.used, true);
    /* Always all of them: where a team shrinks, libgomp ends the threads that are over and has to make them again later. */
#pragma omp parallel num_threads(workers->count)
    {
        const unsigned before = tl_denormals_off();
        run_shares(shares, sharers, body, context);
        tl_denormals_restore(before);
    }
}
