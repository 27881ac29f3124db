/* Metrics compared with values by hand, and with plain definitions on random data. */
#include "check.h"

#include <math.h>
#include <string.h>

static const double tolerance = sizeof(tl_real) == sizeof(float) ? 1e-6 : 1e-14;

/* A model whose output is its input. */
static tl_model *identity(size_t channels, tl_loss_kind loss) {
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node x = tl_flatten(model, tl_input(model, (tl_shape){.length = 1, .channels = channels}));
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 3, .loss = loss}, &error);
    check_ok(&error);
    return model;
}

static tl_metrics evaluate_classes(const tl_real *logits, const int32_t *labels, size_t samples, size_t classes) {
    tl_error error = {0};
    tl_metrics metrics;
    tl_model *model = identity(classes, TL_LOSS_CROSS_ENTROPY);
    const tl_dataset data = {.x = TL_VIEW(logits, samples, 1, classes), .labels = (int32_t *)labels, .classes = classes};
    tl_evaluate(model, &data, &metrics, &error);
    check_ok(&error);
    tl_model_free(model);
    return metrics;
}

enum { SAMPLES = 8, CLASSES = 4 };

/* Class 3 is neither label nor prediction; class 2 is predicted only. Predictions: 0 0 1 2 1 1 0 0. */
static const int32_t labels[SAMPLES] = {0, 0, 0, 0, 1, 1, 1, 0};
static const tl_real logits[SAMPLES * CLASSES] = {3, 1, 0, -9, 2, 1, 0, -9, 0, 1, 0, -9, 0, 1, 2, -9,
                                                  0, 4, 1, -9, 0, 2, 1, -9, 5, 4, 3, -9, 1, 0, 0, -9};

