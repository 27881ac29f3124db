/* Trains a small network, saves it, loads it and tests the loaded model. With the argument "resume", it resumes the training that
 * was interrupted. */
#include <tapline/tapline.h>

#include <stdio.h>
#include <string.h>

static tl_model *train(const tl_dataset *data, const char *resume, tl_error *error) {
    tl_fit_cfg cfg = {.epochs = 20, .restore_best = true, .checkpoint = "training.checkpoint", .resume = resume};
    tl_model *model = tl_model_new(NULL);
    tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = data->x.shape[2]});
    x = tl_relu(model, tl_batch_norm(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 8}), NULL));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = data->classes});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 10}, error);
    tl_fit(model, data, &cfg, NULL, error);
    return model;
}

int main(int argc, char **argv) {
    tl_error error = {0};
    tl_model_info info;
    tl_metrics metrics = {0};
    tl_dataset *data = tl_dataset_read("builtin:cbf", NULL, &error);
    if (!data) return 1;
    tl_model *model = train(data, argc > 1 && strcmp(argv[1], "resume") == 0 ? "training.checkpoint" : NULL, &error);
    tl_model_save(model, "model.safetensors", &(tl_save_cfg){.data = data}, &error);

    tl_model *loaded = tl_model_load("model.safetensors", &(tl_load_cfg){.compile.inference_only = true}, &info, &error);
    tl_dataset *test =
        tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.reference = &info.data, .missing_policy = info.missing_policy}, &error);
    if (test) tl_evaluate(loaded, test, &metrics, &error);
    if (tl_failed(&error))
        fprintf(stderr, "%s\n", error.text);
    else
        printf("%zu classes, test accuracy %.3f\n", info.data.classes, metrics.accuracy);

    tl_model_info_release(&info);
    tl_dataset_free(test);
    tl_model_free(loaded);
    tl_model_free(model);
    tl_dataset_free(data);
    return tl_failed(&error);
}
