/* The graph, its compilation, the lower tier and the upper tier. */
#include "check.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const tl_shape point = {.length = 1, .channels = 2};

/* Two layers of dense units on points of the plane. */
static tl_model *plane_model(uint64_t seed, size_t hidden, const tl_compile_cfg *cfg, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = seed, .threads = 1});
    tl_node x = tl_input(model, point);
    x = tl_tanh(model, tl_dense(model, x, &(tl_dense_cfg){.units = hidden}));
    x = tl_dense(model, x, &(tl_dense_cfg){.units = 2});
    tl_model_compile(model, x, cfg, error);
    return model;
}

/* The exclusive or of two signs: not linearly separable. */
static tl_dataset exclusive_or(tl_real *x, int32_t *labels, size_t count) {
    fill_normal(x, 2 * count, 7);
    for (size_t i = 0; i < count; i++) labels[i] = (x[2 * i] > 0) != (x[2 * i + 1] > 0);
    return (tl_dataset){.x = TL_VIEW(x, count, 1, 2), .labels = labels, .classes = 2};
}

static void given_exclusive_or_when_fitted_then_learnt_and_best_epoch_restored(void **unused) {
    (void)unused;
    enum { COUNT = 200 };
    tl_real x[2 * COUNT];
    int32_t labels[COUNT];
    const tl_dataset data = exclusive_or(x, labels, COUNT);
    tl_error error = {0};
    tl_model *model = plane_model(1, 16, &(tl_compile_cfg){.batch = 16, .optimizer = {.learning_rate = 0.02}}, &error);
    tl_fit_result result;
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 60, .restore_best = true}, &result, &error);
    tl_metrics metrics;
    tl_evaluate(model, &data, &metrics, &error);
    check_ok(&error);
    assert_int_equal(result.steps, 60 * 13); /* 12 whole batches and one of 8 */
    assert_int_equal(result.epochs, 60);
    assert_true(result.best_epoch > 0);
    if (!(metrics.accuracy >= 0.97)) fail_msg("accuracy %g after training", metrics.accuracy);
    assert_true(isnan(metrics.rmse));
    tl_model_free(model);
}

typedef struct watched {
    double minimum;
    int epoch;
} watched;

static bool watch_validation(const tl_progress *at, void *user) {
    watched *w = user;
    assert_true(at->epoch_end == !isnan(at->validation.loss));
    if (at->epoch_end && at->validation.loss < w->minimum) *w = (watched){at->validation.loss, at->epoch};
    return true;
}

static void given_a_validation_set_when_fitted_then_best_epoch_restored(void **unused) {
    (void)unused;
    enum { COUNT = 40 };
    tl_real x[2 * COUNT], other[2 * COUNT];
    int32_t labels[COUNT], other_labels[COUNT];
    const tl_dataset data = exclusive_or(x, labels, COUNT);
    tl_dataset validation = exclusive_or(other, other_labels, COUNT);
    for (size_t i = 0; i < COUNT; i += 3) other_labels[i] = 1 - other_labels[i]; /* what is learnt will not hold there for long */
    tl_error error = {0};
    tl_model *model = plane_model(1, 16, &(tl_compile_cfg){.batch = 8, .optimizer = {.learning_rate = 0.05}}, &error);
    watched seen = {INFINITY, 0};
    tl_fit_cfg cfg = {
        .epochs = 500, .restore_best = true, .validation = &validation, .patience = 7, .callbacks = {{watch_validation, &seen}}};
    tl_fit_result result;
    tl_fit(model, &data, &cfg, &result, &error);
    tl_metrics metrics;
    tl_evaluate(model, &validation, &metrics, &error);
    check_ok(&error);
    assert_true(result.early_stopped && !result.stopped);
    assert_int_equal(result.best_epoch, seen.epoch);
    assert_int_equal(result.epochs, seen.epoch + 7);
    check_number("best loss", result.best_loss, seen.minimum, 0, 0);
    check_number("restored", metrics.loss, seen.minimum, 0, 0);
    cfg.patience = -1;
    tl_fit(model, &data, &cfg, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "fit: patience -1 is below 0");
    tl_error augment = {0}, unlike = {0};
    tl_fit(model, &data, &(tl_fit_cfg){.augment = {.jitter = -1}}, NULL, &augment);
    check_error(&augment, TL_ERROR_ARGUMENT, "augment: jitter -1 is not a number of at least 0");
    validation.x = TL_VIEW(other, COUNT / 2, 2, 2);
    tl_fit(model, &data, &(tl_fit_cfg){.validation = &validation}, NULL, &unlike);
    check_error(&unlike, TL_ERROR_SHAPE, "data: series are (2, 2); the model takes (1, 2)");
    tl_model_free(model);
}

