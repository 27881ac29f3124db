/* Layers that take, repeat, drop or look up steps and channels, against values worked out by hand. Gradients:
 * test_layer_gradients.c.
 */
#include "check.h"

#include <math.h>
#include <string.h>

typedef tl_node (*builder)(tl_model *model, tl_node x);

static tl_model *compiled(builder build, tl_shape shape, size_t batch, int threads) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = threads});
    tl_model_compile(model, build(model, tl_input(model, shape)),
                     &(tl_compile_cfg){.batch = batch, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    check_ok(&error);
    return model;
}

/* Output for x (1, length, channels), and the gradient of the input for dy. */
static void check_layer(const char *what, builder build, tl_shape shape, const tl_real *x, tl_shape out, const tl_real *y,
                        const tl_real *dy, const tl_real *dx) {
    tl_model *model = compiled(build, shape, 1, 1);
    assert_int_equal(tl_output_shape(model).length, out.length);
    assert_int_equal(tl_output_shape(model).channels, out.channels);
    const tl_tensor view = TL_VIEW(x, 1, shape.length, shape.channels), back = TL_VIEW(dy, 1, out.length, out.channels);
    tl_forward(model, &view, TL_MODE_TRAINING);
    check_equal(what, tl_output(model).data, y, out.length * out.channels);
    tl_backward_from(model, &back);
    check_ok(tl_model_error(model));
    check_equal(what, tl_input_gradient(model).data, dx, shape.length * shape.channels);
    tl_model_free(model);
}

static tl_node twice(tl_model *m, tl_node x) { return tl_upsample(m, x, &(tl_upsample_cfg){.factor = 2}); }
static tl_node once(tl_model *m, tl_node x) { return tl_upsample(m, x, &(tl_upsample_cfg){.factor = 1, .linear = true}); }
static tl_node linear(tl_model *m, tl_node x) { return tl_upsample(m, x, &(tl_upsample_cfg){.factor = 2, .linear = true}); }
static tl_node cube(tl_model *m, tl_node x) { return tl_multiply(m, (const tl_node[]){x, x, x}, 3); }

static void given_steps_when_upsampled_then_repeated_or_on_lines(void **unused) {
    (void)unused;
    const tl_shape shape = {3, 2};
    const tl_real x[] = {4, 40, 8, 80, 0, 0}, dy[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, half = (tl_real)0.5;
    check_layer("nearest", twice, shape, x, (tl_shape){6, 2}, (const tl_real[]){4, 40, 4, 40, 8, 80, 8, 80, 0, 0, 0, 0}, dy,
                (const tl_real[]){4, 6, 12, 14, 20, 22});
    check_layer("linear", linear, shape, x, (tl_shape){6, 2}, (const tl_real[]){4, 40, 5, 50, 7, 70, 6, 60, 2, 20, 0, 0}, dy,
                (const tl_real[]){1 + 3 * (tl_real)0.75 + 5 * (tl_real)0.25, 6 + half, 3 * (tl_real)0.25 + 9 + 9 * (tl_real)0.25,
                                  14, 7 * (tl_real)0.25 + 9 * (tl_real)0.75 + 11, 2 + 7 + half + 12});
    check_layer("factor 1", once, shape, x, shape, x, dy, dy);
    check_layer("one step", linear, (tl_shape){1, 2}, x, (tl_shape){2, 2}, (const tl_real[]){4, 40, 4, 40}, dy,
                (const tl_real[]){4, 6});
}

static void given_steps_when_pooled_over_all_time_then_the_first_of_the_largest(void **unused) {
    (void)unused;
    check_layer("global max pool", tl_global_max_pool, (tl_shape){4, 2}, (const tl_real[]){-1, 5, -3, 7, -1, 7, -2, 0},
                (tl_shape){1, 2}, (const tl_real[]){-1, 7}, (const tl_real[]){10, 20}, (const tl_real[]){10, 0, 0, 20, 0, 0, 0, 0});
}

static void given_a_node_thrice_when_multiplied_then_its_cube(void **unused) {
    (void)unused;
    check_layer("cube", cube, (tl_shape){2, 2}, (const tl_real[]){-1, 2, 0, 3}, (tl_shape){2, 2}, (const tl_real[]){-1, 8, 0, 27},
                (const tl_real[]){1, 2, 3, 4}, (const tl_real[]){3, 24, 0, 108});
}

/* ---- lengths ---- */

static void given_lengths_when_upsampled_and_pooled_then_of_their_own_steps(void **unused) {
    (void)unused;
    const tl_real x[] = {-1, -3, 0, 0, 2, 6, 4, 8}, dy[16] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 1, 1, 1, 1, 1, 1};
    const size_t lengths[] = {2, 4};
    const tl_tensor view = TL_VIEW(x, 2, 4, 1), back = TL_VIEW(dy, 2, 8, 1), pooled = TL_VIEW(dy, 2, 1, 1);
    tl_model *lines = compiled(linear, (tl_shape){4, 1}, 2, 1), *maximum = compiled(tl_global_max_pool, (tl_shape){4, 1}, 2, 1);
    tl_set_lengths(lines, lengths, 2);
    tl_forward(lines, &view, TL_MODE_TRAINING);
    const tl_real half = (tl_real)0.5;
    check_equal("linear", tl_output(lines).data, (const tl_real[]){-1, -1 - half, -2 - half, -3, 0, 0, 0, 0, 2, 3, 5, 5 + half},
                12);
    tl_backward_from(lines, &back);
    check_equal("linear, back", tl_input_gradient(lines).data, (const tl_real[]){3 + (tl_real)0.25, 6 + (tl_real)0.75, 0, 0}, 4);
    tl_set_lengths(maximum, lengths, 2);
    tl_forward(maximum, &view, TL_MODE_TRAINING);
    check_equal("maximum", tl_output(maximum).data, (const tl_real[]){-1, 8}, 2);
    tl_backward_from(maximum, &pooled);
    check_equal("maximum, back", tl_input_gradient(maximum).data, (const tl_real[]){1, 0, 0, 0, 0, 0, 0, 2}, 8);
    tl_model_free(lines);
    tl_model_free(maximum);
}

/* ---- spatial dropout ---- */

static tl_node drop_channels(tl_model *m, tl_node x) { return tl_dropout(m, x, &(tl_dropout_cfg){.rate = 0.25, .spatial = true}); }

static void given_ones_when_channels_are_dropped_then_whole_ones_at_the_rate(void **unused) {
    (void)unused;
    enum { BATCH = 40, LENGTH = 50, CHANNELS = 101, COUNT = BATCH * LENGTH * CHANNELS };
    static tl_real ones[COUNT], first[COUNT];
    for (size_t i = 0; i < COUNT; i++) ones[i] = 1;
    const tl_tensor view = TL_VIEW(ones, BATCH, LENGTH, CHANNELS);
    tl_model *model = compiled(drop_channels, (tl_shape){LENGTH, CHANNELS}, BATCH, 1);
    tl_model *same = compiled(drop_channels, (tl_shape){LENGTH, CHANNELS}, BATCH, 3);
    tl_forward(model, &view, TL_MODE_TRAINING);
    memcpy(first, tl_output(model).data, sizeof first);
    int zeros = 0, equal_to_next = 0, equal_to_first_sample = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const size_t start = i / (LENGTH * CHANNELS) * LENGTH * CHANNELS + i % CHANNELS;
        assert_true(first[i] == first[start]);
        if (i == start) zeros += first[i] == 0;
        if (i == start) equal_to_first_sample += first[i] == first[i % CHANNELS];
        if (first[i] != 0) check_number("kept", (double)first[i], 1 / 0.75, 1e-6, 0);
    }
    assert_in_range(zeros, 1010 - 130, 1010 + 130); /* a quarter of 4040, ±4.7 standard deviations */
    assert_in_range(equal_to_first_sample, 2500, 2790);
    tl_backward_from(model, &view);
    check_equal("the gradient through the same mask", tl_input_gradient(model).data, first, COUNT);
    tl_forward(same, &view, TL_MODE_TRAINING);
    check_equal("three threads", tl_output(same).data, first, COUNT);
    tl_forward(model, &view, TL_MODE_TRAINING);
    for (size_t i = 0; i < COUNT; i++) equal_to_next += tl_output(model).data[i] == first[i];
    assert_in_range(equal_to_next, 118000, 135000); /* 0.75² + 0.25² of them agree by chance, in runs of 50 */
    tl_forward(model, &view, TL_MODE_INFERENCE);
    check_equal("inference", tl_output(model).data, ones, COUNT);
    tl_model_free(model);
    tl_model_free(same);
}

