/* The engines of convolutions: naive is compared with the definition, every other engine with naive; and errors of plans. */
#include "check.h"
#include "layers/conv1d/engine.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef TAPLINE_F64
static const double unit = DBL_EPSILON / 2;
#else
static const double unit = FLT_EPSILON / 2;
#endif

enum {
    EXACT_CONFIGURATIONS = 1200,
    FEW_CHANNELS_CONFIGURATIONS = 500,
    BOUND_CONFIGURATIONS = 300,
    SIZED_CONFIGURATIONS = 1000,
    PASSES = 3
};

/* Single precision on this processor runs the whole test; other kernels have the same sources, and an emulator takes an hour for
 * it. */
static bool runs_some(void) { return getenv("TAPLINE_ISA") || sizeof(tl_real) > sizeof(float) || sizeof EMULATOR > 1; }

static int some_of(int configurations) { return runs_some() ? configurations / 4 : configurations; }

static const char *const pass_names[PASSES] = {"forward", "dx", "dw and db"};

/* ---- a convolution and its arrays ---- */

typedef struct problem {
    tl_conv1d_spec spec;
    size_t out_length, x_count, weight_count, filters, y_count;
    tl_real *x, *weight, *bias, *dy; /* given */
    tl_real *y, *dx, *dweight, *dbias;
} problem;

static tl_real *array(size_t count) {
    tl_real *values = calloc(count, sizeof *values);
    assert_non_null(values);
    return values;
}

static problem problem_of(const tl_conv1d_spec *spec, size_t out_length) {
    problem p = {.spec = *spec, .out_length = out_length, .filters = (size_t)spec->filters};
    p.x_count = (size_t)(spec->batch * spec->length * spec->channels);
    p.weight_count = (size_t)(spec->kernel * spec->channels * spec->filters);
    p.y_count = (size_t)spec->batch * out_length * p.filters;
    p.x = array(p.x_count), p.dx = array(p.x_count);
    p.weight = array(p.weight_count), p.dweight = array(p.weight_count);
    p.bias = array(p.filters), p.dbias = array(p.filters);
    p.dy = array(p.y_count), p.y = array(p.y_count);
    return p;
}

