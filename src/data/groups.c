#include "data/groups.h"

#include "base/memory.h"

#include <stdlib.h>

/* A sample and its position in the order. */
typedef struct member {
    uint32_t group, sample;
    size_t place;
} member;

/* The consecutive members of a group. */
typedef struct run {
    size_t first, count, place; /* place: the first position of a member in the order */
} run;

static int by_group(const void *a, const void *b) {
    const member *x = a, *y = b;
    return x->group != y->group ? (x->group > y->group) - (x->group < y->group) : (x->place > y->place) - (x->place < y->place);
}

static int by_place(const void *a, const void *b) {
    const size_t x = ((const run *)a)->place, y = ((const run *)b)->place;
    return (x > y) - (x < y);
}

/* Sorts the members by group and returns the number of groups. */
static size_t find_runs(member *members, size_t count, run *runs) {
    size_t found = 0;
    qsort(members, count, sizeof *members, by_group);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || members[i].group != members[i - 1].group) runs[found++] = (run){.first = i, .place = members[i].place};
        runs[found - 1].count++;
    }
    return found;
}

static size_t smallest(const size_t *sizes, size_t folds) {
    size_t best = 0;
    for (size_t f = 1; f < folds; f++)
        if (sizes[f] < sizes[best]) best = f;
    return best;
}

tl_status tl_groups_deal(const tl_dataset *data, const uint32_t *order, size_t folds, uint32_t *fold_of, tl_error *error) {
    const size_t count = data->x.shape[0];
    member *members = tl_allocate(count, sizeof *members, "the members of groups", error);
    run *runs = tl_allocate(count, sizeof *runs, "groups", error);
    size_t *sizes = tl_allocate(folds, sizeof *sizes, "folds", error), groups = 0;
    for (size_t i = 0; !tl_failed(error) && i < count; i++) members[i] = (member){data->groups[order[i]], order[i], i};
    if (!tl_failed(error)) groups = find_runs(members, count, runs);
    if (!tl_failed(error) && groups < folds)
        tl_fail(error, TL_ERROR_ARGUMENT, "data: %zu groups cannot make %zu folds, since groups are never divided", groups, folds);
    if (!tl_failed(error)) qsort(runs, groups, sizeof *runs, by_place);
    for (size_t g = 0; !tl_failed(error) && g < groups; g++) {
        const size_t fold = smallest(sizes, folds);
        sizes[fold] += runs[g].count;
        for (size_t i = runs[g].first; i < runs[g].first + runs[g].count; i++) fold_of[members[i].sample] = (uint32_t)fold;
    }
    tl_release(members);
    tl_release(runs);
    tl_release(sizes);
    return error->status;
}
