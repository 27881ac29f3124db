/* Ensembles: means of predictions compared with values by hand, and members that are refused. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double tolerance = sizeof(tl_real) == sizeof(float) ? 1e-6 : 1e-13;
static const double scales[] = {1, -0.5, 2.5};
enum { SAMPLES = 7, CLASSES = 3, MEMBERS = sizeof scales / sizeof *scales };

/* A model whose output is its input, (1, channels), times `scale`. */
static tl_model *scaled(double scale, size_t channels, const tl_compile_cfg *cfg) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    const tl_node x = tl_affine(model, tl_input(model, (tl_shape){1, channels}), &(tl_affine_cfg){.scale = scale});
    tl_model_compile(model, x, cfg, &error);
    check_ok(&error);
    return model;
}

/* A member for each scale, freed after it was added. */
static tl_ensemble *ensemble_of(const tl_dataset *data, const tl_compile_cfg *cfg) {
    tl_error error = {0};
    tl_ensemble *ensemble = tl_ensemble_new(data, &error);
    for (size_t m = 0; m < MEMBERS; m++) {
        tl_model *model = scaled(scales[m], data->x.shape[2], cfg);
        tl_ensemble_add(ensemble, model, &error);
        tl_model_free(model);
    }
    check_ok(&error);
    assert_int_equal(tl_ensemble_members(ensemble), MEMBERS);
    return ensemble;
}

static tl_metrics metrics_of(const tl_dataset *data, const tl_compile_cfg *cfg) {
    tl_error error = {0};
    tl_metrics metrics;
    tl_ensemble *ensemble = ensemble_of(data, cfg);
    tl_ensemble_evaluate(ensemble, &metrics, &error);
    check_ok(&error);
    tl_ensemble_free(ensemble);
    return metrics;
}

/* ---- classes ---- */

/* The mean over the members of the softmax of scale · z. */
static void mean_softmax(const tl_real *z, double p[CLASSES]) {
    memset(p, 0, CLASSES * sizeof *p);
    for (size_t m = 0; m < MEMBERS; m++) {
        double total = 0;
        for (size_t c = 0; c < CLASSES; c++) total += exp(scales[m] * (double)z[c]);
        for (size_t c = 0; c < CLASSES; c++) p[c] += exp(scales[m] * (double)z[c]) / total / MEMBERS;
    }
}

/* The share of pairs of a sample of class c and one of another that are ordered by their probability of c. */
static double ordered(double p[SAMPLES][CLASSES], const int32_t *labels, int c) {
    double right = 0, pairs = 0;
    for (size_t i = 0; i < SAMPLES; i++)
        for (size_t j = 0; j < SAMPLES; j++)
            if (labels[i] == c && labels[j] != c) {
                right += p[i][c] > p[j][c];
                pairs++;
            }
    return right / pairs;
}

static const int32_t labels[SAMPLES] = {0, 1, 2, 1, 0, 2, 2};

static void given_members_when_evaluated_then_metrics_of_the_mean(void **unused) {
    (void)unused;
    tl_real z[SAMPLES * CLASSES];
    double p[SAMPLES][CLASSES], loss = 0, right = 0, rank = 0;
    fill_normal(z, SAMPLES * CLASSES, 3);
    for (size_t i = 0; i < SAMPLES; i++) {
        mean_softmax(z + i * CLASSES, p[i]);
        loss -= log(p[i][labels[i]]) / SAMPLES;
        size_t largest = 0;
        for (size_t c = 1; c < CLASSES; c++)
            if (p[i][c] > p[i][largest]) largest = c;
        right += (int32_t)largest == labels[i];
    }
    for (int c = 0; c < CLASSES; c++) rank += ordered(p, labels, c) / CLASSES;
    const tl_dataset data = {.x = TL_VIEW(z, SAMPLES, 1, CLASSES), .labels = (int32_t *)labels, .classes = CLASSES};
    const tl_metrics metrics = metrics_of(&data, &(tl_compile_cfg){.batch = 3});
    check_number("loss", metrics.loss, loss, tolerance, 0);
    check_number("accuracy", metrics.accuracy, right / SAMPLES, 1e-15, 0);
    check_number("auroc", metrics.auroc, rank, 1e-12, 0);
    assert_true(metrics.f1 > 0 && metrics.balanced_accuracy > 0 && isnan(metrics.rmse));
}

