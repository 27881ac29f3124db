/* Data sets with a target for every step: taken apart, trained on and evaluated. */
#include "check.h"

#include <math.h>
#include <string.h>

static const double tolerance = sizeof(tl_real) == sizeof(float) ? 1e-6 : 1e-14;

enum { COUNT = 4, LENGTH = 3, CHANNELS = 2 };

/* A model whose output is its input. */
static tl_model *identity(tl_loss_kind loss) {
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node x = tl_affine(model, tl_input(model, (tl_shape){.length = LENGTH, .channels = CHANNELS}), NULL);
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 3, .loss = loss}, &error);
    check_ok(&error);
    return model;
}

static size_t lengths[COUNT] = {3, 1, 2, 3};

/* Class 1 is predicted at the second step of each series, class 0 elsewhere. */
static tl_real logits[COUNT * LENGTH * CHANNELS] = {1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0};
static int32_t labels[COUNT * LENGTH] = {0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0};

static void given_labels_of_steps_when_evaluated_then_padding_does_not_count(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    size_t counts[4];
    tl_model *model = identity(TL_LOSS_CROSS_ENTROPY);
    const tl_dataset data = {
        .x = TL_VIEW(logits, COUNT, LENGTH, CHANNELS), .lengths = lengths, .labels = labels, .classes = 2, .target_length = LENGTH};
    tl_evaluate(model, &data, &metrics, &error);
    tl_confusion(model, &data, counts, &error);
    check_ok(&error);
    /* labels 0 1 1, 0, 1 1, 0 1 0 against 0 1 0, 0, 0 1, 0 1 0 */
    assert_int_equal(counts[0], 4);
    assert_int_equal(counts[1], 0);
    assert_int_equal(counts[2], 2);
    assert_int_equal(counts[3], 3);
    check_number("accuracy", metrics.accuracy, 7.0 / 9, tolerance, 0);
    check_number("balanced accuracy", metrics.balanced_accuracy, (1 + 3.0 / 5) / 2, tolerance, 0);
    check_number("auroc", metrics.auroc, (4 * 3 + 4 * 2 / 2.0) / (4 * 5), tolerance, 0);
    /* each series weighs the same in the loss */
    const double right = log(1 + exp(-1)), wrong = log(1 + exp(1));
    check_number("loss", metrics.loss, ((2 * right + wrong) / 3 + right + (right + wrong) / 2 + right) / 4, tolerance, 0);
    tl_model_free(model);
}

static void given_values_of_steps_when_evaluated_then_padding_does_not_count(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    tl_model *model = identity(TL_LOSS_SQUARED_ERROR);
    tl_real values[COUNT * LENGTH * CHANNELS];
    double squared[CHANNELS] = {0}, absolute = 0, sum[CHANNELS] = {0}, squares[CHANNELS] = {0}, count = 0, r2 = 0;
    for (size_t i = 0; i < COUNT * LENGTH * CHANNELS; i++) {
        const double off = 0.25 * (double)(i % 5), value = (double)logits[i] + off;
        values[i] = (tl_real)value;
        if (i / CHANNELS % LENGTH >= lengths[i / CHANNELS / LENGTH]) continue;
        squared[i % CHANNELS] += off * off;
        absolute += off;
        sum[i % CHANNELS] += value;
        squares[i % CHANNELS] += value * value;
        count++;
    }
    for (size_t c = 0; c < CHANNELS; c++) r2 += (1 - squared[c] / (squares[c] - sum[c] * sum[c] / (count / CHANNELS))) / CHANNELS;
    const tl_dataset data = {.x = TL_VIEW(logits, COUNT, LENGTH, CHANNELS),
                             .lengths = lengths,
                             .values = values,
                             .target_length = LENGTH,
                             .target_channels = CHANNELS};
    tl_evaluate(model, &data, &metrics, &error);
    check_ok(&error);
    check_number("rmse", metrics.rmse, sqrt((squared[0] + squared[1]) / count), tolerance, 0);
    check_number("mae", metrics.mae, absolute / count, tolerance, 0);
    check_number("r2", metrics.r2, r2, 10 * tolerance, 0);
    tl_model_free(model);
}

/* Element e of sample i's targets is 10·i + e. */
static tl_dataset numbered(tl_real *x, int32_t *marks, tl_real *values) {
    for (int i = 0; i < COUNT * LENGTH; i++) {
        x[i] = 0;
        marks[i] = i % 2;
        const int first = 10 * (i / LENGTH) + CHANNELS * (i % LENGTH);
        for (int c = 0; c < CHANNELS; c++) values[CHANNELS * i + c] = (tl_real)(first + c);
    }
    return (tl_dataset){.x = TL_VIEW(x, COUNT, LENGTH, 1),
                        .labels = marks,
                        .values = values,
                        .classes = 2,
                        .target_length = LENGTH,
                        .target_channels = CHANNELS};
}

