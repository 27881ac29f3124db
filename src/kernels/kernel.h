/* kernel.h: for the kernel functions of this folder. Each source file is compiled once for each instruction set (baseline, AVX2 +
 * FMA, AVX-512), with its name in TL_KERNEL_ISA; tl_kernels_here chooses a table at run time.
 */
#ifndef TL_KERNEL_H
#define TL_KERNEL_H

#include "base/math.h"
#include "kernels/kernels.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define TL_JOIN_NAMES(name, isa) name##_##isa
#define TL_JOIN(name, isa) TL_JOIN_NAMES(name, isa)
/* The name of a kernel function in this instruction set: TL_KERNEL(tl_kernel_peak) is tl_kernel_peak_avx2 and so on. */
#define TL_KERNEL(name) TL_JOIN(name, TL_KERNEL_ISA)

#if defined(__AVX512F__)
enum { TL_VECTOR_BYTES = 64, TL_VECTOR_REGISTERS = 32 };
#elif defined(__AVX2__)
enum { TL_VECTOR_BYTES = 32, TL_VECTOR_REGISTERS = 16 };
#elif defined(__aarch64__)
enum { TL_VECTOR_BYTES = 16, TL_VECTOR_REGISTERS = 32 };
#else
enum { TL_VECTOR_BYTES = 16, TL_VECTOR_REGISTERS = 16 };
#endif

enum { TL_LANES = TL_VECTOR_BYTES / (int)sizeof(tl_real), TL_TILE_VECTORS = TL_VECTOR_REGISTERS == 32 ? 4 : 3 };

/* A vector register of tl_real; arithmetic is elementwise. */
typedef tl_real tl_vector __attribute__((vector_size(TL_VECTOR_BYTES)));

/* The same in memory, with any alignment. */
typedef tl_real tl_vector_memory __attribute__((vector_size(TL_VECTOR_BYTES), aligned(sizeof(tl_real)), may_alias));

/* The name of an intrinsic on vectors of tl_real: TL_INTRINSIC(_mm256_max) is _mm256_max_ps or _mm256_max_pd. */
#ifdef TAPLINE_F64
#define TL_INTRINSIC(name) TL_JOIN_NAMES(name, pd)
#else
#define TL_INTRINSIC(name) TL_JOIN_NAMES(name, ps)
#endif

#define TL_INLINE static inline __attribute__((always_inline))

/* TL_UNROLL: before a loop over the vectors of a tile; the compiler must unroll it completely, or the tile would be in memory.
 * TL_ROLL: before a loop whose body is long enough. */
#if defined(__clang__)
#define TL_UNROLL _Pragma("clang loop unroll(full)")
#define TL_ROLL _Pragma("clang loop unroll(disable)")
#else
#define TL_UNROLL _Pragma("GCC unroll 16")
#define TL_ROLL _Pragma("GCC unroll 1")
#endif

static inline tl_vector tl_load(const tl_real *from) { return *(const tl_vector_memory *)from; }
static inline void tl_store(tl_real *to, tl_vector value) { *(tl_vector_memory *)to = value; }
static inline tl_vector tl_broadcast(tl_real value) { return value - (tl_vector){0}; }

/* Clears the upper halves of the vector registers, as compilers do at the end of a function that uses them. GCC leaves it out if
 * the last vectors of the function are in use before a call of a static function (add_lanes of direct.c). The next SSE instruction
 * of other code, and the next vector after that, then take about 50 ns each: call it at the end of such a kernel function. */
static inline void tl_clear_upper(void) {
#if defined(__AVX2__)
    _mm256_zeroupper();
#endif
}

/* The result of a comparison of vectors: all bits of an element are set where it is true. */
typedef __typeof__((tl_vector){0} > (tl_vector){0}) tl_mask;

/* Returns value where the mask is set, else 0. */
static inline tl_vector tl_where(tl_mask mask, tl_vector value) { return (tl_vector)(mask & (tl_mask)value); }

/* Returns a where the mask is set, else b. */
static inline tl_vector tl_choose(tl_mask mask, tl_vector a, tl_vector b) {
    return (tl_vector)((mask & (tl_mask)a) | (~mask & (tl_mask)b));
}

/* Limits x to low … high; NaN stays NaN. Uses the minimum and maximum instructions, which compilers do not generate from
 * comparisons of vectors. */
static inline tl_vector tl_bounded(tl_vector x, tl_vector low, tl_vector high) {
#if defined(__AVX512F__)
    return TL_INTRINSIC(_mm512_min)(high, TL_INTRINSIC(_mm512_max)(low, x));
#elif defined(__AVX2__)
    return TL_INTRINSIC(_mm256_min)(high, TL_INTRINSIC(_mm256_max)(low, x));
#else
    x = tl_choose(x < low, low, x);
    return tl_choose(x > high, high, x);
#endif
}

/* Elementwise a where a > b, else b: the result is NaN where b is NaN. */
static inline tl_vector tl_larger(tl_vector a, tl_vector b) {
#if defined(__AVX512F__)
    return TL_INTRINSIC(_mm512_max)(a, b);
#elif defined(__AVX2__)
    return TL_INTRINSIC(_mm256_max)(a, b);
#else
    return tl_choose(a > b, a, b);
#endif
}

