/* The winograd engine: its rounding errors against a bound derived from its transforms and against those of the direct engine, and
 * what it refuses. That threads change nothing is among conv1d's tests of all engines. */
#include "check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef TAPLINE_F64
static const double unit = DBL_EPSILON / 2;
typedef long double precise;
#else
static const double unit = FLT_EPSILON / 2;
typedef double precise;
#endif

enum { CONFIGURATIONS = 2000, PASSES = 3, MAX_POINTS = 8, MAX_PARTS = 3, MAX_ALL = MAX_POINTS * (2 * MAX_PARTS - 1) };

static const char *const pass_names[PASSES] = {"forward", "dx", "dw and db"};

/* ---- the transforms, by their definition ---- */

/* F(m, r) at n points, the last of them infinity, or at finite ones only. */
typedef struct level {
    int m, r, n;
    bool infinity;
    double point[MAX_POINTS];
    double a[MAX_POINTS][MAX_POINTS], b[MAX_POINTS][MAX_POINTS], g[MAX_POINTS][MAX_POINTS];
} level;

/* The same at one or two levels: row j of a and g holds what point j takes from outputs and taps, of b what it takes from inputs.
 */
typedef struct transforms {
    int m, r, n;
    int roundings; /* of a result, by the transforms before and after the sum */
    double a[MAX_ALL][MAX_ALL], b[MAX_ALL][MAX_ALL], g[MAX_ALL][MAX_ALL];
} transforms;

static int finite_points(const level *t) { return t->n - t->infinity; }

/* Coefficients of the product of (x - point) over the finite points but `without`. */
static void product_without(const level *t, int without, double *coefficient) {
    coefficient[0] = 1;
    int degree = 0;
    for (int l = 0; l < finite_points(t); l++) {
        if (l == without) continue;
        coefficient[++degree] = 0;
        for (int i = degree; i > 0; i--) coefficient[i] = coefficient[i - 1] - t->point[l] * coefficient[i];
        coefficient[0] *= -t->point[l];
    }
}

static level level_of(int m, int r, bool infinity) {
    static const double points[] = {0, 1, -1, 2, -2, 0.5, -0.5};
    level t = {.m = m, .r = r, .n = m + r - 1, .infinity = infinity};
    for (int j = 0; j < finite_points(&t); j++) t.point[j] = points[j];
    for (int j = 0; j < finite_points(&t); j++) {
        double divisor = 1;
        for (int l = 0; l < finite_points(&t); l++) divisor *= l == j ? 1 : t.point[j] - t.point[l];
        for (int i = 0; i < t.m; i++) t.a[j][i] = pow(t.point[j], i);
        for (int i = 0; i < t.r; i++) t.g[j][i] = pow(t.point[j], i) / divisor;
        product_without(&t, j, t.b[j]);
    }
    if (!infinity) return t;
    t.a[t.n - 1][t.m - 1] = t.g[t.n - 1][t.r - 1] = 1;
    product_without(&t, t.n - 1, t.b[t.n - 1]);
    return t;
}

/* Parts of F(m, r), which F(p, q) combines. Part s begins at row s·m. */
static transforms combined(const level *inner, const level *outer) {
    transforms t = {.m = inner->m * outer->m, .r = inner->r * outer->r, .n = inner->n * outer->n};
    t.roundings = 2 * (inner->n + outer->n) + inner->r + outer->r;
    for (int o = 0; o < outer->n; o++)
        for (int j = 0; j < inner->n; j++) {
            const int at = o * inner->n + j;
            for (int s = 0; s < outer->n; s++)
                for (int i = 0; i < inner->n; i++) {
                    t.b[at][s * inner->m + i] += outer->b[o][s] * inner->b[j][i];
                    if (s < outer->m && i < inner->m) t.a[at][s * inner->m + i] = outer->a[o][s] * inner->a[j][i];
                    if (s < outer->r && i < inner->r) t.g[at][s * inner->r + i] = outer->g[o][s] * inner->g[j][i];
                }
        }
    return t;
}

