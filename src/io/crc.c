/* CRC-32 by zlib, and where the processor multiplies polynomials four to eight times as fast: otherwise reading a stored array
 * would mostly wait for its checksum. */
#include "io/crc.h"

#include <zlib.h>

#if defined __x86_64__
#include <immintrin.h>

enum { LANES = 4, LANE = 16, BLOCK = LANES * LANE };

/* x · power, and the next 128 bits of the message. power: x to the number of bits that x moves on, modulo the polynomial of the
 * CRC, for the lower and the upper half of x. */
__attribute__((target("pclmul,sse2"))) static inline __m128i fold(__m128i x, __m128i power, __m128i next) {
    const __m128i lower = _mm_clmulepi64_si128(x, power, 0x00), upper = _mm_clmulepi64_si128(x, power, 0x11);
    return _mm_xor_si128(_mm_xor_si128(lower, upper), next);
}

/* Replaces all blocks by 16 bytes with the same remainder (Gopal et al. 2009, "Fast CRC computation for generic polynomials using
 * PCLMULQDQ instruction"), whose CRC zlib computes. `size`: at least BLOCK, a multiple of LANE. */
__attribute__((target("pclmul,sse2"))) static uint32_t crc_of_blocks(uint32_t before, const unsigned char *data, size_t size) {
    const __m128i by_block = _mm_set_epi64x(0x1c6e41596, 0x154442bd4), by_lane = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
    const __m128i *next = (const __m128i *)(const void *)data, *end = next + size / LANE;
    unsigned char rest[LANE];
    __m128i x[LANES];
    for (int i = 0; i < LANES; i++) x[i] = _mm_loadu_si128(next++);
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128((int)~before));
    for (; end - next >= LANES; next += LANES)
        for (int i = 0; i < LANES; i++) x[i] = fold(x[i], by_block, _mm_loadu_si128(next + i));
    for (int i = 1; i < LANES; i++) x[0] = fold(x[0], by_lane, x[i]);
    while (next < end) x[0] = fold(x[0], by_lane, _mm_loadu_si128(next++));
    _mm_storeu_si128((__m128i *)(void *)rest, x[0]);
    return (uint32_t)crc32_z(UINT32_MAX, rest, sizeof rest);
}

uint32_t tl_crc_of(uint32_t before, const void *data, size_t size) {
    const unsigned char *bytes = data;
    size_t whole = 0;
    if (size >= BLOCK && __builtin_cpu_supports("pclmul")) {
        whole = size - size % LANE;
        before = crc_of_blocks(before, bytes, whole);
    }
    return (uint32_t)crc32_z(before, bytes + whole, size - whole);
}
#else
uint32_t tl_crc_of(uint32_t before, const void *data, size_t size) { return (uint32_t)crc32_z(before, data, size); }
#endif