static void given_members_when_they_predict_then_the_mean_of_probabilities(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real z[SAMPLES * CLASSES], y[SAMPLES * CLASSES] = {0};
    double p[CLASSES];
    fill_normal(z, SAMPLES * CLASSES, 4);
    const tl_dataset data = {.x = TL_VIEW(z, SAMPLES, 1, CLASSES)}; /* labels are not needed */
    tl_ensemble *ensemble = ensemble_of(&data, NULL);
    tl_tensor to = TL_VIEW(y, SAMPLES, 1, CLASSES);
    tl_ensemble_predict(ensemble, &to, &error);
    check_ok(&error);
    for (size_t i = 0; i < SAMPLES; i++) {
        mean_softmax(z + i * CLASSES, p);
        for (size_t c = 0; c < CLASSES; c++) check_number("probability", y[i * CLASSES + c], p[c], 4 * tolerance, 0);
    }
    tl_metrics metrics;
    tl_ensemble_evaluate(ensemble, &metrics, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "data: cross-entropy needs labels, but the data set has none");
    tl_ensemble_free(ensemble);
}

static void given_smoothing_and_weights_when_evaluated_then_as_members(void **unused) {
    (void)unused;
    static const double weights[CLASSES] = {1, 3, 0.5};
    tl_real z[SAMPLES * CLASSES];
    double loss = 0, sum = 0, p[CLASSES];
    fill_normal(z, SAMPLES * CLASSES, 5);
    for (size_t i = 0; i < SAMPLES; i++) {
        mean_softmax(z + i * CLASSES, p);
        for (int c = 0; c < CLASSES; c++) loss -= weights[c] * (0.3 / CLASSES + (c == labels[i] ? 0.7 : 0)) * log(p[c]);
        sum += weights[labels[i]];
    }
    const tl_dataset data = {.x = TL_VIEW(z, SAMPLES, 1, CLASSES), .labels = (int32_t *)labels, .classes = CLASSES};
    const tl_metrics metrics = metrics_of(&data, &(tl_compile_cfg){.label_smoothing = 0.3, .class_weights = weights});
    check_number("loss", metrics.loss, loss / sum, 4 * tolerance, 0);
}

static void given_one_member_when_evaluated_then_as_the_model_itself(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real z[SAMPLES * CLASSES];
    fill_normal(z, SAMPLES * CLASSES, 6);
    const tl_dataset data = {.x = TL_VIEW(z, SAMPLES, 1, CLASSES), .labels = (int32_t *)labels, .classes = CLASSES};
    tl_model *model = scaled(2, CLASSES, NULL);
    tl_ensemble *ensemble = tl_ensemble_new(&data, &error);
    tl_metrics alone, together;
    tl_ensemble_add(ensemble, model, &error);
    tl_evaluate(model, &data, &alone, &error);
    tl_ensemble_evaluate(ensemble, &together, &error);
    check_ok(&error);
    check_number("loss", together.loss, alone.loss, tolerance, 0);
    check_number("accuracy", together.accuracy, alone.accuracy, 0, 0);
    check_number("balanced accuracy", together.balanced_accuracy, alone.balanced_accuracy, 0, 0);
    check_number("f1", together.f1, alone.f1, 0, 0);
    check_number("auroc", together.auroc, alone.auroc, 1e-15, 0);
    tl_ensemble_free(ensemble);
    tl_model_free(model);
}

