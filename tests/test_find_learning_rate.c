/* The learning-rate finder: its losses are those of a training with these rates, and the model is unchanged afterwards. */
#include "check.h"

#include <math.h>

/* ---- a model that is put back ---- */

enum { SERIES = 20, LENGTH = 10, BATCH = 4 };

static tl_real x[SERIES * LENGTH];
static int32_t labels[SERIES];
static const tl_dataset data = {.x = {.data = x, .rank = 3, .shape = {SERIES, LENGTH, 1}}, .labels = labels, .classes = 2};

static tl_model *make_model(const tl_optimizer_ops *optimizer) {
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 5});
    tl_node y = tl_conv1d(m, tl_input(m, (tl_shape){LENGTH, 1}), &(tl_conv1d_cfg){.filters = 6, .kernel = 3});
    y = tl_dropout(m, tl_relu(m, tl_batch_norm(m, y, NULL)), &(tl_dropout_cfg){.rate = 0.2});
    y = tl_dense(m, tl_flatten(m, y), &(tl_dense_cfg){.units = 2});
    const tl_optimizer_cfg cfg = {.ops = optimizer, .momentum = optimizer == tl_sgd() ? 0.9 : 0, .learning_rate = 0.02};
    tl_model_compile(m, y, &(tl_compile_cfg){.batch = BATCH, .optimizer = cfg}, &error);
    check_ok(&error);
    fill_normal(x, SERIES * LENGTH, 1);
    for (size_t i = 0; i < SERIES; i++) labels[i] = x[i * LENGTH + 4] > 0;
    return m;
}

static void check_same(const tl_model *model, const tl_model *expected) {
    check_parameters(model, expected, 0, 0);
    assert_true(tl_steps(model) == tl_steps(expected));
    check_number("learning rate", tl_learning_rate(model), tl_learning_rate(expected), 0, 0);
}

static void given_a_model_when_a_rate_is_found_then_training_unaffected(void **unused) {
    (void)unused;
    const tl_optimizer_ops *const optimizers[] = {tl_adam(), tl_sgd(), tl_adagrad()};
    for (size_t i = 0; i < 3; i++) {
        tl_error error = {0};
        tl_rate_curve *curve = tl_rate_curve_new(NULL);
        tl_model *model = make_model(optimizers[i]), *expected = make_model(optimizers[i]);
        const tl_fit_cfg cfg = {.epochs = 2, .accumulate = 2, .augment = {.jitter = 0.1, .mixup = 0.3}};
        for (int round = 0; round < 2; round++) {
            tl_fit(model, &data, &cfg, NULL, &error);
            tl_fit(expected, &data, &cfg, NULL, &error);
            tl_find_learning_rate(model, &data, &cfg, NULL, curve, &error);
            check_ok(&error);
            assert_true(tl_rate_curve_count(curve) > 50);
            check_same(model, expected);
        }
        tl_rate_curve_free(curve);
        tl_model_free(expected);
        tl_model_free(model);
    }
}

/* ---- one weight, of which all is known ---- */

static const tl_real one[1] = {1}, wanted[1] = {3};
static const tl_dataset line = {.x = {.data = (tl_real *)one, .rank = 3, .shape = {1, 1, 1}}, .values = (tl_real *)wanted};

/* y = w·x with w = 0, x = 1, and the loss (w - 3)², stepped by plain gradient descent; or a loss of one's own. */
static tl_model *make_line(const tl_compile_cfg *cfg) {
    tl_error error = {0};
    tl_compile_cfg full = *cfg;
    full.batch = 1;
    full.optimizer = (tl_optimizer_cfg){.ops = tl_sgd(), .learning_rate = 0.125};
    tl_model *m = tl_model_new(NULL);
    const tl_node y = tl_dense(m, tl_input(m, (tl_shape){1, 1}), &(tl_dense_cfg){.units = 1, .no_bias = true});
    tl_model_compile(m, y, &full, &error);
    check_ok(&error);
    tl_model_set_target_scale(m, NULL, NULL, &error); /* values as they are */
    *tl_parameter_at(m, 0).value.data = 0;
    return m;
}