static void given_the_same_seed_when_fitted_twice_then_the_same_parameters(void **unused) {
    (void)unused;
    enum { COUNT = 50 };
    tl_real x[2 * COUNT];
    int32_t labels[COUNT];
    const tl_dataset data = exclusive_or(x, labels, COUNT);
    tl_error error = {0};
    tl_model *first = plane_model(3, 8, NULL, &error), *second = plane_model(3, 8, NULL, &error),
             *other = plane_model(4, 8, NULL, &error);
    tl_fit(first, &data, &(tl_fit_cfg){.epochs = 5}, NULL, &error);
    tl_fit(second, &data, &(tl_fit_cfg){.epochs = 5}, NULL, &error);
    tl_fit(other, &data, &(tl_fit_cfg){.epochs = 5}, NULL, &error);
    check_ok(&error);
    assert_int_equal(tl_parameter_arrays(first), 4);
    check_parameters(second, first, 0, 0);
    assert_memory_not_equal(tl_parameter_at(first, 0).value.data, tl_parameter_at(other, 0).value.data, 16 * sizeof(tl_real));
    tl_model_free(first);
    tl_model_free(second);
    tl_model_free(other);
}

static void given_a_compiled_model_when_asked_then_parameters_are_described(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = plane_model(0, 5, NULL, &error);
    check_ok(&error);
    const tl_parameter weight = tl_parameter_at(model, 2), none = tl_parameter_at(model, 4);
    assert_string_equal(weight.layer, "dense_2");
    assert_string_equal(weight.name, "weight");
    assert_int_equal(weight.value.shape[0], 5);
    assert_int_equal(weight.value.shape[1], 2);
    assert_null(none.name);
    assert_int_equal(tl_parameter_count(model), 2 * 5 + 5 + 5 * 2 + 2);
    assert_int_equal(tl_output_shape(model).channels, 2);
    assert_int_equal(tl_node_shape(model, (tl_node){.id = 1}).channels, 5);
    assert_int_equal(tl_model_batch(model), 32);
    tl_model_free(model);
}

