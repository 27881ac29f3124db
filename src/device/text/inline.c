/* Functions with constant sizes at each call are inlined, except on small processors, which have little flash. */
#if defined(__GNUC__) && (defined(__SSE2__) || defined(__ARM_NEON))
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static
#endif
