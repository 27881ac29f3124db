/* Ridge regression of the last layer: eigenvalues; the solution compared with its optimality conditions, and with solutions without
 * each row; probabilities; last layers of networks; messages. */
#include "check.h"

#include "compute/symmetric.h"
#include "train/regression.h"

#include <math.h>
#include <string.h>

static const double tiny = 1e-10;

/* ---- eigenvalues ---- */

enum { MAX_SIZE = 40 };

/* A · v = value · v for each row v of vectors, which are orthonormal, and values ascend. */
static void check_eigen(const double *a, const double *vector, const double *value, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i > 0) assert_true(value[i] >= value[i - 1]);
        for (size_t j = 0; j < n; j++) {
            double product = 0, dot = 0;
            for (size_t k = 0; k < n; k++) {
                product += a[j * n + k] * vector[i * n + k];
                dot += vector[i * n + k] * vector[j * n + k];
            }
            check_number("A v - value v", product - value[i] * vector[i * n + j], 0, 0, 1e-11 * fabs(value[n - 1]));
            check_number("v · v", dot, i == j, 0, 1e-11);
        }
    }
}

static void given_a_symmetric_matrix_when_decomposed_then_its_eigenvectors(void **unused) {
    (void)unused;
    typedef tl_status (*decompose)(double *a, size_t n, double *value, tl_error *error);
    static const decompose ways[] = {tl_symmetric_eigen, tl_symmetric_jacobi};
    static tl_real x[MAX_SIZE * MAX_SIZE];
    static double a[MAX_SIZE * MAX_SIZE], vector[MAX_SIZE * MAX_SIZE];
    double value[MAX_SIZE];
    for (size_t n = 1; n <= MAX_SIZE; n += 13)
        for (size_t rank = 1; rank <= n; rank += 12) { /* a lower rank: the eigenvalue 0 occurs several times */
            fill_normal(x, n * rank, 1);
            memset(a, 0, sizeof a);
            for (size_t i = 0; i < n * n; i++)
                for (size_t k = 0; k < rank; k++) a[i] += (double)x[i / n * rank + k] * (double)x[i % n * rank + k];
            for (size_t w = 0; w < 2; w++) {
                tl_error error = {0};
                memcpy(vector, a, sizeof a);
                ways[w](vector, n, value, &error);
                check_ok(&error);
                check_eigen(a, vector, value, n);
            }
        }
}

static void given_a_matrix_that_is_not_finite_when_decomposed_then_an_error(void **unused) {
    (void)unused;
    tl_error error = {0};
    double a[4] = {1, NAN, NAN, 1}, value[2];
    tl_symmetric_eigen(a, 2, value, &error);
    check_error(&error, TL_ERROR_NUMERIC, "not finite");
}

/* ---- the regression ---- */

enum { MAX_ROWS = 30, MAX_FEATURES = 30, TARGETS = 2 };

static tl_real x[MAX_ROWS * MAX_FEATURES];
static double y[MAX_ROWS * TARGETS];
static const double penalties[] = {0.01, 0.5, 20};

/* Features with a mean of 5 and different deviations; feature 1 is constant. */
static tl_regression problem(size_t rows, size_t features, bool intercept, bool scale) {
    tl_real noise[MAX_ROWS * TARGETS];
    fill_normal(x, rows * features, 3);
    fill_normal(noise, rows * TARGETS, 4);
    for (size_t i = 0; i < rows * features; i++) {
        const size_t j = i % features;
        x[i] = j == 1 ? 7 : x[i] * (tl_real)(1 + j) + 5;
    }
    for (size_t i = 0; i < rows * TARGETS; i++)
        y[i] = 3 + (double)noise[i] + 0.3 * (double)x[i / TARGETS * features] * (i % TARGETS ? 1 : -1);
    return (tl_regression){.rows = rows,
                           .features = features,
                           .targets = TARGETS,
                           .x = x,
                           .y = y,
                           .penalties = penalties,
                           .count = 3,
                           .intercept = intercept,
                           .scale = scale};
}

static double prediction(const tl_regression *solved, const tl_real *row, size_t k) {
    double sum = solved->bias[k];
    for (size_t j = 0; j < solved->features; j++) sum += (double)row[j] * solved->weight[j * TARGETS + k];
    return sum;
}

