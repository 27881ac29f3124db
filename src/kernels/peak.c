/* Measures the peak rate of the processor: enough independent chains of multiply-adds to hide their latency, all in registers. */
#include "kernels/kernel.h"

enum { CHAINS = 12, REPEATS = 32 }; /* 12 chains are enough for two units with a latency of up to six cycles */

double TL_KERNEL(tl_kernel_peak)(size_t rounds, tl_real *sink);

double TL_KERNEL(tl_kernel_peak)(size_t rounds, tl_real *sink) {
    const tl_vector factor = tl_broadcast(*sink * (tl_real)0.5), term = tl_broadcast(*sink);
    tl_vector chain[CHAINS];
    for (int i = 0; i < CHAINS; i++) chain[i] = tl_broadcast((tl_real)i);
    for (size_t round = 0; round < rounds; round++) {
        for (int repeat = 0; repeat < REPEATS; repeat++) {
#pragma GCC unroll 12
            for (int i = 0; i < CHAINS; i++) chain[i] = chain[i] * factor + term;
        }
    }
    tl_vector sum = chain[0];
    for (int i = 1; i < CHAINS; i++) sum += chain[i];
    *sink = sum[0];
    return 2.0 * CHAINS * TL_LANES * REPEATS * (double)rounds;
}
