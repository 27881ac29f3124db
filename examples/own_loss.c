/* A loss of your own, and data from your own arrays: predicts a limit that a value exceeds in only one case of ten. The pinball
 * loss has its minimum at this quantile (Koenker & Bassett 1978): an output below the value costs 0.9 times the difference, an
 * output above it 0.1 times. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { SERIES = 2000, LENGTH = 20 };

static double pinball(const tl_real *y, const tl_real *values, size_t channels, tl_real *gradient, void *user) {
    const tl_real quantile = *(const tl_real *)user;
    double sum = 0;
    for (size_t c = 0; c < channels; c++) {
        const tl_real slope = y[c] < values[c] ? -quantile : 1 - quantile;
        sum += (double)(slope * (y[c] - values[c]));
        if (gradient) gradient[c] = slope;
    }
    return sum;
}

/* The value of a noisy series is twice the level of the series, plus noise of deviation 1. */
static void make_data(tl_real x[SERIES][LENGTH], tl_real *values) {
    for (uint32_t i = 0; i < SERIES; i++) {
        tl_rng rng = tl_rng_at(3, TL_STREAM_USER, i, 0);
        const double level = tl_rng_normal(&rng);
        for (int t = 0; t < LENGTH; t++) x[i][t] = (tl_real)(level + 0.5 * tl_rng_normal(&rng));
        values[i] = (tl_real)(2 * level + tl_rng_normal(&rng));
    }
}

int main(void) {
    static tl_real x[SERIES][LENGTH], values[SERIES], predicted[SERIES];
    make_data(x, values);
    const tl_dataset data = {.x = TL_VIEW(&x[0][0], SERIES, LENGTH, 1), .values = values};
    tl_error error = {0};
    tl_real quantile = (tl_real)0.9;
    const tl_compile_cfg cfg = {.batch = 50, .loss = TL_LOSS_OWN, .own_loss = pinball, .own_loss_user = &quantile};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node h = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    h = tl_relu(model, tl_conv1d(model, h, &(tl_conv1d_cfg){.filters = 8, .kernel = 5}));
    tl_model_compile(model, tl_dense(model, tl_global_average_pool(model, h), &(tl_dense_cfg){.units = 1}), &cfg, &error);
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 60}, NULL, &error);
    tl_tensor y = TL_VIEW(predicted, SERIES, 1, 1);
    tl_predict(model, &data.x, NULL, &y, &error);
    int below = 0;
    for (int i = 0; i < SERIES; i++) below += values[i] < predicted[i];
    printf("%.1f %% of the values are below what was predicted\n", 100.0 * below / SERIES);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_model_free(model);
    return tl_failed(&error) || below < 88 * SERIES / 100 || below > 92 * SERIES / 100;
}
