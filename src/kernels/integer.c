/* Convolutions of 8-bit integers. Factors have 16 bits and sums 32 bits, so nothing saturates, and all instruction sets compute the
 * same. On x86, one instruction (PMADDWD) multiplies pairs of 16-bit factors and adds both products.
 */
#include "kernels/integer.h"
#include "kernels/kernel.h"

#if defined(__SSE2__) && !defined(__AVX2__)
#include <emmintrin.h>
#endif

#if defined(__AVX2__)
enum { LANES = 8, ROWS = 6 };
#elif defined(__SSE2__)
enum { LANES = 4, ROWS = 2 };
#else
enum { LANES = 4, ROWS = 4 };
#endif
enum { VECTORS = TL_INTEGER_FILTERS / LANES, PAIR = 2 };

/* Sums, and pairs of factors. */
typedef int32_t lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t lanes_memory __attribute__((vector_size(4 * LANES), aligned(1), may_alias));

TL_INLINE lanes load(const void *from) { return *(const lanes_memory *)from; }

/* Adds the products of pairs. */
TL_INLINE lanes add_products(lanes sum, lanes a, lanes b) {
#if defined(__AVX2__)
    return sum + (lanes)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return sum + (lanes)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    for (int i = 0; i < LANES; i++)
        sum[i] += (int16_t)(a[i] & 0xFFFF) * (int16_t)(b[i] & 0xFFFF) + (int16_t)(a[i] >> 16) * (int16_t)(b[i] >> 16);
    return sum;
#endif
}

/* All lanes are the pair at this address. */
TL_INLINE lanes pair_at(const int16_t *from) {
    int32_t pair;
    __builtin_memcpy(&pair, from, sizeof pair);
    return pair - (lanes){0};
}

/* Each lane is one factor, beside another number that is multiplied by 0. */
TL_INLINE lanes singles_at(const int16_t *from) {
#if defined(__AVX2__)
    return (lanes)_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)from));
#elif defined(__SSE2__)
    const __m128i four = _mm_loadl_epi64((const __m128i *)from);
    return (lanes)_mm_unpacklo_epi16(four, four);
#else
    return (lanes){from[0] & 0xFFFF, from[1] & 0xFFFF, from[2] & 0xFFFF, from[3] & 0xFFFF};
#endif
}

/* ---- from sums to 8 bits ---- */

static int8_t limited(int64_t sum, int32_t multiplier, int shift, int zero, int low) {
    const int64_t value = ((sum * multiplier + ((int64_t)1 << (shift - 1))) >> shift) + zero;
    return (int8_t)(value < low ? low : value > 127 ? 127 : value);
}

static void store_scalar(const tl_integer_filters *f, const lanes sums[VECTORS], size_t first, size_t count, int8_t *y) {
    int32_t sum[TL_INTEGER_FILTERS];
    __builtin_memcpy(sum, sums, sizeof sum);
    for (size_t i = 0; i < count; i++) y[i] = limited(sum[i], f->multiplier[first + i], f->shift[first + i], f->zero, f->low);
}

#if defined(__AVX2__)
/* sum · multiplier / 2^shift of the even lanes, rounded, in the lower halves of 64 bits. There is no arithmetic shift of 64 bits:
 * 2^62 makes all products positive before the shift. */
TL_INLINE __m256i scaled_even(__m256i sum, __m256i multiplier, __m256i shift) {
    const __m256i one = _mm256_set1_epi64x(1), large = _mm256_set1_epi64x((int64_t)1 << 62);
    const __m256i half = _mm256_sllv_epi64(one, _mm256_sub_epi64(shift, one));
    const __m256i product = _mm256_add_epi64(_mm256_mul_epi32(sum, multiplier), _mm256_add_epi64(large, half));
    return _mm256_sub_epi64(_mm256_srlv_epi64(product, shift), _mm256_srlv_epi64(large, shift));
}

/* Eight results between low and 127, as 32 bits. */
TL_INLINE __m256i limited_lanes(const tl_integer_filters *f, lanes sums, size_t first) {
    const __m256i sum = (__m256i)sums, multiplier = _mm256_loadu_si256((const __m256i *)(f->multiplier + first));
    const __m256i shift = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(f->shift + first)));
    const __m256i lower = _mm256_set1_epi64x(0xFFFFFFFF);
    const __m256i even = scaled_even(sum, multiplier, _mm256_and_si256(shift, lower));
    const __m256i odd = scaled_even(_mm256_srli_epi64(sum, 32), _mm256_srli_epi64(multiplier, 32), _mm256_srli_epi64(shift, 32));
    const __m256i both = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
    /* the result has up to 31 bits and a sign; it is limited before the zero point is added, which could overflow */
    const __m256i zero = _mm256_set1_epi32(f->zero), low = _mm256_set1_epi32(f->low - f->zero),
                  high = _mm256_set1_epi32(127 - f->zero);
    return _mm256_add_epi32(_mm256_min_epi32(_mm256_max_epi32(both, low), high), zero);
}

