/* Target values of a regression are scaled by the training set, and predictions come in their own units: the unit and the level of
 * the values do not matter to what is learnt. */
#include "check.h"
#include "files.h"

#include <tapline/ensemble.h>
#include <tapline/file.h>
#include <tapline/layers.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SERIES = 24, LENGTH = 4 };

static const double rounding = sizeof(tl_real) == sizeof(float) ? 1.2e-7 : 2.3e-16;

/* A file of series whose values are factor · y + level, y with three decimals. */
static tl_dataset *read_values(double factor, double level, tl_error *error) {
    static char text[SERIES * 120];
    int used = snprintf(text, sizeof text, "@targetLabel true\n@data\n");
    for (int i = 0; i < SERIES; i++) {
        const double y = i % 3 * 2 - i * i % 7 / 8.0 - 5;
        used +=
            snprintf(text + used, sizeof text - (size_t)used, "%d,%d,%d,%d:%.17g\n", 9, i % 3, i * i % 7, 1, factor * y + level);
    }
    return files_read("values.ts", text, (size_t)used, NULL, error);
}

static tl_model *make_model(tl_loss_kind loss, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 3});
    const tl_node in = tl_flatten(model, tl_input(model, (tl_shape){LENGTH, 1}));
    tl_node h = tl_tanh(model, tl_dense(model, in, &(tl_dense_cfg){.units = 6}));
    h = tl_dense(model, h, &(tl_dense_cfg){.units = 1});
    tl_model_compile(model, h, &(tl_compile_cfg){.batch = 6, .loss = loss, .optimizer.learning_rate = 0.02}, error);
    return model;
}

static const struct { double factor, level; } units[] = {{1, 0}, {1, 1e5}, {1e5, 0}};

static void given_other_units_and_levels_when_fitted_then_as_much_is_learnt(void **unused) {
    (void)unused;
    double r2[3], rmse[3], loss[3];
    for (int k = 0; k < 3; k++) {
        tl_error error = {0};
        tl_metrics metrics;
        tl_dataset *data = read_values(units[k].factor, units[k].level, &error);
        tl_model *model = make_model(TL_LOSS_SQUARED_ERROR, &error);
        tl_fit(model, data, &(tl_fit_cfg){.epochs = 60}, NULL, &error);
        tl_evaluate(model, data, &metrics, &error);
        check_ok(&error);
        r2[k] = metrics.r2;
        rmse[k] = metrics.rmse / units[k].factor;
        loss[k] = metrics.loss;
        check_number("the loss is of scaled values", metrics.loss, 1 - metrics.r2, 1e-4, 1e-6);
        tl_model_free(model);
        tl_dataset_free(data);
    }
    assert_true(r2[0] > 0.5);
    for (int k = 1; k < 3; k++) {
        check_number("r2", r2[k], r2[0], 0, 1e-3);
        check_number("rmse", rmse[k], rmse[0], 1e-2, 0);
        check_number("loss", loss[k], loss[0], 1e-2, 0);
    }
}

/* What the first batch is compared with: the outputs of a network that does nothing are minus the scaled targets' gradients. */
static void given_other_units_when_read_then_scaled_targets_differ_by_two_ulp(void **unused) {
    (void)unused;
    double scaled[3][SERIES];
    for (int k = 0; k < 3; k++) {
        tl_error error = {0};
        tl_dataset *data = read_values(units[k].factor, units[k].level, &error);
        tl_model *model = make_model(TL_LOSS_ABSOLUTE_ERROR, &error);
        tl_fit(model, data, NULL, NULL, &error);
        check_ok(&error);
        const tl_target_scale scale = tl_model_target_scale(model, 0);
        for (int i = 0; i < SERIES; i++) {
            const double value = data->exact_values ? data->exact_values[i] : (double)data->values[i];
            scaled[k][i] = (double)(tl_real)((value - scale.mean) / scale.deviation);
        }
        tl_model_free(model);
        tl_dataset_free(data);
    }
    const double noise = sizeof(tl_real) == sizeof(float) ? 0 : 1e5 * 2.3e-16; /* of y + 1e5 itself in double */
    for (int i = 0; i < SERIES; i++)
        for (int k = 1; k < 3; k++) check_number("scaled target", scaled[k][i], scaled[0][i], 2 * rounding, 2 * noise);
}

