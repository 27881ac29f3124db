/* Fine-tuning from a model file: the network and the weights come from the file, the last layer is new and has the classes of the
 * new data. The series may have another length, as all layers before the pool work with any. */
#include <tapline/tapline.h>

#include <stdio.h>

static const char *const old_file = "old-task.safetensors", *const new_file = "new-task.safetensors";

static void learn_old_task(tl_error *error) {
    tl_dataset *data = tl_dataset_read("builtin:cbf", NULL, error);
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = 128, .channels = 1});
    x = tl_relu(model, tl_batch_norm(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 32, .kernel = 9}), NULL));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = 3});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 10, .optimizer.learning_rate = 0.01}, error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 30}, NULL, error);
    tl_model_save(model, old_file, &(tl_save_cfg){.data = data}, error);
    tl_model_free(model);
    tl_dataset_free(data);
}

int main(void) {
    tl_error error = {0};
    tl_metrics metrics = {0};
    bool new_head = false;
    learn_old_task(&error);
    tl_dataset *train = tl_dataset_read("builtin:synthetic-control", NULL, &error);
    tl_dataset *test = tl_dataset_read("builtin:synthetic-control/test", &(tl_read_cfg){.reference = train}, &error);
    if (tl_failed(&error)) return fprintf(stderr, "%s\n", error.text), 1;

    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 2});
    tl_node x = tl_input(model, (tl_shape){.length = train->x.shape[1], .channels = train->x.shape[2]});
    x = tl_network_from_model(model, x, old_file, train->classes);
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 20, .optimizer.learning_rate = 0.02}, &error);
    tl_model_start_from(model, old_file, &(tl_start_cfg){.data = train, .freeze = true}, &new_head, &error);
    const tl_save_cfg save = {.data = train};
    tl_model_save_check(model, new_file, &save, &error); /* before the training: is there room for the file? */

    tl_fit(model, train, &(tl_fit_cfg){.epochs = 20}, NULL, &error); /* the new layer alone */
    tl_evaluate(model, test, &metrics, &error);
    printf("%s head: accuracy %.3f", new_head ? "new" : "old", metrics.accuracy);
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) tl_unfreeze(model, tl_parameter_at(model, i).node);
    tl_set_learning_rate(model, 0.002);
    tl_fit(model, train, &(tl_fit_cfg){.epochs = 20}, NULL, &error); /* all layers, in small steps */
    tl_evaluate(model, test, &metrics, &error);
    printf(", with all layers %.3f\n", metrics.accuracy);
    tl_model_save(model, new_file, &save, &error);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_model_free(model);
    tl_dataset_free(test);
    tl_dataset_free(train);
    return tl_failed(&error) || !new_head || metrics.accuracy < 0.9;
}
