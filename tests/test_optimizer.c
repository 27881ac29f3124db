/* Optimizers against their equations, in double precision. */
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
                                  .weight_decay = fmax(full.weight_decay, 0),
                                  .l1 = full.l1,
                                  .cfg = &full};
        full.ops->update(&update);
    }
}

static const double tolerance = sizeof(tl_real) == sizeof(float) ? 2e-5 : 1e-12;

/* One of the published rules: steps x by the gradient g of step t, 1 for the first; state is zero before the first. */
typedef double (*rule)(double x, double g, int t, double state[2]);

/* The values after STEPS steps of the library and of the rule are the same. */
static void compare_steps(const char *what, const tl_optimizer_cfg *cfg, rule step) {
    tl_real value[COUNT];
    run_updates(cfg, value);
    for (int i = 0; i < COUNT; i++) {
        double x = 0.1 * i, state[2] = {0};
        for (int t = 1; t <= STEPS; t++) x = step(x, gradient_at(t, i), t, state);
        check_number(what, (double)value[i], x, tolerance, tolerance);
    }
}

static double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

/* Kingma & Ba 2015, algorithm 1, on the gradient with both penalties. */
static double adam_rule(double x, double g, int t, double state[2]) {
    g += 0.1 * x + 0.03 * sign(x);
    state[0] = 0.8 * state[0] + 0.2 * g;
    state[1] = 0.95 * state[1] + 0.05 * g * g;
    return x - 0.01 * (state[0] / (1 - pow(0.8, t))) / (sqrt(state[1] / (1 - pow(0.95, t))) + 1e-3);
}

/* Loshchilov & Hutter 2019, algorithm 2, the decay multiplied by the learning rate, with PyTorch's defaults. */
static double adamw_rule(double x, double g, int t, double state[2]) {
    state[0] = 0.9 * state[0] + 0.1 * g;
    state[1] = 0.999 * state[1] + 0.001 * g * g;
    return x - 0.05 * (state[0] / (1 - pow(0.9, t)) / (sqrt(state[1] / (1 - pow(0.999, t))) + 1e-8) + 0.01 * x);
}

static double adamw_without_decay(double x, double g, int t, double state[2]) {
    return adamw_rule(x, g, t, state) + 0.05 * 0.01 * x;
}

static void given_adam_when_stepped_then_follows_algorithm_1(void **unused) {
    (void)unused;
    const tl_optimizer_cfg cfg = {
        .ops = tl_adam(), .learning_rate = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.1, .l1 = 0.03};
    compare_steps("adam", &cfg, adam_rule);
}

static void given_adamw_when_stepped_then_the_decay_is_apart_from_the_gradient(void **unused) {
    (void)unused;
    tl_optimizer_cfg cfg = {.ops = tl_adamw(), .learning_rate = 0.05};
    compare_steps("adamw", &cfg, adamw_rule);
    cfg.weight_decay = TL_NO_WEIGHT_DECAY;
    compare_steps("adamw without decay", &cfg, adamw_without_decay);
}

/* velocity ← 0.9·velocity + g; the step is that, or g + 0.9·velocity. */
static double sgd_gradient(double x, double g) { return g + 0.05 * x + 0.02 * sign(x); }
static double sgd_rule(double x, double g, int t, double state[2]) {
    (void)t, (void)state;
    return x - 0.02 * sgd_gradient(x, g);
}
static double momentum_rule(double x, double g, int t, double state[2]) {
    (void)t;
    state[0] = 0.9 * state[0] + sgd_gradient(x, g);
    return x - 0.02 * state[0];
}
static double nesterov_rule(double x, double g, int t, double state[2]) {
    (void)t;
    state[0] = 0.9 * state[0] + sgd_gradient(x, g);
    return x - 0.02 * (sgd_gradient(x, g) + 0.9 * state[0]);
}

static void given_sgd_when_stepped_then_follows_its_equations(void **unused) {
    (void)unused;
    tl_optimizer_cfg cfg = {.ops = tl_sgd(), .learning_rate = 0.02, .weight_decay = 0.05, .l1 = 0.02};
    compare_steps("sgd", &cfg, sgd_rule);
    cfg.momentum = 0.9;
    compare_steps("momentum", &cfg, momentum_rule);
    cfg.nesterov = true;
    compare_steps("nesterov", &cfg, nesterov_rule);
}

/* Tieleman & Hinton 2012 with epsilon outside the root; the first with PyTorch's defaults. */
static double rmsprop_rule(double x, double g, int t, double state[2]) {
    (void)t;
    state[0] = 0.99 * state[0] + 0.01 * g * g;
    return x - 0.01 * g / (sqrt(state[0]) + 1e-8);
}
static double rmsprop_momentum_rule(double x, double g, int t, double state[2]) {
    (void)t;
    g += 0.1 * x;
    state[0] = 0.7 * state[0] + 0.3 * g * g;
    state[1] = 0.5 * state[1] + g / (sqrt(state[0]) + 1e-2);
    return x - 0.03 * state[1];
}

