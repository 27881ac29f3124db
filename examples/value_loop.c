/* A training loop of your own for values in their own units, here the level of a noisy series in millibars: the network learns
 * scaled values, and tl_predict and tl_evaluate convert its outputs back. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { SERIES = 240, BATCH = 24, LENGTH = 32, EPOCHS = 40 };
static const double mean = 1000, deviation = 20;

static void make_data(tl_real x[SERIES][LENGTH], tl_real *values) {
    for (uint32_t i = 0; i < SERIES; i++) {
        tl_rng rng = tl_rng_at(5, TL_STREAM_USER, i, 0);
        const double level = tl_rng_normal(&rng);
        for (int t = 0; t < LENGTH; t++) x[i][t] = (tl_real)(level + 0.5 * tl_rng_normal(&rng));
        values[i] = (tl_real)(mean + deviation * level);
    }
}

static tl_model *build(tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    x = tl_relu(model, tl_batch_norm(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 8, .kernel = 5}), NULL));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = 1});
    const tl_optimizer_cfg optimizer = {.ops = tl_adam(), .learning_rate = 0.01};
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = BATCH, .loss = TL_LOSS_SQUARED_ERROR, .optimizer = optimizer}, error);
    tl_model_set_target_scale(model, &mean, &deviation, error);
    return model;
}

int main(void) {
    static tl_real x[SERIES][LENGTH], values[SERIES];
    make_data(x, values);
    const tl_dataset data = {.x = TL_VIEW(&x[0][0], SERIES, LENGTH, 1), .values = values};
    tl_error error = {0};
    tl_metrics metrics = {0};
    tl_model *model = build(&error);
    for (int step = 0; step < EPOCHS * SERIES / BATCH && !tl_failed(&error); step++) {
        const int first = step * BATCH % SERIES;
        tl_real scaled[BATCH];
        for (int i = 0; i < BATCH; i++) scaled[i] = (tl_real)((values[first + i] - mean) / deviation);
        const tl_tensor batch = tl_tensor_slice(&data.x, (size_t)first, BATCH);
        tl_forward(model, &batch, TL_MODE_TRAINING);
        tl_loss(model, &(tl_target){.values = scaled});
        tl_backward(model);
        tl_step(model, &error);
    }
    tl_update_statistics(model, &data, &error); /* of batch norm, for the parameters as they are now */
    tl_evaluate(model, &data, &metrics, &error);
    printf("root mean squared error %.1f mbar, of values with a deviation of %.0f\n", metrics.rmse, deviation);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_model_free(model);
    return tl_failed(&error) || !(metrics.rmse < deviation / 3);
}