/* Half the gradient of the objective in the weights of scaled features, -Zᵀ(Y - Z W - b) + penalty · W, against |Zᵀ Y|. */
static void check_gradient(const tl_regression *solved) {
    for (size_t k = 0; k < TARGETS; k++) {
        double largest = 0, size = 0, sum = 0;
        for (size_t j = 0; j < solved->features; j++) {
            double gradient = solved->factor[j] > 0 ? solved->penalty * solved->weight[j * TARGETS + k] / solved->factor[j] : 0,
                   of_y = 0;
            for (size_t i = 0; i < solved->rows; i++) {
                const double z = ((double)x[i * solved->features + j] - solved->centre[j]) * solved->factor[j];
                gradient -= z * (y[i * TARGETS + k] - prediction(solved, x + i * solved->features, k));
                of_y += z * (y[i * TARGETS + k] - solved->mean[k]);
            }
            largest = fmax(largest, fabs(gradient));
            size = fmax(size, fabs(of_y));
        }
        for (size_t i = 0; i < solved->rows; i++) sum += y[i * TARGETS + k] - prediction(solved, x + i * solved->features, k);
        check_number("gradient", largest / size, 0, 0, tiny);
        if (solved->intercept) check_number("gradient of the bias", sum, 0, 0, tiny * size);
    }
}

/* The prediction for a row by the solution of all other rows, with the same penalty and scaling. */
static double left_out(const tl_regression *solved, size_t row, size_t k) {
    static tl_real fewer[MAX_ROWS * MAX_FEATURES];
    static double targets[MAX_ROWS * TARGETS];
    tl_error error = {0};
    const size_t p = solved->features;
    tl_real own[MAX_FEATURES] = {0};
    for (size_t i = 0, to = 0; i < solved->rows; i++) {
        for (size_t j = 0; j < p; j++) {
            const double z = ((double)x[i * p + j] - solved->centre[j]) * solved->factor[j];
            (i == row ? own : fewer + to * p)[j] = (tl_real)z;
        }
        if (i != row) memcpy(targets + to++ * TARGETS, y + i * TARGETS, TARGETS * sizeof *y);
    }
    tl_regression rest = {.rows = solved->rows - 1,
                          .features = p,
                          .targets = TARGETS,
                          .x = fewer,
                          .y = targets,
                          .penalties = &solved->penalty,
                          .count = 1,
                          .intercept = solved->intercept};
    tl_regression_solve(&rest, &error);
    check_ok(&error);
    const double predicted = prediction(&rest, own, k);
    tl_regression_release(&rest);
    return predicted;
}

static void given_more_and_fewer_rows_when_solved_then_the_minimum(void **unused) {
    (void)unused;
    const size_t sizes[][2] = {{12, 30}, {30, 7}, {10, 10}, {2, 3}, {30, 29}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int way = 0; way < 4; way++) {
            tl_error error = {0};
            tl_regression solved = problem(sizes[s][0], sizes[s][1], way & 1, way & 2);
            tl_regression_solve(&solved, &error);
            check_ok(&error);
            assert_int_equal(solved.constant, 1);
            check_gradient(&solved);
            tl_regression_release(&solved);
        }
}

static void given_each_row_left_out_when_solved_without_it_then_the_same(void **unused) {
    (void)unused;
    const size_t sizes[][2] = {{12, 30}, {30, 7}};
    for (size_t s = 0; s < 2; s++)
        for (int way = 0; way < 4; way++) {
            tl_error error = {0};
            tl_regression solved = problem(sizes[s][0], sizes[s][1], way & 1, way & 2);
            tl_regression_solve(&solved, &error);
            check_ok(&error);
            double squares = 0;
            for (size_t i = 0; i < solved.rows * TARGETS; i++) {
                const double expected = left_out(&solved, i / TARGETS, i % TARGETS), rounded = sizeof(tl_real) == 4 ? 1e-5 : 1e-8;
                check_number("left out", solved.left_out[i], expected, rounded, rounded);
                squares += pow(y[i] - solved.left_out[i], 2);
            }
            check_number("error", solved.error, squares / (double)(solved.rows * TARGETS), tiny, 0);
            tl_regression_release(&solved);
        }
}

static void given_penalties_when_solved_then_the_one_with_the_least_error(void **unused) {
    (void)unused;
    double least = INFINITY, chosen = 0;
    tl_error error = {0};
    for (size_t a = 0; a < 3; a++) {
        tl_regression one = problem(20, 25, true, true);
        one.penalties = penalties + a;
        one.count = 1;
        tl_regression_solve(&one, &error);
        if (one.error < least) least = one.error, chosen = penalties[a];
        tl_regression_release(&one);
    }
    tl_regression all = problem(20, 25, true, true);
    tl_regression_solve(&all, &error);
    check_ok(&error);
    check_number("penalty", all.penalty, chosen, 0, 0);
    check_number("error", all.error, least, tiny, 0);
    tl_regression_release(&all);
}

