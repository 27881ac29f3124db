/* Prints which class is confused with which, and precision and recall of each class. The argument names the quantity that decides
 * which epoch is best, such as validation-f1. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { MAX_CLASSES = 10 };

static void print_counts(const tl_dataset *data, const size_t *counts) {
    printf("%-11s predicted", "label");
    for (size_t of = 0; of < data->classes; of++) printf(" %9s", data->class_names[of]);
    printf("\n");
    for (size_t label = 0; label < data->classes; label++) {
        const tl_class_metrics metrics = tl_class_metrics_of(counts, data->classes, label);
        printf("%-21s", data->class_names[label]);
        for (size_t of = 0; of < data->classes; of++) printf(" %9zu", counts[label * data->classes + of]);
        printf("   precision %.2f  recall %.2f  F1 %.2f\n", metrics.precision, metrics.recall, metrics.f1);
    }
}

static tl_model *build(const tl_dataset *data, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 2});
    tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = data->x.shape[2]});
    x = tl_relu(model, tl_batch_norm(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 8}), NULL));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = data->classes});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 10, .optimizer = {.ops = tl_adamw(), .learning_rate = 0.01}}, error);
    return model;
}

int main(int argc, char **argv) {
    tl_error error = {0};
    tl_watch watch = TL_WATCH_DEFAULT;
    if (argc > 1) tl_watch_by_name(argv[1], &watch, &error);
    tl_dataset *train = tl_dataset_read("builtin:cbf", NULL, &error);
    tl_dataset *test = tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.reference = train}, &error);
    if (tl_failed(&error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    tl_model *model = build(train, &error);
    tl_model_takes(model, test, &error); /* before the training, not after it */
    printf("the best epoch is chosen by: %s\n", tl_watch_name(watch));
    tl_fit(model, train, &(tl_fit_cfg){.epochs = 60, .restore_best = true, .watch = watch, .validation = test}, NULL, &error);
    size_t counts[MAX_CLASSES * MAX_CLASSES] = {0};
    tl_confusion(model, test, counts, &error);
    if (!tl_failed(&error))
        print_counts(test, counts);
    else
        fprintf(stderr, "%s\n", error.text);
    tl_model_free(model);
    tl_dataset_free(test);
    tl_dataset_free(train);
    return tl_failed(&error) || counts[0] < 200;
}
