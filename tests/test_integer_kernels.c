/* The kernel functions of networks in integers. Every instruction set of this processor must give the integers of the plain
 * functions of the C file, exactly. */
#include "kernel_tables.h"

#include "base/math.h"
#include "kernels/integer.h"

#include <stdlib.h>
#include <string.h>

// NOLINTBEGIN(bugprone-suspicious-include): parts of the C file
#include "device/text/window.c"

#include "device/text/taps.c"

#include "device/text/q_requantize.c"

#include "device/text/q_convolution.c"

#include "device/text/q_convolve.c"

#include "device/text/q_convolve_depthwise.c"
// NOLINTEND(bugprone-suspicious-include)

enum { BLOCK = TL_INTEGER_FILTERS, MAX_LENGTH = 40, MAX_CHANNELS = 70, MAX_TAPS = 9, MAX_FILTERS = 70, PAIR = 2 };
enum { MAX_WEIGHTS = MAX_TAPS * MAX_CHANNELS * (MAX_FILTERS + BLOCK) };

/* How the numbers of a case are chosen. */
typedef enum numbers { RANDOM, LARGEST } numbers;

/* A convolution without padding, for the plain functions and for the kernel functions. */
typedef struct convolution {
    struct q_convolution plain;
    int8_t x[MAX_LENGTH * MAX_CHANNELS], weight[MAX_WEIGHTS];
    int32_t bias[MAX_FILTERS + BLOCK], multiplier[MAX_FILTERS + BLOCK];
    uint8_t shift[MAX_FILTERS + BLOCK];
    int16_t wide[MAX_LENGTH * MAX_CHANNELS + 2 * BLOCK], packed[PAIR * (MAX_WEIGHTS + BLOCK)];
    int8_t expected[MAX_LENGTH * MAX_FILTERS], actual[MAX_LENGTH * MAX_FILTERS + 1];
} convolution;

static int draw(tl_rng *rng, int low, int high) { return low + (int)tl_rng_below(rng, (uint32_t)(high - low + 1)); }

/* Fills in inputs and weights. LARGEST: all products have the largest value and one sign. */
static void fill(convolution *it, tl_rng *rng, numbers how, int smallest_shift) {
    const int filters = it->plain.filters;
    it->plain.x_zero = how == LARGEST ? -128 : draw(rng, -128, 127);
    it->plain.y_zero = draw(rng, -128, 127);
    it->plain.low = draw(rng, 0, 1) ? it->plain.y_zero : -128;
    for (size_t i = 0; i < sizeof it->x; i++) it->x[i] = (int8_t)(how == LARGEST ? 127 : draw(rng, -128, 127));
    for (size_t i = 0; i < sizeof it->weight; i++)
        it->weight[i] = (int8_t)(how == LARGEST ? (i % (size_t)filters % 2 ? 127 : -127) : draw(rng, -127, 127));
    for (int f = 0; f < filters; f++) {
        it->bias[f] = how == LARGEST ? 0 : draw(rng, -100000, 100000);
        it->multiplier[f] = draw(rng, 1 << 30, INT32_MAX);
        it->shift[f] = (uint8_t)draw(rng, smallest_shift, 48);
    }
}

static const tl_integer_kernels *kernels_of(const tl_kernels *table) {
#if defined(__x86_64__)
    if (table == &tl_kernels_avx512) return &tl_integer_kernels_avx512;
    if (table == &tl_kernels_avx2) return &tl_integer_kernels_avx2;
#else
    (void)table;
#endif
    return &tl_integer_kernels_baseline;
}

/* Compares the output of a kernel function with that of the plain function. The byte after the output must not be written. */
static void check_product(convolution *it, const tl_kernels *table, const tl_integer_product *like, bool depthwise) {
    const tl_integer_kernels *kernels = kernels_of(table);
    const size_t count = (size_t)it->plain.over.out_length * (size_t)it->plain.filters;
    tl_integer_product product = *like;
    memset(it->actual, 99, sizeof it->actual);
    memset(it->wide, 1, sizeof it->wide);
    kernels->widen(it->x, (size_t)it->plain.over.length * (size_t)it->plain.channels, it->plain.x_zero, it->wide);
    product.filters = (tl_integer_filters){.count = (size_t)it->plain.filters,
                                           .bias = it->bias,
                                           .multiplier = it->multiplier,
                                           .shift = it->shift,
                                           .zero = it->plain.y_zero,
                                           .low = it->plain.low};
    for (int f = 0; f < it->plain.filters; f++) product.filters.wide = product.filters.wide || it->shift[f] < 31;
    product.x = it->wide;
    product.weight = it->packed;
    product.y = it->actual;
    product.y_row = (size_t)it->plain.filters;
    (depthwise ? kernels->depthwise : kernels->product)(&product);
    for (size_t i = 0; i < count; i++)
        if (it->actual[i] != it->expected[i])
            fail_msg("%s: %d channels, %d filters, %d taps, dilation %d, stride %d: output %zu is %d, expected %d", table->isa,
                     it->plain.channels, it->plain.filters, it->plain.over.taps, it->plain.over.dilation, it->plain.over.stride, i,
                     it->actual[i], it->expected[i]);
    assert_int_equal(it->actual[count], 99);
}

