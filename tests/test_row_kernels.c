/* Loops over rows of channels by every instruction set that this processor runs: softmax, layer normalisation and PReLU against
 * their formulas, dropout against the generator, rows of a convolution that come one at a time against all of them together. */
#include "kernel_tables.h"

#include <tapline/random.h>

#include <math.h>
#include <string.h>

enum { ROWS = 5, MAX_CHANNELS = 71 /* channels: whole vectors of every size, and a rest */, COUNT = ROWS * MAX_CHANNELS };

static const tl_real untouched = 77;

/* One element more, which must stay. */
static tl_real x[COUNT], dy[COUNT], out[COUNT + 1];
static double expected[COUNT], bound[COUNT];

static void fill_arrays(size_t channels) {
    fill_normal(x, COUNT, 1);
    fill_normal(dy, COUNT, 2);
    out[ROWS * channels] = untouched;
}

/* ---- softmax ---- */

static void softmax_by_formula(size_t channels) {
    for (size_t row = 0; row < ROWS; row++) {
        const tl_real *from = x + row * channels;
        long double sum = 0;
        for (size_t c = 0; c < channels; c++) sum += expl((long double)from[c]);
        for (size_t c = 0; c < channels; c++) expected[row * channels + c] = (double)(expl((long double)from[c]) / sum);
    }
    /* A logit's distance to the largest is rounded before e^x is taken. */
    for (size_t i = 0; i < ROWS * channels; i++) bound[i] = 24 * unit * expected[i];
}

static void softmax_back_by_formula(const tl_real *y, size_t channels) {
    for (size_t row = 0; row < ROWS; row++) {
        double dot = 0, size = 0;
        for (size_t i = row * channels; i < (row + 1) * channels; i++) {
            dot += (double)y[i] * (double)dy[i];
            size += fabs((double)y[i] * (double)dy[i]);
        }
        for (size_t i = row * channels; i < (row + 1) * channels; i++) {
            expected[i] = (double)y[i] * ((double)dy[i] - dot);
            bound[i] = 8 * unit * (double)y[i] * (fabs((double)dy[i]) + size);
        }
    }
}

static void given_rows_of_any_width_when_softmaxed_then_value_and_derivative(void **unused) {
    (void)unused;
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    for (size_t t = 0; t < count; t++)
        for (size_t channels = 1; channels <= MAX_CHANNELS; channels++) {
            tl_real y[COUNT], over[COUNT];
            fill_arrays(channels);
            for (size_t i = 0; i < COUNT; i++) x[i] *= 8;
            softmax_by_formula(channels);
            tables[t]->softmax(x, out, ROWS, channels);
            check_within("softmax", out, expected, bound, ROWS * channels);
            memcpy(over, x, sizeof over);
            tables[t]->softmax(over, over, ROWS, channels);
            check_equal("softmax over x", over, out, ROWS * channels);
            check_equal("behind the rows", over + ROWS * channels, x + ROWS * channels, COUNT - ROWS * channels);
            memcpy(y, out, sizeof y);
            softmax_back_by_formula(y, channels);
            tables[t]->softmax_gradient(y, dy, out, ROWS, channels);
            check_within("softmax, gradient", out, expected, bound, ROWS * channels);
            memcpy(over, dy, sizeof over);
            tables[t]->softmax_gradient(y, over, over, ROWS, channels);
            check_equal("dx over dy", over, out, ROWS * channels);
            check_equal("behind the rows", over + ROWS * channels, dy + ROWS * channels, COUNT - ROWS * channels);
            assert_true(out[ROWS * channels] == untouched);
        }
}

static void given_nan_or_infinity_when_softmaxed_then_only_its_own_row(void **unused) {
    (void)unused;
    enum { CHANNELS = 21 };
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    for (size_t t = 0; t < count; t++)
        for (size_t c = 0; c < CHANNELS; c++) {
            fill_arrays(CHANNELS);
            x[1 * CHANNELS + c] = (tl_real)NAN;
            x[2 * CHANNELS + c] = -(tl_real)INFINITY;
            x[3 * CHANNELS + c] = (tl_real)1e30;
            tables[t]->softmax(x, out, ROWS, CHANNELS);
            for (size_t k = 0; k < CHANNELS; k++) {
                assert_true(isnan(out[1 * CHANNELS + k]));
                assert_true((out[2 * CHANNELS + k] == 0) == (k == c));
                assert_true(out[3 * CHANNELS + k] == (k == c ? 1 : 0));
                assert_true(out[k] > 0 && out[4 * CHANNELS + k] > 0);
            }
        }
}

/* ---- layer normalisation ---- */

