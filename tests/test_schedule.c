/* Learning-rate schedules against their equations. */
#include "base/schedule.h"
#include "check.h"

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static tl_schedule prepared(const tl_schedule_cfg *cfg, double rate, uint64_t steps) {
    tl_error error = {0};
    tl_schedule schedule;
    tl_schedule_prepare(&schedule, cfg, rate, steps, &error);
    check_ok(&error);
    return schedule;
}

/* The rate of each of `steps` steps, an epoch being `epoch` of them. */
static void follow(const tl_schedule_cfg *cfg, double start, int steps, int epoch, double *rates) {
    tl_error error = {0};
    tl_schedule *schedule = tl_schedule_new(cfg, start, (uint64_t)steps, &error);
    check_ok(&error);
    for (int t = 0; t < steps; t++) {
        rates[t] = tl_schedule_rate(schedule);
        tl_schedule_step(schedule, 1);
        if (t % epoch == epoch - 1) tl_schedule_epoch(schedule, 1);
    }
    tl_schedule_free(schedule);
}

enum { STEPS = 60 };

static void given_step_or_exponential_when_epochs_end_then_the_rate_is_a_power(void **unused) {
    (void)unused;
    double rates[STEPS];
    follow(&(tl_schedule_cfg){.kind = TL_SCHEDULE_STEP, .factor = 0.2, .period = 3}, 0.5, STEPS, 4, rates);
    for (int t = 0; t < STEPS; t++) check_number("step", rates[t], 0.5 * pow(0.2, floor(t / 12.0)), 1e-14, 0);
    follow(&(tl_schedule_cfg){.kind = TL_SCHEDULE_STEP}, 0.5, STEPS, 1, rates);
    for (int t = 0; t < STEPS; t++) check_number("step's defaults", rates[t], t < 30 ? 0.5 : 0.05, 1e-14, 0);
    follow(&(tl_schedule_cfg){.kind = TL_SCHEDULE_EXPONENTIAL, .factor = 0.9, .minimum = 0.2}, 0.5, STEPS, 5, rates);
    for (int t = 0; t < STEPS; t++) check_number("exponential", rates[t], fmax(0.2, 0.5 * pow(0.9, floor(t / 5.0))), 1e-14, 0);
    follow(&(tl_schedule_cfg){.kind = TL_SCHEDULE_EXPONENTIAL, .minimum = 0.2}, 0.1, STEPS, 5, rates);
    check_number("a rate below the minimum", rates[STEPS - 1], 0.1, 0, 0);
}

static void given_cosine_when_stepped_then_half_a_cosine_down_to_the_minimum(void **unused) {
    (void)unused;
    double rates[STEPS];
    follow(&(tl_schedule_cfg){.kind = TL_SCHEDULE_COSINE, .minimum = 0.01}, 0.5, STEPS, 7, rates);
    for (int t = 0; t < STEPS; t++)
        check_number("cosine", rates[t], 0.01 + 0.5 * (0.5 - 0.01) * (1 + cos(pi * t / STEPS)), 1e-14, 0);
    tl_schedule schedule = prepared(&(tl_schedule_cfg){.kind = TL_SCHEDULE_COSINE}, 1, 2);
    for (int t = 0; t < 9; t++) tl_schedule_step(&schedule, 1);
    check_number("after its last step", tl_schedule_rate(&schedule), 0, 0, 1e-16);
}

/* PyTorch's OneCycleLR(max_lr=1, total_steps=10): the peak is at step 0.3 · 10 - 1, the end at step 9. */
static void given_one_cycle_when_stepped_then_up_and_down_along_cosines(void **unused) {
    (void)unused;
    double rates[STEPS];
    follow(&(tl_schedule_cfg){.kind = TL_SCHEDULE_ONE_CYCLE}, 1, 10, 10, rates);
    const double up[] = {0.04, 0.52, 1};
    for (int t = 0; t < 3; t++) check_number("up", rates[t], up[t], 1e-12, 0);
    for (int t = 2; t < 10; t++)
        check_number("down", rates[t], 4e-6 + (1 - 4e-6) / 2 * (1 + cos(pi * (t - 2) / 7.0)), 1e-12, 1e-18);
    check_number("last", rates[9], 0.04 / 1e4, 1e-12, 0);
    follow(&(tl_schedule_cfg){.kind = TL_SCHEDULE_ONE_CYCLE}, 1, 1, 1, rates);
    check_number("the only step", rates[0], 0.04 / 1e4, 1e-12, 0);
}