static void given_a_regression_when_predicted_then_values_in_their_own_units(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x[4] = {1, 2, 3, 4}, values[4] = {1000, 1010, 1030, 1040}, y[4] = {0};
    const tl_dataset data = {.x = TL_VIEW(x, 4, 1, 1), .values = values};
    tl_model *model = tl_model_new(NULL);
    const tl_node h = tl_dense(model, tl_input(model, (tl_shape){1, 1}), &(tl_dense_cfg){.units = 1});
    tl_model_compile(model, h, &(tl_compile_cfg){.batch = 4, .loss = TL_LOSS_SQUARED_ERROR}, &error);
    tl_fit(model, &data, NULL, NULL, &error);
    const tl_target_scale scale = tl_model_target_scale(model, 0);
    check_number("mean", scale.mean, 1020, 0, 0);
    check_number("deviation", scale.deviation, sqrt((400 + 100 + 100 + 400) / 4.0), 1e-15, 0);
    tl_forward(model, &data.x, TL_MODE_INFERENCE);
    const tl_tensor out = tl_output(model);
    tl_tensor to = TL_VIEW(y, 4, 1, 1);
    tl_real scaled[4] = {0};
    memcpy(scaled, out.data, sizeof scaled);
    tl_predict(model, &data.x, NULL, &to, &error);
    check_ok(&error);
    for (int i = 0; i < 4; i++) check_number("y", (double)y[i], (double)scaled[i] * scale.deviation + scale.mean, 2 * rounding, 0);
    tl_fit(model, &(tl_dataset){.x = TL_VIEW(x, 2, 1, 1), .values = values}, NULL, NULL, &error);
    check_number("mean, kept", tl_model_target_scale(model, 0).mean, 1020, 0, 0);
    tl_model_free(model);
}

static void given_a_saved_regression_when_loaded_then_it_predicts_the_same(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics before, after;
    tl_dataset *data = read_values(3, 700, &error);
    tl_model *model = make_model(TL_LOSS_HUBER, &error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 3}, NULL, &error);
    tl_evaluate(model, data, &before, &error);
    tl_model_save(model, files_path("m"), &(tl_save_cfg){.data = data}, &error);
    tl_model *loaded = tl_model_load(files_path("m"), NULL, NULL, &error);
    tl_evaluate(loaded, data, &after, &error);
    check_ok(&error);
    check_number("rmse", after.rmse, before.rmse, 0, 0);
    check_number("loss", after.loss, before.loss, 0, 0);
    check_number("mean", tl_model_target_scale(loaded, 0).mean, tl_model_target_scale(model, 0).mean, 0, 0);
    remove(files_path("m"));
    tl_model_free(loaded);
    tl_model_free(model);
    tl_dataset_free(data);
}

/* Members that were trained on other values: what is averaged are values. */
static void given_members_of_other_scales_when_averaged_then_values_are(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    tl_real x[2] = {1, 3}, values[2] = {30, 50}, y[2];
    const tl_dataset data = {.x = TL_VIEW(x, 2, 1, 1), .values = values};
    tl_ensemble *ensemble = tl_ensemble_new(&data, &error);
    for (int m = 0; m < 2; m++) {
        tl_model *model = tl_model_new(NULL);
        tl_model_compile(model, tl_flatten(model, tl_input(model, (tl_shape){1, 1})),
                         &(tl_compile_cfg){.loss = TL_LOSS_SQUARED_ERROR}, &error);
        tl_model_set_target_scale(model, &(double){m ? 10 : 40}, &(double){m ? 20 : 2}, &error);
        tl_ensemble_add(ensemble, model, &error); /* 42, 46 and 30, 70 */
        tl_model_free(model);
    }
    tl_tensor to = TL_VIEW(y, 2, 1, 1);
    tl_ensemble_predict(ensemble, &to, &error);
    tl_ensemble_evaluate(ensemble, &metrics, &error);
    check_ok(&error);
    check_close("values", y, (const tl_real[]){36, 58}, 2, 4 * rounding, 0);
    check_number("mae", metrics.mae, 7, 1e-6, 0);
    tl_ensemble_free(ensemble);
}

static void given_scales_that_cannot_be_when_set_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = make_model(TL_LOSS_SQUARED_ERROR, &error);
    check_ok(&error);
    tl_model_set_target_scale(model, &(double){1}, &(double){0}, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "target scale: mean 1 and deviation 0 of output 0: both must be finite");
    error = (tl_error){0};
    tl_model_set_target_scale(model, &(double){1}, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "target scale: give mean and deviation, or neither of them");
    assert_int_equal(tl_model_set_target_scale(NULL, NULL, NULL, NULL), TL_ERROR_STATE);
    check_number("none", tl_model_target_scale(NULL, 0).deviation, 1, 0, 0);
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_other_units_and_levels_when_fitted_then_as_much_is_learnt),
        cmocka_unit_test(given_other_units_when_read_then_scaled_targets_differ_by_two_ulp),
        cmocka_unit_test(given_a_regression_when_predicted_then_values_in_their_own_units),
        cmocka_unit_test(given_a_saved_regression_when_loaded_then_it_predicts_the_same),
        cmocka_unit_test(given_members_of_other_scales_when_averaged_then_values_are),
        cmocka_unit_test(given_scales_that_cannot_be_when_set_then_refused),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
