/* A long recording of your own, with a label for every step, becomes a data set of windows. It is tested on each of four parts of
 * its time after training on the other three; then a fresh window is scaled as the training set was. */
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>

enum { STEPS = 2400, WINDOW = 40 };
/* A machine that shakes in every second stretch of 150 steps, in millivolts. */
static void record(tl_real x[STEPS], int32_t labels[STEPS]) {
    tl_rng rng = tl_rng_at(3, TL_STREAM_USER, 0, 0);
    for (int t = 0; t < STEPS; t++) {
        labels[t] = t / 150 % 2;
        x[t] = (tl_real)(500 + 20 * sin(labels[t] ? 1.1 * t : 0.4 * t) + 8 * tl_rng_normal(&rng));
    }
}

static tl_model *train(const tl_dataset *data, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = WINDOW, .channels = 1});
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 8, .kernel = 7}));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = 2});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 10, .optimizer.learning_rate = 0.01}, error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 15}, NULL, error);
    return model;
}

int main(void) {
    static tl_real x[STEPS];
    static int32_t labels[STEPS];
    record(x, labels);
    tl_error error = {0};
    double worst = 1;
    const tl_dataset recording = {.x = TL_VIEW(x, 1, STEPS, 1), .labels = labels, .classes = 2, .target_length = STEPS};
    tl_dataset *windows = tl_dataset_windows(&recording, &(tl_window_cfg){.length = WINDOW, .hop = WINDOW / 2}, &error);
    if (windows) tl_dataset_scale(windows, TL_NORMALIZE_SET, NULL, &error);
    for (size_t fold = 0; fold < 4 && !tl_failed(&error); fold++) {
        tl_metrics metrics = {0};
        tl_dataset *rest = NULL, *held_out = NULL;
        tl_dataset_fold_in_order(windows, 4, fold, &rest, &held_out, &error); /* also scales both by the statistics of `rest` */
        tl_model *model = train(rest, &error);
        tl_evaluate(model, held_out, &metrics, &error);
        printf("part %zu: accuracy %.2f of %zu windows\n", fold, metrics.accuracy, held_out ? held_out->x.shape[0] : 0);
        worst = fmin(worst, metrics.accuracy);
        tl_dataset fresh = {.x = TL_VIEW(x + 600 * fold + 60, 1, WINDOW, 1)}; /* changed in place */
        tl_real probability[2] = {0};
        tl_tensor y = TL_VIEW(probability, 1, 1, 2);
        tl_dataset_scale(&fresh, TL_NORMALIZE_DEFAULT, rest, &error);
        tl_predict(model, &fresh.x, NULL, &y, &error);
        printf("  a fresh window shakes with probability %.2f\n", (double)probability[1]);
        tl_scaling_free(&fresh.scaling);
        tl_model_free(model);
        tl_dataset_free(held_out);
        tl_dataset_free(rest);
    }
    tl_dataset_free(windows);
    if (tl_failed(&error)) return fprintf(stderr, "%s\n", error.text), 1;
    return worst < 0.75;
}
