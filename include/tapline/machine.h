/* tapline/machine.h: what the processor is and how fast it can be, for benchmarks (advanced). */
#ifndef TAPLINE_MACHINE_H
#define TAPLINE_MACHINE_H

#include <tapline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The instruction set that the kernels use: "baseline", "avx2" or "avx512". The environment variable TAPLINE_ISA may lower it. */
TL_API const char *tl_isa(void);

/* The rate of a loop of independent fused multiply-adds (multiply and add where there is none) on vectors of tl_real, one thread,
 * in GFLOP/s: the limit of any direct evaluation. Measures for about that many seconds and gives the best of it. */
TL_API double tl_peak_gflops(double seconds);

/* The processors that this process may use. */
TL_API int tl_processors(void);

#ifdef __cplusplus
}
#endif
#endif
