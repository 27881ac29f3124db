/* tapline/machine.h: properties of the machine (advanced). */
#ifndef TAPLINE_MACHINE_H
#define TAPLINE_MACHINE_H

#include <tapline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the instruction set that the kernel functions use: "baseline", "avx2" or "avx512". The environment variable TAPLINE_ISA
 * may select a lower one. */
TL_ADVANCED const char *tl_isa(void);

/* Measures the peak rate of one thread, in GFLOP/s, for about `seconds` seconds, and returns the best rate: a loop of independent
 * fused multiply-adds (or multiplications and additions, where the processor has none) on vectors of tl_real. No direct evaluation
 * of a convolution can be faster. */
TL_ADVANCED double tl_peak_gflops(double seconds);

/* Returns the default limit of the memory of a network from a file, in bytes (tl_load_cfg.max_memory): half of the machine's
 * memory, at most 4 GB. The default limit of a data set is half of that (tl_read_cfg.max_memory). */
TL_ADVANCED size_t tl_memory_limit(void);

/* Returns the number of processors that this process may use. */
TL_ADVANCED int tl_processors(void);

/* ---- memory ---- */

/* The source of memory for arrays: those of models, streams, convolution plans and data sets. Other memory comes from the C
 * library: small structs, texts, lists, everything that the caller frees with free(), and the memory of jansson, zlib, the BLAS and
 * OpenMP. */
typedef struct tl_allocator {
    /* returns `bytes` bytes, aligned to `alignment`, a power of 2 of at most 2 MB; NULL if there is no memory */
    void *(*allocate)(size_t bytes, size_t alignment, void *user);
    void (*release)(void *memory, void *user); /* frees what `allocate` returned; any thread may call both functions */
    void *user;                                /* passed to both */
} tl_allocator;

/* Sets the allocator of this library for the whole process (the f32 and the f64 library have one each). Call it before the library
 * allocates its first array, and while no other thread uses the library. The struct is copied. `allocator` NULL: the C library.
 * Fails with TL_ERROR_STATE after the first array was allocated, and with TL_ERROR_ARGUMENT if one of the functions is NULL. */
static inline tl_status tl_set_allocator(const tl_allocator *allocator, tl_error *error);

/* ---- how structs may grow (see tapline/base.h) ---- */

TL_ADVANCED tl_status tl_set_allocator_sized(const tl_allocator *allocator, size_t size, tl_error *error);

static inline tl_status tl_set_allocator(const tl_allocator *allocator, tl_error *error) {
    return tl_set_allocator_sized(allocator, sizeof *allocator, error);
}

#ifdef __cplusplus
}
#endif
#endif