static void given_one_weight_when_a_rate_is_found_then_as_the_recurrence(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_rate_curve *curve = tl_rate_curve_new(NULL);
    const double close = sizeof(tl_real) == 8 ? 1e-9 : 1e-3;
    tl_model *model = make_line(&(tl_compile_cfg){.loss = TL_LOSS_SQUARED_ERROR});
    tl_find_learning_rate(model, &line, NULL, &(tl_rate_range){.low = 1e-6, .high = 1e3, .steps = 91}, curve, &error);
    check_ok(&error);
    double off = 3, minimum = INFINITY, steepest = 0, best = 0;
    for (size_t i = 0; i < tl_rate_curve_count(curve); i++) {
        const double rate = 1e-6 * pow(10, 0.1 * (double)i), fall = off * off * (1 - pow(1 - 2 * rate, 2));
        check_number("rate", tl_rate_curve_learning_rates(curve)[i], rate, 1e-9, 0);
        check_number("loss", tl_rate_curve_losses(curve)[i], off * off, close, 1e-6);
        minimum = fmin(minimum, off * off);
        if (fall > steepest) steepest = fall, best = rate;
        off *= 1 - 2 * rate;
    }
    assert_true(tl_rate_curve_diverged(curve) && tl_rate_curve_count(curve) < 91);
    assert_true(tl_rate_curve_losses(curve)[tl_rate_curve_count(curve) - 1] > 4 * minimum &&
                tl_rate_curve_learning_rates(curve)[tl_rate_curve_count(curve) - 1] > 1);
    check_number("half a decade about the steepest fall", log10(tl_rate_curve_suggestion(curve)), log10(best), 0, 0.5);
    check_number("weight", (double)*tl_parameter_at(model, 0).value.data, 0, 0, 0);
    check_number("smoothed", tl_rate_curve_smoothed(curve)[10],
                 (tl_rate_curve_losses(curve)[6] + tl_rate_curve_losses(curve)[14]) / 2, 1e-4, 0); /* it hardly bends there */
    check_number("edge", tl_rate_curve_smoothed(curve)[0], tl_rate_curve_losses(curve)[0], 0, 0);
    tl_rate_curve_free(curve);
    tl_model_free(model);
}

static void given_rates_too_small_when_tried_then_nothing_is_suggested(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_rate_curve *curve = tl_rate_curve_new(NULL);
    tl_model *model = make_model(tl_adam());
    tl_find_learning_rate(model, &data, &(tl_fit_cfg){.accumulate = 2},
                          &(tl_rate_range){.low = 1e-14, .high = 1e-12, .steps = TL_RATES}, curve, &error);
    check_ok(&error);
    assert_true(tl_rate_curve_count(curve) == TL_RATES && !tl_rate_curve_diverged(curve));
    assert_true(isnan(tl_rate_curve_suggestion(curve)));
    check_number("first", tl_rate_curve_learning_rates(curve)[0], 1e-14, 0, 0);
    check_number("last", tl_rate_curve_learning_rates(curve)[TL_RATES - 1], 1e-12, 1e-12, 0);
    tl_rate_curve_free(curve);
    tl_model_free(model);
}

/* ---- ends ---- */

/* The squared error, for a limited number of calls. */
static double until(const tl_real *y, const tl_real *values, size_t channels, tl_real *gradient, void *left) {
    (void)channels;
    if (gradient) *gradient = 2 * (*y - *values);
    return --*(int *)left < 0 ? NAN : (double)((*y - *values) * (*y - *values));
}

static void given_a_non_finite_loss_when_met_then_the_trial_ends(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_rate_curve *curve = tl_rate_curve_new(NULL);
    int left = 12;
    tl_model *model = make_line(&(tl_compile_cfg){.loss = TL_LOSS_OWN, .own_loss = until, .own_loss_user = &left});
    tl_find_learning_rate(model, &line, NULL, NULL, curve, &error);
    check_ok(&error);
    assert_true(tl_rate_curve_diverged(curve) && tl_rate_curve_count(curve) == 12);
    tl_find_learning_rate(model, &line, NULL, NULL, curve, &error);
    check_error(&error, TL_ERROR_NUMERIC, "non-finite loss at step 1; parameters unchanged");
    assert_true(tl_rate_curve_count(curve) == 0 && isnan(tl_rate_curve_suggestion(curve)));
    check_number("learning rate", tl_learning_rate(model), 0.125, 0, 0);
    tl_rate_curve_free(curve);
    tl_model_free(model);
}

static bool seven(const tl_progress *at, void *calls) {
    assert_int_equal(at->epochs, 20); /* 5 batches an epoch */
    return ++*(int *)calls < 7;
}

