/* Each activation compared with its formula in double, and what it refuses. Gradients: test_layer_gradients.c. */
#include "check.h"

#include <float.h>
#include <math.h>

typedef tl_node (*builder)(tl_model *model, tl_node x);

static const double unit = sizeof(tl_real) == 4 ? FLT_EPSILON : DBL_EPSILON;

static tl_node leaky(tl_model *m, tl_node x) { return tl_leaky_relu(m, x, NULL); }
static tl_node leaky_fifth(tl_model *m, tl_node x) { return tl_leaky_relu(m, x, &(tl_leaky_relu_cfg){.slope = 0.2}); }
static tl_node elu(tl_model *m, tl_node x) { return tl_elu(m, x, NULL); }
static tl_node elu_half(tl_model *m, tl_node x) { return tl_elu(m, x, &(tl_elu_cfg){.alpha = 0.5}); }
static tl_node gelu(tl_model *m, tl_node x) { return tl_gelu(m, x, NULL); }
static tl_node gelu_approximate(tl_model *m, tl_node x) { return tl_gelu(m, x, &(tl_gelu_cfg){.approximate = true}); }
static tl_node affine(tl_model *m, tl_node x) { return tl_affine(m, x, &(tl_affine_cfg){.scale = -3, .shift = 0.5}); }
static tl_node affine_nothing(tl_model *m, tl_node x) { return tl_affine(m, x, NULL); }

static double leaky_of(double x) { return x < 0 ? 0.01 * x : x; }
static double leaky_fifth_of(double x) { return x < 0 ? 0.2 * x : x; }
static double prelu_of(double x) { return x < 0 ? 0.25 * x : x; }
static double elu_of(double x) { return x < 0 ? expm1(x) : x; }
static double elu_half_of(double x) { return x < 0 ? 0.5 * expm1(x) : x; }
static double selu_of(double x) { return 1.05070098735548049342 * (x < 0 ? 1.67326324235437728482 * expm1(x) : x); }
static double gelu_of(double x) { return (double)((long double)x * erfcl(-(long double)x / sqrtl(2)) / 2); }
static double silu_of(double x) { return x / (1 + exp(-x)); }
static double softplus_of(double x) { return x > 40 ? x : log1p(exp(x)); }
static double hard_sigmoid_of(double x) { return fmin(fmax(x + 3, 0), 6) / 6; }
static double affine_of(double x) { return -3 * x + 0.5; }
static double same_of(double x) { return x; }
/* 1 + tanh z is 2 / (1 + e^-2z), which does not cancel. */
static double gelu_approximate_of(double x) { return x / (1 + exp(-2 * sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x))); }

static const struct {
    const char *name;
    builder build;
    double (*formula)(double);
    double relative, absolute, square; /* what it may be off, in units of the last place: of the value, of 1, of value·x² */
} cases[] = {
    {"leaky_relu", leaky, leaky_of, 2, 0, 0},
    {"leaky_relu 0.2", leaky_fifth, leaky_fifth_of, 2, 0, 0},
    {"prelu", tl_prelu, prelu_of, 0, 0, 0},
    {"elu", elu, elu_of, 3, 0, 0},
    {"elu 0.5", elu_half, elu_half_of, 3, 0, 0},
    {"selu", tl_selu, selu_of, 4, 0, 0},
    {"silu", tl_silu, silu_of, 4, 0, 0},
    {"softplus", tl_softplus, softplus_of, 4, 0, 0},
    {"hard_sigmoid", tl_hard_sigmoid, hard_sigmoid_of, 0, 2, 0},
    {"exponential", tl_exponential, exp, 3, 0, 0},
    {"gelu", gelu, gelu_of, 4, 0, 1},                                     /* rounding x / sqrt(2) costs x² units in the tail */
    {"gelu approximate", gelu_approximate, gelu_approximate_of, 8, 8, 0}, /* its exponent is rounded before e^x is taken */
    {"affine", affine, affine_of, 2, 2, 0},
    {"affine by default", affine_nothing, same_of, 0, 0, 0},
};

enum { COUNT = 999 };

/* Inference on x (1, COUNT, 1). */
static tl_model *activated(builder build, const tl_real *x) {
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    tl_model_compile(model, build(model, tl_input(model, (tl_shape){COUNT, 1})), NULL, &error);
    check_ok(&error);
    const tl_tensor view = TL_VIEW(x, 1, COUNT, 1);
    tl_forward(model, &view, TL_MODE_INFERENCE);
    check_ok(tl_model_error(model));
    return model;
}

static void given_numbers_of_any_size_when_activated_then_the_formula(void **unused) {
    (void)unused;
    tl_real x[COUNT];
    double expected[COUNT], bound[COUNT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int power = -18; power <= 4; power++) {
            fill_normal(x, COUNT, (uint32_t)(power + 18));
            for (size_t k = 0; k < COUNT; k++) {
                x[k] = (tl_real)ldexp((double)x[k], power);
                expected[k] = cases[i].formula((double)x[k]);
                const double relative = cases[i].relative + cases[i].square * (double)(x[k] * x[k]);
                bound[k] = unit * (relative * fabs(expected[k]) + cases[i].absolute);
                if (fabs(expected[k]) < (sizeof(tl_real) == 4 ? 1e-30 : 1e-290)) bound[k] = 1e-30; /* almost denormal */
            }
            tl_model *model = activated(cases[i].build, x);
            check_within(cases[i].name, tl_output(model).data, expected, bound, COUNT);
            tl_model_free(model);
        }
    }
}

