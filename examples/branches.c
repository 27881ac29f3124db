/* A network with branches: fixed filters beside learnt ones, a gate, and a shortcut around it. Prints the shape and the parameters
 * of each part, then trains it. */
#include <tapline/tapline.h>

#include <stdio.h>

static tl_node conv(tl_model *model, tl_node x, size_t filters, size_t kernel) {
    return tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = filters, .kernel = kernel, .padding = TL_PADDING_SAME});
}

enum { PARTS = 7 };

static tl_node build(tl_model *model, tl_node x, size_t classes, tl_node parts[PARTS]) {
    const tl_node fixed = tl_fixed_filters(model, x), learnt = conv(model, x, 15, 9);
    const tl_node joined = tl_relu(model, tl_concat(model, (const tl_node[]){fixed, learnt}, 2));
    const tl_node norm = tl_group_norm(model, joined, &(tl_group_norm_cfg){.groups = 4});
    const tl_node values = conv(model, norm, 32, 5), gate = conv(model, norm, 32, 5);
    const tl_node gated = tl_multiply(model, (const tl_node[]){tl_tanh(model, values), tl_sigmoid(model, gate)}, 2);
    const tl_node sum = tl_add(model, (const tl_node[]){norm, gated}, 2);
    const tl_node pool = tl_average_pool(model, sum, &(tl_pool_cfg){.window = 4});
    const tl_node mean = tl_dropout(model, tl_global_average_pool(model, pool), &(tl_dropout_cfg){.rate = 0.2});
    const tl_node logits = tl_dense(model, mean, &(tl_dense_cfg){.units = classes});
    const tl_node all[PARTS] = {fixed, learnt, joined, norm, gate, pool, logits};
    for (int i = 0; i < PARTS; i++) parts[i] = all[i];
    return logits;
}

int main(void) {
    static const char *const names[PARTS] = {"fixed filters", "learnt filters", "joined", "group norm",
                                             "gate",          "average pool",   "logits"};
    tl_error error = {0};
    tl_metrics metrics = {0};
    tl_node parts[PARTS];
    tl_dataset *train = tl_dataset_read("builtin:cbf", NULL, &error);
    tl_dataset *test = tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.reference = train}, &error);
    if (tl_failed(&error)) return fprintf(stderr, "%s\n", error.text), 1;
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    const tl_node x = tl_input(model, (tl_shape){.length = train->x.shape[1], .channels = train->x.shape[2]});
    const tl_node y = build(model, x, train->classes, parts);
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = 10, .optimizer.learning_rate = 0.005}, &error);
    const tl_shape input = tl_input_shape(model), output = tl_output_shape(model);
    printf("from (%zu, %zu) to (%zu, %zu)\n", input.length, input.channels, output.length, output.channels);
    for (int i = 0; i < PARTS; i++) {
        const tl_shape shape = tl_node_shape(model, parts[i]);
        printf("%-14s (%3zu, %2zu) %5zu parameters\n", names[i], shape.length, shape.channels,
               tl_node_parameter_count(model, parts[i]));
    }
    tl_fit(model, train, &(tl_fit_cfg){.epochs = 40}, NULL, &error);
    tl_evaluate(model, test, &metrics, &error);
    printf("%zu parameters, test accuracy %.3f\n", tl_parameter_count(model), metrics.accuracy);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_model_free(model);
    tl_dataset_free(test);
    tl_dataset_free(train);
    return tl_failed(&error) || output.channels != 3 || metrics.accuracy < 0.85;
}