static size_t divide_up(size_t a, size_t b) { return (a + b - 1) / b; }

/* With a stride, so many rows are one row of the engine, and so many taps one tap. */
static size_t taps_of(const tl_conv1d_spec *s) { return divide_up(s->kernel, s->stride); }

/* Parts of 4 outputs and of 4 taps. */
typedef struct parts {
    int outputs, taps;
} parts;

/* Those for `rows` outputs of a series: which take the least time with 16 series, where the transforms of a result take that of 40
 * terms, and those of a weight that of 20 rows. Where there are more taps than those of a tile, they are as many as its outputs. */
static parts parts_of(size_t taps, size_t rows, size_t in_width) {
    static const parts choices[] = {{1, 1}, {2, 2}, {3, 3}, {3, 2}};
    size_t least = SIZE_MAX;
    parts best = choices[0];
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        const parts p = choices[i];
        const size_t points = 7 * (size_t)(p.outputs + p.taps - 1), groups = divide_up(taps, 4 * (size_t)p.taps);
        const size_t tiles = divide_up(rows, 4 * (size_t)p.outputs), terms = groups * in_width;
        const size_t time = points * (16 * tiles * (terms + 40) + 20 * terms);
        if (time >= least || (groups > 1 && p.outputs != p.taps)) continue;
        best = p;
        least = time;
    }
    return best;
}

/* Those that the engine documents, for `rows` outputs: F(6, 3) for wide kernels of 3 taps where it needs fewer products. */
static transforms transforms_of(const tl_conv1d_spec *s, size_t rows, size_t in_width) {
    const size_t series = divide_up(rows, s->dilation), taps = taps_of(s);
    const bool wide = s->stride * s->channels >= 64 && s->filters >= 64;
    const bool six = taps == 3 && wide && divide_up(series, 6) * 8 < divide_up(series, 4) * 6;
    const parts one = {1, 1}, p = taps == 3 || taps == 5 ? one : parts_of(taps, series, in_width);
    const level inner = level_of(six ? 6 : 4, taps == 3 ? 3 : taps == 5 ? 5 : 4, true);
    const level outer = level_of(p.outputs, p.taps, p.outputs != p.taps);
    return combined(&inner, &outer);
}

static double size_of(const double *x) {
    double sum = 0;
    for (int i = 0; i < MAX_ALL; i++) sum += fabs(x[i]);
    return sum;
}

/* How much larger than the terms of a result the numbers are that the engine sums for it, where all inputs are of one size: the
 * largest over the results i of (Σ over points of |what i takes from the point| · the sizes of both transforms there), divided by
 * the terms that the definition has in their place (Higham 2002, section 3.5: rounding errors are below units of that sum). */
static double growth(const transforms *t, int pass) {
    const bool weights = pass == TL_CONV1D_BACKWARD_WEIGHTS;
    double largest = 0;
    for (int i = 0; i < (weights ? t->r : t->m); i++) {
        double sum = 0;
        for (int j = 0; j < t->n; j++)
            sum += fabs(weights ? t->g[j][i] : t->a[j][i]) * size_of(t->b[j]) * size_of(weights ? t->a[j] : t->g[j]);
        largest = fmax(largest, sum / (weights ? t->m : t->r));
    }
    return largest;
}

/* ---- a convolution, and its definition ---- */

typedef struct problem {
    tl_conv1d_spec spec;
    size_t out_length, pad;
    size_t count[PASSES]; /* of y, dx, and dweight with dbias behind it */
    tl_real *x, *weight, *bias, *dy, *result;
    double *expected, *size; /* the sums of the pass at hand, and of their terms' absolute values */
} problem;

static void *array(size_t count, size_t size) {
    void *memory = calloc(count, size);
    assert_non_null(memory);
    return memory;
}

static size_t extent_of(const tl_conv1d_spec *s) { return (s->kernel - 1) * s->dilation + 1; }