/* Sets sizes. All windows fit in the input. */
static void set_sizes(convolution *it, tl_rng *rng, bool depthwise) {
    struct window *over = &it->plain.over;
    memset(it, 0, sizeof *it);
    *over = (struct window){
        .length = MAX_LENGTH, .taps = draw(rng, 1, MAX_TAPS), .stride = draw(rng, 1, 3), .dilation = draw(rng, 1, 4)};
    over->out_length = (over->length - (over->taps - 1) * over->dilation - 1) / over->stride + 1;
    it->plain.channels = draw(rng, 1, MAX_CHANNELS);
    it->plain.filters = depthwise ? it->plain.channels : draw(rng, 1, MAX_FILTERS);
    it->plain.groups = depthwise ? it->plain.channels : 1;
}

static void check_convolution(convolution *it, tl_rng *rng, numbers how, int smallest_shift) {
    const tl_kernels *tables[3];
    set_sizes(it, rng, false);
    fill(it, rng, how, smallest_shift);
    const size_t channels = (size_t)it->plain.channels, filters = (size_t)it->plain.filters, taps = (size_t)it->plain.over.taps;
    const size_t pairs = tl_ceil_div(channels, PAIR);
    const tl_integer_product product = {.rows = (size_t)it->plain.over.out_length,
                                        .segments = taps,
                                        .pairs = pairs,
                                        .x_row = (size_t)it->plain.over.stride * channels,
                                        .x_segment = (size_t)it->plain.over.dilation * channels};
    for (size_t f = 0; f < filters; f++)
        for (size_t s = 0; s < taps; s++)
            for (size_t k = 0; k < channels; k++)
                it->packed[(((f / BLOCK * taps + s) * pairs + k / PAIR) * BLOCK + f % BLOCK) * PAIR + k % PAIR] =
                    it->weight[(s * channels + k) * filters + f];
    q_convolve(&it->plain, it->x, it->weight, &(struct q_filters){it->bias, it->multiplier, it->shift}, it->expected);
    const size_t count = tables_here(tables);
    for (size_t i = 0; i < count; i++) check_product(it, tables[i], &product, false);
}

static void check_depthwise(convolution *it, tl_rng *rng, numbers how) {
    const tl_kernels *tables[3];
    set_sizes(it, rng, true);
    fill(it, rng, how, 31);
    const size_t channels = (size_t)it->plain.channels, width = tl_round_up(channels, BLOCK), taps = (size_t)it->plain.over.taps;
    const tl_integer_product product = {.rows = (size_t)it->plain.over.out_length,
                                        .segments = taps,
                                        .pairs = 1,
                                        .x_row = (size_t)it->plain.over.stride * channels,
                                        .x_segment = (size_t)it->plain.over.dilation * channels};
    for (size_t i = 0; i < taps * channels; i++) it->packed[(i / channels * width + i % channels) * PAIR] = it->weight[i];
    q_convolve_depthwise(&it->plain, it->x, it->weight, &(struct q_filters){it->bias, it->multiplier, it->shift}, it->expected);
    const size_t count = tables_here(tables);
    for (size_t i = 0; i < count; i++) check_product(it, tables[i], &product, true);
}

static void given_random_integers_when_convolved_then_all_sets_agree(void **state) {
    (void)state;
    convolution *it = malloc(sizeof *it);
    assert_non_null(it);
    for (uint32_t seed = 0; seed < 300; seed++) {
        tl_rng rng = tl_rng_at(seed, TL_STREAM_USER, 0, 0);
        check_convolution(it, &rng, RANDOM, seed % 4 ? 31 : 1); /* shifts below 31 have other code */
        check_depthwise(it, &rng, RANDOM);
    }
    free(it);
}

/* Sums of 16 bits, or instructions that saturate, would change the results. */
static void given_the_largest_integers_when_convolved_then_all_sets_agree(void **state) {
    (void)state;
    convolution *it = malloc(sizeof *it);
    assert_non_null(it);
    for (uint32_t seed = 0; seed < 50; seed++) {
        tl_rng rng = tl_rng_at(seed, TL_STREAM_USER, 0, 0);
        check_convolution(it, &rng, LARGEST, 31);
        check_depthwise(it, &rng, LARGEST);
    }
    free(it);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_random_integers_when_convolved_then_all_sets_agree),
        cmocka_unit_test(given_the_largest_integers_when_convolved_then_all_sets_agree),
    };
    return check_run(tests);
}