static void given_wrong_graphs_when_compiled_then_the_layer_is_named(void **unused) {
    (void)unused;
    const struct {
        size_t units;
        int nodes;
        tl_compile_cfg cfg;
        const char *text;
        tl_status status;
    } cases[] = {
        {0, 2, {0}, "layer 1 (dense): units 0", TL_ERROR_ARGUMENT},
        {3, 1, {0}, "the output is the input", TL_ERROR_ARGUMENT},
        {3, 9, {0}, "output is node 8; the model has 2 nodes", TL_ERROR_ARGUMENT},
        {3, 2, {.batch = SIZE_MAX / 4}, "layer 0 (input): batch", TL_ERROR_SHAPE},
        {3, 2, {.clip_norm = -1}, "clip norm -1", TL_ERROR_ARGUMENT},
        {3, 2, {.clip_norm = NAN}, "clip norm nan", TL_ERROR_ARGUMENT},
        {3, 2, {.clip_norm = INFINITY}, "clip norm inf exceeds 1e+30", TL_ERROR_ARGUMENT},
        {3, 2, {.clip_value = -2}, "clip value -2 is not a number of at least 0", TL_ERROR_ARGUMENT},
        {3, 2, {.optimizer = {.learning_rate = NAN}}, "adam: learning rate nan", TL_ERROR_ARGUMENT},
        {3, 2, {.optimizer = {.learning_rate = -1}}, "adam: learning rate -1", TL_ERROR_ARGUMENT},
        {3, 2, {.optimizer = {.momentum = 0.9}}, "adam: momentum 0.9 does not apply", TL_ERROR_ARGUMENT},
        {3, 2, {.loss = (tl_loss_kind)9}, "loss 9 is unknown", TL_ERROR_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_model *model = tl_model_new(NULL);
        const tl_node x = tl_input(model, point);
        tl_dense(model, x, &(tl_dense_cfg){.units = cases[i].units});
        assert_int_not_equal(tl_model_compile(model, (tl_node){.id = cases[i].nodes - 1}, &cases[i].cfg, &error), TL_OK);
        check_error(&error, cases[i].status, cases[i].text);
        tl_model_free(model);
    }
}

static void given_a_failed_layer_when_built_on_then_the_first_error_is_reported(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    tl_node x = tl_input(model, point);
    x = tl_add(model, (tl_node[]){x, {.id = 12}}, 2);
    assert_true(x.id < 0);
    x = tl_relu(model, tl_dense(model, x, &(tl_dense_cfg){.units = 3}));
    assert_true(x.id < 0);
    tl_model_compile(model, x, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "layer 1 (add): input 1 is node 12; the model has 1 nodes");
    tl_model_free(model);

    error = (tl_error){0};
    tl_model_compile(NULL, tl_relu(NULL, tl_input(NULL, point)), NULL, &error);
    check_error(&error, TL_ERROR_MEMORY, "the model is NULL");
    tl_model_free(NULL);
}

static void given_calls_out_of_order_when_made_then_refused_by_name(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_real x[] = {1, 2};
    const tl_tensor view = TL_VIEW(x, 1, 1, 2);
    const tl_target target = {.labels = (int32_t[]){0}};
    tl_model *model = plane_model(0, 3, NULL, &error);
    check_ok(&error);

    tl_backward(model);
    check_error(tl_model_error(model), TL_ERROR_STATE, "backward: call tl_forward in training mode and tl_loss before");
    tl_step(model, &error);
    check_error(&error, TL_ERROR_STATE, "backward: call tl_forward in training mode");
    tl_model_clear_error(model);
    error = (tl_error){0};

    assert_true(isnan(tl_loss(model, &target)));
    check_error(tl_model_error(model), TL_ERROR_STATE, "loss: call tl_forward before");
    tl_model_clear_error(model);

    tl_step(model, &error);
    check_error(&error, TL_ERROR_STATE, "step: call tl_backward before");
    error = (tl_error){0};

    tl_forward(model, &view, TL_MODE_INFERENCE);
    assert_true(isfinite(tl_loss(model, &target)));
    tl_backward(model);
    check_error(tl_model_error(model), TL_ERROR_STATE, "backward: call tl_forward in training mode");
    tl_model_clear_error(model);

    tl_model_compile(model, (tl_node){.id = 1}, NULL, &error);
    check_error(&error, TL_ERROR_STATE, "the model is already compiled");
    assert_true(tl_relu(model, (tl_node){.id = 1}).id < 0);
    check_error(tl_model_error(model), TL_ERROR_STATE, "(relu): the model is already compiled; add layers before");
    tl_model_free(model);
}

static void given_arrays_that_do_not_fit_when_run_then_both_shapes_are_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_real x[12] = {0};
    tl_model *model = plane_model(0, 3, &(tl_compile_cfg){.batch = 4}, &error);
    const struct {
        tl_tensor x;
        const char *text;
    } cases[] = {
        {TL_VIEW(x, 2, 1, 3), "x is (2, 1, 3); the model takes (batch, 1, 2)"},
        {TL_VIEW(x, 5, 1, 2), "batch 5 is outside 1 … 4"},
        {TL_VIEW(x, 0, 1, 2), "batch 0 is outside 1 … 4"},
        {TL_VIEW(x, 2, 2), "x is (2, 2); the model takes (batch, 1, 2)"},
        {{0}, "x is NULL; the model takes (batch, 1, 2)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_forward(model, &cases[i].x, TL_MODE_TRAINING);
        check_error(tl_model_error(model), TL_ERROR_SHAPE, cases[i].text);
        tl_model_clear_error(model);
    }
    const tl_tensor good = TL_VIEW(x, 2, 1, 2), gradient = TL_VIEW(x, 2, 1, 3);
    tl_forward(model, &good, TL_MODE_TRAINING);
    tl_backward_from(model, &gradient);
    check_error(tl_model_error(model), TL_ERROR_SHAPE, "the gradient is (2, 1, 3); the output is (2, 1, 2)");
    tl_model_clear_error(model);
    assert_true(isnan(tl_loss(model, &(tl_target){.labels = (int32_t[]){0, 2}})));
    check_error(tl_model_error(model), TL_ERROR_ARGUMENT, "label 2 of sample 1 is outside 0 … 1");
    tl_model_clear_error(model);
    assert_true(isnan(tl_loss(model, &(tl_target){.labels = (int32_t[]){-2, 0}})));
    check_error(tl_model_error(model), TL_ERROR_ARGUMENT, "label -2 of sample 0");
    tl_model_free(model);
}

static void given_a_non_finite_loss_when_stepped_then_parameters_stay(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_real good[] = {1, 2}, bad[] = {1, (tl_real)NAN};
    const tl_tensor x = TL_VIEW(good, 1, 1, 2), not_finite = TL_VIEW(bad, 1, 1, 2);
    const tl_target target = {.labels = (int32_t[]){1}};
    tl_model *model = plane_model(0, 3, NULL, &error);
    tl_forward(model, &x, TL_MODE_TRAINING);
    tl_loss(model, &target);
    tl_backward(model);
    tl_step(model, &error);
    check_ok(&error);
    tl_real before[6];
    const tl_parameter weight = tl_parameter_at(model, 0);
    memcpy(before, weight.value.data, sizeof before);

    tl_forward(model, &not_finite, TL_MODE_TRAINING);
    assert_true(isnan(tl_loss(model, &target)));
    tl_backward(model);
    assert_int_equal(tl_step(model, &error), TL_ERROR_NUMERIC);
    check_error(&error, TL_ERROR_NUMERIC, "non-finite loss at step 2; parameters unchanged");
    check_equal("weight", weight.value.data, before, 6);

    error = (tl_error){0};
    tl_forward(model, &x, TL_MODE_TRAINING);
    tl_backward_from(model, &not_finite);
    tl_step(model, &error);
    check_error(&error, TL_ERROR_NUMERIC, "non-finite gradient at step 2");
    check_equal("weight", weight.value.data, before, 6);

    error = (tl_error){0};
    tl_forward(model, &x, TL_MODE_TRAINING);
    tl_loss(model, &target);
    tl_backward(model);
    tl_step(model, &error);
    check_ok(&error);
    assert_int_equal(tl_steps(model), 2);
    tl_model_free(model);
}

static void given_a_norm_limit_when_stepped_by_sgd_then_the_step_has_that_length(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_real input[] = {30, -40};
    const tl_tensor x = TL_VIEW(input, 1, 1, 2);
    const tl_compile_cfg cfg = {.optimizer = {.ops = tl_sgd(), .learning_rate = 0.5}, .clip_norm = 0.1};
    tl_model *model = plane_model(0, 3, &cfg, &error);
    double before[20], sum = 0;
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) {
        const tl_parameter p = tl_parameter_at(model, i);
        for (size_t j = 0; j < tl_tensor_count(&p.value); j++) before[at++] = (double)p.value.data[j];
    }
    tl_forward(model, &x, TL_MODE_TRAINING);
    tl_loss(model, &(tl_target){.labels = (int32_t[]){0}});
    tl_backward(model);
    tl_step(model, &error);
    check_ok(&error);
    at = 0;
    for (size_t i = 0; i < 4; i++) {
        const tl_parameter p = tl_parameter_at(model, i);
        for (size_t j = 0; j < tl_tensor_count(&p.value); j++, at++) sum += pow((double)p.value.data[j] - before[at], 2);
    }
    check_number("length of the step", sqrt(sum), 0.5 * 0.1, 1e-4, 0);
    tl_model_free(model);
}

