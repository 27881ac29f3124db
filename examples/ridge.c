/* MiniRocket: features by fixed convolutions, and a last layer in closed form. No epochs. First with all 9,996 features, then with
 * a tenth of them, which takes a tenth of the time. */
#include <tapline/tapline.h>

#include <stdio.h>

static double run(const tl_dataset *train, const tl_dataset *test, int features, tl_error *error) {
    tl_metrics metrics = {0};
    tl_ridge_result ridge = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    const tl_node x = tl_input(model, (tl_shape){.length = train->x.shape[1], .channels = train->x.shape[2]});
    const tl_node y = tl_rocket(model, x, &(tl_rocket_cfg){.kind = TL_ROCKET_MINI, .features = features});
    tl_model_compile(model, tl_dense(model, y, &(tl_dense_cfg){.units = train->classes}), NULL, error);
    tl_fit_ridge(model, train, NULL, &ridge, error);
    tl_evaluate(model, test, &metrics, error);
    if (!tl_failed(error))
        printf("%zu features, penalty %g: accuracy %.3f, and %.3f of series left out\n", ridge.features, ridge.penalty,
               metrics.accuracy, ridge.accuracy);
    tl_model_free(model);
    return metrics.accuracy;
}

int main(void) {
    tl_error error = {0};
    tl_dataset *train = tl_dataset_read("builtin:cbf", NULL, &error);
    tl_dataset *test = tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.reference = train}, &error);
    if (tl_failed(&error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    const double all = run(train, test, 0, &error), tenth = run(train, test, 1000, &error);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_dataset_free(train);
    tl_dataset_free(test);
    return tl_failed(&error) || all < 0.95 || tenth < 0.9;
}
