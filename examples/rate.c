/* Finds a learning rate by a short trial, then trains with it in a loop of your own, along a schedule. */
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>

enum { BATCH = 10, EPOCHS = 30 };

static double find_rate(tl_model *model, const tl_dataset *data, tl_error *error) {
    tl_rate_curve *curve = tl_rate_curve_new(error);
    tl_find_learning_rate(model, data, &(tl_fit_cfg){.batch = BATCH}, NULL, curve, error);
    const size_t count = tl_rate_curve_count(curve);
    const double *rates = tl_rate_curve_learning_rates(curve), *losses = tl_rate_curve_losses(curve);
    const double *smoothed = tl_rate_curve_smoothed(curve);
    for (size_t i = 0; i < count; i += 10) printf("rate %8.2g  loss %.3f  smoothed %.3f\n", rates[i], losses[i], smoothed[i]);
    const double suggestion = tl_rate_curve_suggestion(curve);
    printf("%zu rates tried%s; suggestion %.2g\n", count, tl_rate_curve_diverged(curve) ? ", until the loss diverged" : "",
           suggestion);
    tl_rate_curve_free(curve);
    return isnan(suggestion) ? 0.001 : suggestion;
}

static double train(tl_model *model, const tl_dataset *data, tl_schedule *schedule, tl_error *error) {
    const size_t batches = data->x.shape[0] / BATCH;
    double sum = 0;
    for (size_t i = 0; i < batches; i++) {
        const tl_tensor x = tl_tensor_slice(&data->x, i * BATCH, BATCH);
        tl_set_learning_rate(model, tl_schedule_rate(schedule));
        tl_forward(model, &x, TL_MODE_TRAINING);
        const double loss = tl_loss(model, &(tl_target){.labels = data->labels + i * BATCH});
        tl_backward(model);
        tl_step(model, error);
        tl_schedule_step(schedule, loss);
        sum += loss;
    }
    tl_schedule_epoch(schedule, sum / (double)batches);
    return sum / (double)batches;
}

int main(void) {
    tl_error error = {0};
    tl_dataset *data = tl_dataset_read("builtin:cbf", NULL, &error);
    if (!data) return 1;
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = 1});
    x = tl_dense(model, tl_flatten(model, x), &(tl_dense_cfg){.units = data->classes});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = BATCH}, &error);
    const double rate = find_rate(model, data, &error);
    const tl_schedule_cfg cosine = {.kind = TL_SCHEDULE_COSINE};
    tl_schedule *schedule = tl_schedule_new(&cosine, rate, EPOCHS * data->x.shape[0] / BATCH, &error);
    double loss = 0;
    for (int epoch = 0; epoch < EPOCHS && !tl_failed(&error); epoch++) loss = train(model, data, schedule, &error);
    printf("loss %.3f after %d steps, at the rate %.2g\n", loss, (int)tl_steps(model), tl_learning_rate(model));
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_schedule_free(schedule);
    tl_model_free(model);
    tl_dataset_free(data);
    return tl_failed(&error);
}
