/* Optimizers and schedules against their equations, in double precision. */
#include "check.h"

#include <math.h>
#include <string.h>

enum { COUNT = 5, STEPS = 20 };

/* A gradient that changes with the step. */
static double gradient_at(int step, int i) { return sin(1.3 * step + i) * (i + 1); }

/* Runs STEPS updates of `cfg` from values 0.1·i, the gradients scaled by 1/4 as after four samples. */
static void run_updates(const tl_optimizer_cfg *cfg, tl_real value[COUNT]) {
    tl_error error = {0};
    tl_optimizer_cfg full = *cfg;
    full.ops->prepare(&full, &error);
    check_ok(&error);
    tl_real memory[2][COUNT] = {{0}}, gradient[COUNT];
    tl_real *const moment[] = {memory[0], memory[1]};
    for (int i = 0; i < COUNT; i++) value[i] = (tl_real)(0.1 * i);
    for (int step = 1; step <= STEPS; step++) {
        for (int i = 0; i < COUNT; i++) gradient[i] = (tl_real)(4 * gradient_at(step, i));
        const tl_update update = {.value = value,
                                  .gradient = gradient,
                                  .moment = moment,
                                  .count = COUNT,
                                  .scale = 0.25,
                                  .step = (uint64_t)step,
                                  .learning_rate = full.learning_rate,
                                  .cfg = &full};
        full.ops->update(&update);
    }
}

static const double tolerance = sizeof(tl_real) == sizeof(float) ? 2e-5 : 1e-12;

static void given_adam_when_stepped_then_follows_algorithm_1(void **unused) {
    (void)unused;
    const tl_optimizer_cfg cfg = {
        .ops = tl_adam(), .learning_rate = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.1};
    tl_real value[COUNT];
    run_updates(&cfg, value);
    for (int i = 0; i < COUNT; i++) {
        double x = 0.1 * i, m = 0, v = 0;
        for (int t = 1; t <= STEPS; t++) {
            const double g = gradient_at(t, i) + 0.1 * x;
            m = 0.8 * m + 0.2 * g;
            v = 0.95 * v + 0.05 * g * g;
            x -= 0.01 * (m / (1 - pow(0.8, t))) / (sqrt(v / (1 - pow(0.95, t))) + 1e-3);
        }
        check_number("value", (double)value[i], x, tolerance, tolerance);
    }
}

static void given_sgd_when_stepped_then_follows_its_equations(void **unused) {
    (void)unused;
    for (int form = 0; form < 3; form++) {
        const double momentum = form > 0 ? 0.9 : 0;
        const bool nesterov = form == 2;
        const tl_optimizer_cfg cfg = {
            .ops = tl_sgd(), .learning_rate = 0.02, .momentum = momentum, .nesterov = nesterov, .weight_decay = 0.05};
        tl_real value[COUNT];
        run_updates(&cfg, value);
        for (int i = 0; i < COUNT; i++) {
            double x = 0.1 * i, velocity = 0;
            for (int t = 1; t <= STEPS; t++) {
                const double g = gradient_at(t, i) + 0.05 * x;
                velocity = momentum * velocity + g;
                x -= 0.02 * (nesterov ? g + momentum * velocity : velocity);
            }
            check_number("value", (double)value[i], x, tolerance, tolerance);
        }
    }
}

static void given_values_out_of_range_when_prepared_then_named(void **unused) {
    (void)unused;
    const struct {
        tl_optimizer_cfg cfg;
        const char *text;
    } cases[] = {
        {{.ops = tl_adam(), .beta1 = 1}, "adam: beta1 1 is outside [0, 1)"},
        {{.ops = tl_adam(), .beta2 = -0.5}, "adam: beta2 -0.5"},
        {{.ops = tl_adam(), .epsilon = -1}, "adam: epsilon -1"},
        {{.ops = tl_adam(), .weight_decay = NAN}, "adam: weight decay nan"},
        {{.ops = tl_adam(), .learning_rate = INFINITY}, "adam: learning rate inf"},
        {{.ops = tl_adam(), .learning_rate = 1e39}, "adam: learning rate 1e+39 exceeds 1e+30"},
        {{.ops = tl_sgd(), .momentum = 1.5}, "sgd: momentum 1.5 is outside [0, 1)"},
        {{.ops = tl_sgd(), .nesterov = true}, "sgd: nesterov needs a momentum above 0"},
        {{.ops = tl_sgd(), .beta1 = 0.9}, "sgd: beta1, beta2 and epsilon are for adam"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_optimizer_cfg cfg = cases[i].cfg;
        cfg.ops->prepare(&cfg, &error);
        check_error(&error, TL_ERROR_ARGUMENT, cases[i].text);
    }
}

static void given_a_name_when_looked_up_then_found_or_the_choices_are_listed(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_schedule_kind kind;
    assert_ptr_equal(tl_optimizer_by_name("sgd", &error), tl_sgd());
    assert_int_equal(tl_schedule_by_name("plateau", &kind, &error), TL_OK);
    assert_int_equal(kind, TL_SCHEDULE_PLATEAU);
    check_ok(&error);
    assert_null(tl_optimizer_by_name("lion", &error));
    check_error(&error, TL_ERROR_ARGUMENT, "optimizer \"lion\" is unknown; there are adam and sgd");
    error = (tl_error){0};
    tl_schedule_by_name("steep", &kind, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "schedule \"steep\" is unknown; there are constant and plateau");
}

static void given_an_index_when_named_then_every_name_is_found_again(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_schedule_kind kind;
    size_t optimizers = 0, schedules = 0;
    for (; tl_optimizer_name(optimizers); optimizers++)
        assert_string_equal(tl_optimizer_by_name(tl_optimizer_name(optimizers), &error)->name, tl_optimizer_name(optimizers));
    for (; tl_schedule_name((tl_schedule_kind)schedules); schedules++) {
        tl_schedule_by_name(tl_schedule_name((tl_schedule_kind)schedules), &kind, &error);
        assert_int_equal(kind, schedules);
    }
    check_ok(&error);
    assert_true(optimizers >= 2 && schedules >= 2);
}

static void given_a_plateau_when_the_loss_stalls_then_the_rate_halves_down_to_the_minimum(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_schedule schedule;
    tl_schedule_prepare(&schedule, &(tl_schedule_cfg){.kind = TL_SCHEDULE_PLATEAU, .patience = 3, .minimum = 2e-4}, &error);
    check_ok(&error);
    const double losses[] = {5, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3};
    const double rates[] = {1e-3, 1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 5e-4, 5e-4, 2.5e-4, 2.5e-4, 2.5e-4, 2e-4, 2e-4, 2e-4, 2e-4};
    double rate = 1e-3;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        rate = tl_schedule_next(&schedule, rate, losses[i]);
        check_number("rate", rate, rates[i], 1e-12, 0);
    }
    check_number("a rate below the minimum stays", tl_schedule_next(&(tl_schedule){.cfg = schedule.cfg, .waited = 2}, 1e-5, 9),
                 1e-5, 0, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_adam_when_stepped_then_follows_algorithm_1),
        cmocka_unit_test(given_sgd_when_stepped_then_follows_its_equations),
        cmocka_unit_test(given_values_out_of_range_when_prepared_then_named),
        cmocka_unit_test(given_a_name_when_looked_up_then_found_or_the_choices_are_listed),
        cmocka_unit_test(given_an_index_when_named_then_every_name_is_found_again),
        cmocka_unit_test(given_a_plateau_when_the_loss_stalls_then_the_rate_halves_down_to_the_minimum),
    };
    return check_run(tests);
}
