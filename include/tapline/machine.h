/* tapline/machine.h: properties of the machine (advanced). */
#ifndef TAPLINE_MACHINE_H
#define TAPLINE_MACHINE_H

#include <tapline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the instruction set that the kernel functions use: "baseline", "avx2" or "avx512". The environment variable TAPLINE_ISA
 * may select a lower one. */
TL_API const char *tl_isa(void);

/* Measures the peak rate of one thread, in GFLOP/s, for about `seconds` seconds, and returns the best rate: a loop of independent
 * fused multiply-adds (or multiplications and additions, where the processor has none) on vectors of tl_real. No direct evaluation
 * of a convolution can be faster. */
TL_API double tl_peak_gflops(double seconds);

/* Returns the default limit of the memory of a network from a file, in bytes (tl_load_cfg.max_memory): half of the machine's
 * memory, at most 4 GB. The default limit of a data set is half of that (tl_read_cfg.max_memory). */
TL_API size_t tl_memory_limit(void);

/* Returns the number of processors that this process may use. */
TL_API int tl_processors(void);

#ifdef __cplusplus
}
#endif
#endif