static tl_real scale[MAX_CHANNELS], shift[MAX_CHANNELS], centre[ROWS], factor[ROWS], of_scale[MAX_CHANNELS + 1],
    of_shift[MAX_CHANNELS + 1];
static const double epsilon = 0.01;

static tl_layer_norm_rows norm_rows(size_t channels) {
    fill_arrays(channels);
    for (size_t i = 0; i < COUNT; i++) x[i] += 3; /* a mean that counts */
    fill_normal(scale, MAX_CHANNELS, 3);
    fill_normal(shift, MAX_CHANNELS, 4);
    for (size_t c = 0; c < channels; c++) of_scale[c] = of_shift[c] = 1; /* to be added to */
    of_scale[channels] = of_shift[channels] = untouched;
    return (tl_layer_norm_rows){.rows = ROWS,
                                .channels = channels,
                                .epsilon = (tl_real)epsilon,
                                .x = x,
                                .dy = dy,
                                .scale = scale,
                                .shift = shift,
                                .out = out,
                                .centre = centre,
                                .factor = factor,
                                .of_scale = of_scale,
                                .of_shift = of_shift};
}

/* z = (x - mean) · inverse of each element, and the inverse of each row. */
static void normalised_by_formula(size_t channels, double *z, double *inverse) {
    for (size_t row = 0; row < ROWS; row++) {
        double sum = 0, squares = 0;
        for (size_t i = row * channels; i < (row + 1) * channels; i++) sum += (double)x[i];
        const double mean = sum / (double)channels;
        for (size_t i = row * channels; i < (row + 1) * channels; i++) squares += ((double)x[i] - mean) * ((double)x[i] - mean);
        inverse[row] = 1 / sqrt(squares / (double)channels + epsilon);
        for (size_t i = row * channels; i < (row + 1) * channels; i++) z[i] = ((double)x[i] - mean) * inverse[row];
    }
}

static void send_back_by_formula(size_t channels, const double *z, const double *inverse, double *scales, double *shifts) {
    for (size_t c = 0; c < channels; c++) scales[c] = shifts[c] = 1;
    for (size_t row = 0; row < ROWS; row++) {
        double of_g = 0, of_gz = 0;
        for (size_t c = 0; c < channels; c++) {
            const size_t i = row * channels + c;
            of_g += (double)dy[i] * (double)scale[c] / (double)channels;
            of_gz += (double)dy[i] * (double)scale[c] * z[i] / (double)channels;
            scales[c] += (double)dy[i] * z[i];
            shifts[c] += (double)dy[i];
        }
        for (size_t c = 0; c < channels; c++) {
            const size_t i = row * channels + c;
            expected[i] = inverse[row] * ((double)dy[i] * (double)scale[c] - of_g - z[i] * of_gz);
        }
    }
}

static void check_layer_norm(const tl_kernels *kernels, size_t channels) {
    tl_layer_norm_rows rows = norm_rows(channels);
    double z[COUNT], inverse[ROWS], scales[MAX_CHANNELS], shifts[MAX_CHANNELS];
    normalised_by_formula(channels, z, inverse);
    for (size_t i = 0; i < ROWS * channels; i++) {
        expected[i] = z[i] * (double)scale[i % channels] + (double)shift[i % channels];
        bound[i] = 200 * unit; /* the inverse is up to 10 and x up to 7 */
    }
    kernels->layer_norm(&rows);
    check_within("layer norm", out, expected, bound, ROWS * channels);
    send_back_by_formula(channels, z, inverse, scales, shifts);
    for (size_t i = 0; i < ROWS * channels; i++) bound[i] = 4000 * unit;
    kernels->layer_norm_gradient(&rows);
    check_within("dx", out, expected, bound, ROWS * channels);
    check_within("of scale", of_scale, scales, bound, channels);
    check_within("of shift", of_shift, shifts, bound, channels);
    assert_true(out[ROWS * channels] == untouched && of_scale[channels] == untouched && of_shift[channels] == untouched);
}

static void given_rows_of_any_width_when_normalised_then_as_the_formula(void **unused) {
    (void)unused;
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    for (size_t t = 0; t < count; t++)
        for (size_t channels = 1; channels <= MAX_CHANNELS; channels++) check_layer_norm(tables[t], channels);
}

