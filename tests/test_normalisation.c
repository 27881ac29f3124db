/* Layer and group norm against their definition in double, each sample by itself. Gradients: test_layer_gradients.c. */
#include "check.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { BATCH = 3, LENGTH = 70, CHANNELS = 12, COUNT = BATCH * LENGTH * CHANNELS };

static const double unit = sizeof(tl_real) == 4 ? FLT_EPSILON : DBL_EPSILON;

static tl_node layer_norm(tl_model *m, tl_node x) { return tl_layer_norm(m, x, &(tl_layer_norm_cfg){.epsilon = 0.01}); }
static tl_node layer_norm_by_default(tl_model *m, tl_node x) { return tl_layer_norm(m, x, NULL); }
static tl_node one_group(tl_model *m, tl_node x) { return tl_group_norm(m, x, &(tl_group_norm_cfg){.groups = 1}); }
static tl_node four_groups(tl_model *m, tl_node x) { return tl_group_norm(m, x, &(tl_group_norm_cfg){.groups = 4}); }
static tl_node each_channel(tl_model *m, tl_node x) {
    return tl_group_norm(m, x, &(tl_group_norm_cfg){.groups = CHANNELS, .epsilon = 0.5});
}

static const struct {
    const char *name;
    tl_node (*build)(tl_model *m, tl_node x);
    bool over_time;
    size_t groups;
    double epsilon;
} cases[] = {
    {"layer norm", layer_norm, false, 1, 0.01},
    {"layer norm by default", layer_norm_by_default, false, 1, 1e-5},
    {"one group", one_group, true, 1, 1e-5},
    {"four groups", four_groups, true, 4, 1e-5},
    {"each channel by itself", each_channel, true, CHANNELS, 0.5},
};
enum { CASES = sizeof cases / sizeof *cases };

