/* memory.h: aligned memory, with checks of sizes. */
#ifndef TL_MEMORY_H
#define TL_MEMORY_H

#include <tapline/base.h>

#include "base/math.h"

#include <stdlib.h>

enum { TL_ALIGNMENT = 64 }; /* bytes: a cache line, and the widest vector */

/* *product = a · b; returns false if that overflows. */
bool tl_multiply_sizes(size_t a, size_t b, size_t *product);

/* *sum = a + b; returns false if that overflows. */
bool tl_sum(size_t a, size_t b, size_t *sum);

/* Allocates `count` elements of `size` bytes, zeroed and aligned. Returns NULL and sets the error if that fails; `what` names what
 * the memory is for. */
void *tl_allocate(size_t count, size_t size, const char *what, tl_error *error);

/* The same, but not zeroed: large memory costs nothing until it is written. */
void *tl_reserve(size_t count, size_t size, const char *what, tl_error *error);

/* Frees memory from tl_allocate or tl_reserve. NULL is allowed. */
void tl_release(void *memory);

/* The only two places where `const` is cast away. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"

/* Returns the elements of a tensor that is only read: tl_tensor has no pointer to const, so that one type serves all. */
static inline tl_real *tl_read_only(const tl_real *elements) { return (tl_real *)elements; }

/* Frees a text that a public struct shows as read-only. NULL is allowed. */
static inline void tl_free_text(const char *text) { free((char *)text); }

#pragma GCC diagnostic pop

/* Returns `count`, rounded up so that the next array in an arena of tl_real is aligned. */
static inline size_t tl_aligned_count(size_t count) {
    const size_t line = TL_ALIGNMENT / sizeof(tl_real);
    return tl_round_up(count, line);
}

#endif
