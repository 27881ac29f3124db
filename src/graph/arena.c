#include "graph/arena.h"

#include "base/memory.h"

static bool alive_together(const tl_span *a, const tl_span *b) { return a->first <= b->last && b->first <= a->last; }

/* The largest first; the earlier of equals, so that the result is the same everywhere. */
static void sort_by_size(const tl_span *spans, size_t count, size_t *order) {
    for (size_t i = 0; i < count; i++) {
        size_t place = i;
        for (; place > 0 && spans[order[place - 1]].count < spans[i].count; place--) order[place] = order[place - 1];
        order[place] = i;
    }
}

/* The lowest offset at which `span` overlaps none of the `placed` spans that are alive together with it. */
static size_t lowest_gap(const tl_span *spans, const size_t *order, size_t placed, const tl_span *span) {
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < placed; i++) {
            const tl_span *other = &spans[order[i]];
            if (!alive_together(other, span)) continue;
            if (offset < other->offset + other->count && other->offset < offset + span->count) {
                offset = other->offset + other->count;
                moved = true;
            }
        }
    }
    return offset;
}

size_t tl_arena_plan(tl_span *spans, size_t count, size_t *order, bool *fits) {
    size_t total = 0, all = 0;
    *fits = true;
    for (size_t i = 0; i < count; i++) {
        spans[i].count = tl_aligned_count(spans[i].count);
        *fits = *fits && tl_sum(all, spans[i].count, &all);
    }
    if (!*fits) return 0;
    sort_by_size(spans, count, order);
    for (size_t i = 0; i < count; i++) {
        tl_span *span = &spans[order[i]];
        span->offset = lowest_gap(spans, order, i, span);
        if (span->offset + span->count > total) total = span->offset + span->count;
    }
    return total;
}
