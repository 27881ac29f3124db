/* The kernel functions of every instruction set of this processor, compared with plain formulas in double. */
#include "kernel_tables.h"

#include "compute/parallel.h"

#include <math.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { ROWS = 37, CHANNELS = 213 /* every size of block, and a rest */, COUNT = ROWS * CHANNELS };

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
    tl_norm_rows rows = rows_of(a, channels, false);
    double first[CHANNELS] = {0}, second[CHANNELS] = {0};
    for (size_t i = 0; i < ROWS * channels; i++) {
        const double d = (double)a->x[i] - (double)a->x[i % channels];
        first[i % channels] += d;
        second[i % channels] += d * d;
    }
    rows.start = a->x;
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

static void given_any_channels_when_rows_normalised_then_as_the_formula(void **unused) {
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

static void given_output_over_input_when_rows_normalised_then_the_same(void **unused) {
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

/* ---- activations ---- */

static long double sigmoid_of(long double x) { return 1 / (1 + expl(-x)); }

static void activate(const tl_kernels *kernels, tl_activation activation, const tl_real *x, tl_real *y, size_t count) {
    kernels->activate(&(tl_activation_run){.activation = activation, .from = x, .to = y, .count = count});
}

static void send_back(const tl_kernels *kernels, tl_activation activation, const tl_real *from, const tl_real *dy, tl_real *dx) {
    kernels->activation_gradient(&(tl_activation_run){.activation = activation, .from = from, .dy = dy, .to = dx, .count = COUNT});
}

static void check_activation(const char *what, const tl_kernels *kernels, tl_activation activation,
                             long double (*formula)(long double), tl_real *x) {
    tl_real y[COUNT + 1];
    double expected[COUNT], bound[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        expected[i] = (double)formula((long double)x[i]);
        bound[i] = 2 * unit * fabs(expected[i]);
    }
    for (size_t count = 0; count <= COUNT; count += count < 40 ? 1 : COUNT - 40) {
        for (size_t i = 0; i <= COUNT; i++) y[i] = untouched;
        activate(kernels, activation, x, y, count);
        check_within(what, y, expected, bound, count);
        assert_true(y[count] == untouched);
    }
    activate(kernels, activation, x, x, COUNT);
    check_equal(what, x, y, COUNT);
}

static void given_any_numbers_when_activated_then_within_two_units(void **unused) {
    (void)unused;
    static tl_real x[COUNT];
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    for (size_t t = 0; t < count; t++) {
        for (int power = -20; power <= 5; power++) { /* to ±80 or so, where neither precision's exponential has left its range */
            fill_normal(x, COUNT, (uint32_t)(power + 20));
            for (size_t i = 0; i < COUNT; i++) x[i] = (tl_real)fmax(-80, fmin(80, ldexp((double)x[i], power)));
            check_activation("tanh", tables[t], TL_ACTIVATION_TANH, tanhl, x);
            fill_normal(x, COUNT, (uint32_t)(power + 20));
            for (size_t i = 0; i < COUNT; i++) x[i] = (tl_real)fmax(-80, fmin(80, ldexp((double)x[i], power)));
            check_activation("sigmoid", tables[t], TL_ACTIVATION_SIGMOID, sigmoid_of, x);
        }
    }
}

static void given_extreme_numbers_when_activated_then_limits_and_nan_come_out(void **unused) {
    (void)unused;
    const tl_real x[] = {(tl_real)1e4, (tl_real)-1e4, INFINITY, -INFINITY, 0, (tl_real)-0.0, NAN};
    const tl_real sigmoids[] = {1, 0, 1, 0, (tl_real)0.5, (tl_real)0.5}, tangents[] = {1, -1, 1, -1, 0, 0};
    const tl_real rectified[] = {(tl_real)1e4, 0, INFINITY, 0, 0, 0};
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    const unsigned denormals = tl_denormals_off(); /* as in passes */
    for (size_t t = 0; t < count; t++) {
        tl_real y[7];
        activate(tables[t], TL_ACTIVATION_SIGMOID, x, y, 7);
        check_equal("sigmoid", y, sigmoids, 6);
        assert_true(isnan(y[6]));
        activate(tables[t], TL_ACTIVATION_TANH, x, y, 7);
        check_equal("tanh", y, tangents, 6);
        assert_true(isnan(y[6]) && signbit(y[5]) && !signbit(y[4]));
        activate(tables[t], TL_ACTIVATION_RELU, x, y, 7);
        check_equal("relu", y, rectified, 6);
        assert_true(isnan(y[6]));
    }
    tl_denormals_restore(denormals);
}

static void given_gradients_when_sent_back_then_derivatives_of_formulas(void **unused) {
    (void)unused;
    static tl_real y[COUNT], dy[COUNT], dx[COUNT];
    static double expected[COUNT], bound[COUNT];
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    for (size_t t = 0; t < count; t++) {
        fill_normal(y, COUNT, 8);
        fill_normal(dy, COUNT, 9);
        for (size_t i = 0; i < COUNT; i++) bound[i] = 8 * unit * (1 + (double)(y[i] * y[i])) * fabs((double)dy[i]);
        for (size_t i = 0; i < COUNT; i++) expected[i] = (double)dy[i] * (double)y[i] * (1 - (double)y[i]);
        send_back(tables[t], TL_ACTIVATION_SIGMOID, y, dy, dx);
        check_within("sigmoid", dx, expected, bound, COUNT);
        for (size_t i = 0; i < COUNT; i++) expected[i] = (double)dy[i] * (1 - (double)y[i] * (double)y[i]);
        send_back(tables[t], TL_ACTIVATION_TANH, y, dy, dx);
        check_within("tanh", dx, expected, bound, COUNT);
        for (size_t i = 0; i < COUNT; i++) expected[i] = y[i] > 0 ? (double)dy[i] : 0;
        send_back(tables[t], TL_ACTIVATION_RELU, y, dy, dy);
        check_within("relu", dy, expected, bound, COUNT);
    }
}

/* ---- sums ---- */

static void given_two_arrays_when_added_then_sums_through_the_relu(void **unused) {
    (void)unused;
    static tl_real a[COUNT], b[COUNT], y[COUNT + 1], sum[COUNT], rectified[COUNT];
    const tl_kernels *tables[3];
    const size_t tables_count = tables_here(tables);
    fill_normal(a, COUNT, 10);
    fill_normal(b, COUNT, 11);
    for (size_t i = 0; i < COUNT; i++) {
        sum[i] = a[i] + b[i];
        rectified[i] = sum[i] > 0 ? sum[i] : 0;
    }
    for (size_t t = 0; t < tables_count; t++)
        for (size_t count = 0; count <= COUNT; count += count < 40 ? 1 : COUNT - 40) {
            y[count] = untouched;
            tables[t]->add(a, b, y, count);
            check_equal("add", y, sum, count);
            tables[t]->add_relu(a, b, y, count);
            check_equal("add_relu", y, rectified, count);
            assert_true(y[count] == untouched);
        }
}

static void given_numbers_when_squares_are_summed_then_in_double_and_nan_shows(void **unused) {
    (void)unused;
    static tl_real x[COUNT];
    const tl_kernels *tables[3];
    const size_t tables_count = tables_here(tables);
    for (size_t t = 0; t < tables_count; t++)
        for (size_t count = 0; count <= COUNT; count += count < 70 ? 1 : COUNT - 70) {
            double sum = 0;
            fill_normal(x, COUNT, 12);
            for (size_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
            check_number("squares", tables[t]->squares(x, count), sum, COUNT * DBL_EPSILON, 0);
            if (count == 0) continue;
            x[count - 1] = NAN;
            assert_true(isnan(tables[t]->squares(x, count)));
        }
}

static void given_rows_of_any_width_when_summed_then_nothing_else_changes(void **unused) {
    (void)unused;
    enum { MAX_WIDTH = 71 };
    static tl_real x[ROWS * CHANNELS], sum[MAX_WIDTH];
    const tl_kernels *tables[3];
    const size_t tables_count = tables_here(tables);
    fill_integers(x, ROWS * CHANNELS, 15, 100);
    for (size_t t = 0; t < tables_count; t++)
        for (size_t width = 1; width < MAX_WIDTH; width++) {
            for (size_t c = 0; c < MAX_WIDTH; c++) sum[c] = untouched;
            tables[t]->sum_rows(x, ROWS, width, sum);
            for (size_t c = 0; c < MAX_WIDTH; c++) {
                tl_real expected = untouched;
                for (size_t r = 0; c < width && r < ROWS; r++) expected += x[r * width + c];
                if (sum[c] != expected) fail_msg("%s: width %zu: sum %zu", tables[t]->isa, width, c);
            }
        }
}

#if defined(__x86_64__)
/* Returns whether upper halves of vector registers are in use, as far as the processor tells (XGETBV with ECX = 1). */
static bool upper_in_use(void) {
    enum { OSXSAVE = 1 << 27, XGETBV1 = 1 << 2, UPPER_HALVES = 1 << 2 | 1 << 6 /* of 256 and of 512 bits */ };
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE)) return false;
    if (!__get_cpuid_count(13, 1, &a, &b, &c, &d) || !(a & XGETBV1)) return false;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(1));
    return a & UPPER_HALVES;
}

