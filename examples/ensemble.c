/* Three networks with different initial parameters, and the mean of their probabilities, which is better than each of them. The
 * memory that they need is known before they are trained. */
#include <tapline/tapline.h>

#include <stdio.h>

static tl_model *network(const tl_dataset *data, uint64_t seed, const tl_compile_cfg *cfg, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = seed});
    tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = data->x.shape[2]});
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 9, .padding = TL_PADDING_SAME}));
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 9, .padding = TL_PADDING_SAME}));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = data->classes});
    tl_model_compile(model, x, cfg, error);
    return model;
}

int main(void) {
    tl_error error = {0};
    tl_metrics alone = {0}, together = {0};
    tl_dataset *train = tl_dataset_read("builtin:cbf", NULL, &error), *test = tl_dataset_read("builtin:cbf/test", NULL, &error);
    if (tl_failed(&error)) return 1;
    tl_model *plan = network(train, 0, &(tl_compile_cfg){.batch = 10, .plan_only = true}, &error);
    double flops = 0;
    for (int id = 0; id < 7; id++) flops += tl_node_flops(plan, (tl_node){.id = id});
    printf("%zu bytes to train, %.0f operations for a series\n", tl_model_memory(plan), flops);
    tl_model_free(plan);
    tl_ensemble *ensemble = tl_ensemble_new(test, &error);
    for (uint64_t seed = 0; seed < 3; seed++) {
        tl_model *model = network(train, seed, &(tl_compile_cfg){.batch = 10, .optimizer.learning_rate = 0.01}, &error);
        tl_fit(model, train, &(tl_fit_cfg){.epochs = 30, .restore_best = true}, NULL, &error);
        tl_evaluate(model, test, &alone, &error);
        tl_ensemble_add(ensemble, model, &error);
        printf("seed %d: accuracy %.3f\n", (int)seed, alone.accuracy);
        tl_model_free(model);
    }
    tl_ensemble_evaluate(ensemble, &together, &error);
    printf("the %zu together: accuracy %.3f\n", tl_ensemble_members(ensemble), together.accuracy);
    size_t counts[3][3] = {{0}}; /* by label and prediction */
    static tl_real mean[900 * 3];
    tl_tensor probabilities = TL_VIEW(mean, 900, 1, 3);
    tl_ensemble_confusion(ensemble, &counts[0][0], &error);
    tl_ensemble_predict(ensemble, &probabilities, &error);
    printf("%zu of class 0 are taken for class 1; the first series has the probabilities %.2f, %.2f, %.2f\n", counts[0][1],
           (double)mean[0], (double)mean[1], (double)mean[2]);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_ensemble_free(ensemble);
    tl_dataset_free(test);
    tl_dataset_free(train);
    return tl_failed(&error) || together.accuracy < 0.9;
}