static void given_rmsprop_when_stepped_then_follows_its_equations(void **unused) {
    (void)unused;
    compare_steps("rmsprop", &(tl_optimizer_cfg){.ops = tl_rmsprop()}, rmsprop_rule);
    const tl_optimizer_cfg cfg = {
        .ops = tl_rmsprop(), .learning_rate = 0.03, .momentum = 0.5, .alpha = 0.7, .epsilon = 1e-2, .weight_decay = 0.1};
    compare_steps("rmsprop with momentum", &cfg, rmsprop_momentum_rule);
}

/* Duchi, Hazan & Singer 2011: the rate is divided by the root of the sum of squared gradients so far. */
static double adagrad_rule(double x, double g, int t, double state[2]) {
    (void)t;
    state[0] += g * g;
    return x - 0.01 * g / (sqrt(state[0]) + 1e-10);
}
static double adagrad_decay_rule(double x, double g, int t, double state[2]) {
    (void)t;
    g += 0.2 * x + 0.1 * sign(x);
    state[0] += g * g;
    return x - 0.1 * g / (sqrt(state[0]) + 0.5);
}

static void given_adagrad_when_stepped_then_follows_its_equations(void **unused) {
    (void)unused;
    compare_steps("adagrad", &(tl_optimizer_cfg){.ops = tl_adagrad()}, adagrad_rule);
    const tl_optimizer_cfg cfg = {.ops = tl_adagrad(), .learning_rate = 0.1, .epsilon = 0.5, .weight_decay = 0.2, .l1 = 0.1};
    compare_steps("adagrad with penalties", &cfg, adagrad_decay_rule);
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
        {{.ops = tl_sgd(), .beta1 = 0.9}, "sgd: beta1 0.9 does not apply to this optimizer"},
        {{.ops = tl_sgd(), .l1 = -1}, "sgd: l1 -1 is not a number of at least 0"},
        {{.ops = tl_sgd(), .weight_decay = -0.5}, "sgd: weight decay -0.5 is not a number of at least 0"},
        {{.ops = tl_adamw(), .l1 = 0.1}, "adamw: l1 0.1 does not apply to this optimizer"},
        {{.ops = tl_adamw(), .epsilon = 1e-50}, sizeof(tl_real) == 4 ? "adamw: epsilon 1e-50 is 0 in this precision" : NULL},
        {{.ops = tl_rmsprop(), .alpha = 1}, "rmsprop: alpha 1 is outside [0, 1)"},
        {{.ops = tl_rmsprop(), .momentum = 0.5, .nesterov = true}, "rmsprop: nesterov does not apply to this optimizer"},
        {{.ops = tl_adagrad(), .momentum = 0.5}, "adagrad: momentum 0.5 does not apply to this optimizer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_optimizer_cfg cfg = cases[i].cfg;
        cfg.ops->prepare(&cfg, &error);
        if (cases[i].text)
            check_error(&error, TL_ERROR_ARGUMENT, cases[i].text);
        else
            check_ok(&error);
    }
}

static void given_a_name_when_looked_up_then_found_or_the_choices_are_listed(void **unused) {
    (void)unused;
    tl_error error = {0};
    size_t count = 0;
    for (; tl_optimizer_name(count); count++)
        assert_string_equal(tl_optimizer_by_name(tl_optimizer_name(count), &error)->name, tl_optimizer_name(count));
    check_ok(&error);
    assert_int_equal(count, 5);
    assert_ptr_equal(tl_optimizer_by_name("sgd", NULL), tl_sgd());
    assert_null(tl_optimizer_by_name("lion", &error));
    check_error(&error, TL_ERROR_ARGUMENT, "optimizer \"lion\" is unknown; choose one of adam, adamw, sgd, rmsprop and adagrad");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_adam_when_stepped_then_follows_algorithm_1),
        cmocka_unit_test(given_adamw_when_stepped_then_the_decay_is_apart_from_the_gradient),
        cmocka_unit_test(given_rmsprop_when_stepped_then_follows_its_equations),
        cmocka_unit_test(given_adagrad_when_stepped_then_follows_its_equations),
        cmocka_unit_test(given_sgd_when_stepped_then_follows_its_equations),
        cmocka_unit_test(given_values_out_of_range_when_prepared_then_named),
        cmocka_unit_test(given_a_name_when_looked_up_then_found_or_the_choices_are_listed),
    };
    return check_run(tests);
}
