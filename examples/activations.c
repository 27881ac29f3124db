/* Trains the same small network with each activation function, and prints its accuracy on other series. */
#include <tapline/tapline.h>

#include <stdio.h>

static tl_node leaky(tl_model *model, tl_node x) { return tl_leaky_relu(model, x, NULL); }
static tl_node elu(tl_model *model, tl_node x) { return tl_elu(model, x, NULL); }
static tl_node gelu(tl_model *model, tl_node x) { return tl_gelu(model, x, NULL); }

static const struct {
    const char *name;
    tl_node (*build)(tl_model *model, tl_node x);
} activations[] = {{"ReLU", tl_relu},
                   {"leaky ReLU", leaky},
                   {"PReLU", tl_prelu},
                   {"ELU", elu},
                   {"SELU", tl_selu},
                   {"GELU", gelu},
                   {"SiLU", tl_silu},
                   {"tanh", tl_tanh},
                   {"sigmoid", tl_sigmoid},
                   {"softplus", tl_softplus},
                   {"hard sigmoid", tl_hard_sigmoid}};

static double accuracy_with(size_t index, const tl_dataset *train, const tl_dataset *test, tl_error *error) {
    tl_metrics metrics = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = train->x.shape[1], .channels = train->x.shape[2]});
    x = tl_batch_norm(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 16, .stride = 2}), NULL);
    x = activations[index].build(model, x);
    x = tl_dense(model, tl_global_max_pool(model, x), &(tl_dense_cfg){.units = train->classes});
    const tl_optimizer_cfg optimizer = {.ops = tl_adam(), .learning_rate = 0.005};
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 10, .optimizer = optimizer}, error);
    tl_fit(model, train, &(tl_fit_cfg){.epochs = 30}, NULL, error);
    tl_evaluate(model, test, &metrics, error);
    tl_model_free(model);
    return metrics.accuracy;
}

int main(void) {
    tl_error error = {0};
    tl_dataset *train = tl_dataset_builtin("cbf", TL_SPLIT_TRAIN, 0, &error);
    tl_dataset *test = tl_dataset_builtin("cbf", TL_SPLIT_TEST, 0, &error);
    for (size_t i = 0; i < sizeof activations / sizeof *activations && !tl_failed(&error); i++)
        printf("%-12s accuracy %.3f\n", activations[i].name, accuracy_with(i, train, test, &error));
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_dataset_free(test);
    tl_dataset_free(train);
    return tl_failed(&error);
}