/* ---- networks ---- */

enum { SERIES = 60, LENGTH = 16 };

static tl_real series[SERIES * LENGTH];
static int32_t labels[SERIES];
static tl_real values[SERIES];

/* Noise: its level is the class, and its mean square is the target value. */
static tl_dataset some_data(bool classes) {
    fill_normal(series, SERIES * LENGTH, 5);
    for (size_t i = 0; i < SERIES; i++) {
        labels[i] = (int32_t)(i % 3);
        double squares = 0;
        for (size_t t = 0; t < LENGTH; t++) {
            series[i * LENGTH + t] *= (tl_real)(1 + labels[i]);
            squares += pow((double)series[i * LENGTH + t], 2);
        }
        values[i] = (tl_real)(100 + squares / LENGTH);
    }
    tl_dataset data = {.x = TL_VIEW(series, SERIES, LENGTH, 1)};
    if (classes) {
        data.labels = labels;
        data.classes = 3;
    } else {
        data.values = values;
        data.target_channels = 1;
    }
    return data;
}

static tl_model *network(tl_loss_kind loss, size_t outputs, tl_node *last) {
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 6, .threads = 1});
    tl_node h = tl_conv1d(m, tl_input(m, (tl_shape){LENGTH, 1}), &(tl_conv1d_cfg){.filters = 20, .kernel = 3});
    h = tl_global_average_pool(m, tl_relu(m, tl_batch_norm(m, h, NULL)));
    const tl_node output = tl_dense(m, h, &(tl_dense_cfg){.units = outputs});
    if (last) *last = output;
    tl_model_compile(m, output, &(tl_compile_cfg){.batch = 13, .loss = loss}, &error);
    check_ok(&error);
    return m;
}

static void given_a_network_when_solved_then_classes_and_good_probabilities(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    tl_ridge_result result;
    const tl_dataset data = some_data(true);
    tl_model *model = network(TL_LOSS_CROSS_ENTROPY, 3, NULL);
    tl_fit_ridge(model, &data, NULL, &result, &error);
    tl_evaluate(model, &data, &metrics, &error);
    check_ok(&error);
    assert_true(metrics.accuracy >= 0.7 && result.accuracy >= 0.6 && result.accuracy <= metrics.accuracy);
    assert_true(metrics.loss < 0.65 && result.slope > 0.2 && result.slope < 20);
    assert_int_equal(result.features, 20);
    tl_model_free(model);
}

static void given_a_label_that_is_unknown_when_solved_then_it_does_not_count(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_ridge_result result;
    const tl_dataset data = some_data(true);
    for (size_t i = 0; i < SERIES; i++)
        if (labels[i] == 2) labels[i] = TL_NO_LABEL; /* the class with the most noise: the others are easier to separate */
    tl_model *model = network(TL_LOSS_CROSS_ENTROPY, 3, NULL);
    tl_fit_ridge(model, &data, NULL, &result, &error);
    check_ok(&error);
    assert_true(result.accuracy > 0.85);
    tl_model_free(model);
}

static void given_target_values_when_solved_then_they_are_predicted(void **unused) {
    (void)unused;
    for (tl_loss_kind loss = TL_LOSS_SQUARED_ERROR; loss <= TL_LOSS_HUBER; loss++) {
        tl_error error = {0};
        tl_metrics metrics;
        tl_ridge_result result;
        const tl_dataset data = some_data(false);
        tl_model *model = network(loss, 1, NULL);
        tl_fit_ridge(model, &data, NULL, &result, &error);
        tl_evaluate(model, &data, &metrics, &error);
        check_ok(&error);
        assert_true(metrics.r2 > 0.8 && isnan(result.accuracy) && result.slope == 1);
        check_number("mean of values", tl_model_target_scale(model, 0).mean > 100, 1, 0, 0);
        tl_model_free(model);
    }
}

static tl_real first_weight(const tl_model *model) { return tl_parameter_at(model, tl_parameter_arrays(model) - 4).value.data[0]; }

static void check_refused(tl_model *model, const tl_dataset *data, const tl_ridge_cfg *cfg, tl_status status, const char *text) {
    tl_error error = {0};
    const tl_real before = first_weight(model);
    tl_fit_ridge(model, data, cfg, NULL, &error);
    check_error(&error, status, text);
    check_equal("a weight", &(tl_real){first_weight(model)}, &before, 1);
    tl_model_free(model);
}

