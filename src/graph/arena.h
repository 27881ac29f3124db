/* arena.h: places buffers in one block of memory; buffers that are never alive at the same time share memory. */
#ifndef TL_ARENA_H
#define TL_ARENA_H

#include <tapline/base.h>

/* A buffer: `count` elements that are in use from time `first` to time `last`, both included. */
typedef struct tl_span {
    size_t count;
    int first, last;
    bool late;     /* it is placed after all others, where they leave a gap or behind them */
    size_t offset; /* [OUT] elements from the start of the arena */
} tl_span;

/* Places every span and returns the size of the arena in elements; *fits is false if that overflows. `order`: (2 · count) temporary
 * memory. Greedy by size (Pisarchyk & Lee 2020, "Efficient memory management for deep neural net inference"): the largest first,
 * each at the lowest offset where it fits. */
size_t tl_arena_plan(tl_span *spans, size_t count, tl_span **order, bool *fits);

#endif
