/* Series of symbols, such as letters or the codes of events: an embedding learns a few numbers for each symbol. The network
 * predicts the next symbol; it ends in a softmax, and its loss is the Brier score, the squared error of the probabilities. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { SYMBOLS = 4, WINDOW = 8, BATCH = 32, STEPS = 400 };

/* A symbol is the sum of the last one and the third last one, modulo 4, except by chance in one case of ten. */
static void make_batch(tl_real x[BATCH][WINDOW], int next[BATCH], uint64_t step) {
    for (uint32_t i = 0; i < BATCH; i++) {
        tl_rng rng = tl_rng_at(4, TL_STREAM_USER, i, step);
        int text[WINDOW + 1];
        for (int t = 0; t <= WINDOW; t++) {
            const bool chance = t < 3 || tl_rng_below(&rng, 10) == 0;
            text[t] = chance ? (int)tl_rng_below(&rng, SYMBOLS) : (text[t - 1] + text[t - 3]) % SYMBOLS;
            if (t < WINDOW) x[i][t] = (tl_real)text[t];
        }
        next[i] = text[WINDOW];
    }
}

int main(void) {
    tl_real x[BATCH][WINDOW], values[BATCH][SYMBOLS];
    int next[BATCH], right = 0;
    const tl_tensor batch = TL_VIEW(&x[0][0], BATCH, WINDOW, 1);
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node y = tl_input(model, (tl_shape){.length = WINDOW, .channels = 1});
    y = tl_embedding(model, y, &(tl_embedding_cfg){.vocabulary = SYMBOLS, .units = 8});
    y = tl_conv1d(model, y, &(tl_conv1d_cfg){.filters = 64, .kernel = 3, .padding = TL_PADDING_CAUSAL});
    y = tl_last_step(model, tl_relu(model, tl_layer_norm(model, y, NULL)));
    y = tl_softmax(model, tl_dense(model, y, &(tl_dense_cfg){.units = SYMBOLS}));
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = BATCH, .loss = TL_LOSS_SQUARED_ERROR, .optimizer.learning_rate = 0.01},
                     &error);
    for (uint64_t step = 0; step < STEPS && !tl_failed(&error); step++) {
        make_batch(x, next, step);
        for (int i = 0; i < BATCH; i++)
            for (int symbol = 0; symbol < SYMBOLS; symbol++) values[i][symbol] = next[i] == symbol;
        tl_forward(model, &batch, TL_MODE_TRAINING);
        const double loss = tl_loss(model, &(tl_target){.values = &values[0][0]});
        tl_backward(model);
        tl_step(model, &error);
        if (step % 100 == 99) printf("step %3d  Brier score %.3f\n", (int)step + 1, loss * SYMBOLS);
    }
    make_batch(x, next, STEPS);
    tl_forward(model, &batch, TL_MODE_INFERENCE);
    const tl_tensor probability = tl_output(model); /* (batch, 1, symbols) */
    for (int i = 0; probability.data && i < BATCH; i++) right += probability.data[i * SYMBOLS + next[i]] > 0.5;
    printf("%d of %d next symbols have a probability above one half\n", right, BATCH);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_model_free(model);
    return tl_failed(&error) || right < BATCH * 3 / 4;
}