/* The SSE instructions of other code would wait for them. */
static void given_products_when_they_return_then_upper_halves_are_clear(void **unused) {
    (void)unused;
    enum { ROWS_MAX = 5, INNER = 24, LANES_MAX = 16 };
    static tl_real x[ROWS_MAX * INNER * LANES_MAX], factor[INNER * LANES_MAX * 4], out[ROWS_MAX * LANES_MAX * 4];
    const tl_kernels *tables[3];
    const size_t tables_count = tables_here(tables);
    for (size_t t = 1; t < tables_count; t++) /* tables[0] has no upper halves */
        for (size_t vectors = 1; vectors <= tables[t]->direct_vectors; vectors++)
            for (size_t rows = 1; rows <= ROWS_MAX; rows++) {
                const size_t lanes = tables[t]->lanes;
                tl_direct_product product = {.x = x,
                                             .row_stride = INNER * lanes,
                                             .runs = 1,
                                             .count = INNER,
                                             .stride = lanes,
                                             .factor = factor,
                                             .factor_stride = vectors * lanes,
                                             .out = out,
                                             .out_stride = vectors * lanes,
                                             .rows = rows,
                                             .vectors = vectors,
                                             .width = vectors * lanes};
                tables[t]->direct_product(&product);
                if (upper_in_use()) fail_msg("%s: direct_product, %zu rows, %zu vectors", tables[t]->isa, rows, vectors);
                tables[t]->direct_lane_reduction(&product);
                if (upper_in_use()) fail_msg("%s: direct_lane_reduction, %zu rows, %zu vectors", tables[t]->isa, rows, vectors);
            }
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_any_channels_when_rows_normalised_then_as_the_formula),
        cmocka_unit_test(given_output_over_input_when_rows_normalised_then_the_same),
        cmocka_unit_test(given_nan_in_x_when_normalised_through_the_relu_then_it_stays_nan),
        cmocka_unit_test(given_any_numbers_when_activated_then_within_two_units),
        cmocka_unit_test(given_extreme_numbers_when_activated_then_limits_and_nan_come_out),
        cmocka_unit_test(given_gradients_when_sent_back_then_derivatives_of_formulas),
        cmocka_unit_test(given_two_arrays_when_added_then_sums_through_the_relu),
        cmocka_unit_test(given_numbers_when_squares_are_summed_then_in_double_and_nan_shows),
        cmocka_unit_test(given_rows_of_any_width_when_summed_then_nothing_else_changes),
#if defined(__x86_64__)
        cmocka_unit_test(given_products_when_they_return_then_upper_halves_are_clear),
#endif
    };
    return check_run(tests);
}
