/* Chooses the instruction set and measures its peak rate. */
#include <tapline/machine.h>

#include "base/clock.h"
#include "kernels/integer.h"
#include "kernels/kernels.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

const tl_kernels *tl_kernels_here(void) {
#if defined(__x86_64__)
    const char *limit = getenv("TAPLINE_ISA");
    const bool any = !limit || !*limit || strcmp(limit, "avx512") == 0;
    if (any && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return &tl_kernels_avx512;
    if ((any || strcmp(limit, "avx2") == 0) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &tl_kernels_avx2;
#endif
    return &tl_kernels_baseline;
}

const tl_integer_kernels *tl_integer_kernels_here(void) {
#if defined(__x86_64__)
    const tl_kernels *kernels = tl_kernels_here();
    if (kernels == &tl_kernels_avx512) return &tl_integer_kernels_avx512;
    if (kernels == &tl_kernels_avx2) return &tl_integer_kernels_avx2;
#endif
    return &tl_integer_kernels_baseline;
}

/* The first tuning is for processors that are not named; it was measured on AMD's: long sums, which are seldom loaded and stored.
 * The second-level cache of Intel's processors is too slow for them: data that is read repeatedly has to stay in the first-level
 * cache. */
const tl_tuning tl_tunings[TL_TUNINGS] = {{.name = "common", .sum_rows = 640, .cache_penalty = 1},
                                          {.name = "intel", .sum_rows = 160, .cache_penalty = 4}};

const tl_tuning *tl_tuning_here(void) {
    const char *wanted = getenv("TAPLINE_TUNING");
    for (size_t i = 0; wanted && i < TL_TUNINGS; i++)
        if (strcmp(wanted, tl_tunings[i].name) == 0) return &tl_tunings[i];
#if defined(__x86_64__)
    if (__builtin_cpu_is("intel")) return &tl_tunings[1];
#endif
    return &tl_tunings[0];
}

const char *tl_isa(void) { return tl_kernels_here()->isa; }

double tl_peak_gflops(double seconds) {
    const tl_kernels *kernels = tl_kernels_here();
    double best = 0;
    const double begin = tl_seconds();
    do {
        tl_real sink = 1;
        const double start = tl_seconds();
        const double operations = kernels->peak(20000, &sink);
        const double rate = operations / (tl_seconds() - start) / 1e9;
        if (rate > best) best = rate;
    } while (tl_seconds() - begin < seconds);
    return best;
}

int tl_processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}