static void given_noam_when_stepped_then_equation_3_of_its_paper(void **unused) {
    (void)unused;
    double rates[STEPS];
    const double width = 512, warmup = 16;
    follow(&(tl_schedule_cfg){.kind = TL_SCHEDULE_NOAM, .warmup = (int)warmup}, 1 / sqrt(width * warmup), STEPS, 7, rates);
    for (int t = 1; t <= STEPS; t++)
        check_number("noam", rates[t - 1], pow(width, -0.5) * fmin(pow(t, -0.5), t * pow(warmup, -1.5)), 1e-14, 0);
}

static void given_warmup_when_stepped_then_any_schedule_rises_by_equal_parts(void **unused) {
    (void)unused;
    for (size_t kind = 0; tl_schedule_name((tl_schedule_kind)kind); kind++) {
        double with[STEPS], without[STEPS];
        if (kind == TL_SCHEDULE_NOAM) continue;
        follow(&(tl_schedule_cfg){.kind = (tl_schedule_kind)kind, .warmup = 8}, 0.3, STEPS, 5, with);
        follow(&(tl_schedule_cfg){.kind = (tl_schedule_kind)kind}, 0.3, STEPS, 5, without);
        for (int t = 0; t < STEPS; t++)
            check_number(tl_schedule_name((tl_schedule_kind)kind), with[t], without[t] * fmin(1, (t + 1) / 8.0), 1e-14, 0);
    }
}

static void given_a_plateau_when_the_loss_stalls_then_the_rate_halves(void **unused) {
    (void)unused;
    tl_schedule schedule = prepared(&(tl_schedule_cfg){.kind = TL_SCHEDULE_PLATEAU, .patience = 3, .minimum = 2e-4}, 1e-3, 1);
    const double losses[] = {5, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3};
    const double rates[] = {1e-3, 1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 5e-4, 5e-4, 2.5e-4, 2.5e-4, 2.5e-4, 2e-4, 2e-4, 2e-4, 2e-4};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        tl_schedule_epoch(&schedule, losses[i]);
        check_number("rate", tl_schedule_rate(&schedule), rates[i], 1e-12, 0);
    }
    schedule = prepared(&(tl_schedule_cfg){.kind = TL_SCHEDULE_PLATEAU, .patience = 1}, 1e-5, 1);
    for (int i = 0; i < 9; i++) tl_schedule_epoch(&schedule, 1);
    check_number("a rate below the minimum stays", tl_schedule_rate(&schedule), 1e-5, 0, 0);
}

/* ---- King's rule ---- */

enum { PATIENCE = 40 };

/* Steps until the rate falls, on losses that fall by `slope` a step, with noise, and with every twentieth 50 larger where there are
 * outliers; `most` where it does not. */
static int steps_until_reduced(double slope, double noise, bool outliers, int maximum) {
    tl_schedule schedule = prepared(&(tl_schedule_cfg){.kind = TL_SCHEDULE_KING, .patience = PATIENCE}, 1, 1);
    tl_rng rng = tl_rng_at(3, TL_STREAM_USER, 0, 0);
    for (int t = 1; t <= maximum; t++) {
        const bool outlier = outliers && t % 20 == 7;
        tl_schedule_step(&schedule, 100 - slope * t + noise * tl_rng_normal(&rng) + (outlier ? 50 : 0));
        if (tl_schedule_rate(&schedule) < 1) return t;
    }
    return maximum;
}

static void given_king_when_losses_fall_then_the_rate_stays_and_else_drops(void **unused) {
    (void)unused;
    assert_int_equal(steps_until_reduced(0.5, 0, false, 150), 150); /* a straight line down */
    assert_int_equal(steps_until_reduced(0.5, 1, false, 150), 150); /* with noise */
    assert_int_equal(steps_until_reduced(0, 0, false, 150), PATIENCE);
    assert_int_equal(steps_until_reduced(-0.5, 1, false, 150), PATIENCE);
    assert_true(steps_until_reduced(0, 1, false, 150) < 150);       /* noise alone falls for a while */
    assert_int_equal(steps_until_reduced(0.02, 0, true, 150), 150); /* the line through all may rise, that without outliers falls */
}

