/* Random factors, 0 or a scale, by Philox4x32-10 (src/base/random.c) on vectors of counters. */
#include "kernels/kernel.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* A counter gives four numbers, so that a vector of counters gives those of `DRAWN` elements. Each word of a counter has 64 bits,
 * of which the upper half may hold anything. */
enum { COUNTERS = TL_VECTOR_BYTES / 8, DRAWN = 4 * COUNTERS, ROUNDS = 10 };
typedef uint64_t words __attribute__((vector_size(TL_VECTOR_BYTES)));

/* Product of the lower halves. */
TL_INLINE words product(words a, uint32_t factor) {
    const words b = (words){0} + factor;
#if defined(__AVX512F__)
    return (words)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (words)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return (words)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & UINT32_MAX) * b;
#endif
}

/* a[0], b[0], a[2], b[2] … and a[1], b[1], a[3], b[3] … */
TL_INLINE void interleave(words a, words b, words mixed[2]) {
#if defined(__AVX512F__)
    mixed[0] = (words)_mm512_unpacklo_epi64((__m512i)a, (__m512i)b);
    mixed[1] = (words)_mm512_unpackhi_epi64((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    mixed[0] = (words)_mm256_unpacklo_epi64((__m256i)a, (__m256i)b);
    mixed[1] = (words)_mm256_unpackhi_epi64((__m256i)a, (__m256i)b);
#else
    for (int i = 0; i < COUNTERS; i++) {
        mixed[i % 2][i / 2 * 2] = a[i];
        mixed[i % 2][i / 2 * 2 + 1] = b[i];
    }
#endif
}

/* Values that all rounds use: the counters are first + order, 1, 2, 3. */
typedef struct generator {
    words order, word1, word2, word3;
    words key[ROUNDS][2];
} generator;

/* The first half of the counters is in the even places, so that the numbers come out in order. */
TL_INLINE void prepare(generator *g, const tl_rng *rng) {
    static const uint64_t order[] = {0, COUNTERS / 2, 1, COUNTERS / 2 + 1, 2, COUNTERS / 2 + 2, 3, COUNTERS / 2 + 3};
    __builtin_memcpy(&g->order, order, sizeof g->order);
    g->word1 = (words){0} + rng->counter[1];
    g->word2 = (words){0} + rng->counter[2];
    g->word3 = (words){0} + rng->counter[3];
    uint32_t key0 = rng->key[0], key1 = rng->key[1];
    for (int round = 0; round < ROUNDS; round++, key0 += 0x9E3779B9u, key1 += 0xBB67AE85u) {
        g->key[round][0] = (words){0} + key0;
        g->key[round][1] = (words){0} + key1;
    }
}

TL_INLINE void draw(const generator *g, uint32_t first, uint32_t *numbers) {
    words c0 = g->order + first, c1 = g->word1, c2 = g->word2, c3 = g->word3;
    TL_UNROLL for (int round = 0; round < ROUNDS; round++) {
        const words p0 = product(c0, 0xD2511F53u), p1 = product(c2, 0xCD9E8D57u);
        c0 = (p1 >> 32) ^ c1 ^ g->key[round][0];
        c1 = p1;
        c2 = (p0 >> 32) ^ c3 ^ g->key[round][1];
        c3 = p0;
    }
    words mixed[2];
    interleave((c0 & UINT32_MAX) | c1 << 32, (c2 & UINT32_MAX) | c3 << 32, mixed);
    __builtin_memcpy(numbers, mixed, sizeof mixed);
}

/* Numbers with the width of tl_real. */
#ifdef TAPLINE_F64
typedef words lanes;
TL_INLINE lanes load_numbers(const uint32_t *from) {
    uint32_t half __attribute__((vector_size(TL_VECTOR_BYTES / 2)));
    __builtin_memcpy(&half, from, sizeof half);
    return __builtin_convertvector(half, lanes);
}
#else
typedef uint32_t lanes __attribute__((vector_size(TL_VECTOR_BYTES)));
TL_INLINE lanes load_numbers(const uint32_t *from) {
    lanes whole;
    __builtin_memcpy(&whole, from, sizeof whole);
    return whole;
}
#endif

void TL_KERNEL(tl_kernel_dropout)(const tl_dropout_run *run);
void TL_KERNEL(tl_kernel_dropout)(const tl_dropout_run *run) {
    const lanes threshold = (lanes){0} + run->threshold;
    const tl_vector scale = tl_broadcast(run->scale);
    generator g;
    prepare(&g, &run->rng);
    for (size_t first = 0; first < run->count; first += DRAWN) {
        uint32_t numbers[DRAWN];
        draw(&g, run->rng.counter[0] + (uint32_t)(first / 4), numbers);
        TL_UNROLL for (size_t i = 0; i < DRAWN; i += TL_LANES) {
            const tl_vector factor = tl_where((tl_mask)(load_numbers(numbers + i) >= threshold), scale);
            const size_t at = first + i;
            if (at + TL_LANES <= run->count)
                tl_store(run->to + at, tl_load(run->from + at) * factor);
            else if (at < run->count)
                tl_store_part(run->to + at, tl_load_part(run->from + at, run->count - at) * factor, run->count - at);
        }
    }
}