static void given_a_layer_frozen_after_backward_when_stepped_then_unchanged(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_real input[] = {1, 2};
    const tl_tensor x = TL_VIEW(input, 1, 1, 2);
    const tl_compile_cfg cfg = {.clip_norm = 0.01, .optimizer = {.ops = tl_sgd(), .learning_rate = 1}};
    tl_model *frozen_late = plane_model(0, 3, &cfg, &error), *frozen_early = plane_model(0, 3, &cfg, &error);
    tl_freeze(frozen_early, tl_parameter_at(frozen_early, 0).node);
    tl_model *models[] = {frozen_late, frozen_early};
    for (size_t i = 0; i < 2; i++) {
        tl_forward(models[i], &x, TL_MODE_TRAINING);
        tl_loss(models[i], &(tl_target){.labels = (int32_t[]){0}});
        tl_backward(models[i]);
        if (i == 0) tl_freeze(frozen_late, tl_parameter_at(frozen_late, 0).node);
        tl_step(models[i], &error);
    }
    check_ok(&error);
    check_parameters(frozen_late, frozen_early, 0, 0);
    tl_model_free(frozen_late);
    tl_model_free(frozen_early);
}

static void given_a_frozen_layer_when_stepped_then_only_the_others_move(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_real input[] = {1, 2};
    const tl_tensor x = TL_VIEW(input, 1, 1, 2);
    tl_model *model = plane_model(0, 3, &(tl_compile_cfg){.optimizer = {.weight_decay = 0.1}}, &error);
    tl_real before[6], last[6];
    const tl_parameter first = tl_parameter_at(model, 0), second = tl_parameter_at(model, 2);
    for (int thaw = 0; thaw < 2; thaw++) {
        memcpy(before, first.value.data, sizeof before);
        memcpy(last, second.value.data, sizeof last);
        (thaw ? tl_unfreeze : tl_freeze)(model, first.node);
        assert_int_equal(tl_parameter_at(model, 0).frozen, !thaw);
        tl_forward(model, &x, TL_MODE_TRAINING);
        tl_loss(model, &(tl_target){.labels = (int32_t[]){0}});
        tl_backward(model);
        tl_step(model, &error);
        check_ok(&error);
        assert_memory_not_equal(second.value.data, last, sizeof last);
        if (!thaw) check_equal("frozen weight", first.value.data, before, 6);
        if (thaw) assert_memory_not_equal(first.value.data, before, sizeof before);
    }
    tl_freeze(model, (tl_node){.id = 44});
    check_error(tl_model_error(model), TL_ERROR_ARGUMENT, "freeze: node 44");
    tl_model_free(model);
}

