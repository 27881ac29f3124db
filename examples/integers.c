/* Converts a network to 8-bit integers, saves it as a model file, and uses the file: its predictions are those of the C file on a
 * device. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { CLASSES = 3 };

static void save(const tl_dataset *data, const char *path, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    const tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = data->x.shape[2]});
    tl_model_compile(model, tl_time_cnn(model, x, CLASSES), &(tl_compile_cfg){.batch = 10}, error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 30}, NULL, error);
    /* the training set shows which numbers occur; without the rarest ones, the integers of all others are finer */
    tl_quantized *quantized = tl_quantize(model, data, &(tl_quantize_cfg){.percentile = 99.99}, error);
    tl_quantized_save(quantized, path, &(tl_save_cfg){.data = data}, error);
    tl_quantized_free(quantized);
    tl_model_free(model);
}

static void use(const char *path, tl_error *error) {
    tl_model_info info = {0};
    tl_quantized *quantized = tl_quantized_load(path, NULL, &info, error);
    tl_dataset *test = tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.reference = &info.data}, error);
    size_t counts[CLASSES * CLASSES] = {0}, correct = 0;
    tl_real probabilities[CLASSES] = {0};
    tl_quantized_confusion(quantized, test, counts, error);
    for (size_t c = 0; c < CLASSES; c++) correct += counts[c * CLASSES + c];
    if (!tl_failed(error)) {
        const tl_tensor first = tl_tensor_slice(&test->x, 0, 1);
        tl_tensor y = TL_VIEW(probabilities, 1, 1, CLASSES);
        tl_quantized_predict(quantized, &first, &y, error);
        printf("%zu weights as floats, %zu bytes as integers\n", tl_parameter_count(tl_quantized_model(quantized)),
               tl_quantized_bytes(quantized));
        printf("%zu of %zu series correct; the first is %s with probability %.2f\n", correct, test->x.shape[0],
               info.data.class_names[0], (double)probabilities[0]);
    }
    tl_dataset_free(test);
    tl_quantized_free(quantized);
    tl_model_info_release(&info);
}

int main(void) {
    tl_error error = {0};
    tl_dataset *data = tl_dataset_read("builtin:cbf", NULL, &error);
    if (data) save(data, "integers.safetensors", &error);
    if (!tl_failed(&error) && tl_quantized_is_file("integers.safetensors")) use("integers.safetensors", &error);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_dataset_free(data);
    return tl_failed(&error);
}
