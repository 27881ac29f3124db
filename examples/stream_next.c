/* Predicts the next sample of a stream: a stack of WaveNet blocks learns sinusoids, then predicts the next sample as each sample
 * arrives. At the end it gets its own predictions as input, and continues alone. */
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>

enum { SERIES = 128, LENGTH = 64, ALONE = 8 };

static tl_real now[SERIES][LENGTH], next[SERIES][LENGTH];

static tl_real sample(double speed, double phase, int t) { return (tl_real)sin(speed * t + phase); }

static void make_data(void) {
    for (uint32_t i = 0; i < SERIES; i++) {
        tl_rng rng = tl_rng_at(1, TL_STREAM_USER, i, 0);
        const double speed = 0.2 + 0.3 * tl_rng_uniform(&rng), phase = 7 * tl_rng_uniform(&rng);
        for (int t = 0; t < LENGTH; t++) {
            now[i][t] = sample(speed, phase, t);
            next[i][t] = sample(speed, phase, t + 1);
        }
    }
}

int main(void) {
    tl_error error = {0};
    make_data();
    const tl_dataset data = {.x = TL_VIEW(&now[0][0], SERIES, LENGTH, 1), .values = &next[0][0], .target_length = LENGTH};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    const tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    const tl_node y = tl_wavenet_steps(model, x, &(tl_wavenet_cfg){.outputs = 1, .filters = 8, .skips = 8, .blocks = 4});
    const tl_compile_cfg cfg = {.batch = 8, .loss = TL_LOSS_SQUARED_ERROR, .optimizer = {.learning_rate = 0.01}};
    tl_model_compile(model, y, &cfg, &error);
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 20, .schedule = {.kind = TL_SCHEDULE_COSINE}}, NULL, &error);

    tl_stream *stream = tl_stream_new(model, NULL, &error);        /* causal: each step is answered at once, tl_stream_delay is 0 */
    const tl_target_scale scale = tl_model_target_scale(model, 0); /* outputs of a stream are those of the network */
    double squares = 0;
    tl_real guess = 0;
    for (int t = 0; t < LENGTH + ALONE && stream; t++) {
        const tl_real heard = t < LENGTH ? sample(0.3, 1, t) : guess;
        tl_stream_push(stream, &heard, 1, &guess, 1);
        guess = (tl_real)((double)guess * scale.deviation + scale.mean);
        if (t >= LENGTH) squares += pow((double)guess - (double)sample(0.3, 1, t + 1), 2);
    }
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    const double off = sqrt(squares / ALONE);
    printf("after %d samples it went on for %d, root mean squared error %.3f\n", LENGTH, ALONE, off);
    tl_stream_free(stream);
    tl_model_free(model);
    return tl_failed(&error) || !(off < 0.3);
}