static void given_data_that_does_not_fit_when_fitted_then_refused(void **unused) {
    (void)unused;
    tl_real x[8] = {0};
    int32_t labels[] = {0, 1, 0, 5};
    tl_error none = {0};
    tl_model *model = plane_model(0, 3, NULL, &none);
    check_ok(&none);
    const struct {
        tl_dataset data;
        tl_fit_cfg cfg;
        const char *text;
    } cases[] = {
        {{.x = TL_VIEW(x, 4, 1, 2), .labels = labels, .classes = 2}, {0}, "label 5 of sample 3 is outside 0 … 1"},
        {{.x = TL_VIEW(x, 4, 1, 2), .labels = labels, .classes = 6}, {0}, "6 classes exceed the 2 outputs"},
        {{.x = TL_VIEW(x, 4, 2, 1), .labels = labels, .classes = 2}, {0}, "series are (2, 1); the model takes (1, 2)"},
        {{.x = TL_VIEW(x, 4, 1, 2), .values = x}, {0}, "cross-entropy needs labels"},
        {{.x = TL_VIEW(x, 0, 1, 2), .labels = labels, .classes = 2}, {0}, "no samples"},
        {{.x = TL_VIEW(x, 3, 1, 2), .labels = labels, .classes = 2}, {.batch = 33}, "batch 33 exceeds the compiled batch, 32"},
        {{.x = TL_VIEW(x, 3, 1, 2), .labels = labels, .classes = 2}, {.epochs = -2}, "-2 epochs"},
        {{.x = TL_VIEW(x, 3, 1, 2), .labels = labels, .classes = 2},
         {.schedule = {.factor = 2}},
         "schedule: factor 2 does not apply to constant"},
        {{.x = TL_VIEW(x, 3, 1, 2), .labels = labels, .classes = 2},
         {.schedule = {.kind = TL_SCHEDULE_PLATEAU, .factor = 2}},
         "factor 2 is outside [0, 1)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        assert_int_not_equal(tl_fit(model, &cases[i].data, &cases[i].cfg, NULL, &error), TL_OK);
        if (!strstr(error.text, cases[i].text)) fail_msg("case %zu: \"%s\" lacks \"%s\"", i, error.text, cases[i].text);
    }
    tl_model_free(model);
}

static bool stop_at_five(const tl_progress *progress, void *user) {
    ++*(int *)user;
    return !(progress->epoch == 2 && progress->batch == 2);
}

static void given_a_callback_when_it_says_stop_then_training_ends_there(void **unused) {
    (void)unused;
    tl_real x[20];
    int32_t labels[10];
    const tl_dataset data = exclusive_or(x, labels, 10);
    tl_error error = {0};
    tl_model *model = plane_model(0, 3, &(tl_compile_cfg){.batch = 4}, &error);
    int calls = 0;
    tl_fit_result result;
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 50, .accumulate = 2, .callbacks = {{stop_at_five, &calls}}}, &result, &error);
    check_ok(&error);
    assert_int_equal(calls, 5);
    assert_int_equal(result.steps, 2 + 1); /* an epoch of 3 batches steps after the 2nd and the 3rd */
    assert_true(result.stopped);
    assert_int_equal(result.best_epoch, 1);
    tl_model_free(model);
}