static void release(problem *p) {
    tl_real *arrays[] = {p->x, p->dx, p->weight, p->dweight, p->bias, p->dbias, p->dy, p->y};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

/* Weight gradients start from 1 here, so that an engine that forgets to add is found. Outputs start from rubbish. */
static void spoil_outputs(problem *p) {
    for (size_t i = 0; i < p->y_count; i++) p->y[i] = 99;
    for (size_t i = 0; i < p->x_count; i++) p->dx[i] = 99;
    for (size_t i = 0; i < p->weight_count; i++) p->dweight[i] = 1;
    for (size_t i = 0; i < p->filters; i++) p->dbias[i] = 1;
}

static void run_pass(tl_conv1d_plan *plan, problem *p, int pass, bool bias) {
    if (pass == TL_CONV1D_FORWARD) tl_conv1d_forward(plan, p->x, p->weight, bias ? p->bias : NULL, p->y);
    if (pass == TL_CONV1D_BACKWARD_INPUT) tl_conv1d_backward_input(plan, p->dy, p->weight, p->dx);
    if (pass == TL_CONV1D_BACKWARD_WEIGHTS) tl_conv1d_backward_weights(plan, p->x, p->dy, p->dweight, bias ? p->dbias : NULL);
}

/* ---- random configurations ---- */

static size_t between(tl_rng *rng, size_t minimum, size_t maximum) {
    return minimum + tl_rng_below(rng, (uint32_t)(maximum - minimum + 1));
}

static size_t extent_of(const tl_conv1d_spec *s) { return (s->kernel - 1) * s->dilation + 1; }

/* Strides, dilations, every padding, inputs that no window reads, kernels longer than the input: whatever is valid. */
static tl_conv1d_spec random_spec(tl_rng *rng) {
    tl_conv1d_spec s;
    do {
        s = (tl_conv1d_spec){.batch = between(rng, 1, 5),
                             .length = between(rng, 1, between(rng, 0, 3) ? 20 : 90),
                             .channels = between(rng, 1, 40),
                             .filters = between(rng, 1, 40),
                             .kernel = between(rng, 1, between(rng, 0, 3) ? 8 : 20),
                             .stride = between(rng, 0, 1) ? 1 : between(rng, 1, 4),
                             .dilation = between(rng, 0, 1) ? 1 : between(rng, 1, between(rng, 0, 3) ? 4 : 24),
                             .padding = (tl_padding)between(rng, TL_PADDING_VALID, TL_PADDING_EXPLICIT)};
        if (s.padding == TL_PADDING_EXPLICIT) {
            s.pad_left = between(rng, 0, between(rng, 0, 3) ? 12 : 80);
            s.pad_right = between(rng, 0, between(rng, 0, 3) ? 12 : 80);
        }
    } while ((s.padding == TL_PADDING_VALID || s.padding == TL_PADDING_EXPLICIT) &&
             extent_of(&s) > s.length + s.pad_left + s.pad_right);
    return s;
}

static void describe(char *text, size_t size, const char *engine, int pass, const tl_conv1d_spec *s) {
    snprintf(text, size,
             "%s %s, batch %zu length %zu channels %zu filters %zu kernel %zu"
             " stride %zu dilation %zu padding %d (%zu, %zu)",
             engine, pass_names[pass], s->batch, s->length, s->channels, s->filters, s->kernel, s->stride, s->dilation,
             (int)s->padding, s->pad_left, s->pad_right);
}

/* One engine for one pass, the others naive. */
static tl_conv1d_spec with_engine(const tl_conv1d_spec *spec, tl_engine engine, int pass) {
    tl_conv1d_spec s = *spec;
    s.forward = pass == TL_CONV1D_FORWARD ? engine : TL_ENGINE_NAIVE;
    s.backward_input = pass == TL_CONV1D_BACKWARD_INPUT ? engine : TL_ENGINE_NAIVE;
    s.backward_weights = pass == TL_CONV1D_BACKWARD_WEIGHTS ? engine : TL_ENGINE_NAIVE;
    return s;
}

/* A plan of such; NULL where the engine does not run it. */
static tl_conv1d_plan *plan_for(const tl_conv1d_spec *spec, tl_engine engine, int pass, int threads) {
    tl_conv1d_spec s = with_engine(spec, engine, pass);
    s.threads = threads;
    tl_error error = {0};
    tl_conv1d_plan *plan = tl_conv1d_plan_new(&s, &error);
    if (!plan) check_error(&error, TL_ERROR_ARGUMENT, "cannot compute");
    return plan;
}

/* ---- the definition ---- */

typedef struct definition {
    double *y, *dx, *dweight, *dbias;                     /* in double */
    double *y_size, *dx_size, *dweight_size, *dbias_size; /* the sums of absolute values */
} definition;

static double *doubles(size_t count) {
    double *values = calloc(count, sizeof *values);
    assert_non_null(values);
    return values;
}

static void add_term(double *sum, double *size, double term) {
    *sum += term;
    *size += fabs(term);
}

static size_t left_padding(const tl_conv1d_spec *s, size_t out_length) {
    if (s->padding == TL_PADDING_CAUSAL) return extent_of(s) - 1;
    if (s->padding == TL_PADDING_EXPLICIT) return s->pad_left;
    const size_t needed = (out_length - 1) * s->stride + extent_of(s);
    return s->padding == TL_PADDING_SAME && needed > s->length ? (needed - s->length) / 2 : 0;
}

/* y[n, t, f] = bias[f] + sum of x[n, t·stride + j·dilation - pad, c] · weight[j, c, f], and its transposes. */
static definition define(const problem *p) {
    const tl_conv1d_spec *s = &p->spec;
    definition d = {doubles(p->y_count), doubles(p->x_count), doubles(p->weight_count), doubles(p->filters),
                    doubles(p->y_count), doubles(p->x_count), doubles(p->weight_count), doubles(p->filters)};
    const size_t pad = left_padding(s, p->out_length);
    for (size_t row = 0; row < s->batch * p->out_length; row++) {
        const size_t n = row / p->out_length, t = row % p->out_length;
        for (size_t f = 0; f < s->filters; f++) {
            const size_t out = row * s->filters + f;
            add_term(&d.y[out], &d.y_size[out], (double)p->bias[f]);
            add_term(&d.dbias[f], &d.dbias_size[f], (double)p->dy[out]);
            for (size_t j = 0; j < s->kernel; j++) {
                const size_t position = t * s->stride + j * s->dilation - pad; /* before the series: beyond any length */
                for (size_t c = 0; position < s->length && c < s->channels; c++) {
                    const size_t in = (n * s->length + position) * s->channels + c, w = (j * s->channels + c) * s->filters + f;
                    add_term(&d.y[out], &d.y_size[out], (double)p->x[in] * (double)p->weight[w]);
                    add_term(&d.dx[in], &d.dx_size[in], (double)p->weight[w] * (double)p->dy[out]);
                    add_term(&d.dweight[w], &d.dweight_size[w], (double)p->x[in] * (double)p->dy[out]);
                }
            }
        }
    }
    return d;
}

static void forget(definition *d) {
    double *arrays[] = {d->y, d->dx, d->dweight, d->dbias, d->y_size, d->dx_size, d->dweight_size, d->dbias_size};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

/* ---- engines against each other ---- */

/* Of the results of one pass: equal to those in `expected`, element by element. */
static void check_same(const char *what, int pass, const problem *actual, const problem *expected) {
    if (pass == TL_CONV1D_FORWARD) check_equal(what, actual->y, expected->y, actual->y_count);
    if (pass == TL_CONV1D_BACKWARD_INPUT) check_equal(what, actual->dx, expected->dx, actual->x_count);
    if (pass != TL_CONV1D_BACKWARD_WEIGHTS) return;
    check_equal(what, actual->dweight, expected->dweight, actual->weight_count);
    check_equal(what, actual->dbias, expected->dbias, actual->filters);
}

/* Winograd's transforms round, even on integers. */
static bool is_exact(tl_engine engine) { return strcmp(tl_engine_name(engine), "winograd") != 0; }

static void compare_on_integers(const tl_conv1d_spec *spec, tl_rng *rng, size_t *ran) {
    tl_conv1d_plan *reference = plan_for(spec, TL_ENGINE_NAIVE, TL_CONV1D_FORWARD, 1);
    problem expected = problem_of(spec, tl_conv1d_out_length(reference)), actual = problem_of(spec, expected.out_length);
    const uint32_t seed = (uint32_t)tl_rng_below(rng, 1u << 30);
    const bool bias = tl_rng_below(rng, 4) > 0;
    problem *both[] = {&expected, &actual};
    for (size_t i = 0; i < 2; i++) {
        fill_integers(both[i]->x, actual.x_count, seed, 4);
        fill_integers(both[i]->weight, actual.weight_count, seed + 1, 4);
        fill_integers(both[i]->bias, actual.filters, seed + 2, 4);
        fill_integers(both[i]->dy, actual.y_count, seed + 3, 4);
        spoil_outputs(both[i]);
    }
    for (int pass = 0; pass < PASSES; pass++) run_pass(reference, &expected, pass, bias);
    for (int engine = TL_ENGINE_GEMM; tl_engine_name((tl_engine)engine); engine++) {
        for (int pass = 0; is_exact((tl_engine)engine) && pass < PASSES; pass++) {
            tl_conv1d_plan *plan = plan_for(spec, (tl_engine)engine, pass, 1 + (int)(ran[engine] % 3));
            if (!plan) continue;
            char what[300];
            describe(what, sizeof what, tl_engine_name((tl_engine)engine), pass, spec);
            spoil_outputs(&actual);
            run_pass(plan, &actual, pass, bias);
            check_same(what, pass, &actual, &expected);
            ran[engine]++;
            tl_conv1d_plan_free(plan);
        }
    }
    tl_conv1d_plan_free(reference);
    release(&expected);
    release(&actual);
}

/* The gradient of few channels has forms of its own: filters that fill vectors, strides beyond the kernel. */
static tl_conv1d_spec random_few_channels(tl_rng *rng) {
    tl_conv1d_spec s = random_spec(rng);
    const size_t room = s.length + s.pad_left + s.pad_right;
    s.channels = between(rng, 1, 8);
    s.filters = between(rng, 0, 2) ? 16 * between(rng, 1, 9) : between(rng, 1, 40);
    s.stride = between(rng, 0, 1) ? s.stride : between(rng, 1, 20);
    s.dilation = between(rng, 0, 2) ? 1 : s.dilation;
    if (s.padding != TL_PADDING_SAME && s.padding != TL_PADDING_CAUSAL && extent_of(&s) > room) s.kernel = 1;
    return s;
}

/* A kernel as long as a long series, wide channels of few steps, taps far apart, a stride beyond the kernel, many rows of padding
 * that no tap reads. */
static const tl_conv1d_spec extremes[] = {
    {2, 66000, 17, 1, 66000, 1, 1, TL_PADDING_EXPLICIT, 3, 2, .threads = 0},
    {3, 3, 300, 130, 3, 1, 1, TL_PADDING_SAME, 0, 0, .threads = 0},
    {2, 700, 5, 9, 6, 1, 128, TL_PADDING_CAUSAL, 0, 0, .threads = 0},
    {2, 500, 3, 20, 2, 37, 5, TL_PADDING_EXPLICIT, 40, 0, .threads = 0},
    {2, 30, 260, 20, 1, 1, 16, TL_PADDING_EXPLICIT, 100, 100, .threads = 0},
};

static void given_small_integers_when_any_engine_runs_then_exactly_as_naive(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(11, TL_STREAM_USER, 0, 0);
    size_t ran[8] = {0};
    for (int i = 0; i < some_of(EXACT_CONFIGURATIONS); i++) {
        const tl_conv1d_spec spec = random_spec(&rng);
        compare_on_integers(&spec, &rng, ran);
    }
    for (int i = 0; i < some_of(FEW_CHANNELS_CONFIGURATIONS); i++) {
        const tl_conv1d_spec spec = random_few_channels(&rng);
        compare_on_integers(&spec, &rng, ran);
    }
    const size_t special = (size_t)some_of(sizeof extremes / sizeof *extremes);
    for (size_t i = 0; i < special; i++) compare_on_integers(&extremes[i], &rng, ran);
    const size_t configurations = (size_t)some_of(EXACT_CONFIGURATIONS) + (size_t)some_of(FEW_CHANNELS_CONFIGURATIONS) + special;
    for (int engine = TL_ENGINE_GEMM; tl_engine_name((tl_engine)engine); engine++)
        if (is_exact((tl_engine)engine)) assert_int_equal(ran[engine], PASSES * configurations);
}

/* Outputs of several tiles and tasks, within one sample and over samples, in every way that an engine may take. */
static const tl_conv1d_spec large[] = {
    {.batch = 9, .length = 150, .channels = 24, .filters = 40, .kernel = 5, .stride = 1, .dilation = 1, .padding = TL_PADDING_SAME},
    {.batch = 3, .length = 700, .channels = 1, .filters = 25, .kernel = 8, .stride = 2, .dilation = 1, .padding = TL_PADDING_SAME},
    {.batch = 2,
     .length = 900,
     .channels = 25,
     .filters = 25,
     .kernel = 7,
     .stride = 1,
     .dilation = 16,
     .padding = TL_PADDING_CAUSAL},
    {.batch = 1,
     .length = 3000,
     .channels = 8,
     .filters = 7,
     .kernel = 21,
     .stride = 1,
     .dilation = 1,
     .padding = TL_PADDING_VALID},
    {.batch = 5, .length = 1200, .channels = 20, .filters = 9, .kernel = 4, .stride = 3, .dilation = 2, .padding = TL_PADDING_SAME},
    {.batch = 4, .length = 333, .channels = 1, .filters = 64, .kernel = 8, .stride = 1, .dilation = 1, .padding = TL_PADDING_SAME},
    {.batch = 3,
     .length = 1000,
     .channels = 2,
     .filters = 32,
     .kernel = 80,
     .stride = 8,
     .dilation = 1,
     .padding = TL_PADDING_SAME},
    {.batch = 11,
     .length = 130,
     .channels = 34,
     .filters = 18,
     .kernel = 1,
     .stride = 1,
     .dilation = 1,
     .padding = TL_PADDING_SAME},
};

static void given_several_tiles_when_any_engine_runs_then_exactly_as_naive(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(13, TL_STREAM_USER, 0, 0);
    size_t ran[8] = {0};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) compare_on_integers(&large[i], &rng, ran);
}

/* ---- engines against the definition ---- */

/* |actual - expected| ≤ factor · 2 · sqrt(terms) · u · sum of |terms|; `base` was there before. */
static void check_sum(const char *what, const tl_real *actual, double *expected, double *size, size_t count, double terms,
                      double base, double factor) {
    for (size_t i = 0; i < count; i++) {
        expected[i] += base;
        size[i] = factor * 2 * sqrt(terms) * unit * (size[i] + base) + DBL_MIN;
    }
    check_within(what, actual, expected, size, count);
}

static void check_definition(const char *what, int pass, const problem *p, const definition *d, double factor) {
    const double kernel = (double)p->spec.kernel, rows = (double)(p->spec.batch * p->out_length);
    if (pass == TL_CONV1D_FORWARD)
        check_sum(what, p->y, d->y, d->y_size, p->y_count, kernel * (double)p->spec.channels + 1, 0, factor);
    if (pass == TL_CONV1D_BACKWARD_INPUT)
        check_sum(what, p->dx, d->dx, d->dx_size, p->x_count, kernel * (double)p->filters, 0, factor);
    if (pass != TL_CONV1D_BACKWARD_WEIGHTS) return;
    check_sum(what, p->dweight, d->dweight, d->dweight_size, p->weight_count, rows + 1, 1, factor);
    check_sum(what, p->dbias, d->dbias, d->dbias_size, p->filters, rows + 1, 1, factor);
}

static void compare_on_numbers(const tl_conv1d_spec *spec, uint32_t seed) {
    tl_conv1d_plan *reference = plan_for(spec, TL_ENGINE_NAIVE, TL_CONV1D_FORWARD, 1);
    problem p = problem_of(spec, tl_conv1d_out_length(reference));
    tl_conv1d_plan_free(reference);
    fill_normal(p.x, p.x_count, seed);
    fill_normal(p.weight, p.weight_count, seed + 1);
    fill_normal(p.bias, p.filters, seed + 2);
    fill_normal(p.dy, p.y_count, seed + 3);
    for (int engine = TL_ENGINE_NAIVE; tl_engine_name((tl_engine)engine); engine++) {
        for (int pass = 0; is_exact((tl_engine)engine) && pass < PASSES; pass++) {
            tl_conv1d_plan *plan = plan_for(spec, (tl_engine)engine, pass, 2);
            if (!plan) continue;
            char what[300];
            describe(what, sizeof what, tl_engine_name((tl_engine)engine), pass, spec);
            definition d = define(&p);
            spoil_outputs(&p);
            run_pass(plan, &p, pass, true);
            check_definition(what, pass, &p, &d, 1);
            forget(&d);
            tl_conv1d_plan_free(plan);
        }
    }
    release(&p);
}

static void given_random_numbers_when_any_engine_runs_then_within_its_bound(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(12, TL_STREAM_USER, 0, 0);
    for (int i = 0; i < some_of(BOUND_CONFIGURATIONS); i++) {
        tl_conv1d_spec spec = random_spec(&rng);
        spec.channels = (spec.channels + 3) / 4;
        spec.filters = (spec.filters + 3) / 4;
        compare_on_numbers(&spec, (uint32_t)(4 * i));
    }
}

static void given_more_threads_when_any_engine_runs_then_every_bit_is_the_same(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        for (int engine = TL_ENGINE_GEMM; tl_engine_name((tl_engine)engine); engine++) {
            for (int pass = 0; pass < PASSES; pass++) {
                tl_conv1d_plan *one = plan_for(&large[i], (tl_engine)engine, pass, 1);
                if (!one) continue;
                problem expected = problem_of(&large[i], tl_conv1d_out_length(one));
                fill_normal(expected.x, expected.x_count, 1);
                fill_normal(expected.weight, expected.weight_count, 2);
                fill_normal(expected.dy, expected.y_count, 3);
                problem actual = problem_of(&large[i], expected.out_length);
                memcpy(actual.x, expected.x, expected.x_count * sizeof(tl_real));
                memcpy(actual.weight, expected.weight, expected.weight_count * sizeof(tl_real));
                memcpy(actual.dy, expected.dy, expected.y_count * sizeof(tl_real));
                spoil_outputs(&expected);
                run_pass(one, &expected, pass, true);
                for (int threads = 2; threads <= 5; threads += runs_some() ? 3 : 1) {
                    tl_conv1d_plan *plan = plan_for(&large[i], (tl_engine)engine, pass, threads);
                    char what[300];
                    describe(what, sizeof what, tl_engine_name((tl_engine)engine), pass, &large[i]);
                    spoil_outputs(&actual);
                    run_pass(plan, &actual, pass, true);
                    check_same(what, pass, &actual, &expected);
                    tl_conv1d_plan_free(plan);
                }
                release(&expected);
                release(&actual);
                tl_conv1d_plan_free(one);
            }
        }
    }
}

