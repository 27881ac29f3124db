/* What a network sees in a series: the output of an inner layer, here the mean over time, is a description of the series by a few
 * numbers. Series that are alike have descriptions that lie near each other. */
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FEATURES = 16 };

/* A trained model as the bytes of its file, which a program may keep anywhere. */
static void *trained(const tl_dataset *data, size_t *size, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = data->x.shape[2]});
    x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = FEATURES, .kernel = 8, .padding = TL_PADDING_SAME});
    x = tl_global_average_pool(model, tl_relu(model, tl_batch_norm(model, x, NULL)));
    tl_model_compile(model, tl_dense(model, x, &(tl_dense_cfg){.units = data->classes}), &(tl_compile_cfg){.batch = 10}, error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 30}, NULL, error);
    void *bytes = tl_model_write(model, size, &(tl_save_cfg){.data = data}, error);
    tl_model_free(model);
    return bytes;
}

static double distance(const tl_real *a, const tl_real *b) {
    double sum = 0;
    for (size_t i = 0; i < FEATURES; i++) sum += pow((double)(a[i] - b[i]), 2);
    return sqrt(sum);
}

int main(void) {
    tl_error error = {0};
    size_t size = 0, nearest = 1;
    tl_dataset *data = tl_dataset_read("builtin:cbf", NULL, &error);
    if (!data) return fprintf(stderr, "%s\n", error.text), 1;
    void *bytes = trained(data, &size, &error);

    const tl_load_cfg inner = {.output = "global_average_pool_1", .compile.inference_only = true};
    tl_model *model = tl_model_parse(bytes, size, &inner, NULL, &error);
    tl_tensor features = tl_tensor_new(3, (size_t[]){data->x.shape[0], 1, FEATURES}, &error);
    tl_predict(model, &data->x, NULL, &features, &error);

    for (size_t i = 2; !tl_failed(&error) && i < data->x.shape[0]; i++)
        if (distance(features.data, features.data + i * FEATURES) < distance(features.data, features.data + nearest * FEATURES))
            nearest = i;
    if (!tl_failed(&error))
        printf("series 0 is a %s; series %zu, which is most like it, is a %s\n", data->class_names[data->labels[0]], nearest,
               data->class_names[data->labels[nearest]]);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_tensor_free(&features);
    tl_model_free(model);
    free(bytes);
    tl_dataset_free(data);
    return tl_failed(&error);
}
