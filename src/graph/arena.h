/* arena.h: places buffers in one block of memory, so that buffers which are never alive together share it. */
#ifndef TL_ARENA_H
#define TL_ARENA_H

#include <tapline/base.h>

/* One buffer: `count` elements that hold something from time `first` to time `last`, both included. */
typedef struct tl_span {
    size_t count;
    int first, last;
    size_t offset; /* [OUT] elements from the start of the arena */
} tl_span;

/* Places every span and returns the arena's size in elements, or false in *fits where that overflows. `order`: room to work in, of
 * 2 · count. Greedy by size (Pisarchyk &
 * Lee 2020, "Efficient memory management for deep neural net inference"): the largest first, each at the lowest offset where it
 * fits. */
size_t tl_arena_plan(tl_span *spans, size_t count, tl_span **order, bool *fits);

#endif
