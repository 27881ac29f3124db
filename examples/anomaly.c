/* Finds unusual series: an autoencoder learns to repeat normal series from a few numbers, and repeats others badly. */
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>

enum { SERIES = 200, LENGTH = 64 };
static void make_series(tl_real x[LENGTH], uint32_t number, bool faulty) {
    tl_rng rng = tl_rng_at(8, TL_STREAM_USER, number, 0);
    const double phase = 6.28 * tl_rng_uniform(&rng), fault = 20 + 20 * tl_rng_uniform(&rng);
    for (int t = 0; t < LENGTH; t++)
        x[t] = (tl_real)(sin(0.3 * t + phase) + 0.05 * tl_rng_normal(&rng) + (faulty && fabs(t - fault) < 3 ? 0.8 : 0));
}

/* 64 steps become 4 steps of 3 numbers, and these 64 steps again, in the range from -2 to 2. */
static tl_model *build(tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 9, .stride = 4, .padding = TL_PADDING_SAME});
    x = tl_conv1d(model, tl_silu(model, x), &(tl_conv1d_cfg){.filters = 3, .kernel = 5, .stride = 4, .padding = TL_PADDING_SAME});
    x = tl_silu(model, tl_conv1d_transpose(model, x, &(tl_conv1d_transpose_cfg){.filters = 16, .kernel = 4, .stride = 4}));
    x = tl_upsample(model, x, &(tl_upsample_cfg){.factor = 4, .linear = true});
    x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 1, .kernel = 5, .padding = TL_PADDING_SAME});
    x = tl_affine(model, tl_tanh(model, x), &(tl_affine_cfg){.scale = 2});
    const tl_compile_cfg cfg = {.batch = 20, .loss = TL_LOSS_SQUARED_ERROR, .optimizer.learning_rate = 0.005};
    tl_model_compile(model, x, &cfg, error);
    return model;
}

static double error_of(tl_model *model, const tl_real x[LENGTH], tl_error *error) {
    tl_real repeated[LENGTH] = {0};
    const tl_tensor in = TL_VIEW(x, 1, LENGTH, 1);
    tl_tensor out = TL_VIEW(repeated, 1, LENGTH, 1);
    double sum = 0;
    tl_predict(model, &in, NULL, &out, error);
    for (int t = 0; t < LENGTH; t++) sum += pow((double)(repeated[t] - x[t]), 2);
    return sqrt(sum / LENGTH);
}

int main(void) {
    static tl_real x[SERIES][LENGTH], fresh[LENGTH];
    for (uint32_t i = 0; i < SERIES; i++) make_series(x[i], i, false);
    const tl_dataset data = {.x = TL_VIEW(&x[0][0], SERIES, LENGTH, 1), .values = &x[0][0], .target_length = LENGTH};
    tl_error error = {0};
    double limit = 0;
    int right = 0;
    tl_model *model = build(&error);
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 60}, NULL, &error);
    for (uint32_t i = 0; i < SERIES; i++) limit = fmax(limit, error_of(model, x[i], &error));
    for (uint32_t i = 0; i < 50; i++) {
        make_series(fresh, SERIES + i, i % 2 == 1);
        right += (error_of(model, fresh, &error) > limit) == (i % 2 == 1);
    }
    printf("the error of normal series is at most %.3f: right for %d of 50 fresh series, of which every second one is faulty\n",
           limit, right);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_model_free(model);
    return tl_failed(&error) || right < 45;
}
