#include "base/memory.h"

#include "base/argument.h"
#include "base/math.h"

#include <tapline/machine.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { HUGE_PAGE = 2 << 20, HUGE_MIN = HUGE_PAGE / 4 }; /* in bytes: a huge page; the minimum size of an array for huge pages */

size_t tl_memory_limit(void) {
    const double maximum = 4e9, pages = (double)sysconf(_SC_PHYS_PAGES), half = pages * (double)sysconf(_SC_PAGESIZE) / 2;
    return (size_t)(pages > 0 && half < maximum ? half : maximum);
}

bool tl_multiply_sizes(size_t a, size_t b, size_t *product) { return !__builtin_mul_overflow(a, b, product); }

bool tl_sum(size_t a, size_t b, size_t *sum) { return !__builtin_add_overflow(a, b, sum); }

/* ---- the allocator ---- */

/* The allocator of the process (tl_set_allocator). It does not change after its first use. */
static struct {
    tl_allocator own; /* all NULL: the C library */
    atomic_bool used;
} arrays_from;

tl_status tl_set_allocator_sized(const tl_allocator *allocator, size_t size, tl_error *error) {
    tl_error own = {0};
    tl_allocator wanted;
    if (!error) error = &own;
    tl_take(&wanted, sizeof wanted, allocator, size, "allocator", error);
    if (tl_failed(error)) return error->status;
    if (allocator && (!wanted.allocate || !wanted.release))
        return tl_fail(error, TL_ERROR_ARGUMENT, "allocator: %s is NULL", wanted.allocate ? "release" : "allocate");
    if (atomic_load(&arrays_from.used))
        return tl_fail(error, TL_ERROR_STATE,
                       "allocator: arrays were allocated already; set it before the first model or data set");
    arrays_from.own = wanted;
    return TL_OK;
}

static void *allocate(size_t alignment, size_t bytes) {
    const tl_allocator *own = &arrays_from.own;
    atomic_store_explicit(&arrays_from.used, true, memory_order_relaxed);
    return own->allocate ? own->allocate(bytes, alignment, own->user) : aligned_alloc(alignment, bytes);
}

/* Passes go through the whole arena, but the processor keeps the addresses of only few pages: large arrays should have large
 * pages. */
static void *reserve_bytes(size_t bytes) {
#if defined(MADV_HUGEPAGE)
    if (bytes >= HUGE_MIN) {
        const size_t whole = tl_round_up(bytes, HUGE_PAGE); /* aligned_alloc needs multiples */
        void *memory = allocate(HUGE_PAGE, whole);
        if (memory) madvise(memory, whole, MADV_HUGEPAGE); /* only a hint: without it, only the speed differs */
        return memory;
    }
#endif
    return allocate(TL_ALIGNMENT, bytes);
}

/* *padded [OUT]: the number of bytes that were allocated. */
static void *reserve(size_t count, size_t size, const char *what, size_t *padded, tl_error *error) {
    size_t bytes;
    if (!tl_multiply_sizes(count, size, &bytes) || !tl_sum(bytes, TL_ALIGNMENT - 1, padded) || *padded > PTRDIFF_MAX) {
        tl_fail(error, TL_ERROR_SHAPE, "%s: %zu elements of %zu bytes are more than memory can address", what, count, size);
        return NULL;
    }
    *padded = bytes ? *padded / TL_ALIGNMENT * TL_ALIGNMENT : TL_ALIGNMENT;
    void *memory = reserve_bytes(*padded);
    if (!memory) tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory for %zu bytes", what, *padded);
    return memory;
}

void *tl_reserve(size_t count, size_t size, const char *what, tl_error *error) {
    size_t padded;
    return reserve(count, size, what, &padded, error);
}

void *tl_allocate(size_t count, size_t size, const char *what, tl_error *error) {
    size_t padded;
    void *memory = reserve(count, size, what, &padded, error);
    return memory ? memset(memory, 0, padded) : NULL;
}

void tl_release(void *memory) {
    if (memory && arrays_from.own.release)
        arrays_from.own.release(memory, arrays_from.own.user);
    else
        free(memory);
}
