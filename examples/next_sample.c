/* Predicts the next sample of a series from earlier ones: a stack of WaveNet blocks on sums of two sinusoids with random frequency,
 * amplitude and phase. The target of every step is the next step, and no output depends on a later step. */
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>

enum { TRAIN, TEST, SETS, SERIES = 256, LENGTH = 64 };

static tl_real now[SETS][SERIES][LENGTH], next[SETS][SERIES][LENGTH];

static void make_data(uint64_t set) {
    for (uint32_t i = 0; i < SERIES; i++) {
        tl_rng rng = tl_rng_at(1, TL_STREAM_USER, i, set);
        for (int k = 0; k < 2; k++) {
            const double speed = 0.1 + 0.4 * tl_rng_uniform(&rng), phase = 7 * tl_rng_uniform(&rng);
            const double height = 0.5 + tl_rng_uniform(&rng);
            for (int t = 0; t < LENGTH; t++) {
                now[set][i][t] += (tl_real)(height * sin(speed * t + phase));
                next[set][i][t] += (tl_real)(height * sin(speed * (t + 1) + phase));
            }
        }
    }
}

int main(void) {
    tl_dataset data[SETS];
    for (int set = TRAIN; set < SETS; set++) {
        make_data((uint64_t)set);
        data[set] =
            (tl_dataset){.x = TL_VIEW(&now[set][0][0], SERIES, LENGTH, 1), .values = &next[set][0][0], .target_length = LENGTH};
    }
    tl_error error = {0};
    tl_metrics metrics = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    const tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    const tl_node y = tl_wavenet_steps(model, x, &(tl_wavenet_cfg){.outputs = 1, .filters = 8, .skips = 8, .blocks = 4});
    const tl_compile_cfg cfg = {.batch = 8, .loss = TL_LOSS_SQUARED_ERROR, .optimizer = {.learning_rate = 0.01}};
    tl_model_compile(model, y, &cfg, &error);
    tl_fit(model, &data[TRAIN], &(tl_fit_cfg){.epochs = 20, .schedule = {.kind = TL_SCHEDULE_COSINE}}, NULL, &error);
    tl_evaluate(model, &data[TEST], &metrics, &error);
    if (tl_failed(&error))
        fprintf(stderr, "%s\n", error.text);
    else /* R² compares the squared error with that of predicting the mean */
        printf("root mean squared error %.3f; of predicting the mean %.3f\n", metrics.rmse, metrics.rmse / sqrt(1 - metrics.r2));
    tl_model_free(model);
    return tl_failed(&error);
}
