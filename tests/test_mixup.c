/* Mixup: shares have the right distribution, series and lengths are mixed, and a training equals a loop of one's own that mixes the
 * two losses instead of the targets. */
#include "check.h"

#include <math.h>
#include <string.h>

enum { BATCH = 4, LENGTH = 6 };

static void given_alpha_when_drawn_then_moments_of_the_beta_distribution(void **unused) {
    (void)unused;
    enum { COUNT = 20000 };
    static const double alphas[] = {1e-3, 0.2, 1, 8, 1e6};
    static uint32_t partner[COUNT];
    static tl_real share[COUNT];
    for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++) {
        const double variance = 1 / (4 * (2 * alphas[a] + 1));
        double sum = 0, squares = 0, fourths = 0;
        tl_mixup_draw(alphas[a], partner, share, COUNT, 3, 7);
        for (size_t i = 0; i < COUNT; i++) {
            const double off = (double)share[i] - 0.5;
            assert_true(share[i] >= 0 && share[i] <= 1);
            assert_true(partner[i] != i && partner[i] == (i + partner[0]) % COUNT);
            sum += off;
            squares += off * off;
            fourths += pow(off, 4);
        }
        /* within four standard errors */
        check_number("mean", sum / COUNT, 0, 0, 4 * sqrt(variance / COUNT));
        const double spread = sqrt(fmax(fourths / COUNT - variance * variance, 0) / COUNT);
        check_number("variance", squares / COUNT, variance, 1e-6, 4 * spread + 1e-9);
    }
}

static void given_a_seed_and_step_when_drawn_again_then_the_same_numbers(void **unused) {
    (void)unused;
    enum { COUNT = 50 };
    uint32_t partner[4][COUNT];
    tl_real share[4][COUNT];
    static const uint64_t seeds[] = {1, 1, 2, 1}, steps[] = {5, 5, 5, 6};
    for (int i = 0; i < 4; i++) tl_mixup_draw(0.3, partner[i], share[i], COUNT, seeds[i], steps[i]);
    check_equal("again", share[1], share[0], COUNT);
    assert_memory_equal(partner[1], partner[0], sizeof *partner);
    assert_memory_not_equal(share[2], share[0], sizeof *share);
    assert_memory_not_equal(share[3], share[0], sizeof *share);
    tl_mixup_draw(0.3, partner[0], share[0], 1, 1, 1);
    assert_true(partner[0][0] == 0 && share[0][0] == 0); /* nothing to mix with */
}

static void given_lengths_when_mixed_then_the_length_of_the_larger_share(void **unused) {
    (void)unused;
    const tl_real x[3 * 4] = {8, 8, 8, 8, 16, 16, 0, 0, 32, 0, 0, 0}, cut[] = {14, 14, 0, 0, 20, 12, 0, 0, 20, 0, 0, 0},
                        whole[] = {14, 14, 2, 2, 20, 12, 0, 0, 20, 4, 4, 4};
    tl_real y[3 * 4];
    size_t lengths[3];
    const tl_tensor from = TL_VIEW((tl_real *)x, 3, 4, 1);
    tl_tensor to = TL_VIEW(y, 3, 4, 1);
    const tl_real share[] = {(tl_real)0.75, (tl_real)0.25, (tl_real)0.5};
    tl_mixup(&from, (const size_t[]){4, 2, 1}, (const uint32_t[]){1, 2, 0}, share, &to, lengths);
    check_equal("y", y, cut, 12);
    assert_true(lengths[0] == 2 && lengths[1] == 2 && lengths[2] == 1);
    tl_mixup(&from, NULL, (const uint32_t[]){1, 2, 0}, share, &to, NULL);
    check_equal("whole", y, whole, 12);
}

/* ---- training ---- */

static tl_real x[BATCH * LENGTH], values[BATCH * LENGTH];
static int32_t labels[BATCH * LENGTH] = {0, 2, 1, 0, 1, 1, 2, 0, 0, 2, 1, 2, 0, 0, 1, 1, 2, 2, 0, 1, 0, 1, 2, 0};
static size_t lengths[BATCH] = {6, 3, 5, 2};

