/* Statistics that belong to the parameters: tl_update_statistics, the end of tl_fit, frozen batch norms, preparations of one's own.
 */
#include "check.h"
#include "gradcheck.h"

#include <tapline/layer.h>
#include <tapline/tapline.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double rounding = sizeof(tl_real) == 4 ? 2e-6 : 1e-14;

enum { SERIES = 23, LENGTH = 12, CHANNELS = 2 };

static tl_real series[SERIES * LENGTH * CHANNELS];
static size_t lengths[SERIES];
static int32_t labels[SERIES];

/* Channel 0 around 3, channel 1 around -20 and wider; zeros behind the lengths; classes that can be told apart. */
static tl_dataset some_data(void) {
    fill_normal(series, SERIES * LENGTH * CHANNELS, 3);
    for (size_t i = 0; i < SERIES; i++) {
        lengths[i] = LENGTH - i % 5;
        labels[i] = (int32_t)(i % 2);
        for (size_t t = 0; t < LENGTH; t++) {
            tl_real *x = series + (i * LENGTH + t) * CHANNELS;
            x[0] = t < lengths[i] ? x[0] + 3 : 0;
            x[1] = t < lengths[i] ? 5 * x[1] - 20 + (tl_real)(t % 2 ? 10 * labels[i] : 0) : 0;
        }
    }
    return (tl_dataset){.x = TL_VIEW(series, SERIES, LENGTH, CHANNELS), .lengths = lengths, .labels = labels, .classes = 2};
}

/* Of all steps that count: mean and unbiased variance. */
static void expect_moments(const tl_dataset *data, double scale, double mean[CHANNELS], double variance[CHANNELS]) {
    for (size_t c = 0; c < CHANNELS; c++) {
        double count = 0, sum = 0, squares = 0;
        for (int round = 0; round < 2; round++)
            for (size_t i = 0; i < data->x.shape[0]; i++)
                for (size_t t = 0; t < data->lengths[i]; t++) {
                    const double value = scale * (double)data->x.data[(i * LENGTH + t) * CHANNELS + c];
                    if (round == 0) sum += value, count++;
                    if (round == 1) squares += (value - sum / count) * (value - sum / count);
                }
        mean[c] = sum / count;
        variance[c] = squares / (count - 1);
    }
}

static tl_parameter array_of(const tl_model *model, const char *layer, const char *name) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter found = tl_parameter_at(model, i);
        if (strcmp(found.layer, layer) == 0 && strcmp(found.name, name) == 0) return found;
    }
    fail_msg("there is no %s of %s", name, layer);
    return (tl_parameter){0};
}

static void check_statistics(const tl_model *model, const char *layer, const double *mean, const double *variance) {
    const tl_parameter means = array_of(model, layer, "mean"), variances = array_of(model, layer, "variance");
    for (size_t c = 0; c < CHANNELS; c++) {
        check_number("mean", (double)means.value.data[c], mean[c], rounding, rounding);
        check_number("variance", (double)variances.value.data[c], variance[c], rounding, rounding);
    }
}

/* Batch norm on the series themselves, then a small network with dropout. */
static tl_model *network(int threads, size_t batch, double momentum, tl_node *norm) {
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 4, .threads = threads});
    const tl_batch_norm_cfg cfg = {.momentum = momentum};
    const tl_node first = tl_batch_norm(m, tl_input(m, (tl_shape){LENGTH, CHANNELS}), &cfg);
    tl_node x = tl_dropout(m, first, &(tl_dropout_cfg){.rate = 0.1});
    x = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 8, .kernel = 3, .padding = TL_PADDING_SAME});
    x = tl_relu(m, tl_batch_norm(m, x, &cfg));
    x = tl_dense(m, tl_global_average_pool(m, x), &(tl_dense_cfg){.units = 2});
    tl_model_compile(m, x, &(tl_compile_cfg){.batch = batch, .optimizer.learning_rate = 0.02}, &error);
    check_ok(&error);
    if (norm) *norm = first;
    return m;
}

static void given_series_when_statistics_are_updated_then_those_of_all_steps(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = some_data();
    double mean[CHANNELS], variance[CHANNELS];
    expect_moments(&data, 1, mean, variance);
    for (size_t batch = 2; batch <= SERIES + 1; batch += 7) {
        tl_model *model = network(1, batch, 0, NULL);
        tl_update_statistics(model, &data, &error);
        check_ok(&error);
        check_statistics(model, "batch_norm_1", mean, variance);
        tl_model_free(model);
    }
}

