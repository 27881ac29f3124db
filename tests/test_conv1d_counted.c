/* Rows that do not count, behind the own length of a sample: engines leave them out, and what counts has the same bits as before.
 */
#include "check.h"
#include "compute/parallel.h"
#include "layers/conv1d/variant.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 5 };

static const tl_conv1d_ops *const engines[] = {&tl_conv1d_naive, &tl_conv1d_gemm, &tl_conv1d_direct, &tl_conv1d_winograd,
                                               &tl_conv1d_depthwise};

/* Geometry, with tiles, strides, dilations, narrow and wide channels, and units of one sample and of several. */
static const tl_conv1d_spec specs[] = {
    {.length = 700, .channels = 1, .filters = 32, .kernel = 8, .padding = TL_PADDING_SAME},
    {.length = 900, .channels = 64, .filters = 64, .kernel = 5, .padding = TL_PADDING_SAME},
    {.length = 1300, .channels = 32, .filters = 48, .kernel = 3, .padding = TL_PADDING_SAME},
    {.length = 40, .channels = 16, .filters = 8, .kernel = 3, .padding = TL_PADDING_SAME},
    {.length = 48, .channels = 6, .filters = 12, .kernel = 7},
    {.length = 700, .channels = 9, .filters = 6, .kernel = 7, .padding = TL_PADDING_SAME},
    {.length = 800, .channels = 24, .filters = 24, .kernel = 1},
    {.length = 800, .channels = 3, .filters = 2, .kernel = 4, .padding = TL_PADDING_CAUSAL},
    {.length = 600, .channels = 32, .filters = 32, .kernel = 7, .dilation = 3, .padding = TL_PADDING_CAUSAL},
    {.length = 600, .channels = 32, .filters = 32, .kernel = 3, .dilation = 64, .padding = TL_PADDING_CAUSAL},
    {.length = 601, .channels = 32, .filters = 16, .kernel = 9, .stride = 2, .padding = TL_PADDING_SAME},
    {.length = 600,
     .channels = 5,
     .filters = 7,
     .kernel = 4,
     .stride = 3,
     .padding = TL_PADDING_EXPLICIT,
     .pad_left = 2,
     .pad_right = 1},
};

/* Shares of the whole length that count, in eighths; sample 0 has all in the first of them. */
static const size_t shares[][BATCH] = {{8, 1, 3, 2, 5}, {1, 1, 1, 1, 1}, {2, 8, 8, 1, 4}};

typedef struct arrays {
    tl_real *x, *weight, *bias, *y, *dweight, *dbias, *scratch;
} arrays;

static tl_real *filled(size_t count, uint32_t seed) {
    tl_real *values = aligned_alloc(64, (count * sizeof *values + 127) / 64 * 64);
    assert_non_null(values);
    fill_normal(values, count, seed);
    return values;
}

/* Of each sample of (BATCH, length, width): zeros behind the rows that count, and NaN after `zeros` of them. */
static void blank(tl_real *values, size_t length, size_t width, const size_t *counted, size_t zeros) {
    for (size_t i = 0; i < BATCH; i++)
        for (size_t row = counted[i]; row < length; row++)
            for (size_t c = 0; c < width; c++) values[(i * length + row) * width + c] = row - counted[i] < zeros ? 0 : (tl_real)NAN;
}

/* The zeros that a pass needs. */
static size_t zeros_for(const tl_conv1d_ops *engine, const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    return engine->reads_behind ? engine->reads_behind(shape, pass) : SIZE_MAX;
}

static void check_counted(const char *what, const tl_real *some, const tl_real *all, size_t length, size_t width,
                          const size_t *counted) {
    for (size_t i = 0; i < BATCH; i++) check_equal(what, some + i * length * width, all + i * length * width, counted[i] * width);
}

/* Of long series, what lies far behind is as it was: nothing has been computed there. The tiles of gemm go over several samples. */
static void check_left_out(const tl_conv1d_ops *engine, const tl_real *y, const tl_conv1d_shape *shape, const size_t *counted) {
    const size_t each = shape->out_length * shape->filters, last = each - shape->filters;
    tl_real *before = filled(BATCH * each, 6);
    for (size_t i = 0; shape->length >= 600 && engine != &tl_conv1d_gemm && i < BATCH; i++)
        if (counted[i] * 2 < shape->out_length)
            check_equal("left out", y + i * each + last, before + i * each + last, shape->filters);
    free(before);
}