/* One batch; with_lengths: series have the lengths above; each_step: each step has a target. */
static tl_dataset make_data(bool with_lengths, bool each_step) {
    fill_normal(x, BATCH * LENGTH, 4);
    fill_normal(values, BATCH * LENGTH, 5);
    for (size_t i = 0; with_lengths && i < BATCH; i++) memset(x + i * LENGTH + lengths[i], 0, (LENGTH - lengths[i]) * sizeof *x);
    return (tl_dataset){.x = TL_VIEW(x, BATCH, LENGTH, 1),
                        .labels = labels,
                        .values = values,
                        .classes = 3,
                        .lengths = with_lengths ? lengths : NULL,
                        .target_length = each_step ? LENGTH : 1};
}

static tl_model *make_model(tl_loss_kind loss, bool each_step) {
    static const double class_weights[3] = {1, 3, 0.5};
    const tl_compile_cfg cfg = {.batch = BATCH,
                                .loss = loss,
                                .class_weights = loss == TL_LOSS_CROSS_ENTROPY ? class_weights : NULL,
                                .optimizer = {.ops = tl_sgd(), .learning_rate = 0.5}};
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 9});
    tl_node y = tl_conv1d(model, tl_input(model, (tl_shape){LENGTH, 1}),
                          &(tl_conv1d_cfg){.filters = 5, .kernel = 3, .padding = TL_PADDING_SAME});
    y = tl_relu(model, y);
    if (!each_step) y = tl_global_average_pool(model, y);
    y = tl_dense(model, y, &(tl_dense_cfg){.units = loss == TL_LOSS_CROSS_ENTROPY ? 3 : 1});
    tl_model_compile(model, y, &cfg, &error);
    tl_model_set_target_scale(model, NULL, NULL, &error); /* by hand values are as they are */
    check_ok(&error);
    return model;
}

static bool keep_metrics(const tl_progress *at, void *user) {
    *(tl_metrics *)user = at->train;
    return true;
}

/* The same step without mixed targets: passes for the labels of either series, weighted by its share; `values` mixed. */
static double step_by_hand(tl_model *model, const tl_dataset *data, double alpha, tl_error *error) {
    uint32_t partner[BATCH];
    tl_real share[BATCH], rest[BATCH], mixed[BATCH * LENGTH], mixed_values[BATCH * LENGTH];
    int32_t other[BATCH * LENGTH];
    size_t mixed_lengths[BATCH];
    tl_tensor y = TL_VIEW(mixed, BATCH, LENGTH, 1);
    double sum = 0, weight = 0;
    tl_mixup_draw(alpha, partner, share, BATCH, tl_model_seed(model), 0);
    tl_mixup(&data->x, data->lengths, partner, share, &y, mixed_lengths);
    for (size_t i = 0; i < BATCH; i++) rest[i] = 1 - share[i];
    for (size_t i = 0; i < BATCH * data->target_length; i++) {
        const size_t series = i / data->target_length, from = partner[series] * data->target_length + i % data->target_length;
        other[i] = data->labels[from];
        mixed_values[i] = rest[series] * data->values[i] + share[series] * data->values[from];
    }
    const bool classes = tl_model_loss(model) == TL_LOSS_CROSS_ENTROPY;
    const tl_target of_values = {.values = mixed_values};
    const tl_target of_labels[] = {{.labels = data->labels, .weights = rest}, {.labels = other, .weights = share}};
    for (int pass = 0; pass < 1 + classes; pass++) {
        if (data->lengths) tl_set_lengths(model, mixed_lengths, BATCH);
        tl_forward(model, &y, TL_MODE_TRAINING);
        sum += tl_loss(model, classes ? &of_labels[pass] : &of_values) * tl_loss_weight(model);
        weight += tl_loss_weight(model);
        tl_backward(model);
    }
    tl_step(model, error);
    return sum / weight;
}