/* ---- embedding ---- */

enum { WORDS = 7, UNITS = 19, STEPS = 11 };

static tl_node embed(tl_model *m, tl_node x) {
    return tl_embedding(m, x, &(tl_embedding_cfg){.vocabulary = WORDS, .units = UNITS});
}

static void given_row_numbers_when_embedded_then_rows_and_their_gradients(void **unused) {
    (void)unused;
    tl_model *model = compiled(embed, (tl_shape){STEPS, 1}, 1, 2);
    const tl_parameter table = tl_parameter_at(model, 0);
    assert_string_equal(table.name, "table");
    assert_int_equal(tl_tensor_count(&table.value), WORDS * UNITS);
    const tl_real words[STEPS] = {0, 6, 3, 3, 0, 1, 6, 6, 5, (tl_real)-0.0, 2};
    tl_real dy[STEPS * UNITS], expected[WORDS * UNITS] = {0}, zeros[STEPS] = {0};
    fill_integers(dy, STEPS * UNITS, 3, 9);
    const tl_tensor x = TL_VIEW(words, 1, STEPS, 1), back = TL_VIEW(dy, 1, STEPS, UNITS);
    tl_forward(model, &x, TL_MODE_TRAINING);
    for (size_t t = 0; t < STEPS; t++) {
        const size_t row = (size_t)words[t];
        check_equal("row", tl_output(model).data + t * UNITS, table.value.data + row * UNITS, UNITS);
        for (size_t u = 0; u < UNITS; u++) expected[row * UNITS + u] += dy[t * UNITS + u];
    }
    tl_backward_from(model, &back);
    check_ok(tl_model_error(model));
    check_equal("table gradient", table.gradient.data, expected, WORDS * UNITS);
    check_equal("nothing goes back", tl_input_gradient(model).data, zeros, STEPS);
    tl_model_free(model);
}