/* ---- scratch memory ---- */

/* Batches and lengths beyond a unit of every engine's work, which the tests of results need not have. */
static tl_conv1d_spec random_large(tl_rng *rng) {
    tl_conv1d_spec s = random_spec(rng);
    s.batch = between(rng, 2, 300);
    s.length += between(rng, 0, 400);
    s.channels = between(rng, 1, 160);
    s.filters = between(rng, 1, 160);
    if (between(rng, 0, 2) == 0) s.kernel = 1;
    return s;
}

/* A model sizes its memory for its largest batch, and the last batch of an epoch is smaller. */
static void check_sized(const tl_conv1d_spec *spec, tl_engine engine, int pass, tl_rng *rng, size_t *sized) {
    const tl_conv1d_spec s = with_engine(spec, engine, pass);
    tl_conv1d_job job;
    tl_error error = {0};
    if (tl_conv1d_prepare(&s, TL_CONV1D_FORWARD, &job, &error) != TL_OK) return;
    const int workers = (int)between(rng, 1, 4);
    const size_t whole = tl_conv1d_scratch(&job, workers);
    char what[300];
    describe(what, sizeof what, tl_engine_name(engine), pass, spec);
    for (int i = 0; i < 8; i++) {
        job.shape.batch = (size_t)between(rng, 1, spec->batch);
        const size_t part = tl_conv1d_scratch(&job, workers);
        if (part > whole) fail_msg("%s: %zu elements of scratch, of batch %zu %zu", what, whole, job.shape.batch, part);
    }
    ++*sized;
}