static void given_data_that_cannot_be_solved_when_solved_then_messages(void **unused) {
    (void)unused;
    tl_node last;
    const double wrong = 0;
    tl_dataset data = some_data(true), two = data, same = data, alike = data;
    two.x.shape[0] = 2;
    check_refused(network(TL_LOSS_CROSS_ENTROPY, 3, NULL), &two, NULL, TL_ERROR_ARGUMENT,
                  "ridge: 2 series with a label are fewer than the 3 classes; each class needs one");
    check_refused(network(TL_LOSS_CROSS_ENTROPY, 3, NULL), &data, &(tl_ridge_cfg){.penalties = &wrong, .count = 1},
                  TL_ERROR_ARGUMENT, "ridge: penalty 0 is outside (0, inf)");
    check_refused(network(TL_LOSS_CROSS_ENTROPY, 3, NULL), &data, &(tl_ridge_cfg){.count = 4}, TL_ERROR_ARGUMENT,
                  "ridge: count is 4, but penalties is NULL; give both or neither");
    check_refused(network(TL_LOSS_CROSS_ENTROPY, 3, NULL), &data, &(tl_ridge_cfg){.max_memory = 1000}, TL_ERROR_MEMORY,
                  "ridge: 60 samples of 20 features need");
    tl_model *frozen = network(TL_LOSS_CROSS_ENTROPY, 3, &last);
    tl_freeze(frozen, last);
    check_refused(frozen, &data, NULL, TL_ERROR_ARGUMENT, "ridge: the last layer, dense_1, is frozen; call tl_unfreeze");
    int32_t ones[SERIES];
    for (size_t i = 0; i < SERIES; i++) ones[i] = 1;
    same.labels = ones;
    check_refused(network(TL_LOSS_CROSS_ENTROPY, 3, NULL), &same, NULL, TL_ERROR_ARGUMENT,
                  "ridge: all series have the label 1; classification needs at least two classes");
    tl_real constant[SERIES * LENGTH] = {0};
    alike.x = TL_VIEW(constant, SERIES, LENGTH, 1);
    check_refused(network(TL_LOSS_CROSS_ENTROPY, 3, NULL), &alike, NULL, TL_ERROR_NUMERIC,
                  "ridge: all 20 features are the same for all series; check whether the series are constant or equal");
    series[5] = (tl_real)NAN;
    check_refused(network(TL_LOSS_CROSS_ENTROPY, 3, NULL), &data, NULL, TL_ERROR_NUMERIC, "not finite");
}

static void given_other_last_layers_when_solved_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = some_data(true);
    tl_model *pooled = tl_model_new(NULL);
    const tl_node convolved =
        tl_conv1d(pooled, tl_input(pooled, (tl_shape){LENGTH, 1}), &(tl_conv1d_cfg){.filters = 3, .kernel = 3});
    tl_model_compile(pooled, tl_global_average_pool(pooled, convolved), NULL, &error);
    check_ok(&error);
    tl_fit_ridge(pooled, &data, NULL, NULL, &error);
    check_error(
        &error, TL_ERROR_ARGUMENT,
        "ridge: the last layer, global_average_pool_1, is of kind global_average_pool; ridge regression needs a dense layer");
    tl_model_free(pooled);
    error = (tl_error){0};
    tl_fit_ridge(NULL, &data, NULL, NULL, &error);
    assert_true(tl_failed(&error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_symmetric_matrix_when_decomposed_then_its_eigenvectors),
        cmocka_unit_test(given_a_matrix_that_is_not_finite_when_decomposed_then_an_error),
        cmocka_unit_test(given_more_and_fewer_rows_when_solved_then_the_minimum),
        cmocka_unit_test(given_each_row_left_out_when_solved_without_it_then_the_same),
        cmocka_unit_test(given_penalties_when_solved_then_the_one_with_the_least_error),
        cmocka_unit_test(given_a_network_when_solved_then_classes_and_good_probabilities),
        cmocka_unit_test(given_a_label_that_is_unknown_when_solved_then_it_does_not_count),
        cmocka_unit_test(given_target_values_when_solved_then_they_are_predicted),
        cmocka_unit_test(given_data_that_cannot_be_solved_when_solved_then_messages),
        cmocka_unit_test(given_other_last_layers_when_solved_then_refused),
    };
    return check_run(tests);
}
