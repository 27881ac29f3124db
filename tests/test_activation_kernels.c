/* The activations with e^x, log(1 + x) or the normal distribution, for every instruction set of this processor, compared with the C
 * library in long double. */
#include "kernel_tables.h"

#include "compute/parallel.h"

#include <math.h>

enum { COUNT = 4001 };

static long double softplus_of(long double x) { return fmaxl(x, 0) + log1pl(expl(-fabsl(x))); }
static long double normal_of(long double x) { return erfcl(-x / sqrtl(2)) / 2; }
static long double gelu_of(long double x) { return x * normal_of(x); }
static long double gelu_slope_of(long double x) { return normal_of(x) + x * expl(-x * x / 2) / sqrtl(2 * acosl(-1)); }
static long double silu_of(long double x) { return x / (1 + expl(-x)); }

/* The allowed error in units in the last place, and the range of arguments: -maximum … maximum, in equal steps and at random. */
static const struct {
    const char *name;
    tl_activation activation;
    long double (*formula)(long double x);
    double maximum, units;
} cases[] = {
    {"exponential", TL_ACTIVATION_EXPONENTIAL, expl, 80, 2},
    {"softplus", TL_ACTIVATION_SOFTPLUS, softplus_of, 80, 2},
    {"silu", TL_ACTIVATION_SILU, silu_of, 80, 3},
    {"gelu", TL_ACTIVATION_GELU, gelu_of, 3, 4},
    {"gelu, its tail", TL_ACTIVATION_GELU, gelu_of, sizeof(tl_real) == 4 ? 13.1 : 37.4, 7},
};

static void activate(const tl_kernels *kernels, tl_activation activation, const tl_real *x, tl_real *y, size_t count) {
    kernels->activate(&(tl_activation_run){.activation = activation, .from = x, .to = y, .count = count});
}

static void send_back(const tl_kernels *kernels, tl_activation activation, const tl_real *from, const tl_real *dy, tl_real *dx,
                      size_t count) {
    kernels->activation_gradient(&(tl_activation_run){.activation = activation, .from = from, .dy = dy, .to = dx, .count = count});
}

/* In equal steps, or of all sizes where `power` is below 0. */
static void fill(tl_real *x, double maximum, int power) {
    fill_normal(x, COUNT, (uint32_t)(power + 100));
    for (size_t i = 0; i < COUNT; i++) {
        const double step = maximum * (2 * (double)i / (COUNT - 1) - 1), random = ldexp((double)x[i], power);
        x[i] = (tl_real)(power == 0 ? step : fmax(-maximum, fmin(maximum, random)));
    }
}

static void given_any_numbers_when_activated_then_within_promised_units(void **unused) {
    (void)unused;
    static tl_real x[COUNT], y[COUNT];
    static double expected[COUNT], bound[COUNT];
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (int power = 0; power >= -60; power -= 6) {
            fill(x, cases[k].maximum, power);
            for (size_t i = 0; i < COUNT; i++) {
                expected[i] = (double)cases[k].formula((long double)x[i]);
                bound[i] = cases[k].units * unit * fabs(expected[i]);
            }
            for (size_t t = 0; t < count; t++) {
                activate(tables[t], cases[k].activation, x, y, COUNT);
                check_within(cases[k].name, y, expected, bound, COUNT);
            }
        }
}

static void given_numbers_when_gelu_goes_back_then_within_three_units(void **unused) {
    (void)unused;
    static tl_real x[COUNT], dy[COUNT], dx[COUNT];
    static double expected[COUNT], bound[COUNT];
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    fill_normal(dy, COUNT, 1);
    for (int power = 0; power >= -60; power -= 20) {
        fill(x, sizeof(tl_real) == 4 ? 20 : 45, power);
        for (size_t i = 0; i < COUNT; i++) {
            expected[i] = (double)((long double)dy[i] * gelu_slope_of((long double)x[i]));
            bound[i] = 3 * unit * fabs((double)dy[i]);
        }
        for (size_t t = 0; t < count; t++) {
            send_back(tables[t], TL_ACTIVATION_GELU, x, dy, dx, COUNT);
            check_within(tables[t]->isa, dx, expected, bound, COUNT);
        }
    }
}

