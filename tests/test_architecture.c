/* The ready-made networks have the published sizes, learn, and are fused as intended. */
#include "check.h"

#include <math.h>
#include <stdio.h>

typedef tl_node (*architecture)(tl_model *model, tl_node x, size_t outputs);

typedef struct expectation {
    const char *name;
    architecture build;
    tl_shape shape;
    size_t outputs;
    size_t parameters; /* counted in PyTorch on the same layers */
} expectation;

static const expectation expectations[] = {
    {"fcn", tl_fcn, {150, 1}, 2, 264962},
    {"resnet", tl_resnet, {150, 1}, 2, 504258},
    {"inception", tl_inception, {150, 1}, 2, 420450},
    {"timecnn", tl_time_cnn, {150, 1}, 2, 902},
    {"tcn", tl_tcn, {784, 1}, 10, 66510},
    {"lite", tl_lite, {150, 1}, 2, 9814 + 66}, /* Ismail-Fawaz et al. 2023, table II, and the last layer */
    /* by hand: a convolution; gates, what is added and, but for the last block, the residual of eight blocks; the head */
    {"wavenet", tl_wavenet, {150, 1}, 2, 96 + 8 * (4160 + 1056) + 7 * 1056 + 2 * 1056 + 66},
};

enum { ARCHITECTURES = sizeof expectations / sizeof *expectations };

static tl_model *compiled(architecture build, tl_shape shape, size_t outputs, const tl_compile_cfg *cfg, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    tl_model_compile(model, build(model, tl_input(model, shape), outputs), cfg, error);
    return model;
}

static void given_published_networks_when_compiled_then_size_as_published(void **unused) {
    (void)unused;
    for (size_t i = 0; i < ARCHITECTURES; i++) {
        const expectation *e = &expectations[i];
        tl_error error = {0};
        tl_model *model = compiled(e->build, e->shape, e->outputs, &(tl_compile_cfg){.batch = 1}, &error);
        check_ok(&error);
        if (tl_parameter_count(model) != e->parameters)
            fail_msg("%s has %zu parameters, expected %zu", e->name, tl_parameter_count(model), e->parameters);
        tl_model_free(model);
    }
}

static void given_several_channels_when_inception_compiles_then_bottleneck(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *one = compiled(tl_inception, (tl_shape){40, 1}, 2, NULL, &error);
    tl_model *two = compiled(tl_inception, (tl_shape){40, 2}, 2, NULL, &error);
    check_ok(&error);
    /* 70 taps of 32 filters on 32 channels instead of 1; a bottleneck; one channel more in the pooled branch and the shortcut */
    assert_int_equal(tl_parameter_count(two) - tl_parameter_count(one), 70 * 31 * 32 + 2 * 32 + 32 + 128);
    tl_model_free(one);
    tl_model_free(two);
}

enum { COUNT = 8, LENGTH = 36 };

/* Two classes that differ in frequency. */
static tl_dataset waves(tl_real *x, int32_t *labels) {
    for (int i = 0; i < COUNT; i++) {
        labels[i] = i % 2;
        for (int t = 0; t < LENGTH; t++) x[i * LENGTH + t] = (tl_real)sin(0.3 * (1 + labels[i]) * t + i);
    }
    return (tl_dataset){.x = TL_VIEW(x, COUNT, LENGTH, 1), .labels = labels, .classes = 2};
}

static void given_two_frequencies_when_fitted_then_the_loss_halves(void **unused) {
    (void)unused;
    tl_real x[COUNT * LENGTH];
    int32_t labels[COUNT];
    const tl_dataset data = waves(x, labels);
    for (size_t i = 0; i < ARCHITECTURES; i++) {
        tl_error error = {0};
        const tl_compile_cfg cfg = {.batch = COUNT, .optimizer = {.learning_rate = 0.01}};
        tl_model *model = compiled(expectations[i].build, (tl_shape){LENGTH, 1}, 2, &cfg, &error);
        tl_fit_result first, last;
        tl_fit(model, &data, &(tl_fit_cfg){.epochs = 1}, &first, &error);
        tl_fit(model, &data, &(tl_fit_cfg){.epochs = i == 3 ? 300 : 8}, &last, &error); /* the smallest learns slowly */
        tl_metrics metrics;
        tl_evaluate(model, &data, &metrics, &error);
        check_ok(&error);
        if (!(last.best_loss < first.best_loss / 2) || !isfinite(metrics.loss))
            fail_msg("%s: loss %g after one epoch, %g at best; evaluated %g", expectations[i].name, first.best_loss, last.best_loss,
                     metrics.loss);
        tl_model_free(model);
    }
}

