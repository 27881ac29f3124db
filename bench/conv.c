/* `bench conv`: compares every engine with naive for every pass of the shapes, then times it. */
#include "bench.h"

#include <tapline/machine.h>
#include <tapline/random.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef TAPLINE_F64
#define EPSILON DBL_EPSILON
#else
#define EPSILON FLT_EPSILON
#endif

enum { MAX_ENGINES = 16 };

/* An engine for the current shape. */
typedef struct contender {
    const char *name;
    tl_conv1d_plan *plan;
    bool runs[BENCH_PASSES]; /* the engine can compute that pass */
    double error[BENCH_PASSES];
    bench_samples samples[BENCH_PASSES];
} contender;

/* The current shape: its arrays and engines. */
typedef struct bout {
    const bench_settings *settings;
    const bench_shape *shape;
    size_t out_length;
    tl_tensor x, weight, bias, dy;
    tl_tensor reference[BENCH_ALL]; /* naive's y, dx, and dweight followed by dbias */
    tl_tensor result[BENCH_ALL];
    contender *naive; /* timed only if the user named it */
    contender *contenders;
    size_t count;
} bout;

/* ---- timed work ---- */

typedef struct task {
    bout *self;
    contender *who;
    bench_pass pass;
} task;

static void forward(const bout *self, tl_conv1d_plan *plan) {
    tl_conv1d_forward(plan, self->x.data, self->weight.data, self->bias.data, self->result[BENCH_FORWARD].data);
}

static void backward_input(const bout *self, tl_conv1d_plan *plan) {
    tl_conv1d_backward_input(plan, self->dy.data, self->weight.data, self->result[BENCH_DX].data);
}

static void backward_weights(const bout *self, tl_conv1d_plan *plan) {
    tl_real *dweight = self->result[BENCH_DW].data;
    tl_conv1d_backward_weights(plan, self->x.data, self->dy.data, dweight, dweight + tl_tensor_count(&self->weight));
}

static void run_pass(void *context) {
    const task *work = context;
    tl_conv1d_plan *plan = work->who->plan;
    const bench_pass pass = work->pass;
    if (pass == BENCH_FORWARD || pass == BENCH_ALL) forward(work->self, plan);
    if (pass == BENCH_DX || pass == BENCH_ALL) backward_input(work->self, plan);
    if (pass == BENCH_DW || pass == BENCH_ALL) backward_weights(work->self, plan);
}

/* ---- arrays ---- */

static tl_tensor new_tensor(size_t count, tl_error *error) { return tl_tensor_new(1, &count, error); }

/* Standard normal numbers of stream `which`. */
static tl_tensor random_tensor(size_t count, uint32_t which, tl_error *error) {
    tl_tensor tensor = new_tensor(count, error);
    tl_rng rng = tl_rng_at(0, TL_STREAM_USER, which, 0);
    for (size_t i = 0; i < tl_tensor_count(&tensor); i++) tensor.data[i] = (tl_real)tl_rng_normal(&rng);
    return tensor;
}

static void make_arrays(bout *self, tl_error *error) {
    const tl_conv1d_spec *spec = &self->shape->spec;
    const size_t batch = spec->batch, filters = spec->filters, channels = spec->channels;
    if (tl_failed(error)) return;
    self->out_length = tl_conv1d_out_length(self->naive->plan);
    self->x = random_tensor(batch * spec->length * channels, 0, error);
    self->weight = random_tensor(spec->kernel * channels * filters, 1, error);
    self->bias = random_tensor(filters, 2, error);
    self->dy = random_tensor(batch * self->out_length * filters, 3, error);
    const size_t counts[BENCH_ALL] = {tl_tensor_count(&self->dy), tl_tensor_count(&self->x),
                                      tl_tensor_count(&self->weight) + filters};
    for (size_t i = 0; i < BENCH_ALL; i++) {
        self->reference[i] = new_tensor(counts[i], error);
        self->result[i] = new_tensor(counts[i], error);
    }
}

static void free_arrays(bout *self) {
    tl_tensor *const all[] = {&self->x, &self->weight, &self->bias, &self->dy};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) tl_tensor_free(all[i]);
    for (size_t i = 0; i < BENCH_ALL; i++) {
        tl_tensor_free(&self->reference[i]);
        tl_tensor_free(&self->result[i]);
    }
}

/* ---- comparison with naive ---- */

/* Returns the number of terms in the sum for each element of a pass's result. */
static double terms(const bout *self, bench_pass pass) {
    const tl_conv1d_spec *spec = &self->shape->spec;
    if (pass == BENCH_FORWARD) return (double)spec->kernel * (double)spec->channels;
    if (pass == BENCH_DX) return (double)spec->kernel * (double)spec->filters;
    return (double)spec->batch * (double)self->out_length;
}

