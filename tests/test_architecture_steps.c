/* The ready-made networks with an output for every step. */
#include "check.h"

#include <math.h>

enum { BATCH = 4, LENGTH = 48, CLASSES = 3 };

static tl_node wavenet(tl_model *m, tl_node x) {
    const tl_wavenet_cfg cfg = {.outputs = CLASSES, .filters = 12, .skips = 10, .kernel = 3, .blocks = 3, .stacks = 2};
    return tl_wavenet_steps(m, x, &cfg);
}
static tl_node unet(tl_model *m, tl_node x) {
    return tl_unet(m, x, &(tl_unet_cfg){.outputs = CLASSES, .filters = 8, .kernel = 3, .levels = 2});
}
static tl_node wavenet_by_default(tl_model *m, tl_node x) { return tl_wavenet_steps(m, x, &(tl_wavenet_cfg){.outputs = CLASSES}); }
static tl_node unet_by_default(tl_model *m, tl_node x) { return tl_unet(m, x, &(tl_unet_cfg){.outputs = CLASSES}); }

typedef tl_node (*builder)(tl_model *m, tl_node x);

static tl_model *compiled(builder build, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    tl_model_compile(model, build(model, tl_input(model, (tl_shape){LENGTH, 2})),
                     &(tl_compile_cfg){.batch = BATCH, .optimizer = {.learning_rate = 0.01}}, error);
    return model;
}

static size_t conv(size_t channels, size_t kernel, size_t filters) { return (channels * kernel + 1) * filters; }

/* Two convolutions without bias and two batch norms. */
static size_t pair(size_t channels, size_t kernel, size_t filters) {
    return kernel * filters * (channels + filters) + 2 * 2 * filters;
}

static void given_each_network_when_compiled_then_parameters_as_by_hand(void **unused) {
    (void)unused;
    const size_t small =
        conv(2, 3, 12) + 6 * (2 * conv(12, 3, 12) + conv(12, 1, 10)) + 5 * conv(12, 1, 12) + conv(10, 1, 10) + conv(10, 1, CLASSES);
    const size_t large =
        conv(2, 2, 32) + 8 * (2 * conv(32, 2, 32) + conv(32, 1, 32)) + 7 * conv(32, 1, 32) + conv(32, 1, 32) + conv(32, 1, CLASSES);
    const size_t shallow = pair(2, 3, 8) + pair(8, 3, 16) + pair(16, 3, 32) + conv(32, 2, 16) + pair(32, 3, 16) + conv(16, 2, 8) +
                           pair(16, 3, 8) + conv(8, 1, CLASSES);
    const size_t deep = pair(2, 5, 16) + pair(16, 5, 32) + pair(32, 5, 64) + pair(64, 5, 128) + conv(128, 2, 64) +
                        pair(128, 5, 64) + conv(64, 2, 32) + pair(64, 5, 32) + conv(32, 2, 16) + pair(32, 5, 16) +
                        conv(16, 1, CLASSES);
    const struct {
        builder build;
        size_t parameters;
    } cases[] = {{wavenet, small}, {wavenet_by_default, large}, {unet, shallow}, {unet_by_default, deep}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_model *model = compiled(cases[i].build, &error);
        check_ok(&error);
        assert_int_equal(tl_parameter_count(model), cases[i].parameters);
        assert_int_equal(tl_output_shape(model).length, LENGTH);
        assert_int_equal(tl_output_shape(model).channels, CLASSES);
        tl_model_free(model);
    }
}

/* The class of a step says whether a wave falls, rises or rests: a few neighbouring steps show it. */
static void given_a_class_for_each_step_when_trained_then_the_loss_falls(void **unused) {
    (void)unused;
    const builder builders[] = {wavenet, unet};
    static tl_real x[BATCH * LENGTH * 2];
    int32_t labels[BATCH * LENGTH];
    for (size_t i = 0; i < BATCH * LENGTH; i++) {
        const double phase = 0.4 * (double)i;
        x[2 * i] = (tl_real)sin(phase);
        x[2 * i + 1] = (tl_real)cos(0.1 * (double)i);
        labels[i] = cos(phase) > 0.3 ? 2 : cos(phase) < -0.3 ? 0 : 1;
    }
    const tl_tensor view = TL_VIEW(x, BATCH, LENGTH, 2);
    for (size_t b = 0; b < sizeof builders / sizeof *builders; b++) {
        tl_error error = {0};
        tl_model *model = compiled(builders[b], &error);
        double first = 0, last = 0;
        for (int step = 0; step < 60; step++) {
            tl_forward(model, &view, TL_MODE_TRAINING);
            last = (double)tl_loss(model, &(tl_target){.labels = labels});
            if (step == 0) first = last;
            tl_backward(model);
            tl_step(model, &error);
        }
        check_ok(&error);
        check_ok(tl_model_error(model));
        if (!(last < first / 2)) fail_msg("network %zu: loss %g, then %g", b, first, last);
        tl_model_free(model);
    }
}

