/* Philox4x32-10: Salmon, Moraes, Dror & Shaw 2011, section 3.3, with the multipliers and Weyl increments of the paper. */
#include <tapline/random.h>

#include <math.h>

static const uint32_t multiplier[2] = {0xD2511F53u, 0xCD9E8D57u};
static const uint32_t increment[2] = {0x9E3779B9u, 0xBB67AE85u};

void tl_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)multiplier[0] * c0, p1 = (uint64_t)multiplier[1] * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += increment[0];
        k1 += increment[1];
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

tl_rng tl_rng_at(uint64_t seed, tl_rng_stream stream, uint32_t substream, uint64_t step) {
    return (tl_rng){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {0, (uint32_t)stream << 24 | (substream & 0xFFFFFFu), (uint32_t)step, (uint32_t)(step >> 32)},
        .used = 4,
    };
}

uint32_t tl_rng_bits(tl_rng *rng) {
    if (rng->used == 4) {
        tl_philox4x32(rng->counter, rng->key, rng->block);
        rng->counter[0]++;
        rng->used = 0;
    }
    return rng->block[rng->used++];
}

double tl_rng_uniform(tl_rng *rng) { return (tl_rng_bits(rng) + 0.5) * 0x1p-32; }

double tl_rng_normal(tl_rng *rng) {
    const double radius = sqrt(-2 * log(tl_rng_uniform(rng)));
    return radius * cos(6.283185307179586477 * tl_rng_uniform(rng));
}

uint32_t tl_rng_below(tl_rng *rng, uint32_t limit) {
    /* Lemire 2019: takes the high half of a product of 32 × 32 bits, and draws again in the few cases that would make some values
     * more likely. */
    const uint32_t floor = (uint32_t)(-limit) % limit;
    uint64_t product;
    do product = (uint64_t)tl_rng_bits(rng) * limit;
    while ((uint32_t)product < floor);
    return (uint32_t)(product >> 32);
}

void tl_rng_permutation(tl_rng *rng, uint32_t *order, size_t count) {
    for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        const size_t j = tl_rng_below(rng, (uint32_t)i);
        const uint32_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}
