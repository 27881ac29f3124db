/* Steps and values that do not count: labels that are TL_NO_LABEL, target values that are NaN. */
#include "check.h"

#include <math.h>
#include <string.h>

enum { SAMPLES = 4, LENGTH = 3, CHANNELS = 2, ROWS = SAMPLES * LENGTH, COUNT = ROWS * CHANNELS };

static const int32_t some[ROWS] = {0, -1, 1, 1, 1, -1, -1, -1, -1, 0, 1, 0};
static tl_real logits[COUNT], values[COUNT];

static int set_up(void **unused) {
    (void)unused;
    fill_normal(logits, COUNT, 1);
    fill_normal(values, COUNT, 2);
    for (size_t i = 0; i < COUNT; i++) values[i] = i % 3 == 1 || i / (LENGTH * CHANNELS) == 2 ? (tl_real)NAN : values[i];
    return 0;
}

/* A model whose output is its input. */
static tl_model *identity(const tl_compile_cfg *cfg) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    const tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = CHANNELS});
    tl_model_compile(model, tl_affine(model, x, &(tl_affine_cfg){.scale = 1}), cfg, &error);
    check_ok(&error);
    return model;
}

/* The mean over samples of the mean over their labels that count, by definition. */
static double expected_cross_entropy(size_t *right, size_t *counted) {
    double sum = 0, samples = 0;
    *right = *counted = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        double own = 0, steps = 0;
        for (size_t row = i * LENGTH; row < (i + 1) * LENGTH; row++) {
            const double a = (double)logits[row * 2], b = (double)logits[row * 2 + 1];
            if (some[row] < 0) continue;
            own += log(exp(a) + exp(b)) - (some[row] ? b : a);
            *right += (b > a) == (some[row] == 1);
            ++*counted;
            steps++;
        }
        if (steps == 0) continue;
        sum += own / steps;
        samples++;
    }
    return sum / samples;
}

static void given_labels_that_do_not_count_when_computed_then_left_out(void **unused) {
    (void)unused;
    tl_error error = {0};
    size_t right, counted;
    const double expected = expected_cross_entropy(&right, &counted);
    tl_model *model = identity(&(tl_compile_cfg){.batch = SAMPLES, .input_gradient = true});
    const tl_tensor x = TL_VIEW(logits, SAMPLES, LENGTH, CHANNELS);
    tl_forward(model, &x, TL_MODE_TRAINING);
    check_number("loss", tl_loss(model, &(tl_target){.labels = some}), expected, 1e-6, 0);
    check_number("weight", tl_loss_weight(model), SAMPLES - 1, 0, 0);
    tl_backward(model);
    check_ok(tl_model_error(model));
    const tl_tensor gradient = tl_input_gradient(model);
    for (size_t row = 0; row < ROWS; row++) {
        const bool none = gradient.data[row * 2] == 0 && gradient.data[row * 2 + 1] == 0;
        if (none != (some[row] < 0)) fail_msg("step %zu: label %d, gradient %g", row, some[row], (double)gradient.data[row * 2]);
    }
    tl_metrics metrics;
    const tl_dataset data = {.x = x, .labels = (int32_t *)some, .classes = 2, .target_length = LENGTH};
    tl_evaluate(model, &data, &metrics, &error);
    check_ok(&error);
    check_number("loss", metrics.loss, expected, 1e-6, 0);
    check_number("accuracy", metrics.accuracy, (double)right / (double)counted, 1e-12, 0);
    size_t counts[4];
    tl_confusion(model, &data, counts, &error);
    check_ok(&error);
    assert_int_equal(counts[0] + counts[1] + counts[2] + counts[3], counted);
    assert_int_equal(counts[0] + counts[3], right);
    tl_model_free(model);
}

