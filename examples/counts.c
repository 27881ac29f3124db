/* Counts, such as alarms in an hour: the output is a rate above 0, since the network ends in an exponential function, and the loss
 * is that of a Poisson distribution. */
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>

enum { SERIES = 400, LENGTH = 32 };

static double poisson(const tl_real *rate, const tl_real *count, size_t channels, tl_real *gradient, void *unused) {
    double loss = 0;
    (void)unused;
    for (size_t c = 0; c < channels; c++) {
        loss += ((double)rate[c] - (double)count[c] * log((double)rate[c])) / (double)channels;
        if (gradient) gradient[c] = (1 - count[c] / rate[c]) / (tl_real)channels;
    }
    return loss;
}

/* A noisy series at a level from 0 to 2, and a count with the rate e^level (Knuth's method). */
static void make_data(tl_real x[SERIES][LENGTH], tl_real count[SERIES]) {
    for (uint32_t i = 0; i < SERIES; i++) {
        tl_rng rng = tl_rng_at(6, TL_STREAM_USER, i, 0);
        const double level = 2 * tl_rng_uniform(&rng);
        for (int t = 0; t < LENGTH; t++) x[i][t] = (tl_real)(level + 0.3 * tl_rng_normal(&rng));
        count[i] = 0;
        for (double product = tl_rng_uniform(&rng); product > exp(-exp(level)); product *= tl_rng_uniform(&rng)) count[i] += 1;
    }
}

int main(void) {
    static tl_real x[SERIES][LENGTH], count[SERIES];
    double sum = 0, worst = 0;
    make_data(x, count);
    for (int i = 0; i < SERIES; i++) sum += (double)count[i];
    const tl_dataset data = {.x = TL_VIEW(&x[0][0], SERIES, LENGTH, 1), .values = count};
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node y = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    y = tl_global_average_pool(model, tl_relu(model, tl_conv1d(model, y, &(tl_conv1d_cfg){.filters = 8, .kernel = 5})));
    y = tl_dense(model, y, &(tl_dense_cfg){.units = 1});
    y = tl_affine(model, y, &(tl_affine_cfg){.shift = log(sum / SERIES)}); /* begins near the mean rate */
    y = tl_exponential(model, y);
    const tl_compile_cfg cfg = {.batch = 20, .loss = TL_LOSS_OWN, .own_loss = poisson, .optimizer.learning_rate = 0.005};
    tl_model_compile(model, y, &cfg, &error);
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 40}, NULL, &error);
    for (int level = 0; level <= 2; level++) {
        tl_real flat[LENGTH], rate = 0;
        for (int t = 0; t < LENGTH; t++) flat[t] = (tl_real)level;
        const tl_tensor in = TL_VIEW(flat, 1, LENGTH, 1);
        tl_tensor out = TL_VIEW(&rate, 1, 1, 1);
        tl_predict(model, &in, NULL, &out, &error);
        printf("level %d: rate %.2f, true rate %.2f\n", level, (double)rate, exp(level));
        worst = fmax(worst, fabs(log((double)rate) - level));
    }
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_model_free(model);
    return tl_failed(&error) || !(worst < 0.4);
}