static void check_engine(const tl_conv1d_ops *engine, const tl_conv1d_shape *shape, const size_t *in, const size_t *out,
                         int threads) {
    const tl_workers workers = tl_workers_of(threads);
    const size_t inputs = BATCH * shape->length * shape->channels, outputs = BATCH * shape->out_length * shape->filters,
                 weights = shape->kernel * shape->channels * shape->filters;
    size_t scratch = 64;
    for (int pass = TL_CONV1D_FORWARD; pass <= TL_CONV1D_BACKWARD_WEIGHTS; pass++) {
        if (!engine->supports(shape, (tl_conv1d_pass)pass)) return;
        const size_t own = engine->scratch(shape, (tl_conv1d_pass)pass, threads);
        scratch = own > scratch ? own : scratch;
    }
    tl_real *x = filled(inputs, 1), *dy = filled(outputs, 2), *weight = filled(weights, 3), *bias = filled(shape->filters, 4),
            *work = filled(scratch, 5), *result[2][4];
    for (int some = 0; some < 2; some++) {
        tl_conv1d_shape own = *shape;
        result[some][0] = filled(outputs, 6);
        result[some][1] = filled(inputs, 7);
        result[some][2] = filled(weights, 8);
        result[some][3] = filled(shape->filters, 9);
        own.counted = some ? out : NULL;
        blank(x, shape->length, shape->channels, in, some ? zeros_for(engine, shape, TL_CONV1D_FORWARD) : SIZE_MAX);
        engine->forward(&own, x, weight, bias, result[some][0], &workers, work);
        const size_t zeros = some ? zeros_for(engine, shape, TL_CONV1D_BACKWARD_WEIGHTS) : SIZE_MAX;
        blank(x, shape->length, shape->channels, in, zeros);
        blank(dy, shape->out_length, shape->filters, out, zeros);
        engine->backward_weights(&own, x, dy, result[some][2], result[some][3], &workers, work);
        own.counted = some ? in : NULL;
        blank(dy, shape->out_length, shape->filters, out, some ? zeros_for(engine, shape, TL_CONV1D_BACKWARD_INPUT) : SIZE_MAX);
        engine->backward_input(&own, dy, weight, result[some][1], &workers, work);
    }
    check_counted("y", result[1][0], result[0][0], shape->out_length, shape->filters, out);
    check_left_out(engine, result[1][0], shape, out);
    check_counted("dx", result[1][1], result[0][1], shape->length, shape->channels, in);
    check_equal("dweight", result[1][2], result[0][2], weights);
    check_equal("dbias", result[1][3], result[0][3], shape->filters);
    for (int i = 0; i < 8; i++) free(result[i / 4][i % 4]);
    free(x);
    free(dy);
    free(weight);
    free(bias);
    free(work);
}

static void check_shape(const tl_conv1d_spec *spec, const size_t share[BATCH], int threads) {
    tl_error error = {0};
    tl_conv1d_job job;
    tl_conv1d_spec whole = *spec;
    size_t in[BATCH], out[BATCH];
    whole.batch = BATCH;
    whole.stride = spec->stride ? spec->stride : 1;
    whole.dilation = spec->dilation ? spec->dilation : 1;
    tl_conv1d_prepare(&whole, TL_CONV1D_FORWARD, &job, &error);
    check_ok(&error);
    for (size_t i = 0; i < BATCH; i++) {
        in[i] = job.shape.length * share[i] / 8;
        out[i] = job.shape.out_length * share[i] / 8;
        if (in[i] == 0) in[i] = 1;
        if (out[i] == 0) out[i] = 1;
    }
    for (size_t e = 0; e < sizeof engines / sizeof *engines; e++) check_engine(engines[e], &job.shape, in, out, threads);
}

static void given_rows_that_do_not_count_when_convolved_then_the_same_bits(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
        for (size_t k = i % 2; k < sizeof shares / sizeof *shares; k += 2) check_shape(&specs[i], shares[k], 1 + (int)(i / 2) % 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_rows_that_do_not_count_when_convolved_then_the_same_bits),
    };
    return check_run(tests);
}
