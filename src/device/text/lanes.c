/* A vector of the processor. It is a single number if the processor has no vectors or the compiler has no vector extensions. */
#if defined(__GNUC__) && (defined(__SSE2__) || defined(__ARM_NEON))
#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef float lanes_at __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int lanes_mask __attribute__((vector_size(4 * LANES)));

/* Stores x, with 0 for negative numbers. */
INLINE void store_rectified(float *y, lanes x) {
    const lanes zero = {0};
    *(lanes_at *)y = (lanes)((lanes_mask)x & ~(lanes_mask)(x < zero));
}
#else
enum { LANES = 1 };
typedef float lanes, lanes_at;

/* Stores x, or 0 if x is negative. */
INLINE void store_rectified(float *y, lanes x) { *y = x < 0 ? 0 : x; }
#endif

INLINE void store(float *y, lanes x, int relu) {
    if (relu)
        store_rectified(y, x);
    else
        *(lanes_at *)y = x;
}
