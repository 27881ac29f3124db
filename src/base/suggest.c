/* Suggests a name for a misspelt one. */
#include <tapline/base.h>

#include "base/math.h"

#include <string.h>

enum { LONGEST = 40 }; /* longer names have no suggestion */

/* The number of insertions, deletions, substitutions and swaps of neighbours that turn a into b (optimal string alignment). */
static size_t edit_distance(const char *a, const char *b) {
    const size_t rows = strlen(a), columns = strlen(b);
    size_t d[LONGEST + 1][LONGEST + 1];
    if (rows > LONGEST || columns > LONGEST) return LONGEST;
    for (size_t i = 0; i <= rows; i++) d[i][0] = i;
    for (size_t j = 0; j <= columns; j++) d[0][j] = j;
    for (size_t i = 1; i <= rows; i++)
        for (size_t j = 1; j <= columns; j++) {
            d[i][j] = tl_min(tl_min(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = tl_min(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[rows][columns];
}

const char *tl_suggest(const char *text, tl_candidate candidate, const void *context) {
    const char *best = NULL;
    size_t distance = LONGEST;
    for (size_t i = 0;; i++) {
        const char *name = candidate(context, i);
        if (!name) return best;
        const size_t allowed = tl_max(strlen(name) / 3, 1), found = edit_distance(text, name);
        if (found > allowed || found >= distance) continue;
        best = name;
        distance = found;
    }
}