static void given_mixup_when_fitted_then_a_step_is_that_of_the_mixed_losses(void **unused) {
    (void)unused;
    const double close = sizeof(tl_real) == 8 ? 1e-13 : 1e-5;
    for (int kind = 0; kind < 6; kind++) {
        tl_error error = {0};
        tl_metrics metrics;
        const tl_loss_kind loss = kind < 3 ? TL_LOSS_CROSS_ENTROPY : TL_LOSS_ABSOLUTE_ERROR;
        const bool each_step = kind % 3 == 2;
        const tl_dataset data = make_data(kind % 3 == 1, each_step);
        const tl_fit_cfg cfg = {.keep_order = true, .augment.mixup = 0.7, .callbacks = {{keep_metrics, &metrics}}};
        tl_model *fitted = make_model(loss, each_step), *by_hand = make_model(loss, each_step);
        tl_fit(fitted, &data, &cfg, NULL, &error);
        check_number("loss", metrics.loss, step_by_hand(by_hand, &data, 0.7, &error), close, 0);
        check_ok(&error);
        check_parameters(fitted, by_hand, close, close);
        tl_model_free(by_hand);
        tl_model_free(fitted);
    }
}

/* A model that says class 0 of everything: in training its accuracy is the mean share of that class in the targets. */
static void given_mixup_when_fitted_then_accuracy_by_shares_of_targets(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    uint32_t partner[BATCH];
    tl_real share[BATCH];
    double expected = 0;
    const tl_dataset data = make_data(false, false);
    tl_model *model = make_model(TL_LOSS_CROSS_ENTROPY, false);
    for (size_t a = 0; a < tl_parameter_arrays(model); a++) {
        const tl_parameter p = tl_parameter_at(model, a);
        memset(p.value.data, 0, tl_tensor_count(&p.value) * sizeof(tl_real));
    }
    tl_mixup_draw(2, partner, share, BATCH, tl_model_seed(model), 0);
    for (size_t i = 0; i < BATCH; i++)
        expected += ((labels[i] == 0) * (1 - (double)share[i]) + (labels[partner[i]] == 0) * (double)share[i]) / BATCH;
    tl_fit(model, &data, &(tl_fit_cfg){.keep_order = true, .augment.mixup = 2, .callbacks = {{keep_metrics, &metrics}}}, NULL,
           &error);
    check_ok(&error);
    check_number("accuracy", metrics.accuracy, expected, 1e-6, 0);
    tl_model_free(model);
}

static void given_batches_of_one_when_fitted_with_mixup_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = make_data(false, false);
    tl_model *model = make_model(TL_LOSS_CROSS_ENTROPY, false);
    tl_fit(model, &data, &(tl_fit_cfg){.batch = 1, .augment.mixup = 0.2}, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "fit: mixup 0.2 mixes two series of a batch, but batches have only 1");
    tl_error last = {0};
    tl_fit(model, &data, &(tl_fit_cfg){.batch = 3, .augment.mixup = 0.2}, NULL, &last); /* the last batch is of one */
    check_ok(&last);
    tl_model_free(model);
}

static void given_lengths_and_step_targets_when_mixed_up_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = make_data(true, true);
    tl_model *model = make_model(TL_LOSS_CROSS_ENTROPY, true);
    tl_fit(model, &data, &(tl_fit_cfg){.augment.mixup = 0.2}, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT,
                "fit: mixup 0.2 cannot mix series of different lengths that have a target for each step");
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_alpha_when_drawn_then_moments_of_the_beta_distribution),
        cmocka_unit_test(given_a_seed_and_step_when_drawn_again_then_the_same_numbers),
        cmocka_unit_test(given_lengths_when_mixed_then_the_length_of_the_larger_share),
        cmocka_unit_test(given_mixup_when_fitted_then_a_step_is_that_of_the_mixed_losses),
        cmocka_unit_test(given_mixup_when_fitted_then_accuracy_by_shares_of_targets),
        cmocka_unit_test(given_batches_of_one_when_fitted_with_mixup_then_refused),
        cmocka_unit_test(given_lengths_and_step_targets_when_mixed_up_then_refused),
    };
    return check_run(tests);
}
