/* Random numbers without a state: each is a function of seed, stream, substream and step. Any series of a generated set can
 * therefore be made again by itself, on any thread, in any language. */
#include <tapline/tapline.h>

#include <stdio.h>
#include <string.h>

enum { LENGTH = 32 };

/* A random walk whose steps are missing at random: a set bit of `missing` is a missing step. */
static void make_walk(uint32_t number, double walk[LENGTH], uint32_t *missing) {
    tl_rng rng = tl_rng_at(2026, TL_STREAM_USER, number, 0);
    double at = 0;
    for (int t = 0; t < LENGTH; t++) walk[t] = at += tl_rng_normal(&rng);
    *missing = tl_rng_bits(&rng) & tl_rng_bits(&rng) & tl_rng_bits(&rng); /* each bit is set with probability 1/8 */
}

int main(void) {
    double walks[5][LENGTH], again[LENGTH];
    uint32_t missing[5], missing_again;
    for (uint32_t i = 0; i < 5; i++) make_walk(i, walks[i], &missing[i]);
    make_walk(3, again, &missing_again); /* without the four others */
    const bool same = memcmp(walks[3], again, sizeof again) == 0 && missing[3] == missing_again;
    printf("walk 3 ends at %.3f, without its steps %08x; made again, it is %s\n", again[LENGTH - 1], (unsigned)missing_again,
           same ? "the same" : "another one");

    /* The generator, for the same numbers in another program: counter and key 0 give the numbers that its authors publish. */
    static const uint32_t counter[4] = {0}, key[2] = {0}, published[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    uint32_t out[4];
    tl_philox4x32(counter, key, out);
    printf("Philox4x32-10 of zeros: %08x %08x %08x %08x\n", (unsigned)out[0], (unsigned)out[1], (unsigned)out[2], (unsigned)out[3]);
    return !same || memcmp(out, published, sizeof out) != 0;
}