/* ReLU: the bits of x unless it is below 0. NaN stays NaN. */
static inline tl_vector tl_rectified(tl_vector x) { return tl_larger((tl_vector){0}, x); }

/* The sum of all elements, and their maximum: halves are combined until one element is left; the first few times as vectors. */
typedef tl_real tl_quarter __attribute__((vector_size(16)));
typedef __typeof__((tl_quarter){0} > (tl_quarter){0}) tl_quarter_mask;
enum { TL_QUARTERS = TL_VECTOR_BYTES / 16, TL_QUARTER_LANES = TL_LANES / TL_QUARTERS };

static inline tl_real tl_total(tl_vector x) {
    tl_quarter q[TL_QUARTERS];
    __builtin_memcpy(q, &x, sizeof q);
    TL_UNROLL for (int half = TL_QUARTERS / 2; half > 0; half /= 2) {
        TL_UNROLL for (int i = 0; i < half; i++) q[i] += q[i + half];
    }
    TL_UNROLL for (int half = TL_QUARTER_LANES / 2; half > 0; half /= 2) {
        TL_UNROLL for (int lane = 0; lane < half; lane++) q[0][lane] += q[0][lane + half];
    }
    return q[0][0];
}

static inline tl_real tl_largest(tl_vector x) {
    tl_quarter q[TL_QUARTERS];
    __builtin_memcpy(q, &x, sizeof q);
    TL_UNROLL for (int half = TL_QUARTERS / 2; half > 0; half /= 2) {
        TL_UNROLL for (int i = 0; i < half; i++) {
            const tl_quarter_mask above = q[i] > q[i + half];
            q[i] = (tl_quarter)((above & (tl_quarter_mask)q[i]) | (~above & (tl_quarter_mask)q[i + half]));
        }
    }
    tl_real largest = q[0][0];
    TL_UNROLL for (int lane = 1; lane < TL_QUARTER_LANES; lane++) largest = q[0][lane] > largest ? q[0][lane] : largest;
    return largest;
}

/* c[0] + c[1]·x + c[2]·x² … */
TL_INLINE tl_vector tl_polynomial(tl_vector x, const double *c, const int terms) {
    tl_vector sum = tl_broadcast((tl_real)c[terms - 1]);
    TL_UNROLL for (int k = terms - 2; k >= 0; k--) sum = sum * x + (tl_real)c[k];
    return sum;
}

/* A mask of the first `count` elements. */
static inline tl_mask tl_first(size_t count) {
    static const tl_real order[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return tl_load(order) < tl_broadcast((tl_real)count);
}

#if defined(__AVX512F__)
/* One bit for each four bytes of the first `count` elements. */
static inline __mmask16 tl_part_mask(size_t count) { return (__mmask16)((1U << (count * sizeof(tl_real) / 4)) - 1); }
#endif

/* Loads the first `count` < TL_LANES elements; the others are 0. */
static inline tl_vector tl_load_part(const tl_real *from, size_t count) {
#if defined(__AVX512F__)
    return (tl_vector)_mm512_maskz_loadu_ps(tl_part_mask(count), from);
#elif defined(__AVX2__)
    static const int64_t bits[] = {-1, -1, -1, -1, 0, 0, 0, 0};
    const __m256i mask = _mm256_loadu_si256((const __m256i *)((const char *)bits + TL_VECTOR_BYTES - count * sizeof(tl_real)));
    return (tl_vector)_mm256_maskload_ps((const float *)from, mask);
#else
    tl_vector part = {0};
    TL_UNROLL for (size_t i = 0; i + 1 < TL_LANES; i++) {
        if (i < count) part[i] = from[i];
    }
    return part;
#endif
}

/* Stores the first `count` elements by halves: for ends of rows that are processed in order, since a load after a masked store has
 * to wait for it. */
static inline void tl_store_halves(tl_real *to, tl_vector value, size_t count) {
    tl_real part[TL_LANES], *from = part;
    tl_store(part, value);
    TL_UNROLL for (size_t half = TL_LANES / 2; half > 0; half /= 2) {
        if (!(count & half)) continue;
        __builtin_memcpy(to, from, half * sizeof *to);
        to += half;
        from += half;
    }
}

/* Stores the first `count` elements, with a mask where the processor can. For the end of an array, not for a loop. */
static inline void tl_store_part(tl_real *to, tl_vector value, size_t count) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(to, tl_part_mask(count), (__m512)value);
#else
    tl_store_halves(to, value, count);
#endif
}

/* Whole vectors, or, if `part` is not 0, the first `part` elements of a vector: the same code for the end of a row and the rest of
 * it.
 */
static inline tl_vector tl_load_some(const tl_real *from, size_t part) { return part ? tl_load_part(from, part) : tl_load(from); }
static inline void tl_store_some(tl_real *to, tl_vector value, size_t part) {
    if (part)
        tl_store_part(to, value, part);
    else
        tl_store(to, value);
}

#endif