static void given_targets_of_steps_when_taken_or_folded_then_kept(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x[COUNT * LENGTH], values[COUNT * LENGTH * CHANNELS];
    int32_t marks[COUNT * LENGTH];
    const tl_dataset data = numbered(x, marks, values);
    tl_dataset *part = tl_dataset_take(&data, (const uint32_t[]){3, 1}, 2, &error), *rest, *held_out;
    check_ok(&error);
    assert_int_equal(part->target_length, LENGTH);
    assert_int_equal(part->target_channels, CHANNELS);
    check_equal("values", part->values, (const tl_real[]){30, 31, 32, 33, 34, 35, 10, 11, 12, 13, 14, 15}, 12);
    assert_memory_equal(part->labels, ((const int32_t[]){1, 0, 1, 1, 0, 1}), 6 * sizeof *marks);
    tl_dataset_free(part);
    tl_dataset_fold(&data, 2, 0, 5, &rest, &held_out, &error);
    check_ok(&error);
    assert_int_equal(rest->x.shape[0], 2);
    assert_int_equal(held_out->x.shape[0], 2);
    double sum = 0;
    for (int i = 0; i < 2; i++) sum += (double)(rest->values[i * LENGTH * CHANNELS] + held_out->values[i * LENGTH * CHANNELS]);
    check_number("the first values of all samples", sum, 0 + 10 + 20 + 30, 0, 0);
    tl_dataset_free(rest);
    tl_dataset_free(held_out);
    marks[7] = 2;
    tl_dataset_fold(&data, 2, 0, 5, &rest, &held_out, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "data: label 2 of sample 2 is outside 0 … 1");
    error = (tl_error){0};
    tl_dataset_pad((tl_dataset *)&data, LENGTH + 1, &error);
    check_error(&error, TL_ERROR_SHAPE, "data: series with targets for 3 steps cannot be padded");
}

/* ---- training ---- */

static tl_model *small(tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 2});
    const tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    const tl_conv1d_cfg cfg = {.filters = CHANNELS, .kernel = 3, .padding = TL_PADDING_SAME};
    tl_model_compile(model, tl_conv1d(model, x, &cfg), &(tl_compile_cfg){.batch = 2, .loss = TL_LOSS_SQUARED_ERROR}, error);
    return model;
}

static void given_values_of_steps_when_fitted_then_as_by_a_loop_of_ones_own(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x[COUNT * LENGTH], values[COUNT * LENGTH * CHANNELS];
    int32_t marks[COUNT * LENGTH];
    const tl_dataset data = numbered(x, marks, values);
    fill_normal(x, COUNT * LENGTH, 4);
    tl_model *fitted = small(&error), *looped = small(&error);
    tl_fit(fitted, &data, &(tl_fit_cfg){.epochs = 3, .keep_order = true}, NULL, &error);
    for (size_t i = 0; i < COUNT * LENGTH * CHANNELS; i++) { /* what a loop of one's own is to do */
        const tl_target_scale scale = tl_model_target_scale(fitted, i % CHANNELS);
        values[i] = (tl_real)(((double)values[i] - scale.mean) / scale.deviation);
    }
    for (size_t step = 0; step < 6; step++) {
        const size_t first = 2 * (step % 2);
        const tl_tensor batch = tl_tensor_slice(&data.x, first, 2);
        tl_forward(looped, &batch, TL_MODE_TRAINING);
        tl_loss(looped, &(tl_target){.values = values + first * LENGTH * CHANNELS});
        tl_backward(looped);
        tl_step(looped, &error);
    }
    check_ok(&error);
    check_parameters(fitted, looped, 0, 0);
    tl_model_free(fitted);
    tl_model_free(looped);
}

static void given_targets_that_do_not_fit_the_output_when_fitted_then_refused(void **unused) {
    (void)unused;
    tl_real x[COUNT * LENGTH], values[COUNT * LENGTH * CHANNELS];
    int32_t marks[COUNT * LENGTH];
    const tl_dataset data = numbered(x, marks, values);
    tl_error error = {0};
    tl_model *model = small(&error);
    check_ok(&error);
    const struct {
        size_t target_length, target_channels;
        double crop;
        const char *text;
    } cases[] = {
        {0, CHANNELS, 0, "data: each series has targets for 1 step, but the output of the model has length 3"},
        {2, CHANNELS, 0, "data: each series has targets for 2 steps, but the output of the model has length 3"},
        {LENGTH, 0, 0, "data: each target has 1 value, but the model has 2 outputs"},
        {LENGTH, CHANNELS, 0.5, "fit: crop 0.5 moves the steps of series, but the data has a target for each step"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_dataset wrong = data;
        tl_error refused = {0};
        wrong.target_length = cases[i].target_length;
        wrong.target_channels = cases[i].target_channels;
        tl_fit(model, &wrong, &(tl_fit_cfg){.augment = {.crop = cases[i].crop}}, NULL, &refused);
        check_error(&refused, refused.status, cases[i].text);
        assert_true(tl_failed(&refused));
    }
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_labels_of_steps_when_evaluated_then_padding_does_not_count),
        cmocka_unit_test(given_values_of_steps_when_evaluated_then_padding_does_not_count),
        cmocka_unit_test(given_targets_of_steps_when_taken_or_folded_then_kept),
        cmocka_unit_test(given_values_of_steps_when_fitted_then_as_by_a_loop_of_ones_own),
        cmocka_unit_test(given_targets_that_do_not_fit_the_output_when_fitted_then_refused),
    };
    return check_run(tests);
}