static void given_other_threads_and_passes_before_when_updated_then_the_same_bits(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = some_data();
    tl_model *one = network(1, 5, 0, NULL), *three = network(3, 5, 0.99, NULL);
    const tl_tensor some = tl_tensor_slice(&data.x, 0, 5);
    tl_forward(three, &some, TL_MODE_TRAINING);
    tl_update_statistics(one, &data, &error);
    for (int again = 0; again < 2; again++) tl_update_statistics(three, &data, &error);
    check_ok(&error);
    check_parameters(three, one, 0, 0);
    tl_model_free(three);
    tl_model_free(one);
}

/* With the momentum of Keras, a few steps leave running statistics near what they began with. */
static void given_a_short_training_when_ended_then_statistics_are_current(void **unused) {
    (void)unused;
    const tl_dataset data = some_data();
    for (int best = 0; best <= 1; best++) {
        tl_error error = {0};
        tl_model *model = network(1, 4, 0.99, NULL), *updated = network(1, 4, 0.99, NULL);
        tl_fit(model, &data, &(tl_fit_cfg){.epochs = 12, .restore_best = best}, NULL, &error);
        for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
            const tl_parameter from = tl_parameter_at(model, i), to = tl_parameter_at(updated, i);
            memcpy(to.value.data, from.value.data, tl_tensor_count(&to.value) * sizeof(tl_real));
        }
        tl_update_statistics(updated, &data, &error);
        check_parameters(model, updated, 0, 0);
        check_ok(&error);
        tl_model_free(updated);
        tl_model_free(model);
    }
}

static bool keep_accuracy(const tl_progress *progress, void *user) {
    double *accuracy = user;
    *accuracy = progress->train.accuracy;
    return true;
}

static void given_a_short_training_when_evaluated_then_equal_to_the_progress(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics = {0};
    double seen = 0;
    const tl_dataset data = some_data();
    tl_model *model = network(1, 4, 0.99, NULL);
    tl_fit_result result;
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 12, .callbacks = {{keep_accuracy, &seen}}}, &result, &error);
    tl_evaluate(model, &data, &metrics, &error);
    check_ok(&error);
    if (result.best_epoch == 12) check_number("best accuracy", result.best_accuracy, seen, 0, 0);
    assert_true(seen > 0.9 && metrics.accuracy >= seen - 0.05);
    tl_model_free(model);
}

/* Negates the weights of the last layer after the last batch of epoch 1, which turns every class into the other one; `back`: again
 * after the first batch of epoch 2. */
typedef struct bad_step {
    tl_model *model;
    bool back, negated;
} bad_step;

static bool spoil(const tl_progress *progress, void *user) {
    bad_step *self = user;
    const bool wanted = progress->epoch == 1 ? progress->epoch_end : !self->back;
    const tl_parameter weight = array_of(self->model, "dense_1", "weight"), bias = array_of(self->model, "dense_1", "bias");
    for (size_t i = 0; self->negated != wanted && i < tl_tensor_count(&weight.value); i++) weight.value.data[i] *= -1;
    for (size_t i = 0; self->negated != wanted && i < tl_tensor_count(&bias.value); i++) bias.value.data[i] *= -1;
    self->negated = wanted;
    return true;
}

/* The accuracy of an epoch is that of its steps: it does not show that the last one was bad. */
static void given_a_bad_last_step_when_the_best_epoch_is_restored_then_compared(void **unused) {
    (void)unused;
    const tl_dataset data = some_data();
    for (int back = 0; back <= 1; back++) {
        tl_error error = {0};
        tl_metrics metrics = {0};
        tl_fit_result result;
        tl_model *model = network(1, 4, 0.99, NULL);
        bad_step step = {.model = model, .back = back};
        tl_fit(model, &data, &(tl_fit_cfg){.epochs = 12}, NULL, &error);
        tl_set_learning_rate(model, 1e-6);
        tl_fit(model, &data, &(tl_fit_cfg){.epochs = 2, .restore_best = true, .callbacks = {{spoil, &step}}}, &result, &error);
        tl_evaluate(model, &data, &metrics, &error);
        check_ok(&error);
        assert_int_equal(result.best_epoch, back ? 2 : 1);
        assert_true(back ? metrics.accuracy > 0.9 : metrics.accuracy < 0.1);
        assert_true(back ? result.best_accuracy < 0.95 : result.best_accuracy > 0.9); /* that of the steps of epoch 2 or 1 */
        tl_model_free(model);
    }
}