static void given_outputs_when_softplus_sends_back_then_its_derivative(void **unused) {
    (void)unused;
    static tl_real y[COUNT], dy[COUNT], dx[COUNT];
    static double expected[COUNT], bound[COUNT];
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    fill_normal(dy, COUNT, 1);
    for (int power = 0; power >= -60; power -= 20) {
        fill(y, 80, power);
        for (size_t i = 0; i < COUNT; i++) {
            y[i] = y[i] < 0 ? -y[i] : y[i];
            expected[i] = (double)dy[i] * -expm1(-(double)y[i]);
            bound[i] = 4 * unit * fabs(expected[i]);
        }
        for (size_t t = 0; t < count; t++) {
            send_back(tables[t], TL_ACTIVATION_SOFTPLUS, y, dy, dx, COUNT);
            check_within(tables[t]->isa, dx, expected, bound, COUNT);
        }
    }
}

/* ---- what has no neighbours ---- */

enum { SPECIAL = 11 };

/* NaN as NaN, zeros by their sign, other numbers to a unit in the last place. */
static void check_special(const char *what, const char *isa, const tl_real *actual, const tl_real *expected) {
    for (size_t i = 0; i < SPECIAL; i++) {
        const double a = (double)actual[i], e = (double)expected[i];
        const bool near = isnan(e) ? isnan(a) : a == e || fabs(a - e) <= unit * fabs(e);
        if (!near || (!isnan(e) && !signbit(a) != !signbit(e)) || isinf(a) != isinf(e))
            fail_msg("%s, %s: number %zu: %g; expected %g", what, isa, i, a, e);
    }
}

static void given_numbers_without_neighbours_when_activated_then_the_limits(void **unused) {
    (void)unused;
    const tl_real infinity = (tl_real)INFINITY, nan = (tl_real)NAN, zero = 0, large = (tl_real)1e30,
                  ln2 = (tl_real)0.69314718055994530942;
    const tl_real small = sizeof(tl_real) == 4 ? (tl_real)FLT_MIN : (tl_real)DBL_MIN, tiny = small / 4; /* tiny: denormal */
    const tl_real x[SPECIAL] = {nan, infinity, -infinity, large, -large, zero, -zero, small, -small, tiny, -tiny};
    const tl_real gelu[SPECIAL] = {nan, infinity, -zero, large, -zero, zero, -zero, small / 2, -small / 2, tiny / 2, -tiny / 2};
    const tl_real softplus[SPECIAL] = {nan, infinity, zero, large, zero, ln2, ln2, ln2, ln2, ln2, ln2};
    const tl_real exponential[SPECIAL] = {nan, infinity, zero, infinity, zero, 1, 1, 1, 1, 1, 1};
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    for (size_t t = 0; t < count; t++) {
        tl_real y[SPECIAL];
        activate(tables[t], TL_ACTIVATION_GELU, x, y, SPECIAL);
        check_special("gelu", tables[t]->isa, y, gelu);
        activate(tables[t], TL_ACTIVATION_SOFTPLUS, x, y, SPECIAL);
        check_special("softplus", tables[t]->isa, y, softplus);
        activate(tables[t], TL_ACTIVATION_EXPONENTIAL, x, y, SPECIAL);
        check_special("exponential", tables[t]->isa, y, exponential);
    }
}

static void given_numbers_without_neighbours_when_sent_back_then_the_limits(void **unused) {
    (void)unused;
    const tl_activation activations[] = {TL_ACTIVATION_GELU, TL_ACTIVATION_GELU_TANH, TL_ACTIVATION_SILU};
    const tl_real infinity = (tl_real)INFINITY, large = (tl_real)1e30, half = (tl_real)0.5;
    const tl_real small = sizeof(tl_real) == 4 ? (tl_real)FLT_MIN : (tl_real)DBL_MIN;
    const tl_real x[] = {infinity, -infinity, large, -large, 0, -(tl_real)0, small, -small, (tl_real)NAN};
    const tl_real slopes[] = {1, 0, 1, 0, half, half, half, half};
    const tl_real dy[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    const unsigned denormals = tl_denormals_off(); /* as in passes */
    for (size_t t = 0; t < count; t++)
        for (size_t k = 0; k < sizeof activations / sizeof *activations; k++) {
            tl_real dx[9];
            send_back(tables[t], activations[k], x, dy, dx, 9);
            check_equal(tables[t]->isa, dx, slopes, 8);
            assert_true(isnan(dx[8]));
        }
    tl_denormals_restore(denormals);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_any_numbers_when_activated_then_within_promised_units),
        cmocka_unit_test(given_numbers_when_gelu_goes_back_then_within_three_units),
        cmocka_unit_test(given_outputs_when_softplus_sends_back_then_its_derivative),
        cmocka_unit_test(given_numbers_without_neighbours_when_activated_then_the_limits),
        cmocka_unit_test(given_numbers_without_neighbours_when_sent_back_then_the_limits),
    };
    return check_run(tests);
}
