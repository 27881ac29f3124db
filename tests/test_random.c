/* The counter-based generator against published vectors, and the properties of its distributions. */
#include "check.h"

#include <math.h>
#include <string.h>

static void given_the_published_vectors_when_generated_then_every_bit_agrees(void **unused) {
    (void)unused;
    /* Random123's known answers for philox4x32-10. */
    const struct {
        uint32_t counter[4], key[2], out[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t out[4];
        tl_philox4x32(cases[i].counter, cases[i].key, out);
        assert_memory_equal(out, cases[i].out, sizeof out);
    }
}

static void given_other_seeds_streams_or_steps_when_drawn_then_the_numbers_differ(void **unused) {
    (void)unused;
    tl_rng places[] = {tl_rng_at(1, TL_STREAM_INIT, 0, 0),    tl_rng_at(2, TL_STREAM_INIT, 0, 0),
                       tl_rng_at(1, TL_STREAM_DROPOUT, 0, 0), tl_rng_at(1, TL_STREAM_INIT, 1, 0),
                       tl_rng_at(1, TL_STREAM_INIT, 0, 1),    tl_rng_at(1, TL_STREAM_INIT, 0, (uint64_t)1 << 32)};
    enum { PLACES = sizeof places / sizeof *places, DRAWS = 16 };
    uint32_t drawn[PLACES][DRAWS];
    for (int i = 0; i < PLACES; i++)
        for (int j = 0; j < DRAWS; j++) drawn[i][j] = tl_rng_bits(&places[i]);
    for (int i = 0; i < PLACES; i++)
        for (int j = 0; j < i; j++) assert_memory_not_equal(drawn[i], drawn[j], sizeof drawn[i]);
    tl_rng again = tl_rng_at(1, TL_STREAM_INIT, 0, 0);
    for (int j = 0; j < DRAWS; j++) assert_int_equal(tl_rng_bits(&again), drawn[0][j]);
}

static void given_many_random_draws_when_averaged_then_the_moments_are_right(void **unused) {
    (void)unused;
    enum { COUNT = 200000 };
    tl_rng rng = tl_rng_at(9, TL_STREAM_USER, 0, 0);
    double sum = 0, square = 0, fourth = 0, uniform = 0, minimum = 1, maximum = 0;
    for (int i = 0; i < COUNT; i++) {
        const double z = tl_rng_normal(&rng), u = tl_rng_uniform(&rng);
        sum += z, square += z * z, fourth += z * z * z * z, uniform += u;
        minimum = fmin(minimum, u), maximum = fmax(maximum, u);
    }
    /* five standard errors of each mean */
    check_number("mean", sum / COUNT, 0, 0, 5 / sqrt(COUNT));
    check_number("variance", square / COUNT, 1, 0, 5 * sqrt(2.0 / COUNT));
    check_number("fourth moment", fourth / COUNT, 3, 0, 5 * sqrt(96.0 / COUNT));
    check_number("uniform mean", uniform / COUNT, 0.5, 0, 5 * sqrt(1.0 / 12 / COUNT));
    assert_true(minimum > 0 && maximum < 1);
}

static void given_a_limit_when_drawn_below_then_every_value_is_as_likely(void **unused) {
    (void)unused;
    enum { LIMIT = 7, COUNT = 70000 };
    int seen[LIMIT] = {0};
    tl_rng rng = tl_rng_at(1, TL_STREAM_USER, 0, 0);
    for (int i = 0; i < COUNT; i++) {
        const uint32_t value = tl_rng_below(&rng, LIMIT);
        assert_true(value < LIMIT);
        seen[value]++;
    }
    for (int v = 0; v < LIMIT; v++) check_number("share", seen[v], (double)COUNT / LIMIT, 0, 5 * sqrt((double)COUNT / LIMIT));
}

static void given_a_permutation_when_drawn_then_each_index_once(void **unused) {
    (void)unused;
    enum { COUNT = 1000 };
    uint32_t order[COUNT];
    bool seen[COUNT] = {false};
    tl_rng rng = tl_rng_at(1, TL_STREAM_SHUFFLE, 0, 3);
    tl_rng_permutation(&rng, order, COUNT);
    size_t fixed = 0;
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(order[i] < COUNT && !seen[order[i]]);
        seen[order[i]] = true;
        fixed += order[i] == i;
    }
    assert_true(fixed < 10); /* one is expected */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_the_published_vectors_when_generated_then_every_bit_agrees),
        cmocka_unit_test(given_other_seeds_streams_or_steps_when_drawn_then_the_numbers_differ),
        cmocka_unit_test(given_many_random_draws_when_averaged_then_the_moments_are_right),
        cmocka_unit_test(given_a_limit_when_drawn_below_then_every_value_is_as_likely),
        cmocka_unit_test(given_a_permutation_when_drawn_then_each_index_once),
    };
    return check_run(tests);
}