static void check_layer_norm_over_inputs(const tl_kernels *kernels, size_t channels) {
    tl_real over[COUNT], scales[MAX_CHANNELS];
    tl_layer_norm_rows rows = norm_rows(channels), same = rows;
    kernels->layer_norm(&rows);
    memcpy(over, x, sizeof over);
    same.x = same.out = over;
    kernels->layer_norm(&same);
    check_equal("y over x", over, out, ROWS * channels);
    kernels->layer_norm_gradient(&rows);
    memcpy(scales, of_scale, sizeof scales);
    same = norm_rows(channels);
    memcpy(over, dy, sizeof over);
    same.dy = same.out = over;
    kernels->layer_norm_gradient(&same);
    check_equal("dx over dy", over, out, ROWS * channels);
    check_equal("of scale", of_scale, scales, channels);
    same = norm_rows(channels);
    same.out = NULL; /* nobody asks for dx */
    kernels->layer_norm_gradient(&same);
    check_equal("of scale alone", of_scale, scales, channels);
}

static void given_output_over_input_when_row_normalised_then_the_same(void **unused) {
    (void)unused;
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    for (size_t t = 0; t < count; t++)
        for (size_t channels = 1; channels <= MAX_CHANNELS; channels += 10) check_layer_norm_over_inputs(tables[t], channels);
}

/* ---- PReLU ---- */

static void given_rows_of_any_width_when_prelu_runs_then_as_the_formula(void **unused) {
    (void)unused;
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    for (size_t t = 0; t < count; t++)
        for (size_t channels = 1; channels <= MAX_CHANNELS; channels++) {
            tl_real y[COUNT], dx[COUNT], sum[MAX_CHANNELS + 1], alone[MAX_CHANNELS];
            fill_arrays(channels);
            fill_normal(scale, MAX_CHANNELS, 3);
            for (size_t c = 0; c < channels; c++) expected[c] = 0;
            for (size_t i = 0; i < ROWS * channels; i++) {
                const size_t c = i % channels;
                if (i == 2 * channels) x[i] = 0;
                y[i] = x[i] < 0 ? scale[c] * x[i] : x[i];
                dx[i] = x[i] > 0 ? dy[i] : scale[c] * dy[i];
                expected[c] += x[i] < 0 ? (double)x[i] * (double)dy[i] : 0;
                bound[c] = 20 * unit;
            }
            sum[channels] = untouched;
            tl_prelu_rows rows = {.rows = ROWS, .channels = channels, .x = x, .dy = dy, .slope = scale, .out = out, .sum = sum};
            tables[t]->prelu(&rows);
            check_equal("prelu", out, y, ROWS * channels);
            tables[t]->prelu_gradient(&rows);
            check_equal("dx", out, dx, ROWS * channels);
            check_within("sum", sum, expected, bound, channels);
            assert_true(out[ROWS * channels] == untouched && sum[channels] == untouched);
            rows.out = NULL; /* nobody asks for dx */
            rows.sum = alone;
            tables[t]->prelu_gradient(&rows);
            check_equal("sum alone", alone, sum, channels);
        }
}

/* ---- dropout, products ---- */

static void given_a_stream_when_elements_are_dropped_then_as_the_generator(void **unused) {
    (void)unused;
    const tl_kernels *tables[3];
    const size_t tables_count = tables_here(tables);
    for (size_t t = 0; t < tables_count; t++)
        for (size_t count = 0; count < COUNT; count++) {
            tl_rng rng = tl_rng_at(0x123456789abcdefULL + count, TL_STREAM_DROPOUT, 5, count << 30);
            rng.counter[0] = (uint32_t)count * 3 - 20; /* some wrap around */
            tl_real over[COUNT], kept[COUNT];
            fill_arrays(0);
            memcpy(over, x, sizeof over);
            out[count] = untouched;
            tl_dropout_run run = {.rng = rng, .threshold = 0x50000000, .scale = 3, .from = x, .to = out, .count = count};
            for (size_t i = 0; i < count; i++) kept[i] = x[i] * (tl_real)(tl_rng_bits(&rng) >= run.threshold ? 3 : 0);
            tables[t]->dropout(&run);
            check_equal(tables[t]->isa, out, kept, count);
            assert_true(out[count] == untouched);
            run.from = run.to = over;
            tables[t]->dropout(&run);
            check_equal("over x", over, kept, count);
        }
}

static void given_two_arrays_when_multiplied_then_each_element_is_the_product(void **unused) {
    (void)unused;
    const tl_kernels *tables[3];
    const size_t tables_count = tables_here(tables);
    for (size_t t = 0; t < tables_count; t++)
        for (size_t count = 0; count < COUNT; count++) {
            tl_real product[COUNT];
            fill_arrays(0);
            for (size_t i = 0; i < count; i++) product[i] = x[i] * dy[i];
            out[count] = untouched;
            tables[t]->multiply(x, dy, out, count);
            check_equal(tables[t]->isa, out, product, count);
            assert_true(out[count] == untouched);
        }
}

/* ---- rows in turns ---- */

