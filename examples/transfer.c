/* Transfer learning: a network that has learnt six kinds of series gives all its layers except the head to a network that learns
 * three other kinds from few series. At first only the new head is trained, then the other layers too, more slowly. */
#include <tapline/tapline.h>

#include <stdio.h>
#include <string.h>

static tl_model *network(const tl_dataset *data, tl_node *head, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = data->x.shape[2]});
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 9, .padding = TL_PADDING_SAME}));
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 32, .kernel = 9, .padding = TL_PADDING_SAME}));
    *head = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = data->classes});
    tl_model_compile(model, *head, &(tl_compile_cfg){.batch = 10, .optimizer.learning_rate = 3e-3}, error);
    return model;
}

/* Copies the arrays of every layer except the head, and freezes these layers. */
static void take_over(tl_model *model, const tl_model *from, tl_node head) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter to = tl_parameter_at(model, i), of = tl_parameter_at(from, i);
        if (to.node.id == head.id || !tl_tensor_same_shape(&to.value, &of.value)) continue;
        memcpy(to.value.data, of.value.data, tl_tensor_count(&to.value) * sizeof(tl_real));
        tl_freeze(model, to.node);
    }
}

/* Trains every layer again; layers other than the head have a tenth of its rate. */
static void thaw(tl_model *model, tl_node head) {
    for (int id = 0; id < head.id; id++) {
        tl_unfreeze(model, (tl_node){.id = id});
        tl_set_group(model, (tl_node){.id = id}, &(tl_group_cfg){.rate = 0.1});
    }
}

int main(void) {
    tl_error error = {0};
    tl_node head;
    tl_metrics alone = {0}, thawed = {0};
    tl_dataset *many = tl_dataset_read("builtin:synthetic-control", NULL, &error),
               *few = tl_dataset_read("builtin:cbf", NULL, &error), *test = tl_dataset_read("builtin:cbf/test", NULL, &error);
    if (tl_failed(&error)) return 1;
    tl_model *first = network(many, &head, &error), *model = network(few, &head, &error);
    tl_fit(first, many, &(tl_fit_cfg){.epochs = 30}, NULL, &error);
    take_over(model, first, head);
    tl_fit(model, few, &(tl_fit_cfg){.epochs = 30}, NULL, &error);
    tl_evaluate(model, test, &alone, &error);
    thaw(model, head);
    tl_fit(model, few, &(tl_fit_cfg){.epochs = 30}, NULL, &error);
    tl_evaluate(model, test, &thawed, &error);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    printf("the head alone: accuracy %.3f; then all of it: %.3f\n", alone.accuracy, thawed.accuracy);
    tl_model_free(model);
    tl_model_free(first);
    tl_dataset_free(test);
    tl_dataset_free(few);
    tl_dataset_free(many);
    return tl_failed(&error) || thawed.accuracy < 0.8;
}