static void given_what_is_no_row_when_embedded_then_nan_which_the_loss_reports(void **unused) {
    (void)unused;
    const tl_real words[STEPS] = {WORDS, -1, (tl_real)1.5, (tl_real)NAN, (tl_real)INFINITY, 0};
    static const tl_real targets[STEPS * UNITS];
    tl_error error = {0};
    tl_model *model = compiled(embed, (tl_shape){STEPS, 1}, 1, 1);
    const tl_tensor x = TL_VIEW(words, 1, STEPS, 1);
    tl_forward(model, &x, TL_MODE_TRAINING);
    for (size_t t = 0; t < 6; t++) assert_int_equal(isnan(tl_output(model).data[t * UNITS]) != 0, t < 5);
    tl_loss(model, &(tl_target){.values = targets});
    tl_backward(model);
    for (size_t i = 0; i < WORDS * UNITS; i++)
        assert_true(isfinite(tl_parameter_at(model, 0).gradient.data[i])); /* what is no row has no gradient */
    assert_int_equal(tl_step(model, &error), TL_ERROR_NUMERIC);
    check_error(&error, TL_ERROR_NUMERIC, "non-finite loss");
    tl_model_free(model);
}

/* ---- hand-crafted filters ---- */

/* What filter `f` answers to 1 at step `at` of one channel of 200 steps of two: its taps, backwards. */
static void check_taps(const tl_real *y, size_t at, size_t f, size_t count, const tl_real *taps) {
    const size_t left = (count - 1) / 2;
    for (size_t t = 0; t < 200; t++) {
        const size_t tap = at + left - t;
        check_number("answer", (double)y[t * 17 + f], at + left >= t && tap < count ? (double)taps[tap] : 0, 1e-6, 0);
    }
}

static void given_an_impulse_when_fixed_filters_run_then_their_taps(void **unused) {
    (void)unused;
    const tl_real quarter = (tl_real)0.25, half = (tl_real)0.5;
    tl_model *model = compiled(tl_fixed_filters, (tl_shape){200, 2}, 1, 1);
    assert_int_equal(tl_output_shape(model).channels, 17);
    for (size_t at = 0; at < 200; at += 199 / 2) { /* in the middle and at both ends */
        tl_real x[400] = {0};
        x[2 * at + at % 2] = 1;
        const tl_tensor view = TL_VIEW(x, 1, 200, 2);
        tl_forward(model, &view, TL_MODE_INFERENCE);
        const tl_real *y = tl_output(model).data;
        tl_real alternating[65];
        for (size_t j = 0; j < 65; j++) alternating[j] = j % 2 ? 1 : -1;
        for (size_t f = 0; f < 6; f++) {
            check_taps(y, at, f, (size_t)2 << f, alternating);
            check_taps(y, at, 6 + f, (size_t)2 << f, alternating + 1);
        }
        check_taps(y, at, 12, 6, (const tl_real[]){-1, -1, 2, 2, -1, -1});
        check_taps(y, at, 13, 12, (const tl_real[]){-quarter, -1, -1, -quarter, half, 2, 2, half, -quarter, -1, -1, -quarter});
        for (size_t f = 12, part = 1; f < 17; f++, part *= 2) {
            tl_real parabolas[96];
            for (size_t i = 1; i <= part; i++) { /* the i-th tap of each rise, and the i-th from the end of each fall */
                const tl_real square = (tl_real)(i * i) / (tl_real)(part * part);
                parabolas[i - 1] = parabolas[2 * part - i] = parabolas[4 * part + i - 1] = parabolas[6 * part - i] = -square;
                parabolas[2 * part + i - 1] = parabolas[4 * part - i] = 2 * square;
            }
            check_taps(y, at, f, 6 * part, parabolas);
        }
    }
    tl_model_free(model);
}