static void given_regression_when_fitted_then_the_line_is_found(void **unused) {
    (void)unused;
    enum { COUNT = 64 };
    tl_real x[2 * COUNT], values[COUNT];
    fill_normal(x, 2 * COUNT, 5);
    for (size_t i = 0; i < COUNT; i++) values[i] = 2 * x[2 * i] - 3 * x[2 * i + 1] + 1;
    const tl_dataset data = {.x = TL_VIEW(x, COUNT, 1, 2), .values = values};
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node y = tl_dense(model, tl_input(model, point), &(tl_dense_cfg){.units = 1});
    tl_model_compile(
        model, y,
        &(tl_compile_cfg){.loss = TL_LOSS_SQUARED_ERROR, .optimizer = {.ops = tl_sgd(), .learning_rate = 0.1, .momentum = 0.5}},
        &error);
    tl_metrics metrics;
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 60}, NULL, &error);
    tl_evaluate(model, &data, &metrics, &error);
    check_ok(&error);
    check_number("rmse", metrics.rmse, 0, 0, 1e-3);
    check_number("mae", metrics.mae, 0, 0, 1e-3);
    assert_true(isnan(metrics.accuracy));
    const double deviation = tl_model_target_scale(model, 0).deviation; /* of the outputs that the weights make */
    for (int i = 0; i < 2; i++)
        check_number("weight", (double)tl_parameter_at(model, 0).value.data[i] * deviation, i ? -3 : 2, 0, 1e-3);
    tl_real predicted[COUNT];
    tl_tensor out = TL_VIEW(predicted, COUNT, 1, 1);
    tl_predict(model, &data.x, NULL, &out, &error);
    check_ok(&error);
    check_close("prediction", predicted, values, COUNT, 0, (tl_real)1e-2);
    tl_model_free(model);
}

static void given_many_samples_when_predicted_then_rows_are_probabilities(void **unused) {
    (void)unused;
    tl_real x[22], y[22];
    fill_normal(x, 22, 1);
    tl_error error = {0};
    tl_model *model = plane_model(0, 3, &(tl_compile_cfg){.batch = 4, .inference_only = true}, &error);
    const tl_tensor from = TL_VIEW(x, 11, 1, 2), two = TL_VIEW(x, 2, 1, 2);
    tl_tensor to = TL_VIEW(y, 11, 1, 2), one = TL_VIEW(y, 1, 1, 2);
    tl_predict(model, &from, NULL, &to, &error);
    check_ok(&error);
    for (size_t i = 0; i < 11; i++) check_number("sum of probabilities", (double)(y[2 * i] + y[2 * i + 1]), 1, 1e-6, 0);
    tl_predict(model, &from, NULL, &one, &error);
    check_error(&error, TL_ERROR_SHAPE, "y is (1, 1, 2); it should be (11, 1, 2)");
    tl_forward(model, &two, TL_MODE_TRAINING);
    check_error(tl_model_error(model), TL_ERROR_STATE, "for inference only");
    tl_model_free(model);
}

/* A thread's own model: trained from `seed`, it leaves one of its weights. */
typedef struct alone {
    uint64_t seed;
    tl_real weight;
    tl_error error;
} alone;

static void *train_alone(void *context) {
    enum { COUNT = 100 };
    tl_real x[2 * COUNT];
    int32_t labels[COUNT];
    const tl_dataset data = exclusive_or(x, labels, COUNT);
    alone *own = context;
    tl_model *model = plane_model(own->seed, 16, NULL, &own->error);
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 20}, NULL, &own->error);
    own->weight = tl_parameter_at(model, 0).value.data[3];
    tl_model_free(model);
    return NULL;
}