/* The probability that the slope of the least-squares line is negative, from the sums of the textbook. */
static double probability_of_falling(const double *y, int n) {
    double sx = 0, sy = 0, sxx = 0, sxy = 0, rest = 0;
    for (int i = 0; i < n; i++) sx += i, sy += y[i], sxx += (double)i * i, sxy += i * y[i];
    const double slope = (n * sxy - sx * sy) / (n * sxx - sx * sx), offset = (sy - slope * sx) / n;
    for (int i = 0; i < n; i++) rest += pow(y[i] - offset - slope * i, 2);
    return 0.5 * erfc(slope / sqrt(2 * 12 * (rest / (n - 2)) / (pow(n, 3) - n)));
}

/* With nine losses the largest tenth is none of them: the two lines are one. */
static void given_king_when_the_slope_is_close_to_none_then_051_is_the_limit(void **unused) {
    (void)unused;
    int reduced = 0, kept = 0;
    for (int i = -20; i <= 20; i++) {
        tl_schedule schedule = prepared(&(tl_schedule_cfg){.kind = TL_SCHEDULE_KING, .patience = 9, .factor = 0.5}, 1, 1);
        double losses[9];
        for (int t = 0; t < 9; t++) {
            losses[t] = 3 + 0.001 * i * t + (t % 2 ? 0.1 : -0.1);
            tl_schedule_step(&schedule, losses[t]);
        }
        const bool falls = probability_of_falling(losses, 9) >= 0.51;
        check_number("rate", tl_schedule_rate(&schedule), falls ? 1 : 0.5, 0, 0);
        kept += falls, reduced += !falls;
    }
    assert_true(kept > 10 && reduced > 10);
}

static void given_a_copy_when_continued_then_as_the_original(void **unused) {
    (void)unused;
    for (size_t kind = 0; tl_schedule_name((tl_schedule_kind)kind); kind++) {
        tl_error error = {0};
        tl_schedule *schedule = tl_schedule_new(&(tl_schedule_cfg){.kind = (tl_schedule_kind)kind}, 0.1, 2000, &error),
                    *copy = NULL;
        for (int t = 0; t < 1000; t++) {
            tl_schedule_step(schedule, 1);
            tl_schedule_epoch(schedule, 1);
            if (t == 300) copy = tl_schedule_copy(schedule, &error);
        }
        for (int t = 301; t < 1000; t++) {
            tl_schedule_step(copy, 1);
            tl_schedule_epoch(copy, 1);
        }
        check_ok(&error);
        check_number(tl_schedule_name((tl_schedule_kind)kind), tl_schedule_rate(copy), tl_schedule_rate(schedule), 0, 0);
        if (kind != TL_SCHEDULE_CONSTANT) assert_true(tl_schedule_rate(schedule) != 0.1);
        tl_schedule_free(copy);
        tl_schedule_free(schedule);
    }
}

/* ---- errors, tl_fit ---- */

static void given_no_schedule_when_used_then_a_rate_of_zero(void **unused) {
    (void)unused;
    tl_schedule_step(NULL, 1);
    tl_schedule_epoch(NULL, 1);
    check_number("rate", tl_schedule_rate(NULL), 0, 0, 0);
}

