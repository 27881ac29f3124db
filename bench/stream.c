/* `bench stream`: times a step of a network on a stream, for different numbers of steps in a push. */
#include "bench.h"

#include <tapline/layers.h>
#include <tapline/machine.h>
#include <tapline/random.h>
#include <tapline/stream.h>

#include <stdio.h>
#include <string.h>

enum { STEPS = 4096, LENGTH = 256, ROUNDS = 40 };

static const size_t pushes[] = {1, 64, 256};
enum { PUSHES = sizeof pushes / sizeof *pushes };

/* ---- networks ---- */

/* Ten causal convolutions, 16 filters of 3 taps, dilation 1, 2, 4 … 512, each with ReLU; dense. */
static tl_node stack(tl_model *model, tl_node x) {
    for (int layer = 0; layer < 10; layer++)
        x = tl_relu(model,
                    tl_conv1d(model, x,
                              &(tl_conv1d_cfg){.filters = 16, .kernel = 3, .dilation = 1 << layer, .padding = TL_PADDING_CAUSAL}));
    return tl_dense(model, x, &(tl_dense_cfg){.units = 1});
}

static tl_node tcn(tl_model *model, tl_node x) { return tl_tcn(model, x, 1); }

static tl_node wavenet(tl_model *model, tl_node x) {
    return tl_wavenet_steps(model, x, &(tl_wavenet_cfg){.outputs = 1, .blocks = 8});
}

/* Time-CNN with the mean over all of time instead of flatten. */
static tl_node time_cnn(tl_model *model, tl_node x) {
    static const size_t filters[] = {6, 12};
    for (int i = 0; i < 2; i++) {
        x = tl_sigmoid(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = filters[i], .kernel = 7}));
        x = tl_average_pool(model, x, &(tl_pool_cfg){.window = 3});
    }
    return tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = 2});
}

static const struct network {
    const char *name;
    tl_node (*build)(tl_model *model, tl_node x);
} networks[] = {{"stack", stack}, {"timecnn", time_cnn}, {"wavenet", wavenet}, {"tcn", tcn}, {0}};

const char *IN_PRECISION(bench_stream_name)(size_t index) {
    return index < sizeof networks / sizeof *networks ? networks[index].name : NULL;
}

/* ---- one network ---- */

/* Nanoseconds per step: the minimum of many rounds, which alternate between the sizes of pushes. */
static void measure(const tl_model *model, double best[PUSHES], tl_error *error) {
    tl_real x[STEPS], y[STEPS + 64];
    tl_rng rng = tl_rng_at(0, TL_STREAM_USER, 2, 0);
    tl_stream *stream = tl_stream_new(model, &(tl_stream_cfg){.block = 256}, error);
    for (size_t i = 0; i < STEPS; i++) x[i] = (tl_real)tl_rng_normal(&rng);
    for (size_t round = 0; stream && round < ROUNDS * PUSHES; round++) {
        const size_t steps = pushes[round % PUSHES];
        const double begin = bench_seconds();
        for (size_t t = 0; t < STEPS; t += steps) tl_stream_push(stream, x + t, steps, y, sizeof y / sizeof *y);
        const double each = (bench_seconds() - begin) / STEPS * 1e9;
        if (round < PUSHES || each < best[round % PUSHES]) best[round % PUSHES] = each;
    }
    tl_stream_free(stream);
}

static json_t *run_network(const struct network *at, tl_error *error) {
    double best[PUSHES] = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    const tl_node y = at->build(model, tl_input(model, (tl_shape){.length = LENGTH, .channels = 1}));
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = 1, .loss = TL_LOSS_SQUARED_ERROR, .inference_only = true}, error);
    tl_stream *stream = tl_stream_new(model, NULL, error);
    if (stream) measure(model, best, error);
    const size_t delay = tl_stream_delay(stream), field = tl_stream_receptive_field(stream), bytes = tl_stream_memory(stream);
    tl_stream_free(stream);
    tl_model_free(model);
    if (tl_failed(error)) return NULL;
    printf("%-10s %10zu %6zu %8zu %10.0f %10.0f %10.0f\n", at->name, field, delay, bytes / 1024, best[0], best[1], best[2]);
    fflush(stdout);
    return json_pack("{ss sI sI sI sf sf sf}", "model", at->name, "receptive_field", (json_int_t)field, "delay", (json_int_t)delay,
                     "bytes", (json_int_t)bytes, "ns_1", best[0], "ns_64", best[1], "ns_256", best[2]);
}

int IN_PRECISION(bench_stream)(const void *asked) {
    const bench_settings *settings = asked;
    tl_error error = {0};
    json_t *results = json_array();
    printf("%-10s %10s %6s %8s %10s %10s %10s\n", "model", "field", "delay", "kB", "1 step", "64 steps", "256 steps");
    for (const struct network *at = networks; at->name && !tl_failed(&error); at++)
        if (!settings->only || strcmp(settings->only, at->name) == 0) json_array_append_new(results, run_network(at, &error));
    if (!tl_failed(&error))
        printf("%s, %s, one thread; nanoseconds per step, minimum of %d rounds, for 1, 64 or 256 steps in a push; field 0: all "
               "steps\n",
               tl_isa(), tl_precision(), ROUNDS);
    return bench_finish(settings, json_pack("{ss ss so}", "isa", tl_isa(), "precision", tl_precision(), "results", results),
                        &error);
}