static bool stop(const tl_progress *progress, void *user) {
    (void)user;
    return progress->steps < 3;
}

static void given_stopped_training_when_ended_then_statistics_of_all_series(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = some_data();
    double mean[CHANNELS], variance[CHANNELS];
    expect_moments(&data, 1, mean, variance);
    tl_model *model = network(1, 4, 0.99, NULL);
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 9, .callbacks = {{stop, NULL}}}, NULL, &error);
    check_ok(&error);
    check_statistics(model, "batch_norm_1", mean, variance);
    tl_model_free(model);
}

/* ---- frozen ---- */

static void given_a_frozen_batch_norm_when_trained_then_statistics_stay(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = some_data();
    tl_node norm;
    tl_model *model = network(1, 5, 0, &norm);
    const tl_parameter mean = array_of(model, "batch_norm_1", "mean"), variance = array_of(model, "batch_norm_1", "variance");
    const tl_real means[] = {1, 2}, variances[] = {4, 9};
    memcpy(mean.value.data, means, sizeof means);
    memcpy(variance.value.data, variances, sizeof variances);
    tl_freeze(model, norm);
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 2}, NULL, &error);
    check_ok(&error);
    check_equal("mean", mean.value.data, means, CHANNELS);
    check_equal("variance", variance.value.data, variances, CHANNELS);
    tl_model_free(model);
}

