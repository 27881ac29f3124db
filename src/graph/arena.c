#include "graph/arena.h"

#include "base/math.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static bool alive_together(const tl_span *a, const tl_span *b) { return a->first <= b->last && b->first <= a->last; }

/* Largest first, then the late ones; of equals the earlier one, so that the result is the same on every machine. */
static int by_size(const void *one, const void *other) {
    const tl_span *a = *(tl_span *const *)one, *b = *(tl_span *const *)other;
    if (a->late != b->late) return a->late ? 1 : -1;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    return (a > b) - (a < b);
}

/* Returns the lowest offset at which `span` overlaps none of the `placed` spans that are alive at the same time. They are sorted by
 * offset.
 */
static size_t lowest_gap(tl_span *const *placed, size_t count, const tl_span *span) {
    size_t offset = 0;
    for (size_t i = 0; i < count && placed[i]->offset < offset + span->count; i++)
        if (alive_together(placed[i], span)) offset = tl_max(offset, placed[i]->offset + placed[i]->count);
    return offset;
}

static void insert(tl_span **placed, size_t count, tl_span *span) {
    size_t place = count;
    while (place > 0 && placed[place - 1]->offset > span->offset) place--;
    memmove(placed + place + 1, placed + place, (count - place) * sizeof *placed);
    placed[place] = span;
}

size_t tl_arena_plan(tl_span *spans, size_t count, tl_span **order, bool *fits) {
    size_t total = 0, all = 0;
    *fits = true;
    for (size_t i = 0; i < count; i++) {
        spans[i].count = tl_aligned_count(spans[i].count);
        *fits = *fits && tl_sum(all, spans[i].count, &all);
        order[i] = &spans[i];
    }
    if (!*fits) return 0;
    qsort(order, count, sizeof *order, by_size);
    for (size_t i = 0; i < count; i++) {
        order[i]->offset = lowest_gap(order + count, i, order[i]);
        insert(order + count, i, order[i]);
        total = tl_max(total, order[i]->offset + order[i]->count);
    }
    return total;
}