static void given_a_callback_that_stops_when_called_then_the_curve_ends_there(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_rate_curve *curve = tl_rate_curve_new(NULL);
    int calls = 0;
    tl_model *model = make_model(tl_adam());
    tl_find_learning_rate(model, &data, &(tl_fit_cfg){.callbacks = {{seven, &calls}}}, NULL, curve, &error);
    check_ok(&error);
    assert_true(calls == 7 && tl_rate_curve_count(curve) == 7 && !tl_rate_curve_diverged(curve));
    tl_rate_curve_free(curve);
    tl_model_free(model);
}

/* ---- refusals ---- */

static void given_ranges_that_are_none_when_asked_for_then_refused(void **unused) {
    (void)unused;
    static const struct {
        tl_rate_range range;
        const char *text;
    } cases[] = {
        {{.low = 1, .high = 0.1}, "learning-rate finder: low 1 is not below high 0.1"},
        {{.low = 20}, "learning-rate finder: low 20 is not below high 10"},
        {{.low = -1}, "learning-rate finder: low -1 is not a number of at least 0"},
        {{.high = NAN}, "learning-rate finder: high nan is not a number of at least 0"},
        {{.steps = 9}, "learning-rate finder: steps 9 is outside 10 … 1000"},
        {{.steps = 1001}, "learning-rate finder: steps 1001 is outside 10 … 1000"},
        {{.steps = -1}, "learning-rate finder: steps -1 is outside 10 … 1000"},
    };
    tl_rate_curve *curve = tl_rate_curve_new(NULL);
    tl_model *model = make_model(tl_adam()), *expected = make_model(tl_adam());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_find_learning_rate(model, &data, NULL, &(tl_rate_range){.steps = 10}, curve, NULL);
        assert_int_equal(tl_rate_curve_count(curve), 10);
        tl_find_learning_rate(model, &data, NULL, &cases[i].range, curve, &error);
        check_error(&error, TL_ERROR_ARGUMENT, cases[i].text);
        assert_int_equal(tl_rate_curve_count(curve), 0);
    }
    tl_error batch = {0};
    tl_find_learning_rate(model, &data, &(tl_fit_cfg){.batch = 9}, NULL, curve, &batch);
    check_error(&batch, TL_ERROR_ARGUMENT, "fit: batch 9 exceeds the compiled batch, 4");
    check_same(model, expected);
    tl_rate_curve_free(curve);
    tl_model_free(expected);
    tl_model_free(model);
}

static void given_a_model_that_cannot_be_trained_when_asked_for_then_refused(void **unused) {
    (void)unused;
    tl_error not_compiled = {0}, inference = {0}, wrong = {0};
    tl_rate_curve *curve = tl_rate_curve_new(NULL);
    tl_model *model = tl_model_new(NULL);
    const tl_node y = tl_dense(model, tl_flatten(model, tl_input(model, (tl_shape){LENGTH, 1})), &(tl_dense_cfg){.units = 2});
    tl_find_learning_rate(model, &data, NULL, NULL, curve, &not_compiled);
    check_error(&not_compiled, TL_ERROR_STATE, "learning-rate finder: the model is not compiled for training");
    tl_model_compile(model, y, &(tl_compile_cfg){.inference_only = true}, &inference);
    check_ok(&inference);
    tl_find_learning_rate(model, &data, NULL, NULL, curve, &inference);
    check_error(&inference, TL_ERROR_STATE, "learning-rate finder: the model is not compiled for training");
    tl_set_learning_rate(model, -1);
    tl_find_learning_rate(model, &data, NULL, NULL, curve, &wrong);
    check_error(&wrong, TL_ERROR_ARGUMENT, "learning rate -1 is not a number from 0 to 1e30");
    tl_rate_curve_free(curve);
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_model_when_a_rate_is_found_then_training_unaffected),
        cmocka_unit_test(given_one_weight_when_a_rate_is_found_then_as_the_recurrence),
        cmocka_unit_test(given_rates_too_small_when_tried_then_nothing_is_suggested),
        cmocka_unit_test(given_a_non_finite_loss_when_met_then_the_trial_ends),
        cmocka_unit_test(given_a_callback_that_stops_when_called_then_the_curve_ends_there),
        cmocka_unit_test(given_ranges_that_are_none_when_asked_for_then_refused),
        cmocka_unit_test(given_a_model_that_cannot_be_trained_when_asked_for_then_refused),
    };
    return check_run(tests);
}