static void given_extreme_numbers_when_activated_then_limits_and_nan_come_out(void **unused) {
    (void)unused;
    const tl_real large = (tl_real)1e4, quarter = (tl_real)0.25, infinity = (tl_real)INFINITY;
    const struct {
        const char *name;
        builder build;
        tl_real above, below; /* at ±1e4 */
    } limits[] = {
        {"elu", elu, large, -1},
        {"selu", tl_selu, (tl_real)(1e4 * 1.05070098735548049342), (tl_real)(-1.05070098735548049342 * 1.67326324235437728482)},
        {"silu", tl_silu, large, 0},
        {"softplus", tl_softplus, large, 0},
        {"hard_sigmoid", tl_hard_sigmoid, 1, 0},
        {"exponential", tl_exponential, infinity, 0},
        {"gelu", gelu, large, 0},
        {"gelu approximate", gelu_approximate, large, 0},
        {"leaky_relu", leaky, large, (tl_real)-1e2},
        {"prelu", tl_prelu, large, -large * quarter},
        {"affine", affine_nothing, large, -large},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        tl_real x[COUNT] = {large, -large, (tl_real)NAN};
        tl_model *model = activated(limits[i].build, x);
        const tl_real *y = tl_output(model).data;
        check_close(limits[i].name, y, (const tl_real[]){limits[i].above, limits[i].below}, 2, 2 * unit, 0);
        assert_true(isnan(y[2]));
        tl_model_free(model);
    }
}

static void given_slopes_when_prelu_is_trained_then_each_channel_has_its_own(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    tl_model_compile(model, tl_prelu(model, tl_input(model, (tl_shape){2, 2})),
                     &(tl_compile_cfg){.batch = 2, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    check_ok(&error);
    const tl_parameter slope = tl_parameter_at(model, 0);
    assert_string_equal(slope.name, "slope");
    assert_int_equal(tl_tensor_count(&slope.value), 2);
    slope.value.data[0] = 2;
    slope.value.data[1] = 3;
    const tl_real x[] = {-1, -2, 3, -4, 5, 6, -7, 0}, dy[] = {1, 2, 3, 4, 5, 6, 7, 8};
    const tl_tensor view = TL_VIEW(x, 2, 2, 2), gradient = TL_VIEW(dy, 2, 2, 2);
    tl_forward(model, &view, TL_MODE_TRAINING);
    check_equal("y", tl_output(model).data, (const tl_real[]){-2, -6, 3, -12, 5, 6, -14, 0}, 8);
    tl_backward_from(model, &gradient);
    check_ok(tl_model_error(model));
    check_equal("dx", tl_input_gradient(model).data, (const tl_real[]){2, 6, 3, 12, 5, 6, 14, 24}, 8);
    check_equal("dslope", slope.gradient.data, (const tl_real[]){-50, -20}, 2);
    tl_model_free(model);
}

/* ---- what is refused ---- */

static tl_node leaky_negative(tl_model *m, tl_node x) { return tl_leaky_relu(m, x, &(tl_leaky_relu_cfg){.slope = -1}); }
static tl_node elu_nan(tl_model *m, tl_node x) { return tl_elu(m, x, &(tl_elu_cfg){.alpha = NAN}); }
static tl_node elu_infinite(tl_model *m, tl_node x) { return tl_elu(m, x, &(tl_elu_cfg){.alpha = INFINITY}); }
static tl_node affine_scale(tl_model *m, tl_node x) { return tl_affine(m, x, &(tl_affine_cfg){.scale = INFINITY}); }
static tl_node affine_shift(tl_model *m, tl_node x) { return tl_affine(m, x, &(tl_affine_cfg){.shift = NAN}); }

static void given_a_bad_configuration_when_compiled_then_layer_and_limit_named(void **unused) {
    (void)unused;
    const struct {
        builder build;
        const char *text;
    } refusals[] = {
        {leaky_negative, "(leaky_relu): slope -1 is not above 0 and at most 1e+30"},
        {elu_nan, "(elu): alpha nan is not above 0 and at most 1e+30"},
        {elu_infinite, "(elu): alpha inf is not above 0 and at most 1e+30"},
        {affine_scale, "(affine): scale inf is outside ±1e+30"},
        {affine_shift, "(affine): shift nan is outside ±1e+30"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        tl_error error = {0};
        tl_model *model = tl_model_new(NULL);
        tl_model_compile(model, refusals[i].build(model, tl_input(model, (tl_shape){5, 3})), NULL, &error);
        check_error(&error, TL_ERROR_ARGUMENT, refusals[i].text);
        tl_model_free(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_numbers_of_any_size_when_activated_then_the_formula),
        cmocka_unit_test(given_extreme_numbers_when_activated_then_limits_and_nan_come_out),
        cmocka_unit_test(given_slopes_when_prelu_is_trained_then_each_channel_has_its_own),
        cmocka_unit_test(given_a_bad_configuration_when_compiled_then_layer_and_limit_named),
    };
    return check_run(tests);
}
