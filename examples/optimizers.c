/* The same network and the same data with each optimizer, and the schedule that its learning rate follows, printed before the
 * training. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { EPOCHS = 30, BATCHES = 10 };

static double train(const tl_dataset *data, const tl_optimizer_cfg *optimizer, tl_error *error) {
    tl_fit_result fit = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = 1});
    x = tl_relu(model, tl_batch_norm(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 9}), NULL));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = data->classes});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 30, .optimizer = *optimizer}, error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = EPOCHS, .schedule = {.kind = TL_SCHEDULE_COSINE}}, &fit, error);
    tl_model_free(model);
    return fit.best_loss;
}

static void preview(const tl_schedule *schedule, tl_error *error) {
    tl_schedule *copy = tl_schedule_copy(schedule, error); /* the schedule itself stays at its beginning */
    for (int epoch = 0; copy && epoch < EPOCHS; epoch++) {
        if (epoch % 10 == 0) printf("rate of epoch %2d: %.4f\n", epoch + 1, tl_schedule_rate(copy));
        for (int step = 0; step < BATCHES; step++) tl_schedule_step(copy, 1);
        tl_schedule_epoch(copy, 1);
    }
    tl_schedule_free(copy);
}

int main(void) {
    const tl_optimizer_cfg settings[] = {{.ops = tl_adam(), .learning_rate = 0.01},
                                         {.ops = tl_adamw(), .learning_rate = 0.01, .weight_decay = 0.1},
                                         {.ops = tl_sgd(), .learning_rate = 0.1, .momentum = 0.9, .nesterov = true},
                                         {.ops = tl_rmsprop(), .learning_rate = 0.01},
                                         {.ops = tl_adagrad(), .learning_rate = 0.05}};
    tl_error error = {0};
    tl_dataset *data = tl_dataset_read("builtin:synthetic-control", NULL, &error);
    tl_schedule *schedule = tl_schedule_new(&(tl_schedule_cfg){.kind = TL_SCHEDULE_COSINE}, 0.01, EPOCHS * BATCHES, &error);
    preview(schedule, &error);
    double worst = 0;
    for (size_t i = 0; i < sizeof settings / sizeof *settings && !tl_failed(&error); i++) {
        const double loss = train(data, &settings[i], &error);
        printf("%-8s loss %.4f\n", settings[i].ops->name, loss);
        if (!(loss < worst)) worst = loss;
    }
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    const bool at_start = tl_schedule_rate(schedule) == 0.01;
    tl_schedule_free(schedule);
    tl_dataset_free(data);
    return tl_failed(&error) || !at_start || !(worst < 0.5);
}
