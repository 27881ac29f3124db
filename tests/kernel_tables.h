/* kernel_tables.h: what tests of the kernels share. */
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

/* The tables of every instruction set that this processor runs; returns how many. */
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
