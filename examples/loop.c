/* A training loop of your own, with the lower tier: learns whether a noisy series contains a rising or a falling ramp. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { BATCH = 16, LENGTH = 64, STEPS = 200 };

/* Fills a batch of series: a ramp of 20 steps at a random place, in noise. Label 1: rising, 0: falling. */
static void make_batch(tl_real x[BATCH][LENGTH], int32_t labels[BATCH], uint64_t step) {
    for (int i = 0; i < BATCH; i++) {
        tl_rng rng = tl_rng_at(7, TL_STREAM_USER, (uint32_t)i, step);
        const uint32_t start = tl_rng_below(&rng, LENGTH - 20);
        labels[i] = (int32_t)tl_rng_below(&rng, 2);
        for (uint32_t t = 0; t < LENGTH; t++) {
            const double at = t >= start && t < start + 20 ? (t - start) / 10.0 - 1 : 0;
            x[i][t] = (tl_real)((labels[i] ? at : -at) + 0.3 * tl_rng_normal(&rng));
        }
    }
}

int main(void) {
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    tl_node h = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    h = tl_relu(model, tl_conv1d(model, h, &(tl_conv1d_cfg){.filters = 16, .kernel = 9, .padding = TL_PADDING_SAME}));
    h = tl_max_pool(model, h, &(tl_pool_cfg){.window = 4});
    h = tl_dense(model, tl_flatten(model, h), &(tl_dense_cfg){.units = 2});
    tl_model_compile(model, h, &(tl_compile_cfg){.batch = BATCH, .optimizer = {.ops = tl_adam(), .learning_rate = 3e-3}}, &error);

    tl_real x[BATCH][LENGTH];
    int32_t labels[BATCH];
    double loss = 0;
    for (uint64_t step = 0; step < STEPS && !tl_failed(&error); step++) {
        make_batch(x, labels, step);
        const tl_tensor batch = TL_VIEW(&x[0][0], BATCH, LENGTH, 1);
        tl_forward(model, &batch, TL_MODE_TRAINING);
        loss = tl_loss(model, &(tl_target){.labels = labels});
        tl_backward(model); /* adds to the gradients: several passes may come before one step */
        tl_step(model, &error);
        if (step % 50 == 49) printf("step %3d  loss %.4f\n", (int)step + 1, loss);
    }
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_model_free(model);
    return tl_failed(&error) || loss > 0.3;
}