static void given_a_peak_when_fixed_filters_run_then_as_parabolas(void **unused) {
    (void)unused;
    tl_real x[400];
    for (size_t i = 0; i < 400; i++) x[i] = (tl_real)(i / 2 >= 84 && i / 2 < 116); /* 32 steps of both channels */
    tl_model *model = compiled(tl_fixed_filters, (tl_shape){200, 2}, 1, 1);
    const tl_tensor view = TL_VIEW(x, 1, 200, 2);
    tl_forward(model, &view, TL_MODE_INFERENCE);
    double sum = 0;
    for (int i = 1; i <= 16; i++) sum += i * i / 256.0;
    check_number("its middle on the peak", (double)tl_output(model).data[99 * 17 + 16], 2 * 2 * 2 * sum, 1e-5, 0);
    tl_model_free(model);
}

/* ---- what is refused ---- */

#define REFUSED(name, expression)                                                                                                  \
    static tl_node name(tl_model *m, tl_node x) { return expression; }
REFUSED(upsample_nothing, tl_upsample(m, x, NULL))
REFUSED(upsample_negative, tl_upsample(m, x, &(tl_upsample_cfg){.factor = (size_t)-2}))
REFUSED(multiply_one, tl_multiply(m, &x, 1))
REFUSED(multiply_other, tl_multiply(m, (const tl_node[]){x, tl_dense(m, x, &(tl_dense_cfg){.units = 4})}, 2))
REFUSED(embed_nothing, tl_embedding(m, x, NULL))
REFUSED(embed_no_units, tl_embedding(m, x, &(tl_embedding_cfg){.vocabulary = 3, .units = (size_t)-1}))
REFUSED(embed_wide, tl_embedding(m, x, &(tl_embedding_cfg){.vocabulary = 3, .units = 2}))
REFUSED(drop_nothing, tl_dropout(m, x, &(tl_dropout_cfg){.spatial = true}))
#undef REFUSED

static void given_a_bad_configuration_when_compiled_then_layer_and_limit_named(void **unused) {
    (void)unused;
    const check_refusal refusals[] = {
        {upsample_nothing, TL_ERROR_ARGUMENT, "(upsample): factor 0 is below 1"},
        {upsample_negative, TL_ERROR_ARGUMENT, "(upsample): factor -2 is below 1"},
        {multiply_one, TL_ERROR_ARGUMENT, "(multiply): 1 input; at least 2 are needed"},
        {multiply_other, TL_ERROR_SHAPE, "(multiply): input 1 is (5, 4), input 0 is (5, 3)"},
        {embed_nothing, TL_ERROR_ARGUMENT, "(embedding): vocabulary 0 is below 1"},
        {embed_no_units, TL_ERROR_ARGUMENT, "(embedding): units -1 is below 1"},
        {embed_wide, TL_ERROR_SHAPE, "(embedding): the input has 3 channels; it must have 1"},
        {drop_nothing, TL_ERROR_ARGUMENT, "(dropout): rate 0 is outside (0, 1)"},
    };
    check_refused_layers(refusals, sizeof refusals / sizeof *refusals, (tl_shape){5, 3});
}

static tl_node a_thousandfold(tl_model *m, tl_node x) { return tl_upsample(m, x, &(tl_upsample_cfg){.factor = 1 << 24}); }

static void given_a_length_that_overflows_when_upsampled_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    tl_model_compile(model, a_thousandfold(model, a_thousandfold(model, a_thousandfold(model, tl_input(model, (tl_shape){9, 1})))),
                     NULL, &error);
    check_error(&error, TL_ERROR_SHAPE, "(upsample): length");
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_steps_when_upsampled_then_repeated_or_on_lines),
        cmocka_unit_test(given_steps_when_pooled_over_all_time_then_the_first_of_the_largest),
        cmocka_unit_test(given_a_node_thrice_when_multiplied_then_its_cube),
        cmocka_unit_test(given_lengths_when_upsampled_and_pooled_then_of_their_own_steps),
        cmocka_unit_test(given_ones_when_channels_are_dropped_then_whole_ones_at_the_rate),
        cmocka_unit_test(given_row_numbers_when_embedded_then_rows_and_their_gradients),
        cmocka_unit_test(given_what_is_no_row_when_embedded_then_nan_which_the_loss_reports),
        cmocka_unit_test(given_an_impulse_when_fixed_filters_run_then_their_taps),
        cmocka_unit_test(given_a_peak_when_fixed_filters_run_then_as_parabolas),
        cmocka_unit_test(given_a_bad_configuration_when_compiled_then_layer_and_limit_named),
        cmocka_unit_test(given_a_length_that_overflows_when_upsampled_then_refused),
    };
    return check_run(tests);
}