static void given_values_that_are_nan_when_computed_then_left_out(void **unused) {
    (void)unused;
    tl_error error = {0};
    double sum = 0, squares = 0, counted = 0, samples = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        double own = 0, count = 0;
        for (size_t k = i * LENGTH * CHANNELS; k < (i + 1) * LENGTH * CHANNELS; k++) {
            if (isnan(values[k])) continue;
            own += pow((double)logits[k] - (double)values[k], 2);
            count++;
        }
        squares += own;
        counted += count;
        if (count > 0) sum += own / count, samples++;
    }
    tl_model *model = identity(&(tl_compile_cfg){.batch = SAMPLES, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true});
    const tl_tensor x = TL_VIEW(logits, SAMPLES, LENGTH, CHANNELS);
    tl_forward(model, &x, TL_MODE_TRAINING);
    check_number("loss", tl_loss(model, &(tl_target){.values = values}), sum / samples, 1e-6, 0);
    tl_backward(model);
    check_ok(tl_model_error(model));
    const tl_tensor gradient = tl_input_gradient(model);
    for (size_t k = 0; k < COUNT; k++) assert_true((gradient.data[k] == 0) == (isnan(values[k]) != 0));
    tl_metrics metrics;
    const tl_dataset data = {.x = x, .values = values, .target_length = LENGTH, .target_channels = CHANNELS};
    tl_evaluate(model, &data, &metrics, &error);
    check_ok(&error);
    check_number("rmse", metrics.rmse, sqrt(squares / counted), 1e-6, 0);
    assert_true(isfinite(metrics.mae) && isfinite(metrics.r2));
    tl_model_free(model);
}

/* As if the series without a label were not there. */
static void given_series_without_labels_when_evaluated_then_as_without_them(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics all, part;
    tl_real x[SAMPLES * 4];
    fill_normal(x, SAMPLES * 4, 7);
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 2, .threads = 1});
    const tl_node input = tl_input(model, (tl_shape){.length = 4, .channels = 1});
    const tl_node output = tl_dense(model, tl_flatten(model, input), &(tl_dense_cfg){.units = 2});
    tl_model_compile(model, output, &(tl_compile_cfg){.batch = 2}, &error);
    const tl_dataset with = {.x = TL_VIEW(x, SAMPLES, 4, 1), .labels = (int32_t[]){0, 1, -1, -1}, .classes = 2},
                     without = {.x = TL_VIEW(x, 2, 4, 1), .labels = (int32_t[]){0, 1}, .classes = 2};
    tl_fit(model, &with, &(tl_fit_cfg){.epochs = 3}, NULL, &error);
    tl_evaluate(model, &with, &all, &error);
    tl_evaluate(model, &without, &part, &error);
    check_ok(&error);
    check_number("loss", all.loss, part.loss, 1e-6, 0);
    check_number("accuracy", all.accuracy, part.accuracy, 0, 0);
    check_number("f1", all.f1, part.f1, 0, 0);
    check_number("auroc", all.auroc, part.auroc, 0, 0);
    tl_fit(model, &with, &(tl_fit_cfg){.augment.mixup = 0.2}, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "fit: mixup 0.2 cannot mix series without a label (-1)");
    tl_model_free(model);
}

static void given_series_without_labels_when_folded_or_cut_then_kept_so(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *rest, *held_out;
    const tl_dataset series = {.x = TL_VIEW(logits, SAMPLES, LENGTH, CHANNELS), .labels = (int32_t[]){0, 1, -1, -1}, .classes = 2},
                     steps = {.x = series.x, .labels = (int32_t *)some, .classes = 2, .target_length = LENGTH};
    tl_dataset_fold(&series, 2, 0, 1, &rest, &held_out, &error);
    check_ok(&error);
    assert_int_equal(rest->x.shape[0], 2);
    int without = 0;
    for (size_t i = 0; i < 2; i++) without += held_out->labels[i] < 0;
    assert_int_equal(without, 1);
    tl_dataset *windows = tl_dataset_windows(&steps, &(tl_window_cfg){.length = LENGTH}, &error);
    check_ok(&error);
    const int32_t majority[] = {0, 1, -1, 0};
    for (size_t i = 0; i < SAMPLES; i++) assert_int_equal(windows->labels[i], majority[i]);
    tl_dataset_free(windows);
    tl_dataset_free(rest);
    tl_dataset_free(held_out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_labels_that_do_not_count_when_computed_then_left_out),
        cmocka_unit_test(given_values_that_are_nan_when_computed_then_left_out),
        cmocka_unit_test(given_series_without_labels_when_evaluated_then_as_without_them),
        cmocka_unit_test(given_series_without_labels_when_folded_or_cut_then_kept_so),
    };
    return cmocka_run_group_tests(tests, set_up, NULL) != 0;
}