enum { STEPS = 21, CHANNELS = 8, DILATION = 8, TAPS = 3, MAX_WIDTH = TL_TURN_VECTORS * 64 / (int)sizeof(tl_real) };

/* A convolution of a series whose first steps are those before the first row. */
static tl_real series[(STEPS + (TAPS - 1) * DILATION) * CHANNELS], weight[TAPS * CHANNELS * MAX_WIDTH], bias[MAX_WIDTH];

/* Rows of the first so many taps. */
static void rows_by_direct_product(const tl_kernels *kernels, size_t width, size_t taps, size_t rows, tl_real *to, size_t stride) {
    const size_t vectors = (width + kernels->lanes - 1) / kernels->lanes;
    kernels->direct_product(&(tl_direct_product){.x = series,
                                                 .row_stride = CHANNELS,
                                                 .runs = taps,
                                                 .run_stride = (size_t)DILATION * CHANNELS,
                                                 .count = CHANNELS,
                                                 .stride = 1,
                                                 .factor = weight,
                                                 .factor_stride = vectors * kernels->lanes,
                                                 .start = bias,
                                                 .out = to,
                                                 .out_stride = stride,
                                                 .rows = rows,
                                                 .vectors = vectors,
                                                 .width = width});
}

static tl_row_turns turns_of(size_t width, size_t rows, size_t lanes) {
    const size_t parts = rows / (TAPS - 1), count = CHANNELS / parts;
    tl_row_turns turns = {.rows = rows,
                          .count = count,
                          .channels = CHANNELS,
                          .width = width,
                          .start = bias,
                          .newest = (size_t)(TAPS - 1) * DILATION * CHANNELS,
                          .factor = weight + (TAPS - 1) * CHANNELS * lanes};
    for (size_t turn = 0; turn < rows; turn++) {
        turns.turn[turn].older = (rows - turn + turn / parts * DILATION) * CHANNELS + turn % parts * count;
        turns.turn[turn].factor = weight + turn * count * lanes;
    }
    return turns;
}

static void check_turns(const tl_kernels *kernels, size_t width, size_t rows, bool relu) {
    const size_t lanes = (width + kernels->lanes - 1) / kernels->lanes * kernels->lanes;
    const tl_row_turns turns = turns_of(width, rows, lanes);
    static tl_real sums[2 * TL_TURN_ROWS * MAX_WIDTH], whole[STEPS * MAX_WIDTH], row[MAX_WIDTH + 1];
    for (size_t r = 0; r < 2 * rows; r++) memcpy(sums + r * lanes, bias, lanes * sizeof *bias);
    rows_by_direct_product(kernels, width, TAPS - 1, rows, sums, lanes);
    rows_by_direct_product(kernels, width, TAPS, STEPS, whole, width);
    for (size_t i = 0; relu && i < STEPS * width; i++) whole[i] = whole[i] < 0 ? 0 : whole[i];
    for (size_t step = 0; step < STEPS; step++) {
        row[width] = untouched;
        kernels->row_turn(width, rows)(&turns, step % (2 * rows), series + step * CHANNELS, sums, row, relu);
        check_equal("row", row, whole + step * width, width);
        assert_true(row[width] == untouched);
    }
}

static void given_rows_in_turns_when_computed_then_the_bits_of_a_product(void **unused) {
    (void)unused;
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    fill_normal(series, sizeof series / sizeof *series, 5);
    fill_normal(weight, sizeof weight / sizeof *weight, 6);
    fill_normal(bias, MAX_WIDTH, 7);
    for (size_t t = 0; t < count; t++)
        for (size_t width = 1; width <= TL_TURN_VECTORS * tables[t]->lanes; width++)
            for (size_t rows = 2; rows <= TL_TURN_ROWS; rows *= 2) {
                check_turns(tables[t], width, rows, false);
                check_turns(tables[t], width, rows, true);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_rows_of_any_width_when_softmaxed_then_value_and_derivative),
        cmocka_unit_test(given_nan_or_infinity_when_softmaxed_then_only_its_own_row),
        cmocka_unit_test(given_rows_of_any_width_when_normalised_then_as_the_formula),
        cmocka_unit_test(given_output_over_input_when_row_normalised_then_the_same),
        cmocka_unit_test(given_rows_of_any_width_when_prelu_runs_then_as_the_formula),
        cmocka_unit_test(given_a_stream_when_elements_are_dropped_then_as_the_generator),
        cmocka_unit_test(given_two_arrays_when_multiplied_then_each_element_is_the_product),
        cmocka_unit_test(given_rows_in_turns_when_computed_then_the_bits_of_a_product),
    };
    return check_run(tests);
}