/* Two classes with logits (0, 1000·scale): one member is certain of the one, one of the other, one of the one again. */
static void given_underflowing_probabilities_when_evaluated_then_finite(void **unused) {
    (void)unused;
    tl_real z[] = {0, 1000, 0, 2000, 0, -1000};
    const int32_t own[] = {1, 1, 0};
    const tl_dataset data = {.x = TL_VIEW(z, 3, 1, 2), .labels = (int32_t *)own, .classes = 2};
    const tl_metrics metrics = metrics_of(&data, NULL);
    check_number("loss", metrics.loss, log(1.5), tolerance, 0); /* two of three members are right, each time */
    check_number("accuracy", metrics.accuracy, 1, 0, 0);
    check_number("auroc", metrics.auroc, 1, 0, 0);
}

/* ---- targets for every step ---- */

enum { SERIES = 3, STEPS = 4 };
static const size_t lengths[SERIES] = {4, 2, 3};

/* Random where a series has steps, 0 behind them. */
static void fill_series(tl_real x[SERIES][STEPS][CLASSES]) {
    fill_normal(&x[0][0][0], SERIES * STEPS * CLASSES, 8);
    for (size_t i = 0; i < SERIES; i++)
        for (size_t t = lengths[i]; t < STEPS; t++) memset(x[i][t], 0, sizeof x[i][t]);
}

/* A model whose output is its input times `scale`, or that of neighbouring steps together, step by step. */
static tl_model *stepwise(double scale, bool pooled) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    tl_node x = tl_affine(model, tl_input(model, (tl_shape){STEPS, CLASSES}), &(tl_affine_cfg){.scale = scale});
    if (pooled) x = tl_upsample(model, tl_max_pool(model, x, &(tl_pool_cfg){.window = 2}), &(tl_upsample_cfg){.factor = 2});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 2}, &error);
    check_ok(&error);
    return model;
}

static void given_labels_per_step_when_evaluated_then_every_valid_step_counts(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x[SERIES][STEPS][CLASSES];
    int32_t own[SERIES][STEPS];
    double loss = 0, right = 0;
    fill_series(x);
    for (size_t i = 0; i < SERIES; i++)
        for (size_t t = 0; t < STEPS; t++) {
            double p[CLASSES];
            size_t largest = 0;
            own[i][t] = (int32_t)((i + t) % CLASSES);
            mean_softmax(x[i][t], p);
            for (size_t c = 1; c < CLASSES; c++)
                if (p[c] > p[largest]) largest = c;
            if (t >= lengths[i]) continue;
            loss -= log(p[own[i][t]]) / (double)lengths[i] / SERIES;
            right += (int32_t)largest == own[i][t];
        }
    const tl_dataset data = {.x = TL_VIEW(&x[0][0][0], SERIES, STEPS, CLASSES),
                             .lengths = (size_t *)lengths,
                             .labels = &own[0][0],
                             .classes = CLASSES,
                             .target_length = STEPS};
    tl_ensemble *ensemble = tl_ensemble_new(&data, &error);
    tl_metrics metrics;
    for (size_t m = 0; m < MEMBERS; m++) {
        tl_model *model = stepwise(scales[m], false);
        tl_ensemble_add(ensemble, model, &error);
        tl_model_free(model);
    }
    tl_ensemble_evaluate(ensemble, &metrics, &error);
    check_ok(&error);
    check_number("loss", metrics.loss, loss, 4 * tolerance, 0);
    check_number("accuracy", metrics.accuracy, right / (4 + 2 + 3), 1e-15, 0);
    tl_model *other = stepwise(1, true);
    tl_ensemble_add(ensemble, other, &error);
    check_error(&error, TL_ERROR_SHAPE, "ensemble: member 3 has 2 steps for sample 2, but member 0 has 3");
    assert_int_equal(tl_ensemble_members(ensemble), MEMBERS);
    tl_model_free(other);
    tl_ensemble_free(ensemble);
}

/* ---- values ---- */