/* ---- tasks on generated data ---- */

enum { SERIES = 512, PARTS = 2 }; /* to train on, and to test on */

/* Sums of two sinusoids with random frequency, amplitude and phase; the next value at each step; and the sums with noise. */
static tl_real mixtures[PARTS][SERIES][LENGTH], later[PARTS][SERIES][LENGTH], noisy[PARTS][SERIES][LENGTH];

static void make_mixtures(void) {
    for (uint32_t p = 0; p < PARTS * SERIES; p++) {
        tl_rng rng = tl_rng_at(1, TL_STREAM_USER, p, 0);
        for (int k = 0; k < 2; k++) {
            const double speed = 0.1 + 0.4 * tl_rng_uniform(&rng), phase = 7 * tl_rng_uniform(&rng),
                         height = 0.5 + tl_rng_uniform(&rng);
            for (int t = 0; t < LENGTH; t++) {
                mixtures[p / SERIES][p % SERIES][t] += (tl_real)(height * sin(speed * t + phase));
                later[p / SERIES][p % SERIES][t] += (tl_real)(height * sin(speed * (t + 1) + phase));
            }
        }
        for (int t = 0; t < LENGTH; t++)
            noisy[p / SERIES][p % SERIES][t] = mixtures[p / SERIES][p % SERIES][t] + (tl_real)(0.15 * tl_rng_normal(&rng));
    }
}

/* The root mean squared error of the best constant. */
static double error_of_mean(const tl_dataset *data) {
    const size_t count = data->x.shape[0] * LENGTH;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)data->values[i];
        squares += (double)data->values[i] * (double)data->values[i];
    }
    return sqrt(squares / (double)count - sum * sum / (double)(count * count));
}

static tl_node predictor(tl_model *m, tl_node x) {
    return tl_wavenet_steps(m, x, &(tl_wavenet_cfg){.outputs = 1, .filters = 8, .skips = 8, .blocks = 4});
}
static tl_node denoiser(tl_model *m, tl_node x) { return tl_unet(m, x, &(tl_unet_cfg){.outputs = 1, .filters = 8, .levels = 2}); }

/* Trained on `count` series, the network must have an error below 0.1 on others, and predicting their mean must have more than ten
 * times the error of the network. */
static void check_learns(const char *name, builder build, tl_real x[][SERIES][LENGTH], tl_real targets[][SERIES][LENGTH],
                         size_t count, const tl_fit_cfg *fit, double learning_rate) {
    tl_error error = {0};
    tl_metrics metrics;
    tl_dataset data[PARTS];
    for (size_t p = 0; p < PARTS; p++)
        data[p] = (tl_dataset){.x = TL_VIEW(&x[p][0][0], count, LENGTH, 1), .values = &targets[p][0][0], .target_length = LENGTH};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    const tl_compile_cfg cfg = {.batch = 8, .loss = TL_LOSS_SQUARED_ERROR, .optimizer = {.learning_rate = learning_rate}};
    tl_model_compile(model, build(model, tl_input(model, (tl_shape){LENGTH, 1})), &cfg, &error);
    tl_fit(model, &data[0], fit, NULL, &error);
    tl_evaluate(model, &data[1], &metrics, &error);
    check_ok(&error);
    const double mean = error_of_mean(&data[1]);
    print_message("%s: root mean squared error %.4f, of the mean %.4f\n", name, metrics.rmse, mean);
    if (!(metrics.rmse < 0.1 && mean > 10 * metrics.rmse)) fail_msg("%s: %g, of the mean %g", name, metrics.rmse, mean);
    check_number("r2", metrics.r2, 1 - metrics.rmse * metrics.rmse / (mean * mean), 1e-5, 0);
    tl_model_free(model);
}

static void given_mixed_sinusoids_when_wavenet_predicts_then_better_than_mean(void **unused) {
    (void)unused;
    check_learns("wavenet", predictor, mixtures, later, 256, &(tl_fit_cfg){.epochs = 20, .schedule = {.kind = TL_SCHEDULE_COSINE}},
                 0.01);
}

static void given_noisy_mixtures_when_unet_denoises_then_ten_times_better(void **unused) {
    (void)unused;
    check_learns("unet", denoiser, noisy, mixtures, SERIES, &(tl_fit_cfg){.epochs = 25, .schedule = {.kind = TL_SCHEDULE_COSINE}},
                 0.02);
}

