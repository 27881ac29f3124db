/* A network that is described in C gets the weights of the same network in PyTorch, from the file that is its argument, written by
 * safetensors.torch.save_file(net.state_dict(), FILE). Without an argument it first writes such a file. */
#include <tapline/tapline.h>

#include <stdio.h>

/* nn.Conv1d(1, 8, 5, padding="same"), nn.BatchNorm1d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 20, 3) */
static tl_model *make(uint64_t seed, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = seed});
    tl_node x = tl_input(model, (tl_shape){.length = 20, .channels = 1});
    x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 8, .kernel = 5, .padding = TL_PADDING_SAME});
    x = tl_relu(model, tl_batch_norm(model, x, &(tl_batch_norm_cfg){.epsilon = 1e-5}));
    x = tl_dense(model, tl_flatten(model, x), &(tl_dense_cfg){.units = 3});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 1, .inference_only = true}, error);
    return model;
}

static void print_pair(const char *module, const char *layer, void *unused) {
    (void)unused;
    printf("%s is %s\n", module, layer);
}

int main(int argc, char **argv) {
    tl_error error = {0};
    const char *path = argc > 1 ? argv[1] : "weights.safetensors";
    tl_model *theirs = make(1, &error), *model = make(2, &error);
    if (argc == 1) tl_weights_export(theirs, path, NULL, &error);
    tl_weights_import(model, path, &(tl_weights_cfg){.matched = print_pair}, &error);
    tl_tensor x = tl_tensor_new(3, (size_t[]){1, 20, 1}, &error);
    tl_tensor y = tl_tensor_new(3, (size_t[]){1, 1, 3}, &error);
    if (!tl_failed(&error)) x.data[7] = 1;
    tl_predict(model, &x, NULL, &y, &error);
    if (tl_failed(&error))
        fprintf(stderr, "%s\n", error.text);
    else
        printf("probabilities %g, %g, %g\n", (double)y.data[0], (double)y.data[1], (double)y.data[2]);
    tl_tensor_free(&x);
    tl_tensor_free(&y);
    tl_model_free(model);
    tl_model_free(theirs);
    return tl_failed(&error);
}