static void given_regressions_when_evaluated_then_metrics_of_the_mean_values(void **unused) {
    (void)unused;
    tl_real x[] = {1, -2, 3, 4}, values[] = {1, -1, 0, 5}, y[4] = {0};
    const tl_dataset data = {.x = TL_VIEW(x, 4, 1, 1), .values = values};
    const double mean = (1 - 0.5 + 2.5) / 3;
    double squared = 0, absolute = 0;
    for (size_t i = 0; i < 4; i++) {
        squared += pow(mean * (double)x[i] - (double)values[i], 2) / 4;
        absolute += fabs(mean * (double)x[i] - (double)values[i]) / 4;
    }
    const tl_metrics metrics = metrics_of(&data, &(tl_compile_cfg){.loss = TL_LOSS_SQUARED_ERROR});
    check_number("loss", metrics.loss, squared, tolerance, 0);
    check_number("rmse", metrics.rmse, sqrt(squared), tolerance, 0);
    check_number("mae", metrics.mae, absolute, tolerance, 0);
    check_number("r2", metrics.r2, 1 - squared * 4 / (27 - 25.0 / 4), tolerance, 0);
    tl_error error = {0};
    tl_ensemble *ensemble = ensemble_of(&data, &(tl_compile_cfg){.loss = TL_LOSS_ABSOLUTE_ERROR});
    tl_tensor to = TL_VIEW(y, 4, 1, 1);
    tl_ensemble_predict(ensemble, &to, &error);
    check_ok(&error);
    for (size_t i = 0; i < 4; i++) check_number("value", y[i], mean * (double)x[i], tolerance, 0);
    tl_ensemble_free(ensemble);
}

static void given_several_labels_at_a_time_when_evaluated_then_mean_sigmoid(void **unused) {
    (void)unused;
    tl_real x[] = {1, -2, 30, 4}, values[] = {1, 0, 1, 0}, y[4] = {0};
    const tl_dataset data = {.x = TL_VIEW(x, 4, 1, 1), .values = values};
    const tl_compile_cfg cfg = {.loss = TL_LOSS_BINARY_CROSS_ENTROPY};
    double p[4] = {0}, q[4] = {0}, loss = 0;
    for (size_t i = 0; i < 4; i++) {
        for (size_t m = 0; m < MEMBERS; m++) {
            p[i] += 1 / (1 + exp(-scales[m] * (double)x[i])) / MEMBERS;
            q[i] += 1 / (1 + exp(scales[m] * (double)x[i])) / MEMBERS;
        }
        loss -= ((double)values[i] * log(p[i]) + (1 - (double)values[i]) * log(q[i])) / 4;
    }
    check_number("loss", metrics_of(&data, &cfg).loss, loss, 4 * tolerance, 0);
    tl_error error = {0};
    tl_ensemble *ensemble = ensemble_of(&data, &cfg);
    tl_tensor to = TL_VIEW(y, 4, 1, 1);
    tl_ensemble_predict(ensemble, &to, &error);
    check_ok(&error);
    for (size_t i = 0; i < 4; i++) check_number("probability", y[i], p[i], tolerance, 0);
    tl_ensemble_free(ensemble);
}

/* ---- refusals ---- */

static tl_ensemble *two_classes(const tl_dataset *data, const tl_compile_cfg *cfg) {
    tl_error error = {0};
    tl_ensemble *ensemble = tl_ensemble_new(data, &error);
    tl_model *model = scaled(1, 2, cfg);
    tl_ensemble_add(ensemble, model, &error);
    check_ok(&error);
    tl_model_free(model);
    return ensemble;
}

static void refuse(tl_ensemble *ensemble, tl_model *model, tl_status status, const char *text) {
    tl_error error = {0};
    const size_t before = tl_ensemble_members(ensemble);
    assert_int_equal(tl_ensemble_add(ensemble, model, &error), status);
    check_error(&error, status, text);
    assert_int_equal(tl_ensemble_add(ensemble, model, NULL), status);
    assert_int_equal(tl_ensemble_members(ensemble), before);
    tl_model_free(model);
}

