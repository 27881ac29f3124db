/* kernels.h: the leaf loops that are compiled per instruction set, as one table for each. */
#ifndef TL_KERNELS_H
#define TL_KERNELS_H

#include <tapline/base.h>

typedef struct tl_kernels {
    const char *isa; /* "baseline", "avx2" or "avx512" */

    /* Runs `rounds` rounds of independent multiply-adds and returns the floating-point operations done; *sink keeps the compiler
     * from dropping them. */
    double (*peak)(size_t rounds, tl_real *sink);
} tl_kernels;

/* The fastest table that this processor runs; the environment variable TAPLINE_ISA may name a slower one. */
const tl_kernels *tl_kernels_here(void);

extern const tl_kernels tl_kernels_baseline;
extern const tl_kernels tl_kernels_avx2;   /* x86-64 only */
extern const tl_kernels tl_kernels_avx512; /* x86-64 only */

#endif