/* Of the elements that are not 0: gradients of taps that read only padding do not count. */
static double root_mean_square(const tl_tensor *tensor) {
    double sum = 0, count = 0;
    for (size_t i = 0; i < tl_tensor_count(tensor); i++) {
        sum += (double)tensor->data[i] * (double)tensor->data[i];
        count += tensor->data[i] != 0;
    }
    return count > 0 ? sqrt(sum / count) : 0;
}

static void fail_at(const bout *self, const contender *who, bench_pass pass, size_t at, double limit, tl_error *error) {
    const tl_conv1d_spec *spec = &self->shape->spec;
    const size_t inner = pass == BENCH_DX ? spec->channels : spec->filters;
    const size_t middle = pass == BENCH_FORWARD ? self->out_length : pass == BENCH_DX ? spec->length : spec->channels;
    tl_fail(error, TL_ERROR_NUMERIC,
            "%s, %s, %s: element %zu (%s %zu, %s %zu, %s %zu) is %.9g, naive's is %.9g (difference allowed: %.3g)", who->name,
            self->shape->name, bench_pass_name(pass), at, pass == BENCH_DW ? "tap" : "sample", at / inner / middle,
            pass == BENCH_DW ? "channel" : "step", at / inner % middle, pass == BENCH_DX ? "channel" : "filter", at % inner,
            (double)self->result[pass].data[at], (double)self->reference[pass].data[at], limit);
}

enum { TRANSFORM_ROUNDINGS = 24 }; /* approximate number of rounding errors of winograd besides those of its sums */

/* The rounding error of a sum of n random terms grows with sqrt(n). 16 times that is far more than any engine shows. A missing or
 * repeated term is far larger: 1 / sqrt(n) of the result. */
static void check(const bout *self, contender *who, bench_pass pass, tl_error *error) {
    const tl_tensor *actual = &self->result[pass], *expected = &self->reference[pass];
    const double size = root_mean_square(expected);
    const double limit = 16 * sqrt(terms(self, pass) + TRANSFORM_ROUNDINGS) * EPSILON * size;
    double largest = 0;
    for (size_t i = 0; i < tl_tensor_count(expected); i++) {
        const double difference = fabs((double)actual->data[i] - (double)expected->data[i]);
        if (!(difference <= limit)) {
            fail_at(self, who, pass, i, limit, error);
            return;
        }
        if (difference > largest) largest = difference;
    }
    who->error[pass] = size > 0 ? largest / size : 0;
}

/* Runs a pass once, which is also its first sample. dw adds to the present values, zeros. The other passes must write every
 * element, or some of the present NaNs (all bits set) remain. */
static void first_run(bout *self, contender *who, bench_pass pass) {
    memset(self->result[pass].data, pass == BENCH_DW ? 0 : 0xff, tl_tensor_count(&self->result[pass]) * sizeof(tl_real));
    bench_once(&who->samples[pass], run_pass, &(task){self, who, pass});
}

/* naive is slow: these may be its only runs. */
static void make_reference(bout *self, tl_error *error) {
    double all = 0;
    if (tl_failed(error)) return;
    for (bench_pass pass = 0; pass < BENCH_ALL; pass++) {
        first_run(self, self->naive, pass);
        memcpy(self->reference[pass].data, self->result[pass].data, tl_tensor_count(&self->result[pass]) * sizeof(tl_real));
        all += self->naive->samples[pass].seconds[0];
    }
    self->naive->samples[BENCH_ALL] = (bench_samples){.count = 1, .seconds = {all}};
}

static void check_all(bout *self, tl_error *error) {
    for (size_t i = 0; i < self->count && !tl_failed(error); i++) {
        contender *who = &self->contenders[i];
        for (bench_pass pass = 0; pass < BENCH_ALL && who != self->naive; pass++) {
            if (!who->runs[pass]) continue;
            first_run(self, who, pass);
            check(self, who, pass, error);
            who->samples[pass].count = 0; /* without warming up */
        }
    }
}

/* ---- timing ---- */

static void time_all(bout *self, const tl_error *error) {
    if (tl_failed(error)) return;
    for (int round = 0; round < BENCH_ROUNDS; round++)
        for (size_t i = 0; i < self->count; i++)
            for (bench_pass pass = 0; pass < BENCH_PASSES; pass++) {
                contender *who = &self->contenders[i];
                if (who->runs[pass]) bench_round(&who->samples[pass], run_pass, &(task){self, who, pass}, self->settings->seconds);
            }
}

/* ---- engines ---- */

