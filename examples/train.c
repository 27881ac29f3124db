/* Trains a small network on a generated data set and prints a prediction, with the upper tier. For your own data, give a .ts, .tsv
 * or .csv file and its test file. */
#include <tapline/tapline.h>

#include <stdio.h>

static bool report(const tl_progress *progress, void *user) {
    (void)user;
    if (progress->epoch_end && progress->epoch % 20 == 0)
        printf("epoch %2d  loss %.4f  accuracy %.3f\n", progress->epoch, progress->train.loss, progress->train.accuracy);
    return true; /* continue */
}

int main(int argc, char **argv) {
    tl_error error = {0};
    tl_dataset *train = tl_dataset_read(argc > 2 ? argv[1] : "builtin:cbf", NULL, &error);
    tl_dataset *test = tl_dataset_read(argc > 2 ? argv[2] : "builtin:cbf/test", &(tl_read_cfg){.reference = train}, &error);
    if (tl_failed(&error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }

    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = train->x.shape[1], .channels = train->x.shape[2]});
    x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 32, .kernel = 8, .padding = TL_PADDING_SAME});
    x = tl_relu(model, tl_batch_norm(model, x, NULL));
    x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 64, .kernel = 5, .padding = TL_PADDING_SAME});
    x = tl_relu(model, tl_batch_norm(model, x, NULL));
    x = tl_global_average_pool(model, x);
    x = tl_dense(model, x, &(tl_dense_cfg){.units = train->classes});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 4}, &error);

    tl_metrics metrics = {0};
    tl_fit(model, train, &(tl_fit_cfg){.epochs = 100, .restore_best = true, .callbacks = {{report, NULL}}}, NULL, &error);
    tl_evaluate(model, test, &metrics, &error);

    tl_real probability[64] = {0};
    const tl_tensor first = tl_tensor_slice(&test->x, 0, 1);
    tl_tensor y = TL_VIEW(probability, 1, 1, train->classes);
    tl_predict(model, &first, NULL, &y, &error);
    if (!tl_failed(&error))
        printf("test accuracy %.3f; the first series is of class %s with probability %.3f\n", metrics.accuracy,
               test->class_names[test->labels[0]], (double)probability[test->labels[0]]);
    else
        fprintf(stderr, "%s\n", error.text);

    tl_model_free(model);
    tl_dataset_free(test);
    tl_dataset_free(train);
    return tl_failed(&error);
}
