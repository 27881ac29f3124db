/* Series that are shorter than those of the training set: scaled by themselves, padded, and predicted by the same model, which
 * regards only the steps that are data. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { SHORTER = 100 };

int main(void) {
    tl_error error = {0};
    tl_metrics whole = {0}, shorter = {0};
    tl_dataset *train = tl_dataset_read("builtin:cbf", NULL, &error);
    tl_dataset *test = tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    if (tl_failed(&error)) return fprintf(stderr, "%s\n", error.text), 1;
    const size_t length = train->x.shape[1];
    tl_dataset *cut =
        tl_dataset_windows(test, &(tl_window_cfg){.length = SHORTER, .hop = length}, &error); /* the first 100 steps */

    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = length, .channels = 1});
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 9, .padding = TL_PADDING_SAME}));
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 9, .padding = TL_PADDING_SAME}));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = train->classes});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 10, .optimizer.learning_rate = 0.01}, &error);
    tl_fit(model, train, &(tl_fit_cfg){.epochs = 60}, NULL, &error);

    tl_dataset_normalize(test); /* each series to mean 0 and deviation 1, as the training set was read */
    tl_dataset_normalize(cut);
    tl_dataset_pad(cut, length, &error); /* sets cut->lengths to 100 */
    tl_evaluate(model, test, &whole, &error);
    tl_evaluate(model, cut, &shorter, &error);
    printf("accuracy %.3f of %zu steps, %.3f of the first %d\n", whole.accuracy, length, shorter.accuracy, SHORTER);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    const bool right = cut && cut->lengths && cut->lengths[0] == SHORTER && cut->x.shape[1] == length;
    tl_model_free(model);
    tl_dataset_free(cut);
    tl_dataset_free(test);
    tl_dataset_free(train);
    return tl_failed(&error) || !right || whole.accuracy < 0.8;
}