/* Batch norm alone on its input, with a loss on its output. */
static tl_model *norm_alone(bool frozen, bool relu, size_t length, size_t batch) {
    tl_error error = {0};
    tl_model *m = tl_model_new(NULL);
    const tl_node norm = tl_batch_norm(m, tl_input(m, (tl_shape){length, CHANNELS}), &(tl_batch_norm_cfg){.epsilon = 0.5});
    const tl_node y = tl_dense(m, relu ? tl_relu(m, norm) : norm, &(tl_dense_cfg){.units = CHANNELS});
    if (frozen) tl_freeze(m, norm);
    tl_model_compile(m, y, &(tl_compile_cfg){.batch = batch, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    check_ok(&error);
    return m;
}

static void given_a_frozen_batch_norm_when_checked_then_statistics_constant(void **unused) {
    (void)unused;
    enum { ROWS = 3 * 4 };
    tl_real x[ROWS * CHANNELS], targets[ROWS * CHANNELS];
    fill_normal(x, ROWS * CHANNELS, 5);
    fill_normal(targets, ROWS * CHANNELS, 6);
    const tl_tensor view = TL_VIEW(x, 3, 4, CHANNELS);
    for (int relu = 0; relu <= 1; relu++) {
        tl_model *model = norm_alone(true, relu, 4, 3);
        memcpy(array_of(model, "batch_norm_1", "variance").value.data, (const tl_real[]){4, 9}, CHANNELS * sizeof(tl_real));
        gradcheck(relu ? "frozen, relu" : "frozen", model, &view, &(tl_target){.values = targets});
        tl_model_free(model);
    }
}

/* ---- values that say nothing, or too much ---- */

static void given_a_single_value_a_channel_when_trained_then_the_statistics_stay(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = norm_alone(false, false, 1, 2);
    const tl_real x[] = {7, 8};
    const tl_tensor one = TL_VIEW(x, 1, 1, CHANNELS);
    const tl_dataset data = {.x = one};
    tl_forward(model, &one, TL_MODE_TRAINING);
    tl_update_statistics(model, &data, &error);
    check_ok(&error);
    check_equal("mean", array_of(model, "batch_norm_1", "mean").value.data, (const tl_real[]){0, 0}, CHANNELS);
    check_equal("variance", array_of(model, "batch_norm_1", "variance").value.data, (const tl_real[]){1, 1}, CHANNELS);
    tl_model_free(model);
}

static void given_a_variance_that_overflows_when_stepped_then_the_layer_is_named(void **unused) {
    (void)unused;
    const tl_real maximum = sizeof(tl_real) == 4 ? (tl_real)1e30 : (tl_real)1e200;
    tl_error error = {0}, updating = {0};
    tl_model *model = norm_alone(false, true, 2, 1);
    const tl_real x[] = {1, maximum, 2, -maximum}, targets[2 * CHANNELS] = {0};
    const tl_tensor view = TL_VIEW(x, 1, 2, CHANNELS);
    const tl_dataset data = {.x = view};
    tl_forward(model, &view, TL_MODE_TRAINING);
    tl_loss(model, &(tl_target){.values = targets});
    tl_backward(model);
    tl_step(model, &error);
    check_error(&error, TL_ERROR_NUMERIC, "parameters unchanged; layer 1 (batch_norm): the mean or the variance");
    const double before = (double)array_of(model, "batch_norm_1", "mean").value.data[0];
    tl_update_statistics(model, &data, &updating);
    check_error(&updating, TL_ERROR_NUMERIC, "layer 1 (batch_norm): its statistics of the data are not finite");
    check_number("as before", (double)array_of(model, "batch_norm_1", "mean").value.data[0], before, 0, 0);
    tl_model_free(model);
}

static bool note_size(const tl_progress *progress, void *user) {
    size_t *sizes = user;
    sizes[progress->batch - 1] = (size_t)tl_loss_weight(progress->model);
    return true;
}

static void given_a_last_batch_of_one_when_fitted_then_it_takes_another(void **unused) {
    (void)unused;
    const struct { size_t batch, sizes[3]; } cases[] = {{11, {11, 10, 2}}, {10, {10, 10, 3}}, {22, {21, 2}}};
    const tl_dataset data = some_data();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t sizes[3] = {0};
        tl_error error = {0};
        tl_model *model = network(1, cases[i].batch, 0, NULL);
        tl_fit(model, &data, &(tl_fit_cfg){.callbacks = {{note_size, sizes}}}, NULL, &error);
        check_ok(&error);
        assert_memory_equal(sizes, cases[i].sizes, sizeof sizes);
        tl_model_free(model);
    }
}

static void given_batches_of_a_single_value_a_channel_when_fitted_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x[3 * CHANNELS], values[3 * CHANNELS];
    fill_normal(x, 3 * CHANNELS, 1);
    fill_normal(values, 3 * CHANNELS, 2);
    const tl_dataset data = {.x = TL_VIEW(x, 3, 1, CHANNELS), .values = values, .target_channels = CHANNELS};
    tl_model *model = norm_alone(false, false, 1, 2);
    tl_fit(model, &data, &(tl_fit_cfg){.batch = 2}, NULL, &error);
    check_ok(&error);
    tl_fit(model, &data, &(tl_fit_cfg){.batch = 1}, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT,
                "fit: with one series in a batch, layer 1 (batch_norm) has a single value for each channel");
    tl_model_free(model);
}

/* ---- a preparation of one's own ---- */

/* Divides each channel by the largest magnitude that it has in the data. */
static void range_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    tl_layer_state(layer, "largest", 1, &layer->in[0].channels, TL_INIT_ONES);
    layer->sums = layer->in[0].channels;
}

static void range_accumulate(const tl_layer *layer, const tl_pass *pass) {
    const size_t channels = layer->in[0].channels, count = tl_tensor_count(&pass->x[0]);
    for (size_t i = 0; i < count; i++) pass->sums[i % channels] = fmax(pass->sums[i % channels], fabs((double)pass->x[0].data[i]));
}

static void range_finish(const tl_layer *layer, const tl_pass *pass) {
    for (size_t c = 0; c < layer->in[0].channels; c++) pass->state[0][c] = (tl_real)pass->sums[c];
}

static void range_forward(const tl_layer *layer, const tl_pass *pass) {
    const size_t channels = layer->in[0].channels, count = tl_tensor_count(&pass->y);
    for (size_t i = 0; i < count; i++) pass->y.data[i] = pass->x[0].data[i] / pass->state[0][i % channels];
}

static void range_backward(const tl_layer *layer, const tl_pass *pass) {
    const size_t channels = layer->in[0].channels, count = tl_tensor_count(&pass->dy);
    for (size_t i = 0; pass->dx[0].data && i < count; i++) pass->dx[0].data[i] = pass->dy.data[i] / pass->state[0][i % channels];
}

