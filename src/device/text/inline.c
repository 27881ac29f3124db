/* Functions whose sizes are constants at each call: written out there, but on small processors, which have little flash. */
#if defined(__GNUC__) && (defined(__SSE2__) || defined(__ARM_NEON))
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static
#endif