static void given_later_steps_when_changed_then_wavenets_earlier_outputs_stay(void **unused) {
    (void)unused;
    enum { CHANGED = 29 };
    tl_error error = {0};
    tl_real x[LENGTH * 2], before[CHANGED * CLASSES];
    tl_model *model = compiled(wavenet, &error);
    check_ok(&error);
    fill_normal(x, LENGTH * 2, 1);
    const tl_tensor view = TL_VIEW(x, 1, LENGTH, 2);
    tl_forward(model, &view, TL_MODE_INFERENCE);
    const tl_real next = tl_output(model).data[CHANGED * CLASSES];
    for (size_t i = 0; i < CHANGED * CLASSES; i++) before[i] = tl_output(model).data[i];
    for (size_t i = CHANGED * 2; i < LENGTH * 2; i++) x[i] += 1;
    tl_forward(model, &view, TL_MODE_INFERENCE);
    check_equal("earlier outputs", tl_output(model).data, before, CHANGED * CLASSES);
    assert_true(tl_output(model).data[CHANGED * CLASSES] != next);
    tl_model_free(model);
}

/* ---- what is refused ---- */

#define REFUSED(name, build, cfg, ...)                                                                                             \
    static tl_node name(tl_model *m, tl_node x) { return build(m, x, &(cfg){.outputs = CLASSES, __VA_ARGS__}); }
REFUSED(negative_blocks, tl_wavenet_steps, tl_wavenet_cfg, .blocks = (size_t)-1)
REFUSED(many_blocks, tl_wavenet_steps, tl_wavenet_cfg, .blocks = 31)
REFUSED(negative_stacks, tl_wavenet_steps, tl_wavenet_cfg, .stacks = (size_t)-1)
REFUSED(many_levels, tl_unet, tl_unet_cfg, .levels = 9)
REFUSED(negative_filters, tl_unet, tl_unet_cfg, .filters = (size_t)-1)
REFUSED(odd_length, tl_unet, tl_unet_cfg, .levels = 5)
#undef REFUSED
static tl_node wavenet_without_outputs(tl_model *m, tl_node x) { return tl_wavenet_steps(m, x, NULL); }
static tl_node unet_without_outputs(tl_model *m, tl_node x) { return tl_unet(m, x, NULL); }
static tl_node overflowing_blocks(tl_model *m, tl_node x) {
    return tl_wavenet_steps(m, x, &(tl_wavenet_cfg){.outputs = 1, .blocks = 100000, .stacks = 100000});
}

static void given_a_bad_configuration_when_compiled_then_value_and_limit_named(void **unused) {
    (void)unused;
    const struct {
        builder build;
        tl_status status;
        const char *text;
    } refusals[] = {
        {negative_blocks, TL_ERROR_ARGUMENT, "wavenet: blocks -1 is below 1"},
        {many_blocks, TL_ERROR_ARGUMENT, "wavenet: blocks 31 is above 30"},
        {negative_stacks, TL_ERROR_ARGUMENT, "wavenet: stacks -1 is below 1"},
        {wavenet_without_outputs, TL_ERROR_ARGUMENT, "wavenet: outputs 0 is below 1"},
        {overflowing_blocks, TL_ERROR_ARGUMENT, "wavenet: blocks 100000 is above 30"},
        {unet_without_outputs, TL_ERROR_ARGUMENT, "unet: outputs 0 is below 1"},
        {many_levels, TL_ERROR_ARGUMENT, "unet: levels 9 is above 8"},
        {negative_filters, TL_ERROR_ARGUMENT, "unet: filters -1 is below 1"},
        {odd_length, TL_ERROR_SHAPE, "unet: length 48 is not a multiple of 32 (levels 5)"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        tl_error error = {0};
        tl_model *model = compiled(refusals[i].build, &error);
        check_error(&error, refusals[i].status, refusals[i].text);
        tl_model_free(model);
    }
    assert_int_equal(tl_unet(NULL, (tl_node){0}, NULL).id, -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_each_network_when_compiled_then_parameters_as_by_hand),
        cmocka_unit_test(given_a_class_for_each_step_when_trained_then_the_loss_falls),
        cmocka_unit_test(given_mixed_sinusoids_when_wavenet_predicts_then_better_than_mean),
        cmocka_unit_test(given_noisy_mixtures_when_unet_denoises_then_ten_times_better),
        cmocka_unit_test(given_later_steps_when_changed_then_wavenets_earlier_outputs_stay),
        cmocka_unit_test(given_a_bad_configuration_when_compiled_then_value_and_limit_named),
    };
    make_mixtures();
    return check_run(tests);
}
