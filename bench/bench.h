/* bench.h: the benchmark behind `tapline bench`: over the public headers only, as a user's own would be.
 *
 * What computes (conv.c, step.c, stream.c) is compiled twice, as commands.h says. The options, the grid of shapes, the clock and
 * the reports know no tl_real and are compiled once.
 */
#ifndef BENCH_H
#define BENCH_H

#include "cli/commands.h"

#include <tapline/conv1d.h>
#include <tapline/model.h>

#include <jansson.h>

typedef struct bench_settings {
    common_settings common;
    const char *only;    /* one shape or model of those there are; NULL: all */
    const char *shape;   /* conv: a shape of the user's own (bench_shape_parse) in place of the grid; NULL: none */
    const char *engines; /* conv: names separated by commas; NULL: all */
    double seconds;      /* for each measurement */
} bench_settings;

/* What runs the commands; `settings` and `asked` are a bench_settings. */
int bench_conv_f32(const void *settings);
int bench_conv_f64(const void *settings);
int bench_step_f32(const void *asked);
int bench_step_f64(const void *asked);
int bench_stream_f32(const void *asked);
int bench_stream_f64(const void *asked);

/* The networks of `bench stream`; NULL behind the last. */
const char *bench_stream_name_f32(size_t index);
const char *bench_stream_name_f64(size_t index);
int bench_read_f32(const void *asked);
int bench_read_f64(const void *asked);

/* The formats of bench read; NULL behind the last. */
const char *bench_format_name_f32(size_t index);
const char *bench_format_name_f64(size_t index);

/* Prints the JSON object if it was asked for, or the error, and frees the object. Returns the exit code. */
int bench_finish(const bench_settings *settings, json_t *report, const tl_error *error);

/* ---- the grid of convolution shapes (grid.c) ---- */

typedef struct bench_shape {
    const char *name;
    tl_conv1d_spec spec; /* engines and threads left open */
} bench_shape;

/* The shape of that index; NULL behind the last. */
const bench_shape *bench_shape_at(size_t index);
const char *bench_shape_name(size_t index);

/* Reads "channels=32,filters=64,kernel=5,length=1000,batch=16", those five in any order and, where wanted, stride=, dilation= (1)
 * and padding= valid, same or causal (same). */
tl_status bench_shape_parse(const char *text, bench_shape *shape, tl_error *error);

const char *bench_padding_name(tl_padding padding);

/* ---- the clock (measure.c) ---- */

enum { BENCH_SAMPLES = 2048, BENCH_ROUNDS = 5 };

/* How long a piece of work took, each time that it was done. */
typedef struct bench_samples {
    size_t count;
    double seconds[BENCH_SAMPLES];
} bench_samples;

typedef struct bench_timing {
    double best, median; /* milliseconds */
    double spread;       /* of the middle half of the samples, as a share of the median */
    size_t samples;
} bench_timing;

typedef void (*bench_work)(void *context);

/* Seconds on a clock that only goes forward. */
double bench_seconds(void);

/* Does the work once and keeps how long it took. */
void bench_once(bench_samples *samples, bench_work work, void *context);

/* One of BENCH_ROUNDS rounds that share `seconds`: does the work once to warm up, then again and again, keeping each time; at least
 * once, unless the seconds are already spent or the samples full. Rounds of different contenders take turns, so that what disturbs
 * the machine for a while disturbs all of them. */
void bench_round(bench_samples *samples, bench_work work, void *context, double seconds);

/* Sorts the samples, of which there is at least one. */
bench_timing bench_summary(bench_samples *samples);

/* What one thread moves to and from memory, in GB/s: the best of the triad a = b + s · c (McCalpin 1995) on arrays beyond any
 * cache, for about that many seconds. 0 where there is no memory for them. */
double bench_memory_rate(double seconds);

/* ---- reports of `bench conv` (conv_report.c) ---- */

/* The three passes, and all three in turn as a training step has them. */
typedef enum bench_pass { BENCH_FORWARD = 0, BENCH_DX, BENCH_DW, BENCH_ALL, BENCH_PASSES } bench_pass;

const char *bench_pass_name(bench_pass pass);

/* One engine at one pass of one shape, checked against naive. */
typedef struct bench_result {
    const bench_shape *shape;
    bench_pass pass;
    const char *engine;
    const char *uses; /* the engine that did it: another one than `engine` for auto */
    bench_timing time;
    double gflops;    /* from the best time */
    double intensity; /* operations for each byte of the pass's arrays, each read or written once */
    double error;     /* the largest difference from naive, as a share of the root mean square of naive's result */
} bench_result;

typedef struct bench_run {
    double peak_gflops; /* one thread's multiply-add loop */
    double blas_gflops; /* its matrix product */
    double memory_rate; /* its GB/s to and from memory */
    const char *isa, *precision;
    int threads;
    bench_shape own; /* what was given with --shape */
    size_t count;
    bench_result *result;
} bench_run;

/* The table of one shape, whose results are `count` from `first` on. */
void bench_conv_table(const bench_run *run, size_t first, size_t count);

/* How well auto chose, where others than auto were timed too. */
void bench_conv_summary(const bench_run *run);

json_t *bench_conv_json(const bench_run *run);

/* ---- the cases of `bench step` (step.c) ---- */

/* A ready-made network and the batch on which it is timed. */
typedef struct bench_case {
    const char *name; /* NULL ends the table */
    tl_node (*build)(tl_model *model, tl_node x, size_t outputs);
    size_t batch, length, channels;
    size_t classes;
    tl_padding padding; /* of its convolutions with a kernel above 1 */
    bool doubling;      /* their dilation doubles behind every second one */
} bench_case;

extern const bench_case bench_cases_f32[], bench_cases_f64[];

#endif