static void given_predictions_when_counted_then_labels_in_rows(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = identity(CLASSES, TL_LOSS_CROSS_ENTROPY);
    const tl_dataset data = {.x = TL_VIEW(logits, SAMPLES, 1, CLASSES), .labels = (int32_t *)labels, .classes = CLASSES};
    size_t counts[CLASSES * CLASSES];
    memset(counts, 0xFF, sizeof counts);
    tl_confusion(model, &data, counts, &error);
    check_ok(&error);
    const size_t expected[CLASSES * CLASSES] = {3, 1, 1, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    for (size_t i = 0; i < CLASSES * CLASSES; i++) assert_int_equal(counts[i], expected[i]);
    tl_model_free(model);
}

static void given_counts_when_a_class_is_asked_for_then_its_shares(void **unused) {
    (void)unused;
    const size_t counts[CLASSES * CLASSES] = {3, 1, 1, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const tl_class_metrics first = tl_class_metrics_of(counts, CLASSES, 0), third = tl_class_metrics_of(counts, CLASSES, 2),
                           last = tl_class_metrics_of(counts, CLASSES, 3);
    assert_true(first.samples == 5 && first.predicted == 4);
    check_number("precision", first.precision, 3.0 / 4, 1e-15, 0);
    check_number("recall", first.recall, 3.0 / 5, 1e-15, 0);
    check_number("f1", first.f1, 6.0 / 9, 1e-15, 0);
    assert_true(third.samples == 0 && third.predicted == 1 && isnan(third.recall) && third.precision == 0 && third.f1 == 0);
    assert_true(last.samples == 0 && last.predicted == 0 && isnan(last.precision) && isnan(last.recall) && isnan(last.f1));
    assert_true(isnan(tl_class_metrics_of(counts, CLASSES, CLASSES).f1) && isnan(tl_class_metrics_of(NULL, CLASSES, 0).f1));
}

static void given_predictions_when_evaluated_then_means_over_occurring_classes(void **unused) {
    (void)unused;
    const tl_metrics metrics = evaluate_classes(logits, labels, SAMPLES, CLASSES);
    check_number("accuracy", metrics.accuracy, 5.0 / 8, 1e-15, 0);
    check_number("balanced accuracy", metrics.balanced_accuracy, (3.0 / 5 + 2.0 / 3) / 2, 1e-15, 0);
    check_number("f1", metrics.f1, (6.0 / 9 + 4.0 / 6 + 0) / 3, 1e-15, 0);
    assert_true(isnan(metrics.rmse) && isnan(metrics.mae) && isnan(metrics.r2));
}

/* Pairs of a positive and a negative in order, of two classes with logits (0, score). */
static double area_of(const double *scores, const int32_t *positive, size_t count) {
    tl_real two[2 * 64] = {0};
    for (size_t i = 0; i < count; i++) two[2 * i + 1] = (tl_real)scores[i];
    return evaluate_classes(two, positive, count, 2).auroc;
}

static void given_scores_when_ranked_then_ties_count_half(void **unused) {
    (void)unused;
    const int32_t positive[] = {0, 0, 1, 1};
    check_number("in order", area_of((double[]){1, 2, 3, 4}, positive, 4), 1, 0, 0);
    check_number("reversed", area_of((double[]){4, 3, 2, 1}, positive, 4), 0, 0, 0);
    check_number("one pair wrong", area_of((double[]){0.1, 0.4, 0.35, 0.8}, positive, 4), 0.75, 1e-15, 0);
    check_number("one tie", area_of((double[]){1, 2, 2, 3}, positive, 4), 3.5 / 4, 1e-15, 0);
    check_number("all tied", area_of((double[]){5, 5, 5, 5}, positive, 4), 0.5, 1e-15, 0);
    check_number("where probabilities are 1", area_of((double[]){200, 300, 400, 500}, positive, 4), 1, 0, 0);
    assert_true(isnan(area_of((double[]){1, 2, 3, 4}, (int32_t[]){1, 1, 1, 1}, 4)));
    assert_true(isnan(area_of((double[]){1, NAN, 3, 4}, positive, 4)));
    assert_true(isnan(area_of((double[]){1, INFINITY, 3, INFINITY}, positive, 4)));
}

/* The definition: every pair of a positive and a negative by the softmax of its class. */
static double pairs_of(const tl_real *z, const int32_t *own, size_t samples, size_t classes, size_t c) {
    double p[64], sum = 0, pairs = 0;
    for (size_t i = 0; i < samples; i++) {
        double total = 0;
        for (size_t k = 0; k < classes; k++) total += exp((double)z[i * classes + k]);
        p[i] = exp((double)z[i * classes + c]) / total;
    }
    for (size_t i = 0; i < samples; i++)
        for (size_t j = 0; j < samples; j++)
            if ((size_t)own[i] == c && (size_t)own[j] != c) {
                sum += p[i] > p[j] ? 1 : p[i] < p[j] ? 0 : 0.5;
                pairs++;
            }
    return sum / pairs;
}

static void given_several_classes_when_ranked_then_the_mean_one_against_rest(void **unused) {
    (void)unused;
    enum { MANY = 60, THREE = 3 };
    tl_real z[MANY * THREE];
    int32_t own[MANY];
    fill_normal(z, MANY * THREE, 1);
    for (int i = 0; i < MANY; i++) own[i] = i % 7 % THREE;
    double mean = 0;
    for (size_t c = 0; c < THREE; c++) mean += pairs_of(z, own, MANY, THREE, c) / THREE;
    check_number("auroc", evaluate_classes(z, own, MANY, THREE).auroc, mean, 1e-12, 0);
    for (int i = 0; i < MANY; i++) own[i] = i % 2; /* class 2 has no samples */
    mean = (pairs_of(z, own, MANY, THREE, 0) + pairs_of(z, own, MANY, THREE, 1)) / 2;
    check_number("auroc of the classes that occur", evaluate_classes(z, own, MANY, THREE).auroc, mean, 1e-12, 0);
}

static tl_metrics evaluate_values(tl_loss_kind loss, const tl_real *outputs, const tl_real *values, size_t samples) {
    tl_error error = {0};
    tl_metrics metrics;
    tl_model *model = identity(1, loss);
    tl_evaluate(model, &(tl_dataset){.x = TL_VIEW(outputs, samples, 1, 1), .values = (tl_real *)values}, &metrics, &error);
    check_ok(&error);
    tl_model_free(model);
    return metrics;
}

static void given_values_when_evaluated_then_r2_compares_with_their_mean(void **unused) {
    (void)unused;
    const tl_real targets[] = {1001, 1002, 1003, 1006}, near[] = {1001, 1003, 1003, 1004}, threes[] = {3, 3, 3, 3};
    const tl_metrics metrics = evaluate_values(TL_LOSS_ABSOLUTE_ERROR, near, targets, 4);
    check_number("r2", metrics.r2, 1 - 5.0 / 14, tolerance, 0);
    check_number("rmse", metrics.rmse, sqrt(5.0 / 4), tolerance, 0);
    check_number("mae", metrics.mae, 3.0 / 4, tolerance, 0);
    check_number("r2 of the targets themselves", evaluate_values(TL_LOSS_HUBER, targets, targets, 4).r2, 1, 0, 0);
    assert_true(isnan(evaluate_values(TL_LOSS_SQUARED_ERROR, near, threes, 4).r2));
    assert_true(isnan(metrics.accuracy) && isnan(metrics.balanced_accuracy) && isnan(metrics.f1) && isnan(metrics.auroc));
}

/* Two channels, predicted by the mean of each: one level is a thousand times the other. */
static void given_outputs_of_other_levels_when_evaluated_then_mean_r2(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    tl_real values[8] = {0, 999, 2, 1001, 0, 999, 2, 1001}, means[8] = {1, 1000, 1, 1000, 1, 1000, 1, 1000};
    tl_model *model = identity(2, TL_LOSS_SQUARED_ERROR);
    tl_dataset data = {.x = TL_VIEW(means, 4, 1, 2), .values = values, .target_channels = 2};
    tl_evaluate(model, &data, &metrics, &error);
    check_number("r2 of the means", metrics.r2, 0, 0, tolerance);
    means[0] = 0; /* one of four right: 1 - 3/4 of the first output, 0 of the other */
    tl_evaluate(model, &data, &metrics, &error);
    check_number("r2 of both", metrics.r2, (0.25 + 0) / 2, 0, tolerance);
    for (int i = 0; i < 4; i++) values[2 * i + 1] = 1000; /* undefined, and left out */
    tl_evaluate(model, &data, &metrics, &error);
    check_number("r2 of the first", metrics.r2, 0.25, 0, tolerance);
    means[6] = (tl_real)NAN;
    tl_evaluate(model, &data, &metrics, &error);
    assert_true(isnan(metrics.r2)); /* not left out: that output is wrong */
    check_ok(&error);
    tl_model_free(model);
}

static void given_targets_without_spread_when_evaluated_then_r2_is_undefined(void **unused) {
    (void)unused;
    const tl_real some = (tl_real)0.1, next = (tl_real)nextafterf(0.1F, 1);
    const tl_real same[] = {some, some, some, some, some, some, some}, near[] = {some, some, some, some, some, some, next};
    const tl_real predicted[] = {0, 0, 0, 0, 0, 0, 0};
    assert_true(isnan(evaluate_values(TL_LOSS_SQUARED_ERROR, predicted, same, 7).r2));
    assert_true(isnan(evaluate_values(TL_LOSS_SQUARED_ERROR, predicted, same, 1).r2));
    assert_true(evaluate_values(TL_LOSS_SQUARED_ERROR, predicted, near, 7).r2 < -1e10);
    check_number("r2 of a least spread", evaluate_values(TL_LOSS_SQUARED_ERROR, near, near, 7).r2, 1, 0, 0);
}

static void given_the_largest_numbers_when_evaluated_then_r2_does_not_overflow(void **unused) {
    (void)unused;
    const tl_real huge = sizeof(tl_real) == sizeof(float) ? (tl_real)1e30 : (tl_real)1e200;
    const tl_real targets[] = {huge, -huge, huge, -huge}, half[] = {huge, -huge, 0, 0};
    check_number("r2", evaluate_values(TL_LOSS_ABSOLUTE_ERROR, half, targets, 4).r2, 0.5, tolerance, 0);
}

static void given_a_binary_loss_when_evaluated_then_errors_of_probabilities(void **unused) {
    (void)unused;
    const tl_real outputs[] = {0, 0, 0, 0}, values[] = {0, 1, (tl_real)0.5, 1};
    check_number("mae", evaluate_values(TL_LOSS_BINARY_CROSS_ENTROPY, outputs, values, 4).mae, 1.5 / 4, tolerance, 0);
}

/* Three labels of five samples, by scikit-learn: accuracy_score, f1_score(average="micro") and ("macro"). */
static void given_several_labels_when_evaluated_then_subset_accuracy_and_f1(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    tl_real outputs[] = {2, -1, -1, 1, 3, -2, -1, 2, -3, 1, -1, -1, -2, -2, 0};
    tl_real given[] = {1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0}; /* the last output, 0.5, is not predicted; label 2 never */
    tl_model *model = identity(3, TL_LOSS_BINARY_CROSS_ENTROPY);
    tl_dataset data = {.x = TL_VIEW(outputs, 5, 1, 3), .values = given, .target_channels = 3};
    tl_evaluate(model, &data, &metrics, &error);
    check_number("subset accuracy", metrics.subset_accuracy, 3.0 / 5, tolerance, 0);
    check_number("micro f1", metrics.micro_f1, 2 * 4.0 / (5 + 5), tolerance, 0);
    check_number("macro f1", metrics.macro_f1, (2 * 2.0 / (3 + 3) + 1) / 2, tolerance, 0); /* without label 2 */
    given[9] = (tl_real)NAN;                                                               /* one wrong label less */
    tl_evaluate(model, &data, &metrics, &error);
    check_number("subset accuracy of known ones", metrics.subset_accuracy, 4.0 / 5, tolerance, 0);
    check_number("micro f1 of known ones", metrics.micro_f1, 2 * 4.0 / (5 + 4), tolerance, 0);
    given[9] = (tl_real)0.5; /* a probability, not a label */
    tl_evaluate(model, &data, &metrics, &error);
    assert_true(isnan(metrics.subset_accuracy) && isnan(metrics.micro_f1) && isnan(metrics.macro_f1));
    check_ok(&error);
    tl_model_free(model);
    const tl_real zeros[] = {0, 1};
    assert_true(isnan(evaluate_values(TL_LOSS_SQUARED_ERROR, zeros, zeros, 2).subset_accuracy));
}

static void given_a_model_without_classes_when_counted_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    size_t counts[1];
    tl_model *model = identity(1, TL_LOSS_HUBER);
    const tl_dataset data = {.x = TL_VIEW(logits, 1, 1, 1), .labels = (int32_t *)labels, .classes = 1};
    tl_confusion(model, &data, counts, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "confusion: the model was compiled for huber, which has no classes");
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_predictions_when_counted_then_labels_in_rows),
        cmocka_unit_test(given_counts_when_a_class_is_asked_for_then_its_shares),
        cmocka_unit_test(given_predictions_when_evaluated_then_means_over_occurring_classes),
        cmocka_unit_test(given_scores_when_ranked_then_ties_count_half),
        cmocka_unit_test(given_several_classes_when_ranked_then_the_mean_one_against_rest),
        cmocka_unit_test(given_values_when_evaluated_then_r2_compares_with_their_mean),
        cmocka_unit_test(given_outputs_of_other_levels_when_evaluated_then_mean_r2),
        cmocka_unit_test(given_targets_without_spread_when_evaluated_then_r2_is_undefined),
        cmocka_unit_test(given_the_largest_numbers_when_evaluated_then_r2_does_not_overflow),
        cmocka_unit_test(given_a_binary_loss_when_evaluated_then_errors_of_probabilities),
        cmocka_unit_test(given_several_labels_when_evaluated_then_subset_accuracy_and_f1),
        cmocka_unit_test(given_a_model_without_classes_when_counted_then_refused),
    };
    return check_run(tests);
}
