/* A vector of the processor, or a single number where it has none or the compiler is another one. */
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
#else
enum { LANES = 1 };
typedef float lanes, lanes_at;
#endif