static void store_block(const tl_integer_filters *f, const lanes sum[VECTORS], size_t first, size_t count, int8_t *y) {
    int8_t bytes[TL_INTEGER_FILTERS];
    if (f->wide) {
        store_scalar(f, sum, first, count, y);
        return;
    }
    const __m256i words = _mm256_packs_epi32(limited_lanes(f, sum[0], first), limited_lanes(f, sum[1], first + LANES));
    const __m256i ordered = _mm256_permute4x64_epi64(words, 0xD8);
    const __m128i all = _mm_packs_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
    if (count == TL_INTEGER_FILTERS)
        _mm_storeu_si128((__m128i *)y, all);
    else {
        _mm_storeu_si128((__m128i *)bytes, all);
        __builtin_memcpy(y, bytes, count);
    }
}
#else
static void store_block(const tl_integer_filters *f, const lanes sum[VECTORS], size_t first, size_t count, int8_t *y) {
    store_scalar(f, sum, first, count, y);
}
#endif

/* ---- convolution ---- */

/* Computes `rows` outputs of a block of filters; rows is a constant at each call. */
TL_INLINE void tile(const tl_integer_product *p, const int rows, size_t block, size_t t) {
    const size_t first = block * TL_INTEGER_FILTERS;
    const int16_t *w = p->weight + first * PAIR * p->pairs * p->segments;
    lanes sum[ROWS][VECTORS];
    TL_UNROLL for (int r = 0; r < rows; r++) {
        TL_UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = load(p->filters.bias + first + (size_t)(v * LANES));
    }
    for (size_t s = 0; s < p->segments; s++) {
        const int16_t *x = p->x + t * p->x_row + s * p->x_segment;
        for (size_t k = 0; k < p->pairs; k++, x += PAIR, w += PAIR * TL_INTEGER_FILTERS) {
            TL_UNROLL for (int r = 0; r < rows; r++) {
                const lanes pair = pair_at(x + (size_t)r * p->x_row);
                TL_UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = add_products(sum[r][v], load(w + v * LANES * PAIR), pair);
            }
        }
    }
    const size_t count = tl_min(p->filters.count - first, TL_INTEGER_FILTERS);
    TL_UNROLL for (int r = 0; r < rows; r++) {
        lanes row[VECTORS]; /* a copy, so that the sums can stay in registers */
        TL_UNROLL for (int v = 0; v < VECTORS; v++) row[v] = sum[r][v];
        store_block(&p->filters, row, first, count, p->y + (t + (size_t)r) * p->y_row + first);
    }
}

static void product_of(const tl_integer_product *product) {
    const size_t rows = product->rows;
    for (size_t block = 0; block * TL_INTEGER_FILTERS < product->filters.count; block++) {
        size_t t = 0;
        for (; t + ROWS <= rows; t += ROWS) tile(product, ROWS, block, t);
        for (; t < rows; t++) tile(product, 1, block, t);
    }
}

/* One filter for each channel: a segment is a tap, and each factor is the first of its pair. */
static void depthwise_of(const tl_integer_product *product) {
    const tl_integer_product p = *product;
    const size_t blocks = (p.filters.count + TL_INTEGER_FILTERS - 1) / TL_INTEGER_FILTERS;
    for (size_t t = 0; t < p.rows; t++)
        for (size_t block = 0; block < blocks; block++) {
            const size_t first = block * TL_INTEGER_FILTERS;
            const int16_t *x = p.x + t * p.x_row + first, *w = p.weight + first * PAIR;
            lanes sum[VECTORS];
            TL_UNROLL for (int v = 0; v < VECTORS; v++) sum[v] = load(p.filters.bias + first + (size_t)(v * LANES));
            for (size_t s = 0; s < p.segments; s++, x += p.x_segment, w += blocks * TL_INTEGER_FILTERS * PAIR) {
                TL_UNROLL for (int v = 0; v < VECTORS; v++) {
                    sum[v] = add_products(sum[v], singles_at(x + v * LANES), load(w + v * LANES * PAIR));
                }
            }
            store_block(&p.filters, sum, first, tl_min(p.filters.count - first, TL_INTEGER_FILTERS), p.y + t * p.y_row + first);
        }
}

static void widen(const int8_t *x, size_t count, int zero, int16_t *to) {
    for (size_t i = 0; i < count; i++) to[i] = (int16_t)(x[i] - zero);
}

const tl_integer_kernels TL_KERNEL(tl_integer_kernels) = {.product = product_of, .depthwise = depthwise_of, .widen = widen};
