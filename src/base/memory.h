/* memory.h: aligned memory with checked sizes. */
#ifndef TL_MEMORY_H
#define TL_MEMORY_H

#include <tapline/base.h>

#include "base/math.h"

enum { TL_ALIGNMENT = 64 }; /* bytes: a cache line, and the widest vector */

/* *product = a · b; false if that overflows. */
bool tl_multiply_sizes(size_t a, size_t b, size_t *product);

/* *sum = a + b; false if that overflows. */
bool tl_sum(size_t a, size_t b, size_t *sum);

/* `count` elements of `size` bytes, zeroed and aligned; NULL with the error set, naming `what` the memory was for. */
void *tl_allocate(size_t count, size_t size, const char *what, tl_error *error);

/* The same, not zeroed: large memory that is never written to costs none. */
void *tl_reserve(size_t count, size_t size, const char *what, tl_error *error);

/* Frees what tl_allocate and tl_reserve gave. NULL is fine. */
void tl_release(void *memory);

/* `count` rounded up so that what follows it in an arena of tl_real stays aligned. */
static inline size_t tl_aligned_count(size_t count) {
    const size_t line = TL_ALIGNMENT / sizeof(tl_real);
    return tl_round_up(count, line);
}

#endif