static void given_a_short_series_when_time_cnn_compiles_then_layer_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model_free(compiled(tl_time_cnn, (tl_shape){8, 1}, 2, NULL, &error));
    check_error(&error, TL_ERROR_SHAPE,
                "layer 6 (average_pool): window extent 3 exceeds the padded input length 2; use longer series, more padding or a "
                "smaller window");
    error = (tl_error){0};
    tl_model_free(compiled(tl_time_cnn, (tl_shape){9, 1}, 2, NULL, &error));
    check_ok(&error);
}

/* The steps that reach the dense layer, each of 12 channels: padded 59 → 19 → 6, not padded 60 → 54 → 18 → 12 → 4. */
static void given_time_cnn_below_60_steps_when_compiled_then_padded(void **unused) {
    (void)unused;
    const struct { size_t length, steps; } cases[] = {{59, 6}, {60, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_model *model = compiled(tl_time_cnn, (tl_shape){cases[i].length, 1}, 2, NULL, &error);
        check_ok(&error);
        const tl_parameter weight = tl_parameter_at(model, 4);
        assert_string_equal(weight.layer, "dense_1");
        assert_int_equal(weight.value.shape[0], 12 * cases[i].steps);
        tl_model_free(model);
    }
}

/* ---- by name ---- */

static void given_names_when_found_then_the_builders_and_defaults(void **unused) {
    (void)unused;
    for (size_t i = 0; tl_architecture_name(i); i++)
        assert_string_equal(tl_architecture_find(tl_architecture_name(i))->name, tl_architecture_name(i));
    assert_null(tl_architecture_name(SIZE_MAX));
    for (size_t i = 0; i < ARCHITECTURES; i++)
        assert_ptr_equal(tl_architecture_find(expectations[i].name)->build, expectations[i].build);
    const tl_architecture *fcn = tl_architecture_find("fcn"), *ensemble = tl_architecture_find("inceptiontime");
    assert_true(fcn->epochs == 2000 && fcn->schedule == TL_SCHEDULE_PLATEAU && fcn->members == 1 && !fcn->ridge);
    assert_true(ensemble->build == tl_inception && ensemble->members == 5);
    assert_true(tl_architecture_find("litetime")->build == tl_lite && tl_architecture_find("litetime")->members == 5);
    assert_true(tl_architecture_find("timecnn")->schedule == TL_SCHEDULE_CONSTANT && tl_architecture_find("hydra")->ridge);
}

static void given_other_names_when_found_then_the_defaults_of_files(void **unused) {
    (void)unused;
    static const char *const names[] = {"mine.json", "", "FCN", NULL};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const tl_architecture *found = tl_architecture_find(names[i]);
        assert_true(!found->name && !found->build && found->batch == 16 && found->tenth && found->epochs == 1500);
    }
}

static void given_numbers_of_series_when_asked_then_the_default_batch(void **unused) {
    (void)unused;
    const struct {
        const char *name;
        size_t series, batch;
    } cases[] = {
        {"fcn", 1000, 16}, {"fcn", 159, 15}, {"fcn", 29, 2}, {"fcn", 5, 2},       {"fcn", 1, 1},
        {"fcn", 0, 0},     {"lite", 50, 50}, {"lite", 5, 5}, {"resnet", 639, 63}, {"resnet", 99999, 64},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t batch = tl_architecture_batch(tl_architecture_find(cases[i].name), cases[i].series);
        if (batch != cases[i].batch)
            fail_msg("%s: the batch for %zu series is %zu, expected %zu", cases[i].name, cases[i].series, batch, cases[i].batch);
    }
    assert_int_equal(tl_architecture_batch(NULL, 100), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_published_networks_when_compiled_then_size_as_published),
        cmocka_unit_test(given_several_channels_when_inception_compiles_then_bottleneck),
        cmocka_unit_test(given_two_frequencies_when_fitted_then_the_loss_halves),
        cmocka_unit_test(given_time_cnn_below_60_steps_when_compiled_then_padded),
        cmocka_unit_test(given_a_short_series_when_time_cnn_compiles_then_layer_named),
        cmocka_unit_test(given_names_when_found_then_the_builders_and_defaults),
        cmocka_unit_test(given_other_names_when_found_then_the_defaults_of_files),
        cmocka_unit_test(given_numbers_of_series_when_asked_then_the_default_batch),
    };
    return check_run(tests);
}
