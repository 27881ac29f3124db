/* Would more training series help? Trains on growing random parts of the training set and prints the accuracy of each. */
#include <tapline/tapline.h>

#include <stdio.h>

static double accuracy_of(const tl_dataset *train, const tl_dataset *test, tl_error *error) {
    tl_metrics metrics = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    const tl_node x = tl_input(model, (tl_shape){.length = test->x.shape[1], .channels = 1});
    tl_model_compile(model, tl_mini_rocket(model, x, test->classes), NULL, error);
    tl_fit_ridge(model, train, NULL, NULL, error);
    tl_evaluate(model, test, &metrics, error);
    tl_model_free(model);
    return metrics.accuracy;
}

int main(void) {
    tl_error error = {0};
    tl_dataset *all = tl_dataset_read("builtin:synthetic-control", NULL, &error);
    tl_dataset *test = tl_dataset_read("builtin:synthetic-control/test", &(tl_read_cfg){.reference = all}, &error);
    if (tl_failed(&error)) return fprintf(stderr, "%s\n", error.text), 1;
    uint32_t order[300] = {0};
    tl_rng rng = tl_rng_at(1, TL_STREAM_USER, 0, 0);
    tl_rng_permutation(&rng, order, all->x.shape[0]);
    double first = 0, last = 0;
    for (size_t count = 18; count <= all->x.shape[0] && !tl_failed(&error); count *= 2) {
        tl_dataset *part = tl_dataset_take(all, order, count, &error);
        last = accuracy_of(part, test, &error);
        if (count == 18) first = last;
        printf("%3zu series: accuracy %.3f\n", count, last);
        tl_dataset_free(part);
    }
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_dataset_free(test);
    tl_dataset_free(all);
    return tl_failed(&error) || last < first || last < 0.9;
}
