#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int differs(double actual, double expected, double bound) {
    if (isinf(actual) || isinf(expected)) return actual != expected;
    return !(fabs(actual - expected) <= bound); /* true for NaN */
}

static void report(const char *what, size_t index, size_t count, double actual, double expected, double bound) {
    fail_msg("%s: element %zu of %zu is %.9g, expected %.9g; off by %.3g, allowed %.3g", what, index, count, actual, expected,
             fabs(actual - expected), bound);
}

void check_close(const char *what, const tl_real *actual, const tl_real *expected, size_t count, double relative, double absolute) {
    for (size_t i = 0; i < count; i++) {
        const double bound = absolute + relative * fabs((double)expected[i]);
        if (differs((double)actual[i], (double)expected[i], bound))
            report(what, i, count, (double)actual[i], (double)expected[i], bound);
    }
}

void check_within(const char *what, const tl_real *actual, const double *expected, const double *bound, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (differs((double)actual[i], expected[i], bound[i])) report(what, i, count, (double)actual[i], expected[i], bound[i]);
}

void check_equal(const char *what, const tl_real *actual, const tl_real *expected, size_t count) {
    check_close(what, actual, expected, count, 0, 0);
}

void check_number(const char *what, double actual, double expected, double relative, double absolute) {
    const double bound = absolute + relative * fabs(expected);
    if (differs(actual, expected, bound)) report(what, 0, 1, actual, expected, bound);
}

void check_parameters(const tl_model *actual, const tl_model *expected, double relative, double absolute) {
    assert_int_equal(tl_parameter_arrays(actual), tl_parameter_arrays(expected));
    for (size_t i = 0; i < tl_parameter_arrays(expected); i++) {
        const tl_parameter a = tl_parameter_at(actual, i), b = tl_parameter_at(expected, i);
        char what[100];
        snprintf(what, sizeof what, "%s %s", b.layer, b.name);
        check_close(what, a.value.data, b.value.data, tl_tensor_count(&b.value), relative, absolute);
    }
}

void check_error(const tl_error *error, tl_status status, const char *text) {
    if (error->status != status || !strstr(error->text, text))
        fail_msg("expected status %d and a text with \"%s\"; got status %d and \"%s\"", status, text, error->status, error->text);
}

void check_ok(const tl_error *error) {
    if (tl_failed(error)) fail_msg("unexpected error %d: %s", error->status, error->text);
}

void check_refused_layers(const check_refusal *refusals, size_t count, tl_shape shape) {
    for (size_t i = 0; i < count; i++) {
        tl_error error = {0};
        tl_model *model = tl_model_new(NULL);
        tl_model_compile(model, refusals[i].build(model, tl_input(model, shape)), NULL, &error);
        check_error(&error, refusals[i].status, refusals[i].text);
        tl_model_free(model);
    }
}

void fill_normal(tl_real *x, size_t count, uint32_t seed) {
    tl_rng rng = tl_rng_at(seed, TL_STREAM_USER, 0, 0);
    for (size_t i = 0; i < count; i++) x[i] = (tl_real)tl_rng_normal(&rng);
}

void fill_integers(tl_real *x, size_t count, uint32_t seed, int limit) {
    tl_rng rng = tl_rng_at(seed, TL_STREAM_USER, 1, 0);
    for (size_t i = 0; i < count; i++) x[i] = (tl_real)((int)tl_rng_below(&rng, (uint32_t)(2 * limit + 1)) - limit);
}

const char *data_path(const char *name) {
    static char path[4096];
    const char *folder = getenv("TAPLINE_DATA");
    snprintf(path, sizeof path, "%s/%s", folder && *folder ? folder : TAPLINE_DATA_DEFAULT, name);
    if (access(path, R_OK) != 0) {
        print_message("[ NO DATA  ] %s\n", path);
        skip();
    }
    return path;
}