static void given_values_that_do_not_apply_when_prepared_then_named(void **unused) {
    (void)unused;
    const struct {
        tl_schedule_cfg cfg;
        uint64_t steps;
        const char *text;
    } cases[] = {
        {{.factor = 0.5}, 1, "schedule: factor 0.5 does not apply to constant"},
        {{.minimum = 0.5}, 1, "schedule: minimum 0.5 does not apply to constant"},
        {{.kind = TL_SCHEDULE_COSINE, .patience = 3}, 1, "schedule: patience 3 does not apply to cosine"},
        {{.kind = TL_SCHEDULE_KING, .period = 3}, 1, "schedule: period 3 does not apply to king"},
        {{.kind = TL_SCHEDULE_STEP, .factor = 1}, 1, "schedule: factor 1 is outside [0, 1)"},
        {{.kind = TL_SCHEDULE_STEP, .period = -1}, 1, "schedule: period -1 is not a number of at least 1"},
        {{.kind = TL_SCHEDULE_PLATEAU, .minimum = NAN}, 1, "schedule: minimum nan"},
        {{.kind = TL_SCHEDULE_KING, .patience = 2}, 1, "schedule: patience 2 is outside [3, 1025)"},
        {{.warmup = -3}, 1, "schedule: warmup -3 is not a number of at least 0"},
        {{.kind = TL_SCHEDULE_ONE_CYCLE}, 0, "schedule: one-cycle over 0 steps; at least 1 is needed"},
        {{.kind = (tl_schedule_kind)77}, 1, "schedule: kind 77 is unknown"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        assert_null(tl_schedule_new(&cases[i].cfg, 0.1, cases[i].steps, &error));
        check_error(&error, TL_ERROR_ARGUMENT, cases[i].text);
    }
}

/* The rate that each batch used. */
static bool note_rate(const tl_progress *progress, void *user) {
    ((double *)user)[(progress->epoch - 1) * (int)progress->batches + (int)progress->batch - 1] = progress->learning_rate;
    return true;
}

static void given_a_schedule_when_fitted_then_every_step_uses_its_rate(void **unused) {
    (void)unused;
    enum { EPOCHS = 4, BATCHES = 5, SAMPLES = 9 };
    tl_real x[SAMPLES];
    int32_t labels[SAMPLES] = {0, 1, 0, 1, 1, 0, 0, 1, 0};
    fill_normal(x, SAMPLES, 1);
    const tl_dataset data = {.x = TL_VIEW(x, SAMPLES, 1, 1), .labels = labels, .classes = 2};
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node y = tl_dense(model, tl_input(model, (tl_shape){1, 1}), &(tl_dense_cfg){.units = 2});
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = 2, .optimizer = {.learning_rate = 0.25}}, &error);
    double rates[EPOCHS * BATCHES];
    const tl_schedule_cfg schedule = {.kind = TL_SCHEDULE_COSINE, .warmup = 3};
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = EPOCHS, .accumulate = 2, .schedule = schedule, .callbacks = {{note_rate, rates}}},
           NULL, &error);
    check_ok(&error);
    tl_schedule expected = prepared(&schedule, 0.25, EPOCHS * 3); /* an epoch steps after its batches 2, 4 and 5 */
    for (int i = 0; i < EPOCHS * BATCHES; i++) {
        check_number("rate", rates[i], tl_schedule_rate(&expected), 0, 0);
        if (i % BATCHES == 1 || i % BATCHES >= 3) tl_schedule_step(&expected, 1);
    }
    check_number("rate afterwards", tl_learning_rate(model), tl_schedule_rate(&expected), 0, 0);
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_step_or_exponential_when_epochs_end_then_the_rate_is_a_power),
        cmocka_unit_test(given_cosine_when_stepped_then_half_a_cosine_down_to_the_minimum),
        cmocka_unit_test(given_one_cycle_when_stepped_then_up_and_down_along_cosines),
        cmocka_unit_test(given_noam_when_stepped_then_equation_3_of_its_paper),
        cmocka_unit_test(given_warmup_when_stepped_then_any_schedule_rises_by_equal_parts),
        cmocka_unit_test(given_a_plateau_when_the_loss_stalls_then_the_rate_halves),
        cmocka_unit_test(given_king_when_losses_fall_then_the_rate_stays_and_else_drops),
        cmocka_unit_test(given_king_when_the_slope_is_close_to_none_then_051_is_the_limit),
        cmocka_unit_test(given_a_copy_when_continued_then_as_the_original),
        cmocka_unit_test(given_no_schedule_when_used_then_a_rate_of_zero),
        cmocka_unit_test(given_values_that_do_not_apply_when_prepared_then_named),
        cmocka_unit_test(given_a_schedule_when_fitted_then_every_step_uses_its_rate),
    };
    return check_run(tests);
}
