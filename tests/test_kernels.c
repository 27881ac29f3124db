/* The leaf loops of every instruction set that this processor runs, against plain formulas in double. */
#include "check.h"

#include "kernels/kernels.h"

#include <float.h>
#include <math.h>

#ifdef TAPLINE_F64
static const double unit = DBL_EPSILON;
#else
static const double unit = FLT_EPSILON;
#endif

enum { ROWS = 37, CHANNELS = 75, COUNT = ROWS * CHANNELS };

static size_t tables_here(const tl_kernels *tables[3]) {
    size_t count = 0;
    tables[count++] = &tl_kernels_baseline;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tables[count++] = &tl_kernels_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        tables[count++] = &tl_kernels_avx512;
#endif
    return count;
}

/* Numbers that the loops work on, and what they leave; outputs have one more element, which must stay. */
typedef struct arrays {
    size_t channels;
    tl_real x[COUNT], dy[COUNT], out[COUNT + 1];
    tl_real centre[CHANNELS], factor[CHANNELS], term[CHANNELS], slope[CHANNELS], offset[CHANNELS];
    tl_real first[CHANNELS + 1], second[CHANNELS + 1];
} arrays;

static const tl_real untouched = 77;

static tl_norm_rows rows_of(arrays *a, size_t channels, bool relu) {
    a->channels = channels;
    fill_normal(a->x, COUNT, 1);
    fill_normal(a->dy, COUNT, 2);
    fill_normal(a->centre, CHANNELS, 3);
    fill_normal(a->factor, CHANNELS, 4);
    fill_normal(a->term, CHANNELS, 5);
    fill_normal(a->slope, CHANNELS, 6);
    fill_normal(a->offset, CHANNELS, 7);
    a->out[ROWS * channels] = a->first[channels] = a->second[channels] = untouched;
    return (tl_norm_rows){.rows = ROWS,
                          .channels = channels,
                          .relu = relu,
                          .x = a->x,
                          .dy = a->dy,
                          .out = a->out,
                          .centre = a->centre,
                          .factor = a->factor,
                          .term = a->term,
                          .slope = a->slope,
                          .offset = a->offset,
                          .first = a->first,
                          .second = a->second};
}

/* The gradient that the ReLU passes at element i. */
static double passed(const arrays *a, size_t i, bool relu) {
    const size_t c = i % a->channels;
    const double y = ((double)a->x[i] - (double)a->centre[c]) * (double)a->factor[c] + (double)a->term[c];
    return !relu || y > 0 ? (double)a->dy[i] : 0;
}

static void check_sums(const char *what, const arrays *a, const double *first, const double *second) {
    double bound[CHANNELS];
    for (size_t c = 0; c < a->channels; c++) bound[c] = 20 * ROWS * unit;
    check_within(what, a->first, first, bound, a->channels);
    for (size_t c = 0; c < a->channels; c++) bound[c] = 60 * ROWS * unit;
    check_within(what, a->second, second, bound, a->channels);
    assert_true(a->first[a->channels] == untouched && a->second[a->channels] == untouched);
}

static void check_moments(const tl_kernels *kernels, arrays *a, size_t channels) {
    const tl_norm_rows rows = rows_of(a, channels, false);
    double first[CHANNELS] = {0}, second[CHANNELS] = {0};
    for (size_t i = 0; i < ROWS * channels; i++) {
        const double d = (double)a->x[i] - (double)a->x[i % channels];
        first[i % channels] += d;
        second[i % channels] += d * d;
    }
    kernels->norm_moments(&rows);
    check_sums("moments", a, first, second);
}

static void check_gradient_sums(const tl_kernels *kernels, arrays *a, size_t channels, bool relu) {
    const tl_norm_rows rows = rows_of(a, channels, relu);
    double first[CHANNELS] = {0}, second[CHANNELS] = {0};
    for (size_t i = 0; i < ROWS * channels; i++) {
        const double d = passed(a, i, relu);
        first[i % channels] += d;
        second[i % channels] += d * ((double)a->x[i] - (double)a->centre[i % channels]);
    }
    kernels->norm_gradient_sums(&rows);
    check_sums("gradient sums", a, first, second);
}

static void check_elements(const tl_kernels *kernels, arrays *a, size_t channels, bool relu) {
    static double expected[COUNT], bound[COUNT];
    const tl_norm_rows rows = rows_of(a, channels, relu);
    for (size_t i = 0; i < ROWS * channels; i++) {
        const size_t c = i % channels;
        const double y = ((double)a->x[i] - (double)a->centre[c]) * (double)a->factor[c] + (double)a->term[c];
        expected[i] = relu && y < 0 ? 0 : y;
        bound[i] = 100 * unit;
    }
    kernels->norm_apply(&rows);
    check_within("normalised", a->out, expected, bound, ROWS * channels);
    for (size_t i = 0; i < ROWS * channels; i++) {
        const size_t c = i % channels;
        const double centred = (double)a->x[i] - (double)a->centre[c];
        expected[i] = (double)a->factor[c] * passed(a, i, relu) + (double)a->slope[c] * centred + (double)a->offset[c];
    }
    kernels->norm_gradient(&rows);
    check_within("gradient", a->out, expected, bound, ROWS * channels);
    assert_true(a->out[ROWS * channels] == untouched);
}

static void given_any_number_of_channels_when_rows_are_normalised_then_sums_and_elements_are_those_of_the_formula(void **unused) {
    (void)unused;
    static arrays a;
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    for (size_t t = 0; t < count; t++) {
        for (size_t channels = 1; channels <= CHANNELS; channels++) {
            check_moments(tables[t], &a, channels);
            for (int relu = 0; relu <= 1; relu++) {
                check_gradient_sums(tables[t], &a, channels, relu);
                check_elements(tables[t], &a, channels, relu);
            }
        }
    }
}

static void given_the_output_over_an_input_when_rows_are_normalised_then_the_result_is_the_same(void **unused) {
    (void)unused;
    static arrays apart, over;
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    for (size_t t = 0; t < count; t++) {
        tl_norm_rows rows = rows_of(&apart, CHANNELS, true), same = rows_of(&over, CHANNELS, true);
        same.out = over.x;
        tables[t]->norm_apply(&rows);
        tables[t]->norm_apply(&same);
        check_equal("y over x", over.x, apart.out, COUNT);
        same = rows_of(&over, CHANNELS, true);
        same.out = over.dy;
        tables[t]->norm_gradient(&rows);
        tables[t]->norm_gradient(&same);
        check_equal("dx over dy", over.dy, apart.out, COUNT);
    }
}

static void given_nan_in_x_when_normalised_through_the_relu_then_it_stays_nan(void **unused) {
    (void)unused;
    static arrays a;
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    for (size_t t = 0; t < count; t++) {
        const tl_norm_rows rows = rows_of(&a, CHANNELS, true);
        for (size_t c = 0; c < CHANNELS; c++) a.x[5 * CHANNELS + c] = (tl_real)NAN;
        tables[t]->norm_apply(&rows);
        for (size_t c = 0; c < CHANNELS; c++)
            if (!isnan(a.out[5 * CHANNELS + c]))
                fail_msg("%s: channel %zu: %g", tables[t]->isa, c, (double)a.out[5 * CHANNELS + c]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_any_number_of_channels_when_rows_are_normalised_then_sums_and_elements_are_those_of_the_formula),
        cmocka_unit_test(given_the_output_over_an_input_when_rows_are_normalised_then_the_result_is_the_same),
        cmocka_unit_test(given_nan_in_x_when_normalised_through_the_relu_then_it_stays_nan),
    };
    return check_run(tests);
}