static tl_model *compiled(size_t i) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1 + (int)(i % 3)});
    tl_model_compile(model, cases[i].build(model, tl_input(model, (tl_shape){LENGTH, CHANNELS})),
                     &(tl_compile_cfg){.batch = BATCH, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    check_ok(&error);
    fill_normal(tl_parameter_at(model, 0).value.data, CHANNELS, 5);
    fill_normal(tl_parameter_at(model, 1).value.data, CHANNELS, 6);
    return model;
}

/* Whether element j is normalised together with element k. */
static bool together(size_t i, size_t j, size_t k) {
    const size_t width = CHANNELS / cases[i].groups;
    if (!cases[i].over_time) return j / CHANNELS == k / CHANNELS;
    return j / (LENGTH * CHANNELS) == k / (LENGTH * CHANNELS) && j % CHANNELS / width == k % CHANNELS / width;
}

/* The definition for element k of the first `steps` of each sample. */
static double normalised(size_t i, const tl_real *x, size_t k, size_t steps) {
    double count = 0, sum = 0, squares = 0;
    for (int square = 0; square <= 1; square++)
        for (size_t j = 0; j < COUNT; j++) {
            if (!together(i, j, k) || j / CHANNELS % LENGTH >= steps) continue;
            const double distance = (double)x[j] - sum / (square ? count : 1);
            if (square)
                squares += distance * distance;
            else
                sum += (double)x[j], count++;
        }
    return ((double)x[k] - sum / count) / sqrt(squares / count + cases[i].epsilon);
}

static void given_samples_when_normalised_then_the_definition(void **unused) {
    (void)unused;
    static tl_real x[COUNT];
    static double expected[COUNT], bound[COUNT];
    fill_normal(x, COUNT, 1);
    for (size_t k = 0; k < COUNT; k++) x[k] += (tl_real)(k % CHANNELS);
    const tl_tensor view = TL_VIEW(x, BATCH, LENGTH, CHANNELS);
    for (size_t i = 0; i < CASES; i++) {
        tl_model *model = compiled(i);
        const tl_parameter scale = tl_parameter_at(model, 0), shift = tl_parameter_at(model, 1);
        assert_string_equal(scale.name, "scale");
        assert_string_equal(shift.name, "shift");
        for (size_t k = 0; k < COUNT; k++) {
            const double z = normalised(i, x, k, LENGTH), factor = (double)scale.value.data[k % CHANNELS];
            expected[k] = z * factor + (double)shift.value.data[k % CHANNELS];
            bound[k] = 20 * unit * (1 + fabs(z * factor) + fabs(expected[k]));
        }
        for (int training = 0; training <= 1; training++) { /* there is no difference */
            tl_forward(model, &view, training ? TL_MODE_TRAINING : TL_MODE_INFERENCE);
            check_ok(tl_model_error(model));
            check_within(cases[i].name, tl_output(model).data, expected, bound, COUNT);
        }
        tl_model_free(model);
    }
}

static void given_a_large_mean_when_normalised_then_little_cancels(void **unused) {
    (void)unused;
    static tl_real x[COUNT];
    static double expected[COUNT], bound[COUNT];
    fill_integers(x, COUNT, 1, 8);
    for (size_t k = 0; k < COUNT; k++) x[k] += 100000;
    const tl_tensor view = TL_VIEW(x, BATCH, LENGTH, CHANNELS);
    for (size_t i = 0; i < CASES; i++) {
        tl_model *model = compiled(i);
        fill_integers(tl_parameter_at(model, 1).value.data, CHANNELS, 0, 0);
        for (size_t k = 0; k < COUNT; k++) {
            const double factor = (double)tl_parameter_at(model, 0).value.data[k % CHANNELS];
            expected[k] = normalised(i, x, k, LENGTH) * factor;
            bound[k] = 1e5 * unit * fabs(factor); /* that of the mean, rounded */
        }
        tl_forward(model, &view, TL_MODE_INFERENCE);
        check_within(cases[i].name, tl_output(model).data, expected, bound, COUNT);
        tl_model_free(model);
    }
}

/* Its sums are of several parts, whose means differ. */
static void given_a_long_series_when_group_normalised_then_as_defined(void **unused) {
    (void)unused;
    enum { STEPS = 700, WIDTH = 3, GROUPS = 2, ALL = STEPS * WIDTH * GROUPS };
    static tl_real x[ALL], dy[ALL];
    static double y[ALL], dx[ALL], bound[ALL];
    fill_normal(x, ALL, 1);
    fill_normal(dy, ALL, 2);
    for (size_t k = 0; k < ALL; k++) x[k] += (tl_real)(7 * (double)k / ALL), bound[k] = 100 * unit;
    for (size_t group = 0; group < GROUPS; group++) {
        double sum = 0, squares = 0, of_g = 0, of_gz = 0;
        for (size_t k = 0; k < ALL; k++) sum += k / WIDTH % GROUPS == group ? (double)x[k] / (STEPS * WIDTH) : 0;
        for (size_t k = 0; k < ALL; k++) squares += k / WIDTH % GROUPS == group ? pow((double)x[k] - sum, 2) / (STEPS * WIDTH) : 0;
        const double inverse = 1 / sqrt(squares + 1e-5);
        for (size_t k = 0; k < ALL; k++) {
            if (k / WIDTH % GROUPS != group) continue;
            y[k] = ((double)x[k] - sum) * inverse;
            of_g += (double)dy[k] / (STEPS * WIDTH);
            of_gz += (double)dy[k] * y[k] / (STEPS * WIDTH);
        }
        for (size_t k = 0; k < ALL; k++)
            if (k / WIDTH % GROUPS == group) dx[k] = inverse * ((double)dy[k] - of_g - y[k] * of_gz);
    }
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node input = tl_input(model, (tl_shape){STEPS, WIDTH * GROUPS});
    tl_model_compile(model, tl_group_norm(model, input, &(tl_group_norm_cfg){.groups = GROUPS}),
                     &(tl_compile_cfg){.batch = 1, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    check_ok(&error);
    const tl_tensor view = TL_VIEW(x, 1, STEPS, WIDTH * GROUPS), back = TL_VIEW(dy, 1, STEPS, WIDTH * GROUPS);
    tl_forward(model, &view, TL_MODE_TRAINING);
    check_within("y", tl_output(model).data, y, bound, ALL);
    tl_backward_from(model, &back);
    check_ok(tl_model_error(model));
    check_within("dx", tl_input_gradient(model).data, dx, bound, ALL);
    tl_model_free(model);
}

/* With the output for some lengths, and the gradients that go back, as those of the short samples by themselves. */
static void given_lengths_when_normalised_then_by_their_own_steps(void **unused) {
    (void)unused;
    enum { SHORT = 40 };
    static tl_real x[COUNT], dy[COUNT];
    const size_t lengths[BATCH] = {SHORT, SHORT, SHORT};
    fill_normal(x, COUNT, 1);
    fill_normal(dy, COUNT, 2);
    for (size_t k = 0; k < COUNT; k++) x[k] = k / CHANNELS % LENGTH < SHORT ? x[k] + 3 : 0;
    const tl_tensor view = TL_VIEW(x, BATCH, LENGTH, CHANNELS), back = TL_VIEW(dy, BATCH, LENGTH, CHANNELS);
    for (size_t i = 0; i < CASES; i++) {
        tl_model *model = compiled(i);
        tl_set_lengths(model, lengths, BATCH);
        tl_forward(model, &view, TL_MODE_TRAINING);
        double of_scale[CHANNELS] = {0};
        for (size_t k = 0; k < COUNT; k++) {
            const size_t c = k % CHANNELS;
            const tl_real y = tl_output(model).data[k];
            if (k / CHANNELS % LENGTH >= SHORT) {
                check_number("behind the length", (double)y, 0, 0, 0);
                continue;
            }
            const double z = normalised(i, x, k, SHORT);
            of_scale[c] += z * (double)dy[k];
            check_number(cases[i].name, (double)y,
                         z * (double)tl_parameter_at(model, 0).value.data[c] + (double)tl_parameter_at(model, 1).value.data[c],
                         50 * unit, 50 * unit);
        }
        tl_backward_from(model, &back);
        check_ok(tl_model_error(model));
        for (size_t c = 0; c < CHANNELS; c++)
            check_number("dscale", (double)tl_parameter_at(model, 0).gradient.data[c], of_scale[c], 0, 500 * unit * 3);
        tl_model_free(model);
    }
}

/* ---- what is refused ---- */

static tl_node layer_norm_epsilon(tl_model *m, tl_node x) { return tl_layer_norm(m, x, &(tl_layer_norm_cfg){.epsilon = -1}); }
static tl_node group_norm_epsilon(tl_model *m, tl_node x) {
    return tl_group_norm(m, x, &(tl_group_norm_cfg){.groups = 1, .epsilon = NAN});
}
static tl_node group_norm_nothing(tl_model *m, tl_node x) { return tl_group_norm(m, x, NULL); }
static tl_node group_norm_five(tl_model *m, tl_node x) { return tl_group_norm(m, x, &(tl_group_norm_cfg){.groups = 5}); }

static void given_a_bad_configuration_when_compiled_then_layer_and_limit_named(void **unused) {
    (void)unused;
    const struct {
        tl_node (*build)(tl_model *m, tl_node x);
        tl_status status;
        const char *text;
    } refusals[] = {
        {layer_norm_epsilon, TL_ERROR_ARGUMENT, "(layer_norm): epsilon -1 is outside (0, 1]"},
        {group_norm_epsilon, TL_ERROR_ARGUMENT, "(group_norm): epsilon nan is outside (0, 1]"},
        {group_norm_nothing, TL_ERROR_ARGUMENT, "(group_norm): groups 0 is below 1"},
        {group_norm_five, TL_ERROR_SHAPE, "(group_norm): 12 channels are not a multiple of 5 groups"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        tl_error error = {0};
        tl_model *model = tl_model_new(NULL);
        tl_model_compile(model, refusals[i].build(model, tl_input(model, (tl_shape){LENGTH, CHANNELS})), NULL, &error);
        check_error(&error, refusals[i].status, refusals[i].text);
        tl_model_free(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_samples_when_normalised_then_the_definition),
        cmocka_unit_test(given_a_large_mean_when_normalised_then_little_cancels),
        cmocka_unit_test(given_a_long_series_when_group_normalised_then_as_defined),
        cmocka_unit_test(given_lengths_when_normalised_then_by_their_own_steps),
        cmocka_unit_test(given_a_bad_configuration_when_compiled_then_layer_and_limit_named),
    };
    return check_run(tests);
}