static size_t left_padding(const tl_conv1d_spec *s) {
    if (s->padding == TL_PADDING_CAUSAL) return extent_of(s) - 1;
    const size_t reach =
        (divide_up(s->length, s->stride) - 1) * s->stride + extent_of(s); /* of all windows, with TL_PADDING_SAME */
    return s->padding == TL_PADDING_SAME && reach > s->length ? (reach - s->length) / 2 : s->pad_left;
}

static problem problem_of(const tl_conv1d_spec *s, uint32_t seed) {
    const size_t pads = s->padding == TL_PADDING_EXPLICIT ? s->pad_left + s->pad_right
                        : s->padding == TL_PADDING_VALID  ? 0
                                                          : extent_of(s) - 1;
    problem p = {.spec = *s, .out_length = (s->length + pads - extent_of(s)) / s->stride + 1, .pad = left_padding(s)};
    p.count[TL_CONV1D_FORWARD] = (size_t)(s->batch * p.out_length * s->filters);
    p.count[TL_CONV1D_BACKWARD_INPUT] = (size_t)(s->batch * s->length * s->channels);
    p.count[TL_CONV1D_BACKWARD_WEIGHTS] = (size_t)((s->kernel * s->channels + 1) * s->filters);
    const size_t maximum = p.count[0] + p.count[1] + p.count[2];
    p.x = array(p.count[TL_CONV1D_BACKWARD_INPUT], sizeof(tl_real));
    p.weight = array(p.count[TL_CONV1D_BACKWARD_WEIGHTS], sizeof(tl_real));
    p.bias = p.weight + s->kernel * s->channels * s->filters;
    p.dy = array(p.count[TL_CONV1D_FORWARD], sizeof(tl_real));
    p.result = array(maximum, sizeof(tl_real));
    p.expected = array(maximum, sizeof(double));
    p.size = array(maximum, sizeof(double));
    fill_normal(p.x, p.count[TL_CONV1D_BACKWARD_INPUT], seed);
    fill_normal(p.weight, p.count[TL_CONV1D_BACKWARD_WEIGHTS], seed + 1);
    fill_normal(p.dy, p.count[TL_CONV1D_FORWARD], seed + 2);
    return p;
}