/* Returns whether the engine can compute that pass. The shape itself is valid: naive has a plan for it. */
static bool runs(tl_conv1d_spec spec, tl_engine engine, bench_pass pass) {
    tl_error declined = {0};
    spec.forward = pass == BENCH_FORWARD ? engine : TL_ENGINE_NAIVE;
    spec.backward_input = pass == BENCH_DX ? engine : TL_ENGINE_NAIVE;
    spec.backward_weights = pass == BENCH_DW ? engine : TL_ENGINE_NAIVE;
    tl_conv1d_plan_free(tl_conv1d_plan_new(&spec, &declined));
    return declined.status != TL_ERROR_ARGUMENT;
}

static void open_contender(const bout *self, contender *who, tl_engine engine, tl_error *error) {
    tl_conv1d_spec spec = self->shape->spec;
    if (tl_failed(error)) return;
    spec.threads = (int)self->settings->common.threads;
    *who = (contender){.name = tl_engine_name(engine)};
    for (bench_pass pass = 0; pass < BENCH_ALL; pass++) who->runs[pass] = engine == TL_ENGINE_NAIVE || runs(spec, engine, pass);
    who->runs[BENCH_ALL] = who->runs[BENCH_FORWARD] && who->runs[BENCH_DX] && who->runs[BENCH_DW];
    spec.forward = who->runs[BENCH_FORWARD] ? engine : TL_ENGINE_NAIVE;
    spec.backward_input = who->runs[BENCH_DX] ? engine : TL_ENGINE_NAIVE;
    spec.backward_weights = who->runs[BENCH_DW] ? engine : TL_ENGINE_NAIVE;
    who->plan = tl_conv1d_plan_new(&spec, error);
}

/* Returns whether the list contains the engine; NULL contains all. */
static bool listed(const char *list, const char *name) {
    if (!list) return true;
    for (const char *part = list; *part; part += strcspn(part, ","), part += *part == ',')
        if (strcspn(part, ",") == strlen(name) && strncmp(part, name, strlen(name)) == 0) return true;
    return false;
}

/* naive is first, since the others are compared with it; auto is last, after the engines that it chooses from. */
static void open_contenders(bout *self, tl_error *error) {
    const char *list = self->settings->engines;
    self->contenders = calloc(MAX_ENGINES, sizeof *self->contenders);
    if (!self->contenders) {
        tl_fail(error, TL_ERROR_MEMORY, "bench: out of memory for the samples of %d engines", MAX_ENGINES);
        return;
    }
    self->naive = &self->contenders[MAX_ENGINES - 1];
    if (listed(list, "naive")) self->naive = &self->contenders[self->count++];
    open_contender(self, self->naive, TL_ENGINE_NAIVE, error);
    for (int i = TL_ENGINE_NAIVE + 1; tl_engine_name((tl_engine)i) && self->count < MAX_ENGINES - 2; i++)
        if (listed(list, tl_engine_name((tl_engine)i))) open_contender(self, &self->contenders[self->count++], (tl_engine)i, error);
    if (listed(list, "auto")) open_contender(self, &self->contenders[self->count++], TL_ENGINE_AUTO, error);
}

static void close_contenders(bout *self) {
    for (size_t i = 0; i < MAX_ENGINES && self->contenders; i++) tl_conv1d_plan_free(self->contenders[i].plan);
    free(self->contenders);
}

/* ---- results ---- */

static double operations(const bout *self, bench_pass pass) {
    const tl_conv1d_spec *spec = &self->shape->spec;
    return 2.0 * (double)spec->batch * (double)self->out_length * (double)spec->filters * (double)spec->channels *
           (double)spec->kernel * (pass == BENCH_ALL ? 3 : 1);
}

/* Returns the bytes of the arrays that a pass reads or writes, the minimum of its memory traffic. */
static double bytes(const bout *self, bench_pass pass) {
    const double x = (double)tl_tensor_count(&self->x), y = (double)tl_tensor_count(&self->dy);
    const double weight = (double)(tl_tensor_count(&self->weight) + tl_tensor_count(&self->bias));
    return (double)sizeof(tl_real) * (x + y + weight) * (pass == BENCH_ALL ? 3 : 1);
}

static void keep_result(const bout *self, contender *who, bench_pass pass, bench_run *run) {
    const bench_timing time = bench_summary(&who->samples[pass]);
    run->result[run->count++] = (bench_result){.shape = self->shape,
                                               .pass = pass,
                                               .engine = who->name,
                                               .uses = pass == BENCH_ALL ? NULL : tl_conv1d_engine(who->plan, (tl_conv1d_pass)pass),
                                               .time = time,
                                               .gflops = operations(self, pass) / time.best / 1e6,
                                               .intensity = operations(self, pass) / bytes(self, pass),
                                               .error = who->error[pass]};
}