static void given_members_that_differ_when_joined_then_the_difference_is_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x[6] = {0};
    const tl_dataset data = {.x = TL_VIEW(x, 3, 1, 2), .labels = (int32_t[]){0, 1, 0}, .classes = 2};
    tl_ensemble *ensemble = two_classes(&data, NULL);
    refuse(ensemble, scaled(1, 3, NULL), TL_ERROR_SHAPE, "ensemble: x is (3, 1, 2); the model takes (count, 1, 3)");
    refuse(ensemble, scaled(1, 2, &(tl_compile_cfg){.loss = TL_LOSS_HUBER}), TL_ERROR_ARGUMENT,
           "ensemble: the loss of member 1 is huber, that of member 0 is cross-entropy");
    tl_model *wide = tl_model_new(NULL);
    const tl_node in = tl_input(wide, (tl_shape){1, 2});
    tl_model_compile(wide, tl_dense(wide, in, &(tl_dense_cfg){.units = 4}), NULL, &error);
    check_ok(&error);
    refuse(ensemble, wide, TL_ERROR_SHAPE, "ensemble: the output of member 1 is (1, 4), that of member 0 is (1, 2)");
    refuse(ensemble, tl_model_new(NULL), TL_ERROR_STATE, "ensemble: the model is not compiled");
    refuse(ensemble, scaled(1, 2, &(tl_compile_cfg){.plan_only = true}), TL_ERROR_STATE, "plan_only");
    tl_ensemble_free(ensemble);
}

static void given_nothing_to_average_when_asked_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x[6] = {0}, y[6] = {0};
    tl_metrics metrics;
    tl_tensor to = TL_VIEW(y, 3, 1, 2), other = TL_VIEW(y, 2, 1, 3);
    const tl_dataset data = {.x = TL_VIEW(x, 3, 1, 2), .labels = (int32_t[]){0, 2, 0}, .classes = 2}, empty = {0};
    assert_null(tl_ensemble_new(&empty, &error));
    check_error(&error, TL_ERROR_SHAPE, "ensemble: the data set has no samples");
    assert_null(tl_ensemble_new(&data, &error)); /* which has failed */
    error = (tl_error){0};
    tl_ensemble *ensemble = tl_ensemble_new(&data, &error);
    assert_int_equal(tl_ensemble_evaluate(ensemble, &metrics, &error), TL_ERROR_STATE);
    check_error(&error, TL_ERROR_STATE, "ensemble: it has no members");
    assert_int_equal(tl_ensemble_predict(ensemble, &to, NULL), TL_ERROR_STATE);
    tl_ensemble_free(ensemble);
    ensemble = two_classes(&data, NULL);
    error = (tl_error){0};
    tl_ensemble_predict(ensemble, &other, &error);
    check_error(&error, TL_ERROR_SHAPE, "ensemble: y is (2, 1, 3); it should be (3, 1, 2)");
    error = (tl_error){0};
    tl_ensemble_evaluate(ensemble, &metrics, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "data: label 2 of sample 1 is outside 0 … 1");
    tl_ensemble_free(ensemble);
    tl_ensemble_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_members_when_evaluated_then_metrics_of_the_mean),
        cmocka_unit_test(given_members_when_they_predict_then_the_mean_of_probabilities),
        cmocka_unit_test(given_smoothing_and_weights_when_evaluated_then_as_members),
        cmocka_unit_test(given_one_member_when_evaluated_then_as_the_model_itself),
        cmocka_unit_test(given_underflowing_probabilities_when_evaluated_then_finite),
        cmocka_unit_test(given_labels_per_step_when_evaluated_then_every_valid_step_counts),
        cmocka_unit_test(given_regressions_when_evaluated_then_metrics_of_the_mean_values),
        cmocka_unit_test(given_several_labels_at_a_time_when_evaluated_then_mean_sigmoid),
        cmocka_unit_test(given_members_that_differ_when_joined_then_the_difference_is_named),
        cmocka_unit_test(given_nothing_to_average_when_asked_then_refused),
    };
    return check_run(tests);
}