static const tl_preparation range_preparation = {.accumulate = range_accumulate, .finish = range_finish, .waits = true};
static const tl_layer_ops range = {.name = "range",
                                   .size = sizeof(tl_layer),
                                   .setup = range_setup,
                                   .forward = range_forward,
                                   .backward = range_backward,
                                   .preparation = &range_preparation};

static void given_a_waiting_layer_when_updated_then_later_layers_wait(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = some_data();
    double mean[CHANNELS], variance[CHANNELS];
    tl_model *m = tl_model_new(NULL);
    const tl_layer own = {.ops = &range};
    tl_node x = tl_input(m, (tl_shape){LENGTH, CHANNELS});
    x = tl_affine(m, x, &(tl_affine_cfg){.scale = 2});
    x = tl_layer_add(m, &x, 1, &own);
    x = tl_batch_norm(m, x, NULL);
    tl_model_compile(m, tl_global_average_pool(m, x), &(tl_compile_cfg){.batch = 5, .loss = TL_LOSS_SQUARED_ERROR}, &error);
    tl_update_statistics(m, &data, &error);
    check_ok(&error);
    double largest = 0;
    for (size_t i = 0; i < SERIES * LENGTH; i++) largest = fmax(largest, 2 * fabs((double)series[i * CHANNELS]));
    check_number("largest", (double)array_of(m, "range_1", "largest").value.data[0], largest, rounding, 0);
    expect_moments(&data, 2 / largest, mean, variance);
    check_number("mean", (double)array_of(m, "batch_norm_1", "mean").value.data[0], mean[0], rounding, 0);
    check_number("variance", (double)array_of(m, "batch_norm_1", "variance").value.data[0], variance[0], 10 * rounding, 0);
    tl_model_free(m);
}

/* ---- what is refused ---- */

static void given_wrong_data_when_updated_then_refused(void **unused) {
    (void)unused;
    tl_error none = {0}, shape = {0}, beyond = {0};
    const tl_dataset data = some_data();
    tl_dataset other = data;
    other.x = TL_VIEW(series, SERIES, LENGTH / 2, 2 * CHANNELS);
    other.lengths = NULL;
    tl_model *model = network(1, 4, 0, NULL);
    tl_update_statistics(model, NULL, &none);
    check_error(&none, TL_ERROR_ARGUMENT, "statistics: the data set is NULL");
    tl_update_statistics(model, &other, &shape);
    check_error(&shape, TL_ERROR_SHAPE, "statistics: x is (23, 6, 4); the model takes (count, 12, 2)");
    lengths[2] = LENGTH + 1;
    tl_update_statistics(model, &data, &beyond);
    check_error(&beyond, TL_ERROR_SHAPE, "data: sample 2 has length 13");
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_series_when_statistics_are_updated_then_those_of_all_steps),
        cmocka_unit_test(given_other_threads_and_passes_before_when_updated_then_the_same_bits),
        cmocka_unit_test(given_a_short_training_when_ended_then_statistics_are_current),
        cmocka_unit_test(given_a_short_training_when_evaluated_then_equal_to_the_progress),
        cmocka_unit_test(given_a_bad_last_step_when_the_best_epoch_is_restored_then_compared),
        cmocka_unit_test(given_stopped_training_when_ended_then_statistics_of_all_series),
        cmocka_unit_test(given_a_frozen_batch_norm_when_trained_then_statistics_stay),
        cmocka_unit_test(given_a_frozen_batch_norm_when_checked_then_statistics_constant),
        cmocka_unit_test(given_a_single_value_a_channel_when_trained_then_the_statistics_stay),
        cmocka_unit_test(given_a_last_batch_of_one_when_fitted_then_it_takes_another),
        cmocka_unit_test(given_batches_of_a_single_value_a_channel_when_fitted_then_refused),
        cmocka_unit_test(given_a_variance_that_overflows_when_stepped_then_the_layer_is_named),
        cmocka_unit_test(given_a_waiting_layer_when_updated_then_later_layers_wait),
        cmocka_unit_test(given_wrong_data_when_updated_then_refused),
    };
    return check_run(tests);
}
