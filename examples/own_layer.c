/* A layer of your own: y = gain · x, with a trained gain for each channel. Its gradients are compared with differences; then a
 * network with this layer learns the generated gestures. Built in double precision, in which the comparison is strict. */
#include <tapline/tapline.h>

#include <stdio.h>

static void gain_setup(tl_layer *layer, tl_error *error) {
    (void)error; /* any input is valid, and the output already has its shape */
    tl_layer_parameter(layer, "gain", 1, &layer->in[0].channels, TL_INIT_ONES, 1, 1);
}

static void gain_forward(const tl_layer *layer, const tl_pass *pass) {
    const size_t channels = layer->in[0].channels, count = tl_tensor_count(&pass->y);
    for (size_t i = 0; i < count; i++) pass->y.data[i] = pass->parameter[0][i % channels] * pass->x[0].data[i];
}

static void gain_backward(const tl_layer *layer, const tl_pass *pass) {
    const size_t channels = layer->in[0].channels, count = tl_tensor_count(&pass->dy);
    const tl_real *dy = pass->dy.data, *x = pass->x[0].data;
    for (size_t i = 0; pass->gradient[0] && i < count; i++) pass->gradient[0][i % channels] += dy[i] * x[i];
    for (size_t i = 0; pass->dx[0].data && i < count; i++) pass->dx[0].data[i] = dy[i] * pass->parameter[0][i % channels];
}

static const tl_layer_ops gain = {.name = "gain",
                                  .size = sizeof(tl_layer),
                                  .reads = TL_READS_X,
                                  .setup = gain_setup,
                                  .forward = gain_forward,
                                  .backward = gain_backward};

/* A callback of your own: stops when the training is good enough. */
static bool until_learnt(const tl_progress *at, void *user) {
    (void)user;
    return !(at->epoch_end && at->train.loss < 0.1);
}

int main(void) {
    tl_error error = {0};
    tl_dataset *train = tl_dataset_read("builtin:cbf", NULL, &error);
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = 128, .channels = 1});
    x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 8, .kernel = 9, .padding = TL_PADDING_SAME});
    x = tl_layer_add(model, &x, 1, &(tl_layer){.ops = &gain});
    x = tl_dense(model, tl_global_average_pool(model, tl_relu(model, x)), &(tl_dense_cfg){.units = 3});
    const tl_optimizer_cfg adam = {.learning_rate = 0.02};
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 10, .optimizer = adam, .input_gradient = true}, &error);
    tl_gradient_report report = {0};
    tl_fit_result fit = {0};
    if (!tl_failed(&error)) {
        const tl_tensor some = tl_tensor_slice(&train->x, 0, 2);
        tl_check_gradients(model, &some, &(tl_target){.labels = train->labels}, &report, &error);
        tl_fit(model, train, &(tl_fit_cfg){.epochs = 500, .callbacks = {{until_learnt, NULL}}}, &fit, &error);
    }
    printf("gradients right to %.0e, learnt in %d epochs\n", report.worst, fit.epochs);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_model_free(model);
    tl_dataset_free(train);
    return tl_failed(&error) || !fit.stopped;
}
