/* bench.h: the benchmark behind `tapline bench`; it uses only the public headers, as a user's own benchmark would.
 *
 * The code that computes (conv.c, step.c, stream.c) is compiled twice, as commands.h explains. The options, the grid of shapes, the
 * clock and the reports do not use tl_real and are compiled once.
 */
#ifndef BENCH_H
#define BENCH_H

#include "cli/commands.h"

#include <tapline/conv1d.h>
#include <tapline/model.h>
#include <tapline/profile.h>

#include <jansson.h>

typedef struct bench_settings {
    common_settings common;
    const char *only;    /* one shape or network; NULL: all */
    const char *shape;   /* conv: a shape of the user (bench_shape_parse) instead of the grid; NULL: none */
    const char *engines; /* conv: names separated by commas; NULL: all */
    double seconds;      /* for each measurement */
    bool no_fold;        /* step: inference with the bits of training's evaluation */
    bool profile;        /* step: also the times of all layers */
} bench_settings;

/* Run the commands; `settings` is a bench_settings. */
int bench_conv_f32(const void *settings);
int bench_conv_f64(const void *settings);
int bench_step_f32(const void *asked);
int bench_step_f64(const void *asked);
int bench_stream_f32(const void *asked);
int bench_stream_f64(const void *asked);

/* Returns the networks of `bench stream`; NULL after the last one. */
const char *bench_stream_name_f32(size_t index);
const char *bench_stream_name_f64(size_t index);
int bench_read_f32(const void *asked);
int bench_read_f64(const void *asked);

/* Returns the formats of `bench read`; NULL after the last one. */
const char *bench_format_name_f32(size_t index);
const char *bench_format_name_f64(size_t index);

/* Prints the JSON object if --json was given, or the error, and frees the object. Returns the exit code. */
int bench_finish(const bench_settings *settings, json_t *report, const tl_error *error);

/* ---- the grid of convolution shapes (grid.c) ---- */

typedef struct bench_shape {
    const char *name;
    tl_conv1d_spec spec; /* engines and threads are not set */
} bench_shape;

/* Returns the shape with that index; NULL after the last one. */
const bench_shape *bench_shape_at(size_t index);
const char *bench_shape_name(size_t index);

/* Reads "channels=32,filters=64,kernel=5,length=1000,batch=16" (these five in any order) and optionally stride=, dilation= (1) and
 * padding= valid, same or causal (same). */
tl_status bench_shape_parse(const char *text, bench_shape *shape, tl_error *error);

const char *bench_padding_name(tl_padding padding);

/* ---- the clock (measure.c) ---- */

enum { BENCH_SAMPLES = 2048, BENCH_ROUNDS = 5 };

/* The times of repeated work. */
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

/* Returns the seconds of a clock that never goes backward. */
double bench_seconds(void);

/* Does the work once and stores its time. */
void bench_once(bench_samples *samples, bench_work work, void *context);

/* One of BENCH_ROUNDS rounds that share `seconds`: does the work once to warm up, then repeatedly, and stores each time; at least
 * once, unless the seconds are already used or the samples are full. Rounds of different engines alternate, so that a disturbance
 * of the machine affects all of them. */
void bench_round(bench_samples *samples, bench_work work, void *context, double seconds);

/* Sorts the samples; there must be at least one. */
bench_timing bench_summary(bench_samples *samples);

/* Returns the memory bandwidth of one thread in GB/s: the best of the triad a = b + s · c (McCalpin 1995) on arrays larger than any
 * cache, for about that many seconds. 0 if there is no memory for them. */
double bench_memory_rate(double seconds);

/* ---- the profile of a step (profile.c) ---- */

typedef struct bench_profile bench_profile;

/* What a step consists of besides its layers. */
typedef enum bench_rest { BENCH_LOSS = 0, BENCH_OPTIMIZER, BENCH_REST } bench_rest;

/* For a network of so many nodes; NULL on failure. */
bench_profile *bench_profile_new(size_t layers, tl_error *error);
void bench_profile_free(bench_profile *profile);
void bench_profile_name(bench_profile *profile, size_t layer, const char *name); /* `name` is not copied */

/* Call bench_profile_begin before each pass, and before the loss and the optimizer; bench_profile_rest after the last two. */
void bench_profile_begin(bench_profile *profile);
void bench_profile_part(void *profile, tl_node layer, tl_pass_part part); /* a tl_observer */
void bench_profile_rest(bench_profile *profile, bench_rest rest);

/* The medians of all parts, and their share of the sum of all medians: a table, and the same as a list. */
void bench_profile_print(bench_profile *profile);
json_t *bench_profile_json(bench_profile *profile);

/* ---- reports of `bench conv` (conv_report.c) ---- */

/* The three passes; and all three one after the other, as in a training step. */
typedef enum bench_pass { BENCH_FORWARD = 0, BENCH_DX, BENCH_DW, BENCH_ALL, BENCH_PASSES } bench_pass;

const char *bench_pass_name(bench_pass pass);

/* The result of an engine for a pass of a shape, compared with naive. */
typedef struct bench_result {
    const bench_shape *shape;
    bench_pass pass;
    const char *engine;
    const char *uses; /* the engine that computed it; for auto another one than `engine` */
    bench_timing time;
    double gflops;    /* computed from the best time */
    double intensity; /* operations for each byte of the pass's arrays, each read or written once */
    double error;     /* the largest difference from naive, relative to the root mean square of naive's result */
} bench_result;

typedef struct bench_run {
    double peak_gflops; /* multiply-add loop on one thread */
    double blas_gflops; /* matrix product of the BLAS on one thread */
    double memory_rate; /* memory bandwidth of one thread in GB/s */
    const char *isa, *precision;
    int threads;
    bench_shape own; /* the shape from --shape */
    size_t count;
    bench_result *result;
} bench_run;

/* Prints the table of a shape, with `count` results from `first` on. */
void bench_conv_table(const bench_run *run, size_t first, size_t count);

/* Prints how good the choices of auto were, if other engines were timed too. */
void bench_conv_summary(const bench_run *run);

json_t *bench_conv_json(const bench_run *run);

/* ---- the cases of `bench step` (step.c) ---- */

/* A ready-made network and the batch for its timing. */
typedef struct bench_case {
    const char *name; /* NULL ends the table */
    tl_node (*build)(tl_model *model, tl_node x, size_t outputs);
    size_t batch, length, channels;
    size_t classes;
    tl_padding padding; /* of convolutions with a kernel above 1 */
    bool doubling;      /* their dilation doubles after every second one */
} bench_case;

extern const bench_case bench_cases_f32[], bench_cases_f64[];

#endif
