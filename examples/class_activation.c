/* Which steps of a series speak for a class: the class activation map of a network that ends as FCN does, in a mean over time and a
 * dense layer (Zhou et al. 2016; Wang, Yan & Oates 2017). map(t) = sum over filters f of weight[f, class] · activation[t, f]. */
#include <tapline/tapline.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tl_model *trained(const tl_dataset *data, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = data->x.shape[2]});
    for (size_t kernel = 8; kernel >= 3; kernel -= 3) { /* 8 and 5: a small FCN */
        x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = kernel, .padding = TL_PADDING_SAME});
        x = tl_relu(model, tl_batch_norm(model, x, NULL));
    }
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = data->classes});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 10}, error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 20}, NULL, error);
    return model;
}

/* The weight of the dense layer, (filters, classes). */
static tl_tensor dense_weight(const tl_model *model) {
    size_t i = 0;
    while (strcmp(tl_parameter_at(model, i).layer, "dense_1") != 0) i++;
    return tl_parameter_at(model, i).value;
}

int main(void) {
    tl_error error = {0};
    size_t size = 0, best = 0;
    tl_dataset *data = tl_dataset_read("builtin:cbf", NULL, &error);
    if (!data) return fprintf(stderr, "%s\n", error.text), 1;
    tl_model *model = trained(data, &error);
    void *bytes = tl_model_write(model, &size, NULL, &error);
    tl_model *inner = tl_model_parse(bytes, size, &(tl_load_cfg){.output = "relu_2", .compile.inference_only = true}, NULL, &error);
    if (tl_failed(&error)) return fprintf(stderr, "%s\n", error.text), 1;

    const tl_tensor series = tl_tensor_slice(&data->x, 0, 1), weight = dense_weight(model);
    tl_forward(inner, &series, TL_MODE_INFERENCE);
    const tl_tensor seen = tl_output(inner); /* (1, length, filters) */
    const tl_tensor activation = TL_VIEW(seen.data, seen.shape[1], seen.shape[2]);
    tl_tensor map = tl_tensor_new(2, (size_t[]){seen.shape[1], data->classes}, &error);
    tl_tensor_matmul(&activation, &weight, &map, &error);

    const size_t class = (size_t)data->labels[0];
    for (size_t t = 0; map.data && t < map.shape[0]; t++)
        if (map.data[t * data->classes + class] > map.data[best * data->classes + class]) best = t;
    printf("a %s; step %zu speaks for it most\n", data->class_names[class], best);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_tensor_free(&map);
    tl_model_free(inner);
    tl_model_free(model);
    free(bytes);
    tl_dataset_free(data);
    return tl_failed(&error);
}
