/* Random changes of series have the requested size, and are the same for the same seed and step. */
#include "check.h"

#include <math.h>
#include <string.h>

enum { BATCH = 50, LENGTH = 40, CHANNELS = 3, COUNT = BATCH * LENGTH * CHANNELS };
static const size_t shape[3] = {BATCH, LENGTH, CHANNELS};

static void vary(const tl_augment_cfg *cfg, const tl_real *x, tl_real *y, uint64_t step) {
    const tl_tensor from = tl_tensor_view(x, 3, shape);
    tl_tensor to = tl_tensor_view(y, 3, shape);
    tl_augment(cfg, &from, NULL, &to, 5, step);
}

static double deviation(const double *values, size_t count) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) sum += values[i], squares += values[i] * values[i];
    return sqrt(squares / (double)count - pow(sum / (double)count, 2));
}

static void given_nothing_asked_when_varied_then_a_copy(void **unused) {
    (void)unused;
    static tl_real x[COUNT], y[COUNT];
    fill_normal(x, COUNT, 1);
    vary(&(tl_augment_cfg){0}, x, y, 0);
    check_equal("y", y, x, COUNT);
}

static void given_jitter_when_varied_then_noise_of_that_deviation(void **unused) {
    (void)unused;
    static tl_real x[COUNT], y[COUNT];
    static double noise[COUNT];
    fill_normal(x, COUNT, 1);
    vary(&(tl_augment_cfg){.jitter = 0.3}, x, y, 0);
    for (size_t i = 0; i < COUNT; i++) noise[i] = (double)y[i] - (double)x[i];
    /* 6000 numbers: the deviation is within four of its own standard errors, 1 / sqrt(2·6000) */
    check_number("deviation", deviation(noise, COUNT), 0.3, 0.04, 0);
}

static void given_scale_when_varied_then_one_factor_a_series(void **unused) {
    (void)unused;
    static tl_real x[COUNT], y[COUNT];
    double factors[BATCH];
    const double off = sizeof(tl_real) == 8 ? 1e-14 : 1e-5;
    fill_normal(x, COUNT, 1);
    vary(&(tl_augment_cfg){.scale = 0.2}, x, y, 0);
    for (size_t i = 0; i < BATCH; i++) {
        const size_t at = i * LENGTH * CHANNELS;
        factors[i] = (double)y[at] / (double)x[at];
        for (size_t k = 0; k < LENGTH * CHANNELS; k++)
            check_number("y", (double)y[at + k], factors[i] * (double)x[at + k], off, off);
    }
    check_number("deviation", deviation(factors, BATCH), 0.2, 0.4, 0);
}

static void given_crop_of_a_ramp_when_varied_then_a_flatter_ramp_inside_it(void **unused) {
    (void)unused;
    static tl_real x[COUNT], y[COUNT];
    double starts[BATCH];
    const double off = sizeof(tl_real) == 8 ? 1e-12 : 1e-4;
    for (size_t i = 0; i < COUNT; i++) x[i] = (tl_real)((i / CHANNELS) % LENGTH);
    vary(&(tl_augment_cfg){.crop = 0.5}, x, y, 0);
    for (size_t i = 0; i < BATCH; i++) {
        const tl_real *series = y + i * LENGTH * CHANNELS;
        starts[i] = (double)series[0];
        assert_true(starts[i] >= 0 && starts[i] <= 0.5 * (LENGTH - 1));
        for (size_t t = 0; t < LENGTH; t++)
            for (size_t c = 0; c < CHANNELS; c++)
                check_number("y", (double)series[t * CHANNELS + c], starts[i] + 0.5 * (double)t, 0, off);
    }
    /* uniform on 0 … 19.5: deviation 19.5 / sqrt(12) = 5.6 */
    check_number("deviation of the places", deviation(starts, BATCH), 5.6, 0.3, 0);
}

static void given_a_seed_and_step_when_varied_again_then_the_same(void **unused) {
    (void)unused;
    static tl_real x[COUNT], first[COUNT], again[COUNT], other[COUNT];
    const tl_augment_cfg cfg = {.crop = 0.9, .scale = 0.1, .jitter = 0.1};
    fill_normal(x, COUNT, 1);
    vary(&cfg, x, first, 8);
    vary(&cfg, x, again, 8);
    vary(&cfg, x, other, 9);
    check_equal("again", again, first, COUNT);
    assert_memory_not_equal(other, first, sizeof other);
}

static void given_lengths_when_varied_then_nothing_comes_from_behind_them(void **unused) {
    (void)unused;
    tl_real x[2 * 5] = {1, 1, 1, 100, 100, 2, 100, 100, 100, 100}, y[2 * 5];
    const tl_tensor from = TL_VIEW(x, 2, 5, 1);
    tl_tensor to = TL_VIEW(y, 2, 5, 1);
    tl_augment(&(tl_augment_cfg){.crop = 0.7}, &from, (const size_t[]){3, 1}, &to, 0, 0);
    check_equal("y", y, (const tl_real[]){1, 1, 1, 0, 0, 2, 0, 0, 0, 0}, 10);
}

static void given_variations_out_of_range_when_checked_then_they_are_named(void **unused) {
    (void)unused;
    static const struct {
        tl_augment_cfg cfg;
        const char *message;
    } cases[] = {{{.crop = 1}, "augment: crop 1 is outside [0, 1)"},
                 {{.scale = -1}, "augment: scale -1 is not a number of at least 0"},
                 {{.mixup = -1}, "augment: mixup -1 is not a number of at least 0"},
                 {{.mixup = NAN}, "augment: mixup nan is not a number of at least 0"},
                 {{.jitter = NAN}, "augment: jitter nan is not a number of at least 0"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_augment_check(&cases[i].cfg, &error);
        check_error(&error, TL_ERROR_ARGUMENT, cases[i].message);
    }
    assert_int_equal(tl_augment_check(&(tl_augment_cfg){.crop = 0.5, .scale = 1, .jitter = 2}, NULL), TL_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_nothing_asked_when_varied_then_a_copy),
        cmocka_unit_test(given_jitter_when_varied_then_noise_of_that_deviation),
        cmocka_unit_test(given_scale_when_varied_then_one_factor_a_series),
        cmocka_unit_test(given_crop_of_a_ramp_when_varied_then_a_flatter_ramp_inside_it),
        cmocka_unit_test(given_a_seed_and_step_when_varied_again_then_the_same),
        cmocka_unit_test(given_lengths_when_varied_then_nothing_comes_from_behind_them),
        cmocka_unit_test(given_variations_out_of_range_when_checked_then_they_are_named),
    };
    return check_run(tests);
}
