/* The arena's planner: buffers that are alive together do not overlap; others share memory with little waste. */
#include "check.h"

#include "graph/arena.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SPANS = 60 };

static void check_no_overlap(const tl_span *spans, size_t count, size_t total) {
    for (size_t i = 0; i < count; i++) {
        assert_true(spans[i].offset + spans[i].count <= total);
        assert_int_equal(spans[i].offset * sizeof(tl_real) % 64, 0);
        for (size_t j = 0; j < i; j++) {
            const bool together = spans[i].first <= spans[j].last && spans[j].first <= spans[i].last;
            const bool apart =
                spans[i].offset + spans[i].count <= spans[j].offset || spans[j].offset + spans[j].count <= spans[i].offset;
            if (together && !apart) fail_msg("spans %zu and %zu overlap", i, j);
        }
    }
}

static void given_random_spans_when_planned_then_none_alive_together_overlap(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(1, TL_STREAM_USER, 0, 0);
    for (int round = 0; round < 200; round++) {
        tl_span spans[MAX_SPANS];
        size_t max_alive = 0;
        tl_span *order[2 * MAX_SPANS];
        const size_t count = 1 + tl_rng_below(&rng, MAX_SPANS);
        for (size_t i = 0; i < count; i++) {
            const int first = (int)tl_rng_below(&rng, 30);
            spans[i] =
                (tl_span){.count = 1 + tl_rng_below(&rng, 1000), .first = first, .last = first + (int)tl_rng_below(&rng, 10)};
        }
        bool fits;
        const size_t total = tl_arena_plan(spans, count, order, &fits);
        assert_true(fits);
        check_no_overlap(spans, count, total);
        for (int time = 0; time < 40; time++) {
            size_t alive = 0;
            for (size_t i = 0; i < count; i++)
                if (spans[i].first <= time && time <= spans[i].last) alive += spans[i].count;
            if (alive > max_alive) max_alive = alive;
        }
        if (total > 2 * max_alive) fail_msg("%zu elements where %zu are alive at most", total, max_alive);
    }
}

static void given_a_chain_when_planned_then_two_buffers_serve_all(void **unused) {
    (void)unused;
    tl_span spans[10];
    tl_span *order[20];
    bool fits;
    for (int i = 0; i < 10; i++) spans[i] = (tl_span){.count = 64, .first = i, .last = i + 1};
    assert_int_equal(tl_arena_plan(spans, 10, order, &fits), 128);
}

static void given_late_spans_when_planned_then_the_others_lie_as_without_them(void **unused) {
    (void)unused;
    enum { COUNT = 20 };
    tl_rng rng = tl_rng_at(2, TL_STREAM_USER, 0, 0);
    tl_span spans[2 * COUNT], alone[COUNT], *order[4 * COUNT];
    bool fits;
    for (int i = 0; i < 2 * COUNT; i++) {
        const int first = (int)tl_rng_below(&rng, 30);
        spans[i] = (tl_span){.count = 1 + tl_rng_below(&rng, 1000), .first = first, .last = first + 5, .late = i >= COUNT};
    }
    memcpy(alone, spans, sizeof alone);
    tl_arena_plan(alone, COUNT, order, &fits);
    check_no_overlap(spans, 2 * COUNT, tl_arena_plan(spans, 2 * COUNT, order, &fits));
    for (int i = 0; i < COUNT; i++) assert_int_equal(spans[i].offset, alone[i].offset);
}

static void given_sizes_that_overflow_when_planned_then_it_says_so(void **unused) {
    (void)unused;
    tl_span spans[2] = {{.count = SIZE_MAX / 2 + 1024}, {.count = SIZE_MAX / 2 + 1024}};
    tl_span *order[4];
    bool fits = true;
    tl_arena_plan(spans, 2, order, &fits);
    assert_false(fits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_random_spans_when_planned_then_none_alive_together_overlap),
        cmocka_unit_test(given_a_chain_when_planned_then_two_buffers_serve_all),
        cmocka_unit_test(given_late_spans_when_planned_then_the_others_lie_as_without_them),
        cmocka_unit_test(given_sizes_that_overflow_when_planned_then_it_says_so),
    };
    return check_run(tests);
}