static void given_smaller_batches_when_sized_then_none_needs_more(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(14, TL_STREAM_USER, 0, 0);
    size_t sized = 0;
    for (int i = 0; i < some_of(SIZED_CONFIGURATIONS); i++) {
        const tl_conv1d_spec spec = random_large(&rng);
        for (int engine = TL_ENGINE_AUTO; tl_engine_name((tl_engine)engine); engine++)
            for (int pass = 0; pass < PASSES; pass++) check_sized(&spec, (tl_engine)engine, pass, &rng, &sized);
    }
    assert_true(sized > PASSES * (size_t)some_of(SIZED_CONFIGURATIONS) * (size_t)TL_ENGINE_WINOGRAD);
}

/* ---- what a plan refuses ---- */

typedef struct refusal {
    tl_conv1d_spec spec;
    tl_status status;
    const char *text;
} refusal;

/* A valid convolution, with one thing changed. */
#define WITH(...)                                                                                                                  \
    { .batch = 2, .length = 10, .channels = 3, .filters = 4, .kernel = 3, .stride = 1, .dilation = 1, __VA_ARGS__ }

static void given_impossible_geometry_when_planned_then_the_limit_is_named(void **unused) {
    (void)unused;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
    const refusal refusals[] = {
        {WITH(.stride = 0), TL_ERROR_ARGUMENT, "conv1d: stride 0 is below 1"},
        {WITH(.dilation = 0), TL_ERROR_ARGUMENT, "conv1d: dilation 0 is below 1"},
        {WITH(.kernel = 0), TL_ERROR_ARGUMENT, "conv1d: kernel 0 is below 1"},
        {WITH(.kernel = 11), TL_ERROR_SHAPE, "conv1d: kernel extent 11 exceeds the padded input length 10"},
        {WITH(.dilation = 5), TL_ERROR_SHAPE, "conv1d: kernel extent 11 exceeds the padded input length 10"},
        {WITH(.batch = 0), TL_ERROR_SHAPE, "conv1d: batch 0 is below 1"},
        {WITH(.length = (size_t)-5), TL_ERROR_SHAPE, "conv1d: length -5 is below 1"},
        {WITH(.channels = 0), TL_ERROR_SHAPE, "conv1d: channels 0 is below 1"},
        {WITH(.filters = 0), TL_ERROR_SHAPE, "conv1d: filters 0 is below 1"},
        {WITH(.threads = -1), TL_ERROR_ARGUMENT, "conv1d: threads -1 is below 0"},
        {WITH(.pad_left = 1), TL_ERROR_ARGUMENT,
         "conv1d: padding of 1 and 0 steps is given, but padding is not TL_PADDING_EXPLICIT"},
        {WITH(.padding = TL_PADDING_EXPLICIT, .pad_right = (size_t)-1), TL_ERROR_ARGUMENT, "conv1d: right padding -1 is below 0"},
        {WITH(.padding = TL_PADDING_EXPLICIT, .pad_left = INT64_MAX, .pad_right = INT64_MAX, .kernel = 1), TL_ERROR_ARGUMENT,
         "conv1d: left padding 9223372036854775807 is above 16777216"},
        {WITH(.padding = (tl_padding)9), TL_ERROR_ARGUMENT, "conv1d: padding 9 is unknown"},
        {WITH(.batch = INT64_MAX / 4), TL_ERROR_SHAPE, "is more than memory can address"},
        {WITH(.filters = INT64_MAX / 4), TL_ERROR_SHAPE, "is more than memory can address"},
        {WITH(.kernel = (1 << 24) + 1, .padding = TL_PADDING_SAME), TL_ERROR_ARGUMENT, "conv1d: kernel 16777217 is above 16777216"},
        {WITH(.dilation = INT64_MAX, .padding = TL_PADDING_SAME), TL_ERROR_ARGUMENT,
         "conv1d: dilation 9223372036854775807 is above 16777216"},
        {WITH(.forward = (tl_engine)99), TL_ERROR_ARGUMENT, "conv1d: engine 99 is unknown"},
    };
#pragma GCC diagnostic pop
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        tl_error error = {0};
        assert_null(tl_conv1d_plan_new(&refusals[i].spec, &error));
        check_error(&error, refusals[i].status, refusals[i].text);
    }
}