static void release(problem *p) {
    void *arrays[] = {p->x, p->weight, p->dy, p->result, p->expected, p->size};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

static void define_y(problem *p, size_t n, size_t t, size_t f) {
    const tl_conv1d_spec *s = &p->spec;
    precise sum = p->bias[f];
    double size = fabs((double)p->bias[f]);
    for (size_t j = 0; j < s->kernel; j++) {
        const size_t at = t * s->stride + j * s->dilation - p->pad;
        for (size_t c = 0; at < s->length && c < s->channels; c++) {
            const precise term =
                (precise)p->x[(n * s->length + at) * s->channels + c] * p->weight[(j * s->channels + c) * s->filters + f];
            sum += term;
            size += fabs((double)term);
        }
    }
    p->expected[(n * p->out_length + t) * s->filters + f] = (double)sum;
    p->size[(n * p->out_length + t) * s->filters + f] = size;
}

static void define_dx(problem *p, size_t n, size_t at, size_t c) {
    const tl_conv1d_spec *s = &p->spec;
    precise sum = 0;
    double size = 0;
    for (size_t j = 0; j < s->kernel; j++) {
        const size_t from = at + p->pad - j * s->dilation, t = from / s->stride;
        if (from % s->stride != 0 || t >= p->out_length) continue;
        for (size_t f = 0; f < s->filters; f++) {
            const precise term =
                (precise)p->dy[(n * p->out_length + t) * s->filters + f] * p->weight[(j * s->channels + c) * s->filters + f];
            sum += term;
            size += fabs((double)term);
        }
    }
    p->expected[(n * s->length + at) * s->channels + c] = (double)sum;
    p->size[(n * s->length + at) * s->channels + c] = size;
}

static void define_dweight(problem *p, size_t j, size_t c, size_t f) {
    const tl_conv1d_spec *s = &p->spec;
    precise sum = 0;
    double size = 0;
    for (size_t row = 0; row < s->batch * p->out_length; row++) {
        const size_t n = row / p->out_length, at = row % p->out_length * s->stride + j * s->dilation - p->pad;
        if (at >= s->length) continue;
        const precise term = (precise)p->x[(n * s->length + at) * s->channels + c] * p->dy[row * s->filters + f];
        sum += term;
        size += fabs((double)term);
    }
    p->expected[(j * s->channels + c) * s->filters + f] = (double)sum;
    p->size[(j * s->channels + c) * s->filters + f] = size;
}

static void define_dbias(problem *p, size_t f) {
    const tl_conv1d_spec *s = &p->spec;
    precise sum = 0;
    double size = 0;
    for (size_t row = 0; row < s->batch * p->out_length; row++) {
        sum += p->dy[row * s->filters + f];
        size += fabs((double)p->dy[row * s->filters + f]);
    }
    p->expected[s->kernel * s->channels * s->filters + f] = (double)sum;
    p->size[s->kernel * s->channels * s->filters + f] = size;
}

static void define(problem *p, int pass) {
    const tl_conv1d_spec *s = &p->spec;
    const size_t outer = pass == TL_CONV1D_BACKWARD_WEIGHTS ? s->kernel : s->batch;
    const size_t middle = pass == TL_CONV1D_FORWARD ? p->out_length : pass == TL_CONV1D_BACKWARD_INPUT ? s->length : s->channels;
    const size_t inner = pass == TL_CONV1D_BACKWARD_INPUT ? s->channels : s->filters;
    void (*const of_pass[])(problem *, size_t, size_t, size_t) = {define_y, define_dx, define_dweight};
    for (size_t i = 0; i < outer; i++)
        for (size_t j = 0; j < middle; j++)
            for (size_t k = 0; k < inner; k++) of_pass[pass](p, i, j, k);
    for (size_t f = 0; pass == TL_CONV1D_BACKWARD_WEIGHTS && f < s->filters; f++) define_dbias(p, f);
}

/* Terms of a sum. */
static double terms_of(const problem *p, int pass) {
    const tl_conv1d_spec *s = &p->spec;
    if (pass == TL_CONV1D_BACKWARD_WEIGHTS) return (double)(s->batch * p->out_length);
    return (double)(pass == TL_CONV1D_FORWARD ? s->kernel * s->channels : taps_of(s) * s->filters);
}

/* Runs a pass with an engine; false where that refuses it. */
static bool run(problem *p, tl_engine engine, int pass, int threads) {
    tl_conv1d_spec s = p->spec;
    s.forward = s.backward_input = s.backward_weights = engine;
    s.threads = threads;
    tl_error error = {0};
    tl_conv1d_plan *plan = tl_conv1d_plan_new(&s, &error);
    if (!plan) check_error(&error, TL_ERROR_ARGUMENT, "engine winograd cannot compute");
    if (!plan) return false;
    assert_int_equal(tl_conv1d_out_length(plan), p->out_length);
    for (size_t i = 0; i < p->count[pass]; i++) p->result[i] = pass == TL_CONV1D_BACKWARD_WEIGHTS ? 0 : 99;
    if (pass == TL_CONV1D_FORWARD) tl_conv1d_forward(plan, p->x, p->weight, p->bias, p->result);
    if (pass == TL_CONV1D_BACKWARD_INPUT) tl_conv1d_backward_input(plan, p->dy, p->weight, p->result);
    if (pass == TL_CONV1D_BACKWARD_WEIGHTS)
        tl_conv1d_backward_weights(plan, p->x, p->dy, p->result, p->result + p->count[pass] - p->spec.filters);
    tl_conv1d_plan_free(plan);
    return true;
}

/* ---- the bound ---- */

static size_t between(tl_rng *rng, size_t minimum, size_t maximum) {
    return minimum + tl_rng_below(rng, (uint32_t)(maximum - minimum + 1));
}

static tl_conv1d_spec random_spec(tl_rng *rng) {
    tl_conv1d_spec s;
    do {
        s = (tl_conv1d_spec){.batch = between(rng, 1, 4),
                             .length = between(rng, 1, between(rng, 0, 3) ? 30 : 90),
                             .channels = between(rng, 1, between(rng, 0, 3) ? 5 : 19),
                             .filters = between(rng, 1, between(rng, 0, 3) ? 5 : 33),
                             .kernel = between(rng, 3, between(rng, 0, 3) ? 9 : 26),
                             .stride = 1,
                             .dilation = between(rng, 0, 1) ? 1 : between(rng, 1, 9),
                             .padding = (tl_padding)between(rng, TL_PADDING_VALID, TL_PADDING_EXPLICIT)};
        if (between(rng, 0, 2) == 0) {
            s.stride = between(rng, 2, 4);
            s.dilation = 1;
            s.kernel = s.stride * 2 + between(rng, 1, 11);
        }
        if (between(rng, 0, 29) == 0) {
            s.batch = 1;
            s.kernel = 3 * s.stride;
            s.channels = s.filters = between(rng, 64, 66);
        }
        if (s.padding == TL_PADDING_EXPLICIT) {
            s.pad_left = between(rng, 0, 12);
            s.pad_right = between(rng, 0, 12);
        }
    } while ((s.padding == TL_PADDING_VALID || s.padding == TL_PADDING_EXPLICIT) &&
             extent_of(&s) > s.length + s.pad_left + s.pad_right);
    return s;
}

/* |error| ≤ growth · √roundings · u · Σ |terms|: what enters a result is rounded once for each term of the sum and each operation
 * of the transforms before and after it, and independent rounding errors add up as √ (Higham & Mary 2019). An output shares its
 * tile with others, whose terms count as well: the largest sum. */
static void check_bound(problem *p, int pass) {
    const tl_conv1d_spec *s = &p->spec;
    const size_t input_rows = divide_up(s->length + p->pad % s->stride, s->stride);
    const bool back = pass == TL_CONV1D_BACKWARD_INPUT;
    const transforms t = transforms_of(s, back ? input_rows : p->out_length, back ? s->filters : s->stride * s->channels);
    const double roundings = terms_of(p, pass) + t.roundings;
    double largest = 0;
    for (size_t i = 0; i < p->count[pass]; i++) largest = fmax(largest, p->size[i]);
    for (size_t i = 0; i < p->count[pass]; i++) p->size[i] = growth(&t, pass) * sqrt(roundings) * unit * largest;
    char what[300];
    snprintf(what, sizeof what,
             "%s, batch %zu length %zu channels %zu filters %zu kernel %zu stride %zu"
             " dilation %zu padding %d (%zu, %zu)",
             pass_names[pass], s->batch, s->length, s->channels, s->filters, s->kernel, s->stride, s->dilation, (int)s->padding,
             s->pad_left, s->pad_right);
    check_within(what, p->result, p->expected, p->size, p->count[pass]);
}

static void given_random_configurations_when_run_then_bounded_errors(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(31, TL_STREAM_USER, 0, 0);
    for (uint32_t ran = 0, i = 0; ran < CONFIGURATIONS; i++) {
        const tl_conv1d_spec spec = random_spec(&rng);
        problem p = problem_of(&spec, 3 * i);
        bool all = true;
        for (int pass = 0; pass < PASSES && all; pass++) {
            all = run(&p, TL_ENGINE_WINOGRAD, pass, 1 + (int)(i % 2));
            if (!all) break;
            define(&p, pass);
            check_bound(&p, pass);
        }
        ran += all;
        release(&p);
    }
}

/* ---- beside direct ---- */

static double error_of(problem *p, tl_engine engine, int pass) {
    double error = 0, size = 0;
    assert_true(run(p, engine, pass, 1));
    for (size_t i = 0; i < p->count[pass]; i++) {
        error += pow((double)p->result[i] - p->expected[i], 2);
        size += pow(p->expected[i], 2);
    }
    return sqrt(error / size);
}

/* A layer, its kernel, channels and so on. */
typedef struct layer {
    size_t kernel, channels, filters, stride;
} layer;

static tl_conv1d_spec spec_of(const layer *l) {
    return (tl_conv1d_spec){.batch = 4,
                            .length = 90 * l->stride,
                            .channels = l->channels,
                            .filters = l->filters,
                            .kernel = l->kernel,
                            .stride = l->stride,
                            .dilation = 1,
                            .padding = TL_PADDING_SAME};
}

/* How many times the error of direct that of winograd is. */
static double ratio_of(problem *p, int pass) {
    define(p, pass);
    return error_of(p, TL_ENGINE_WINOGRAD, pass) / error_of(p, TL_ENGINE_DIRECT, pass);
}

static void given_random_numbers_when_compared_then_error_at_most_4_times(void **unused) {
    (void)unused;
    static const layer cases[] = {{3, 32, 32, 1},    {3, 64, 64, 1},  {4, 32, 32, 1},  {5, 32, 32, 1},  {8, 32, 32, 1},
                                  {8, 128, 128, 1},  {10, 32, 32, 1}, {20, 32, 32, 1}, {16, 32, 32, 1}, {40, 32, 32, 1},
                                  {40, 128, 128, 1}, {5, 64, 64, 2},  {7, 25, 25, 1},  {7, 32, 32, 2},  {16, 32, 32, 2},
                                  {16, 16, 16, 4},   {80, 1, 32, 16}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tl_conv1d_spec spec = spec_of(&cases[i]);
        problem p = problem_of(&spec, (uint32_t)i);
        double ratio[PASSES];
        for (int pass = 0; pass < PASSES; pass++) ratio[pass] = ratio_of(&p, pass);
        print_message("kernel %zu, stride %zu, %zu to %zu channels: %.1f / %.1f / %.1f times\n", spec.kernel, spec.stride,
                      spec.channels, spec.filters, ratio[0], ratio[1], ratio[2]);
        for (int pass = 0; pass < PASSES; pass++) assert_true(ratio[pass] <= 4);
        release(&p);
    }
}

static bool auto_takes_winograd(const tl_conv1d_spec *spec, int pass) {
    tl_error error = {0};
    tl_conv1d_plan *plan = tl_conv1d_plan_new(spec, &error);
    assert_non_null(plan);
    const bool takes = strcmp(tl_conv1d_engine(plan, (tl_conv1d_pass)pass), "winograd") == 0;
    tl_conv1d_plan_free(plan);
    return takes;
}

/* Sums of few terms round so little that the transforms exceed four times as much. */
static void given_few_channels_when_auto_takes_winograd_then_small_error(void **unused) {
    (void)unused;
    static const size_t kernels[][2] = {{3, 1}, {4, 1}, {5, 1}, {8, 1}, {6, 2}, {10, 2}, {16, 2}, {80, 16}};
    static const size_t channels[] = {1, 4, 8, 16};
    double worst = 0;
    int taken = 0;
    for (size_t i = 0; i < 8 * 4 * 4; i++) {
        const layer l = {kernels[i / 16][0], channels[i / 4 % 4], channels[i % 4], kernels[i / 16][1]};
        const tl_conv1d_spec spec = spec_of(&l);
        problem p = problem_of(&spec, (uint32_t)i);
        for (int pass = 0; pass < PASSES; pass++) {
            if (!auto_takes_winograd(&spec, pass)) continue;
            worst = fmax(worst, ratio_of(&p, pass));
            taken++;
        }
        release(&p);
    }
    print_message("taken %d times, %.1f times at worst\n", taken, worst);
    assert_true(taken > 0);
    assert_true(worst <= 4);
}

/* ---- what it refuses ---- */

#define REFUSED(...)                                                                                                               \
    { .batch = 2, .length = 10, .channels = 3, .filters = 4, .stride = 1, .padding = TL_PADDING_SAME, __VA_ARGS__ }

/* ---- causal convolutions ---- */

enum { STEPS = 96, WIDTH = 8, SPIKE = 61 };

/* Outputs before a spike: how much they change, at maximum, as a share of epsilon · height · sum of the filter's |weight|. */
static double change_before(tl_conv1d_plan *plan, const tl_real *weight, size_t kernel, double height) {
    tl_real x[STEPS * WIDTH], still[STEPS * WIDTH], moved[STEPS * WIDTH];
    double maximum = 0;
    fill_normal(x, STEPS * WIDTH, 5);
    tl_conv1d_forward(plan, x, weight, NULL, still);
    for (size_t c = 0; c < WIDTH; c++) x[SPIKE * WIDTH + c] = (tl_real)height;
    tl_conv1d_forward(plan, x, weight, NULL, moved);
    for (size_t i = 0; i < SPIKE * WIDTH; i++) {
        double sum = 0;
        for (size_t j = 0; j < kernel * WIDTH; j++) sum += fabs((double)weight[j * WIDTH + i % WIDTH]);
        maximum = fmax(maximum, fabs((double)moved[i] - (double)still[i]) / (2 * unit * height * sum));
    }
    return maximum;
}

static void given_a_later_spike_when_causal_then_earlier_outputs_within_the_bound(void **unused) {
    (void)unused;
    static const size_t kernels[] = {3, 5, 8, 12, 16, 40}, dilations[] = {1, 3};
    tl_real weight[40 * WIDTH * WIDTH];
    fill_normal(weight, 40 * WIDTH * WIDTH, 6);
    for (size_t e = TL_ENGINE_NAIVE; e <= TL_ENGINE_WINOGRAD; e++)
        for (size_t k = 0; k < 6 * 2; k++) {
            const size_t kernel = kernels[k / 2], dilation = dilations[k % 2];
            const tl_engine engine = (tl_engine)e;
            tl_error error = {0};
            const tl_conv1d_spec spec = {.batch = 1,
                                         .length = STEPS,
                                         .channels = WIDTH,
                                         .filters = WIDTH,
                                         .kernel = (size_t)kernel,
                                         .stride = 1,
                                         .dilation = (size_t)dilation,
                                         .padding = TL_PADDING_CAUSAL,
                                         .forward = engine,
                                         .backward_input = engine,
                                         .backward_weights = engine,
                                         .threads = 1};
            tl_conv1d_plan *plan = tl_conv1d_plan_new(&spec, &error);
            check_ok(&error);
            for (int exponent = 0; exponent < 10; exponent += 2) {
                const double height = pow(10, exponent), change = change_before(plan, weight, kernel, height);
                if (!(change <= (engine == TL_ENGINE_WINOGRAD ? 16 : 0)))
                    fail_msg("%s, kernel %zu, dilation %zu, height %g: %g", tl_engine_name(engine), kernel, dilation, height,
                             change);
            }
            tl_conv1d_plan_free(plan);
        }
}

static void given_nothing_to_save_when_planned_then_winograd_refuses(void **unused) {
    (void)unused;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
    const tl_conv1d_spec specs[] = {REFUSED(.kernel = 2, .dilation = 1), REFUSED(.kernel = 4, .dilation = 1, .stride = 2),
                                    REFUSED(.kernel = 9, .dilation = 2, .stride = 2), REFUSED(.kernel = 3, .dilation = 11)};
#pragma GCC diagnostic pop
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        tl_conv1d_spec spec = specs[i];
        spec.forward = TL_ENGINE_WINOGRAD;
        tl_error error = {0};
        assert_null(tl_conv1d_plan_new(&spec, &error));
        check_error(&error, TL_ERROR_ARGUMENT, "conv1d: engine winograd cannot compute the forward pass of kernel");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_random_configurations_when_run_then_bounded_errors),
        cmocka_unit_test(given_random_numbers_when_compared_then_error_at_most_4_times),
        cmocka_unit_test(given_few_channels_when_auto_takes_winograd_then_small_error),
        cmocka_unit_test(given_a_later_spike_when_causal_then_earlier_outputs_within_the_bound),
        cmocka_unit_test(given_nothing_to_save_when_planned_then_winograd_refuses),
    };
    return check_run(tests);
}