static void run_shape(const bench_settings *settings, const bench_shape *shape, bench_run *run, tl_error *error) {
    bout self = {.settings = settings, .shape = shape};
    const size_t first = run->count;
    open_contenders(&self, error);
    make_arrays(&self, error);
    make_reference(&self, error);
    check_all(&self, error);
    time_all(&self, error);
    for (size_t i = 0; i < self.count && !tl_failed(error); i++)
        for (bench_pass pass = 0; pass < BENCH_PASSES; pass++)
            if (self.contenders[i].runs[pass]) keep_result(&self, &self.contenders[i], pass, run);
    if (!tl_failed(error)) bench_conv_table(run, first, run->count - first);
    free_arrays(&self);
    close_contenders(&self);
}

/* ---- the machine ---- */

typedef struct product {
    tl_tensor a, b, c;
    tl_error *error;
} product;

static void multiply(void *context) {
    product *self = context;
    tl_tensor_matmul(&self->a, &self->b, &self->c, self->error);
}

/* The rate of the BLAS for 1024 × 1024 × 1024. The first model or plan sets the BLAS to one thread, so there must be one before. */
static double blas_gflops(double seconds, tl_error *error) {
    enum { SIZE = 1024 };
    const size_t square[] = {SIZE, SIZE};
    bench_samples *samples = calloc(1, sizeof *samples);
    product work = {tl_tensor_new(2, square, error), tl_tensor_new(2, square, error), tl_tensor_new(2, square, error), error};
    double rate = 0;
    for (size_t i = 0; i < SIZE * SIZE && !tl_failed(error); i++) work.a.data[i] = work.b.data[i] = (tl_real)(i % 7);
    if (samples && !tl_failed(error)) {
        for (int round = 0; round < BENCH_ROUNDS; round++) bench_round(samples, multiply, &work, seconds);
        rate = 2.0 * SIZE * SIZE * SIZE / bench_summary(samples).best / 1e6;
    }
    tl_tensor_free(&work.a);
    tl_tensor_free(&work.b);
    tl_tensor_free(&work.c);
    free(samples);
    return rate;
}

static void measure_machine(const bench_settings *settings, bench_run *run, tl_error *error) {
    const double seconds = settings->seconds < 0.25 ? settings->seconds : 0.25;
    const tl_conv1d_spec tiny = {1, 1, 1, 1, 1, 1, 1, .threads = (int)settings->common.threads};
    if (tl_failed(error)) return;
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = (int)settings->common.threads});
    run->isa = tl_isa();
    run->precision = tl_precision();
    run->threads = model ? tl_model_threads(model) : 1;
    tl_model_free(model);
    run->peak_gflops = tl_peak_gflops(seconds);
    tl_conv1d_plan *plan = tl_conv1d_plan_new(&tiny, error);
    run->blas_gflops = blas_gflops(seconds, error);
    run->memory_rate = bench_memory_rate(seconds);
    tl_conv1d_plan_free(plan);
}

/* ---- command ---- */

static bench_run *new_run(tl_error *error) {
    size_t shapes = 0;
    while (bench_shape_at(shapes)) shapes++;
    bench_run *run = calloc(1, sizeof *run);
    if (run) run->result = calloc(shapes * MAX_ENGINES * BENCH_PASSES, sizeof *run->result);
    if (run && run->result) return run;
    free(run);
    tl_fail(error, TL_ERROR_MEMORY, "bench: out of memory for the results of %zu shapes", shapes);
    return NULL;
}

static void read_shape(const bench_settings *settings, bench_run *run, tl_error *error) {
    if (!settings->shape) return;
    if (settings->only)
        tl_fail(error, TL_ERROR_ARGUMENT, "--only %s: a shape of the grid cannot be combined with --shape", settings->only);
    else
        bench_shape_parse(settings->shape, &run->own, error);
}

static void run_shapes(const bench_settings *settings, bench_run *run, tl_error *error) {
    if (settings->shape) {
        run_shape(settings, &run->own, run, error);
        return;
    }
    for (size_t i = 0; bench_shape_at(i) && !tl_failed(error); i++)
        if (!settings->only || strcmp(settings->only, bench_shape_name(i)) == 0) run_shape(settings, bench_shape_at(i), run, error);
}

int IN_PRECISION(bench_conv)(const void *settings) {
    tl_error error = {0};
    json_t *report = NULL;
    bench_run *run = new_run(&error);
    if (run) {
        read_shape(settings, run, &error);
        measure_machine(settings, run, &error);
        run_shapes(settings, run, &error);
        if (!tl_failed(&error)) {
            bench_conv_summary(run);
            report = bench_conv_json(run);
        }
        free(run->result);
        free(run);
    }
    return bench_finish(settings, report, &error);
}