static double cost_with(const char *tuning, const tl_conv1d_ops *engine, size_t channels, tl_conv1d_pass pass) {
    const tl_conv1d_shape shape = {.batch = 1,
                                   .length = 8,
                                   .channels = channels,
                                   .out_length = 8,
                                   .filters = channels,
                                   .kernel = 3,
                                   .stride = 1,
                                   .dilation = 1,
                                   .pad_left = 1};
    const char *before = getenv("TAPLINE_TUNING");
    char was[20] = "";
    if (before) snprintf(was, sizeof was, "%s", before);
    setenv("TAPLINE_TUNING", tuning, 1);
    const double cost = engine->cost(&shape, pass);
    if (before)
        setenv("TAPLINE_TUNING", was, 1);
    else
        unsetenv("TAPLINE_TUNING");
    return cost;
}

static void given_uncached_weights_when_tuned_for_intel_then_packing_costs_more(void **unused) {
    (void)unused;
    static const tl_conv1d_ops *const packing[] = {&tl_conv1d_direct, &tl_conv1d_winograd};
    for (size_t i = 0; i < 2; i++) {
        for (tl_conv1d_pass pass = TL_CONV1D_FORWARD; pass <= TL_CONV1D_BACKWARD_INPUT; pass++) {
            assert_true(cost_with("intel", packing[i], 512, pass) > 1.5 * cost_with("common", packing[i], 512, pass));
            assert_true(cost_with("intel", packing[i], 64, pass) == cost_with("common", packing[i], 64, pass));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_small_integers_when_any_engine_runs_then_exactly_as_naive),
        cmocka_unit_test(given_several_tiles_when_any_engine_runs_then_exactly_as_naive),
        cmocka_unit_test(given_random_numbers_when_any_engine_runs_then_within_its_bound),
        cmocka_unit_test(given_more_threads_when_any_engine_runs_then_every_bit_is_the_same),
        cmocka_unit_test(given_smaller_batches_when_sized_then_none_needs_more),
        cmocka_unit_test(given_impossible_geometry_when_planned_then_the_limit_is_named),
        cmocka_unit_test(given_uncached_weights_when_tuned_for_intel_then_packing_costs_more),
    };
    return check_run(tests);
}
