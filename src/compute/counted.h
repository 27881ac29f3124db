/* counted.h: the elements of a batch that count, where samples have lengths of their own (tl_pass.lengths). */
#ifndef TL_COUNTED_H
#define TL_COUNTED_H

#include <tapline/layer.h>

#include "base/math.h"

/* A position in the elements of an array: (batch, length, channels). */
typedef struct tl_counted {
    const size_t *lengths; /* (batch) NULL: all steps count */
    size_t each, width;    /* elements of a sample and of a step */
    size_t end;            /* where the search ends */
    size_t first, count;   /* [OUT] of tl_next_counted: consecutive elements that count */
} tl_counted;

/* Prepares a search for the elements from number `first` to number `end` - 1 that count. */
static inline tl_counted tl_counted_in(const size_t *lengths, size_t length, size_t width, size_t first, size_t end) {
    return (tl_counted){.lengths = lengths, .each = length * width, .width = width, .end = end, .first = first};
}

/* Goes on to the next elements that count. Returns false if there are none. */
static inline bool tl_next_counted(tl_counted *run) {
    const size_t from = run->first + run->count;
    if (!run->lengths) {
        run->first = from;
        run->count = run->end - from;
        return run->count > 0;
    }
    for (size_t sample = from / run->each; sample * run->each < run->end; sample++) {
        const size_t begin = sample * run->each, first = tl_max(begin, from);
        const size_t stop = tl_min(begin + run->lengths[sample] * run->width, run->end);
        if (first >= stop) continue;
        run->first = first;
        run->count = stop - first;
        return true;
    }
    return false;
}

/* For tl_layer_ops.reads_behind, of layers that read only the steps that count. */
static inline size_t tl_reads_counted(const tl_layer *layer) {
    (void)layer;
    return 0;
}

#endif