static void given_two_models_when_trained_in_two_threads_then_each_as_alone(void **unused) {
    (void)unused;
    alone first[2] = {{.seed = 1}, {.seed = 2}}, together[2] = {{.seed = 1}, {.seed = 2}};
    pthread_t thread[2];
    for (int i = 0; i < 2; i++) train_alone(&first[i]);
    for (int i = 0; i < 2; i++) pthread_create(&thread[i], NULL, train_alone, &together[i]);
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
        check_ok(&first[i].error);
        check_ok(&together[i].error);
        check_equal("weight", &together[i].weight, &first[i].weight, 1);
    }
}

/* ---- gradients of what is predicted ---- */

static void given_inference_gradients_when_backward_then_those_of_the_predictions(void **unused) {
    (void)unused;
    enum { STEPS = 12 };
    tl_error error = {0};
    tl_real x[STEPS], dy[2] = {1, -2};
    for (int t = 0; t < STEPS; t++) x[t] = (tl_real)sin(t + 0.3);
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 4});
    tl_node h = tl_conv1d(model, tl_input(model, (tl_shape){STEPS, 1}), &(tl_conv1d_cfg){.filters = 4, .kernel = 3});
    h = tl_dropout(model, tl_tanh(model, tl_batch_norm(model, h, NULL)), &(tl_dropout_cfg){.rate = 0.5});
    h = tl_dense(model, tl_flatten(model, h), &(tl_dense_cfg){.units = 2});
    tl_model_compile(model, h, &(tl_compile_cfg){.batch = 1, .input_gradient = true}, &error);
    check_ok(&error);
    const tl_tensor series = TL_VIEW(x, 1, STEPS, 1), objective = TL_VIEW(dy, 1, 1, 2);
    for (int round = 0; round < 2; round++) { /* also after a pass of training */
        tl_real analytic[STEPS];
        tl_forward(model, &series, TL_MODE_TRAINING);
        tl_forward(model, &series, TL_MODE_INFERENCE_GRADIENTS);
        tl_backward_from(model, &objective);
        check_ok(tl_model_error(model));
        memcpy(analytic, tl_input_gradient(model).data, sizeof analytic);
        const double step = sizeof(tl_real) == 4 ? 1e-2 : 1e-5;
        for (int t = 0; t < STEPS; t++) {
            double value[2];
            const tl_real before = x[t];
            for (int side = 0; side < 2; side++) {
                x[t] = (tl_real)((double)before + (side ? step : -step));
                tl_forward(model, &series, TL_MODE_INFERENCE);
                value[side] = (double)tl_output(model).data[0] - 2 * (double)tl_output(model).data[1];
            }
            x[t] = before;
            check_number("gradient", (double)analytic[t], (value[1] - value[0]) / (2 * step), 1e-3,
                         sizeof(tl_real) == 4 ? 1e-3 : 1e-8);
        }
    }
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_inference_gradients_when_backward_then_those_of_the_predictions),
        cmocka_unit_test(given_exclusive_or_when_fitted_then_learnt_and_best_epoch_restored),
        cmocka_unit_test(given_a_validation_set_when_fitted_then_best_epoch_restored),
        cmocka_unit_test(given_the_same_seed_when_fitted_twice_then_the_same_parameters),
        cmocka_unit_test(given_a_compiled_model_when_asked_then_parameters_are_described),
        cmocka_unit_test(given_wrong_graphs_when_compiled_then_the_layer_is_named),
        cmocka_unit_test(given_a_failed_layer_when_built_on_then_the_first_error_is_reported),
        cmocka_unit_test(given_calls_out_of_order_when_made_then_refused_by_name),
        cmocka_unit_test(given_arrays_that_do_not_fit_when_run_then_both_shapes_are_named),
        cmocka_unit_test(given_a_non_finite_loss_when_stepped_then_parameters_stay),
        cmocka_unit_test(given_a_norm_limit_when_stepped_by_sgd_then_the_step_has_that_length),
        cmocka_unit_test(given_a_layer_frozen_after_backward_when_stepped_then_unchanged),
        cmocka_unit_test(given_a_frozen_layer_when_stepped_then_only_the_others_move),
        cmocka_unit_test(given_data_that_does_not_fit_when_fitted_then_refused),
        cmocka_unit_test(given_a_callback_when_it_says_stop_then_training_ends_there),
        cmocka_unit_test(given_regression_when_fitted_then_the_line_is_found),
        cmocka_unit_test(given_many_samples_when_predicted_then_rows_are_probabilities),
        cmocka_unit_test(given_two_models_when_trained_in_two_threads_then_each_as_alone),
    };
    return check_run(tests);
}
