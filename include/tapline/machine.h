/* tapline/machine.h: what the machine is and how fast it can be (advanced). */
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

/* Bytes that a network from a file may take unless another limit is set (tl_load_cfg.max_memory): half of the machine's memory, 4
 * GB at most. A data set may take half as much (tl_read_cfg.max_memory). */
TL_API size_t tl_memory_limit(void);

/* The processors that this process may use. */
TL_API int tl_processors(void);

#ifdef __cplusplus
}
#endif
#endif
