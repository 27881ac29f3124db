/* kernel_tables.h: shared by the tests of kernel functions. */
#ifndef KERNEL_TABLES_H
#define KERNEL_TABLES_H

#include "check.h"

#include "kernels/kernels.h"

#include <float.h>

#ifdef TAPLINE_F64
static const double unit = DBL_EPSILON;
#else
static const double unit = FLT_EPSILON;
#endif

/* Sets the tables of all instruction sets that this processor has; returns their number. */
static inline size_t tables_here(const tl_kernels *tables[3]) {
    size_t count = 0;
    tables[count++] = &tl_kernels_baseline;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tables[count++] = &tl_kernels_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        tables[count++] = &tl_kernels_avx512;
#endif
    return count;
}

#endif
