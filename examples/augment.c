/* A training loop of your own with random changes to each batch: its series are stretched and jittered, then mixed. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { SERIES = 30, BATCH = 10, LENGTH = 128, CLASSES = 3, EPOCHS = 60 };
static const tl_augment_cfg changes = {.crop = 0.9, .scale = 0.1, .jitter = 0.05};

static tl_model *build(tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 9, .padding = TL_PADDING_SAME}));
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 9, .padding = TL_PADDING_SAME}));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = CLASSES});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = BATCH, .optimizer.learning_rate = 0.01}, error);
    return model;
}

/* The series of the batch, changed and mixed, in x, and the probability of each class in target. */
static void make_batch(const tl_dataset *data, const uint32_t *order, uint64_t step, tl_tensor *x, tl_real target[][CLASSES]) {
    static tl_real drawn[BATCH * LENGTH], changed[BATCH * LENGTH];
    tl_tensor taken = TL_VIEW(drawn, BATCH, LENGTH, 1), next = TL_VIEW(changed, BATCH, LENGTH, 1);
    uint32_t partner[BATCH];
    tl_real share[BATCH];
    tl_dataset_series(data, order, BATCH, drawn, NULL);
    tl_augment(&changes, &taken, NULL, &next, 1, step);
    tl_mixup_draw(0.2, partner, share, BATCH, 1, step);
    tl_mixup(&next, NULL, partner, share, x, NULL);
    for (size_t i = 0; i < BATCH; i++) target[i][data->labels[order[i]]] += 1 - share[i];
    for (size_t i = 0; i < BATCH; i++) target[i][data->labels[order[partner[i]]]] += share[i];
}

int main(void) {
    static tl_real values[BATCH * LENGTH];
    tl_tensor x = TL_VIEW(values, BATCH, LENGTH, 1);
    tl_error error = {0};
    tl_metrics metrics = {0};
    tl_dataset *train = tl_dataset_read("builtin:cbf", NULL, &error), *test = tl_dataset_read("builtin:cbf/test", NULL, &error);
    tl_model *model = build(&error);
    tl_augment_check(&changes, &error); /* tl_augment itself cannot fail */
    for (uint64_t step = 0; step < EPOCHS * SERIES / BATCH && !tl_failed(&error); step++) {
        uint32_t order[SERIES];
        tl_real target[BATCH][CLASSES] = {{0}};
        tl_rng rng = tl_rng_at(1, TL_STREAM_SHUFFLE, 0, step / (SERIES / BATCH));
        tl_rng_permutation(&rng, order, SERIES);
        make_batch(train, order + step % (SERIES / BATCH) * BATCH, step, &x, target);
        tl_forward(model, &x, TL_MODE_TRAINING);
        tl_loss(model, &(tl_target){.probabilities = &target[0][0]});
        tl_backward(model);
        tl_step(model, &error);
    }
    tl_evaluate(model, test, &metrics, &error);
    printf("test accuracy %.3f%s\n", metrics.accuracy, error.text);
    tl_model_free(model);
    tl_dataset_free(test);
    tl_dataset_free(train);
    return tl_failed(&error) || metrics.accuracy < 0.8;
}
