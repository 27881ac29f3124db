/* Initial values: distributions by their moments, orthogonality by products. */
#include "check.h"

#include <math.h>
#include <string.h>

enum { KERNEL = 5, CHANNELS = 40, FILTERS = 60, COUNT = KERNEL * CHANNELS * FILTERS };

/* A convolution whose weight (kernel, channels, filters) is drawn by `init`. */
static tl_model *drawn(tl_init init, size_t channels, size_t filters, uint64_t seed) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = seed});
    const tl_node x = tl_input(model, (tl_shape){.length = KERNEL, .channels = channels});
    tl_model_compile(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = filters, .kernel = KERNEL, .init = init}),
                     &(tl_compile_cfg){.inference_only = true}, &error);
    check_ok(&error);
    return model;
}

static void given_an_initialiser_when_drawn_then_its_moments_and_range(void **unused) {
    (void)unused;
    const double in = KERNEL * CHANNELS, out = KERNEL * FILTERS;
    const struct {
        tl_init init;
        double deviation, limit;
    } cases[] = {
        {TL_INIT_GLOROT_UNIFORM, sqrt(2 / (in + out)), sqrt(6 / (in + out))},
        {TL_INIT_GLOROT_NORMAL, sqrt(2 / (in + out)), INFINITY},
        {TL_INIT_HE_UNIFORM, sqrt(2 / in), sqrt(6 / in)},
        {TL_INIT_HE_NORMAL, sqrt(2 / in), INFINITY},
        {TL_INIT_LECUN_UNIFORM, sqrt(1 / in), sqrt(3 / in)},
        {TL_INIT_LECUN_NORMAL, sqrt(1 / in), INFINITY},
        {TL_INIT_ZEROS, 0, 0},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        tl_model *model = drawn(cases[c].init, CHANNELS, FILTERS, 7);
        const tl_real *weight = tl_parameter_at(model, 0).value.data;
        double sum = 0, squares = 0, largest = 0;
        for (size_t i = 0; i < COUNT; i++) {
            sum += (double)weight[i];
            squares += (double)weight[i] * (double)weight[i];
            largest = fmax(largest, fabs((double)weight[i]));
        }
        /* Three standard errors: 12000 draws. */
        check_number("mean", sum / COUNT, 0, 0, 3 * cases[c].deviation / sqrt(COUNT));
        check_number("deviation", sqrt(squares / COUNT), cases[c].deviation, 3 / sqrt(2.0 * COUNT), 0);
        if (isfinite(cases[c].limit))
            assert_true(largest <= cases[c].limit * (1 + 1e-6));
        else
            assert_true(largest > 3 * cases[c].deviation);
        tl_model_free(model);
    }
}

/* The vectors are rows of `rows × columns` where they are fewer, else columns. */
static void check_orthonormal(const tl_real *values, size_t rows, size_t columns) {
    const double tolerance = sizeof(tl_real) == sizeof(float) ? 2e-7 : 1e-15;
    const size_t count = rows < columns ? rows : columns, length = rows < columns ? columns : rows;
    for (size_t v = 0; v < count; v++)
        for (size_t w = 0; w <= v; w++) {
            double sum = 0;
            for (size_t i = 0; i < length; i++)
                sum += (double)values[rows < columns ? v * columns + i : i * columns + v] *
                       (double)values[rows < columns ? w * columns + i : i * columns + w];
            check_number("product of vectors", sum, v == w, 0, tolerance);
        }
}

static void given_orthogonal_when_drawn_then_orthonormal_and_by_seed(void **unused) {
    (void)unused;
    const size_t shapes[][2] = {{4, 7}, {3, 15}, {2, 30}, {1, 1}};
    for (size_t i = 0; i < 4; i++) {
        const size_t rows = KERNEL * shapes[i][0], columns = shapes[i][1];
        tl_model *model = drawn(TL_INIT_ORTHOGONAL, shapes[i][0], shapes[i][1], 1),
                 *again = drawn(TL_INIT_ORTHOGONAL, shapes[i][0], shapes[i][1], 1),
                 *other = drawn(TL_INIT_ORTHOGONAL, shapes[i][0], shapes[i][1], 2);
        const tl_real *values = tl_parameter_at(model, 0).value.data;
        check_orthonormal(values, rows, columns);
        check_equal("the same seed", tl_parameter_at(again, 0).value.data, values, rows * columns);
        assert_memory_not_equal(tl_parameter_at(other, 0).value.data, values, rows * columns * sizeof *values);
        tl_model_free(model);
        tl_model_free(again);
        tl_model_free(other);
    }
}

/* The first of the vectors is the first normal one, scaled: the triangular factor has a positive diagonal. */
static void given_orthogonal_when_drawn_then_the_first_column_as_drawn(void **unused) {
    (void)unused;
    enum { ROWS = KERNEL * 2, COLUMNS = 3 };
    tl_model *model = drawn(TL_INIT_ORTHOGONAL, 2, COLUMNS, 4);
    tl_rng rng = tl_rng_at(4, TL_STREAM_INIT, 0, 0);
    double normal[ROWS * COLUMNS], squares = 0;
    for (size_t i = 0; i < ROWS * COLUMNS; i++) normal[i] = tl_rng_normal(&rng);
    for (size_t i = 0; i < ROWS; i++) squares += normal[i * COLUMNS] * normal[i * COLUMNS];
    for (size_t i = 0; i < ROWS; i++)
        check_number("element", (double)tl_parameter_at(model, 0).value.data[i * COLUMNS], normal[i * COLUMNS] / sqrt(squares),
                     1e-6, 0);
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_an_initialiser_when_drawn_then_its_moments_and_range),
        cmocka_unit_test(given_orthogonal_when_drawn_then_orthonormal_and_by_seed),
        cmocka_unit_test(given_orthogonal_when_drawn_then_the_first_column_as_drawn),
    };
    return check_run(tests);
}
