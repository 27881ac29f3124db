/* Shows which steps of a series influence a prediction: the gradient of a class's logit with respect to the series, as the model
 * predicts (Simonyan, Vedaldi & Zisserman 2014, "saliency maps"). */
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>

static tl_model *trained(const tl_dataset *data, tl_error *error) {
    const tl_compile_cfg cfg = {.batch = 10, .input_gradient = true};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = data->x.shape[2]});
    x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 32, .kernel = 8, .padding = TL_PADDING_SAME});
    x = tl_global_average_pool(model, tl_relu(model, tl_batch_norm(model, x, NULL)));
    tl_model_compile(model, tl_dense(model, x, &(tl_dense_cfg){.units = data->classes}), &cfg, error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 30}, NULL, error);
    return model;
}

int main(void) {
    tl_error error = {0};
    tl_dataset *data = tl_dataset_read("builtin:cbf", NULL, &error);
    if (!data) return fprintf(stderr, "%s\n", error.text), 1;
    tl_model *model = trained(data, &error);
    const tl_tensor series = tl_tensor_slice(&data->x, 0, 1);
    tl_real wanted[3] = {0}; /* (1, 1, classes) 1 for the class */
    wanted[data->labels[0]] = 1;

    tl_forward(model, &series, TL_MODE_INFERENCE_GRADIENTS);
    const tl_tensor of_logit = TL_VIEW(wanted, 1, 1, 3);
    tl_backward_from(model, &of_logit);
    const tl_tensor saliency = tl_input_gradient(model); /* (1, length, 1) */
    size_t largest = 0;
    for (size_t t = 0; saliency.data && t < saliency.shape[1]; t++)
        if (fabs((double)saliency.data[t]) > fabs((double)saliency.data[largest])) largest = t;
    tl_zero_grad(model); /* the gradients of the parameters are not needed */

    printf("a %s; its logit hangs on step %zu most\n", data->class_names[data->labels[0]], largest);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    const bool failed = tl_failed(&error) || tl_failed(tl_model_error(model)) || !saliency.data;
    tl_model_free(model);
    tl_dataset_free(data);
    return failed;
}
