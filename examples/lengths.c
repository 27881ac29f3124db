/* Series of different lengths in a training loop of your own, with a label for every step: is a noisy series raised here? */
#include <tapline/tapline.h>

#include <stdio.h>

enum { BATCH = 16, LENGTH = 60, STEPS = 60, LAST = 5 };

/* Fills `count` series of 20 to 60 steps, each with a raised stretch of a third; x is 0 after their ends. */
static void make_batch(size_t count, uint64_t step, tl_real x[][LENGTH], size_t *lengths, int32_t labels[][LENGTH]) {
    for (uint32_t i = 0; i < count; i++) {
        tl_rng rng = tl_rng_at(2, TL_STREAM_USER, i, step);
        lengths[i] = 20 + tl_rng_below(&rng, LENGTH - 19);
        const size_t first = tl_rng_below(&rng, (uint32_t)(2 * lengths[i] / 3));
        for (size_t t = 0; t < LENGTH; t++) {
            labels[i][t] = t >= first && t < first + lengths[i] / 3;
            x[i][t] = t < lengths[i] ? (tl_real)(labels[i][t] + 0.4 * tl_rng_normal(&rng)) : 0;
        }
    }
}

int main(void) {
    static tl_real x[BATCH][LENGTH];
    static int32_t labels[BATCH][LENGTH];
    size_t lengths[BATCH], right = 0, all = 0;
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    tl_node y = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    y = tl_relu(model, tl_conv1d(model, y, &(tl_conv1d_cfg){.filters = 8, .kernel = 9, .padding = TL_PADDING_SAME}));
    y = tl_dense(model, y, &(tl_dense_cfg){.units = 2});
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = BATCH, .optimizer.learning_rate = 0.02}, &error);
    double sum = 0, weight = 0;
    for (uint64_t step = 0; step < STEPS && !tl_failed(&error); step++) {
        const size_t count = step % 4 == 3 ? LAST : BATCH; /* the last batch of an epoch is smaller */
        make_batch(count, step, x, lengths, labels);
        const tl_tensor batch = TL_VIEW(&x[0][0], count, LENGTH, 1);
        tl_set_lengths(model, lengths, count); /* for the next tl_forward only */
        tl_forward(model, &batch, TL_MODE_TRAINING);
        const double loss = tl_loss(model, &(tl_target){.labels = &labels[0][0]});
        sum += loss * tl_loss_weight(model); /* the mean over batches of different sizes is weighted */
        weight += tl_loss_weight(model);
        tl_backward(model);
        tl_step(model, &error);
        if (step % 20 == 19) printf("step %d: mean loss %.3f, %.0f series\n", (int)step + 1, sum / weight, weight);
    }
    make_batch(BATCH, STEPS, x, lengths, labels);
    tl_set_lengths(model, lengths, BATCH);
    const tl_tensor fresh = TL_VIEW(&x[0][0], BATCH, LENGTH, 1);
    tl_forward(model, &fresh, TL_MODE_INFERENCE);
    const tl_tensor logits = tl_output(model); /* (batch, length, 2) */
    for (size_t i = 0; logits.data && i < BATCH; i++)
        for (size_t t = 0; t < tl_output_length(model, i); t++, all++)
            right += (logits.data[(i * LENGTH + t) * 2 + 1] > logits.data[(i * LENGTH + t) * 2]) == labels[i][t];
    printf("%zu of %zu steps are right\n", right, all);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_model_free(model);
    return tl_failed(&error) || right < all * 8 / 10 || all == BATCH * LENGTH;
}
