/* Trains a network and writes it for other places: as an ONNX file, as a C file, and in 8-bit integers as a C file. */
#include <tapline/tapline.h>

#include <stdio.h>
#include <string.h>

static tl_model *train(const tl_dataset *data, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = data->x.shape[2]});
    x = tl_relu(model, tl_batch_norm(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 8}), NULL));
    x = tl_dense(model, tl_global_max_pool(model, x), &(tl_dense_cfg){.units = data->classes});
    const tl_optimizer_cfg optimizer = {.ops = tl_adam(), .learning_rate = 0.01};
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 10, .optimizer = optimizer}, error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 60, .restore_best = true}, NULL, error);
    return model;
}

/* Prints how well the integers of each layer stand for its numbers, and the accuracy of both networks. */
static void compare(tl_model *model, tl_quantized *quantized, const tl_dataset *test, tl_error *error) {
    tl_metrics before = {0}, after = {0};
    tl_quantized_layer layer;
    for (size_t i = 0; (layer = tl_quantized_layer_at(quantized, i)).name; i++)
        printf("%-24s %.0f dB\n", layer.name, layer.decibels);
    tl_evaluate(model, test, &before, error);
    tl_quantized_evaluate(quantized, test, &after, error);
    char text[100];
    snprintf(text, sizeof text, "accuracy %.3f, in integers %.3f\n", before.accuracy, after.accuracy);
    fputs(text, stdout);
    tl_save_bytes("deploy.txt", text, strlen(text), error); /* replaces an older file completely, or not at all */
}

int main(void) {
    tl_error error = {0};
    tl_c_export_result size = {0};
    tl_dataset *data = tl_dataset_read("builtin:cbf", NULL, &error);
    tl_dataset *test = tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.reference = data}, &error);
    tl_model *model = data && test ? train(data, &error) : NULL;
    tl_quantized *quantized = tl_failed(&error) ? NULL : tl_quantize(model, data, NULL, &error);
    if (quantized) {
        tl_onnx_export(model, "deploy.onnx", &(tl_onnx_export_cfg){.data = data}, &error);
        tl_c_export(model, "deploy.c", &(tl_c_export_cfg){.data = data}, &size, &error);
        tl_quantized_export(quantized, "deploy_integers.c", &(tl_c_export_cfg){.data = data, .name = "integers"}, &size, &error);
        compare(model, quantized, test, &error);
    }
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_quantized_free(quantized);
    tl_model_free(model);
    tl_dataset_free(test);
    tl_dataset_free(data);
    return tl_failed(&error);
}
