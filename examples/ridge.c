/* MiniRocket: features by fixed convolutions, and a last layer in closed form. No epochs. */
#include <tapline/tapline.h>

#include <stdio.h>

int main(void) {
    tl_error error = {0};
    tl_metrics metrics = {0};
    tl_ridge_result ridge = {0};
    tl_dataset *train = tl_dataset_read("builtin:cbf", NULL, &error);
    tl_dataset *test = tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.reference = train}, &error);
    if (tl_failed(&error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }

    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    const tl_node x = tl_input(model, (tl_shape){.length = train->x.shape[1], .channels = train->x.shape[2]});
    tl_model_compile(model, tl_mini_rocket(model, x, train->classes), NULL, &error);
    tl_fit_ridge(model, train, NULL, &ridge, &error);
    tl_evaluate(model, test, &metrics, &error);
    if (tl_failed(&error))
        fprintf(stderr, "%s\n", error.text);
    else
        printf("%zu features, penalty %g: accuracy %.3f, and %.3f of series left out\n", ridge.features, ridge.penalty,
               metrics.accuracy, ridge.accuracy);

    tl_model_free(model);
    tl_dataset_free(train);
    tl_dataset_free(test);
    return tl_failed(&error);
}
