/* `bench step`: times a training step and inference of the ready-made networks, and their convolutions alone. */
#include "bench.h"

#include <tapline/layers.h>
#include <tapline/machine.h>
#include <tapline/random.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const bench_case IN_PRECISION(bench_cases)[] = {
    {"fcn", tl_fcn, 16, 150, 1, 2, TL_PADDING_SAME, false},
    {"resnet", tl_resnet, 16, 150, 1, 2, TL_PADDING_SAME, false},
    {"inception", tl_inception, 16, 150, 1, 2, TL_PADDING_SAME, false},
    {"timecnn", tl_time_cnn, 16, 150, 1, 2, TL_PADDING_VALID, false},
    {"tcn", tl_tcn, 64, 784, 1, 10, TL_PADDING_CAUSAL, true},
    {"fcn_tiny", tl_fcn, 6, 24, 1, 2, TL_PADDING_SAME, false},
    {"inception_b64", tl_inception, 64, 150, 1, 2, TL_PADDING_SAME, false},
    {0},
};

enum { MAX_CONVOLUTIONS = 64 };

/* A convolution of the network by itself. */
typedef struct layer {
    tl_conv1d_plan *plan;
    tl_tensor weight; /* that of the network */
    tl_tensor dweight;
    bool first; /* it reads the data, which needs no gradient */
} layer;

/* The current network. */
typedef struct subject {
    const bench_case *at;
    const bench_settings *settings;
    tl_model *model;
    tl_model *inference; /* the same network, compiled with inference_only */
    tl_error *error;
    tl_tensor x;
    int32_t *labels;
    size_t layers;
    layer layer[MAX_CONVOLUTIONS];
    tl_tensor wide[3]; /* the largest input, output and input gradient of all layers */
    bench_samples step, infer, infer_one, convolutions, profiled;
    bench_profile *profile; /* NULL: not asked for */
} subject;

/* ---- timed work ---- */

static void train_step(void *context) {
    subject *self = context;
    tl_forward(self->model, &self->x, TL_MODE_TRAINING);
    tl_loss(self->model, &(tl_target){.labels = self->labels});
    tl_backward(self->model);
    tl_step(self->model, self->error);
}

/* The same, with the times of its parts. */
static void profile_step(void *context) {
    subject *self = context;
    bench_profile_begin(self->profile);
    tl_forward(self->model, &self->x, TL_MODE_TRAINING);
    bench_profile_begin(self->profile);
    tl_loss(self->model, &(tl_target){.labels = self->labels});
    bench_profile_rest(self->profile, BENCH_LOSS);
    tl_backward(self->model);
    bench_profile_begin(self->profile);
    tl_step(self->model, self->error);
    bench_profile_rest(self->profile, BENCH_OPTIMIZER);
}

static void infer(void *context) {
    subject *self = context;
    tl_forward(self->inference, &self->x, TL_MODE_INFERENCE);
}

static void infer_one(void *context) {
    subject *self = context;
    const tl_tensor sample = tl_tensor_slice(&self->x, 0, 1);
    tl_forward(self->inference, &sample, TL_MODE_INFERENCE);
}

/* The passes in the order of a step. The layers share their activations, which makes them faster than in a step. */
static void convolve(void *context) {
    subject *self = context;
    tl_real *x = self->wide[0].data, *y = self->wide[1].data, *dx = self->wide[2].data;
    for (size_t i = 0; i < self->layers; i++) tl_conv1d_forward(self->layer[i].plan, x, self->layer[i].weight.data, NULL, y);
    for (size_t i = self->layers; i-- > 0;) {
        const layer *at = &self->layer[i];
        tl_conv1d_backward_weights(at->plan, x, y, at->dweight.data, NULL);
        if (!at->first) tl_conv1d_backward_input(at->plan, y, at->weight.data, dx);
    }
}

/* ---- the convolutions ---- */

static void widen(tl_tensor *tensor, size_t count, tl_error *error) {
    if (count <= tl_tensor_count(tensor)) return;
    tl_tensor_free(tensor);
    *tensor = tl_tensor_new(1, &count, error);
}

/* Adds a layer from the shape of its weight, (kernel, channels, filters), and of its output. */
static void add_layer(subject *self, const tl_parameter *parameter, size_t *dilation_index) {
    const bench_case *at = self->at;
    const size_t *weight = parameter->value.shape;
    const size_t out_length = tl_node_shape(self->model, parameter->node).length;
    const bool wide = weight[0] > 1;
    const tl_padding padding = wide ? at->padding : TL_PADDING_SAME;
    const size_t dilation = wide && at->doubling ? (size_t)1 << (*dilation_index)++ / 2 : 1;
    const size_t length = padding == TL_PADDING_VALID ? out_length + weight[0] - 1 : out_length;
    layer *added = &self->layer[self->layers++];
    added->weight = parameter->value;
    added->first = weight[1] == at->channels;
    added->dweight = tl_tensor_new(3, weight, self->error);
    added->plan = tl_conv1d_plan_new(&(tl_conv1d_spec){.batch = at->batch,
                                                       .length = length,
                                                       .channels = weight[1],
                                                       .filters = weight[2],
                                                       .kernel = weight[0],
                                                       .stride = 1,
                                                       .dilation = dilation,
                                                       .padding = padding,
                                                       .threads = (int)self->settings->common.threads},
                                     self->error);
    widen(&self->wide[0], at->batch * length * weight[1], self->error);
    widen(&self->wide[1], at->batch * out_length * weight[2], self->error);
    widen(&self->wide[2], at->batch * length * weight[1], self->error);
}

static void add_layers(subject *self) {
    size_t dilation_index = 0;
    for (size_t i = 0; i < tl_parameter_arrays(self->model) && self->layers < MAX_CONVOLUTIONS && !tl_failed(self->error); i++) {
        const tl_parameter parameter = tl_parameter_at(self->model, i);
        if (strncmp(parameter.layer, "conv1d", 6) == 0 && strcmp(parameter.name, "weight") == 0)
            add_layer(self, &parameter, &dilation_index);
    }
}

/* ---- one network ---- */

static tl_model *make_model(const subject *self, bool inference_only) {
    const bench_case *at = self->at;
    const tl_compile_cfg cfg = {
        .batch = at->batch, .inference_only = inference_only, .no_fold_batch_norm = self->settings->no_fold};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = (int)self->settings->common.threads});
    const tl_node x = tl_input(model, (tl_shape){.length = at->length, .channels = at->channels});
    tl_model_compile(model, at->build(model, x, at->classes), &cfg, self->error);
    return model;
}

static void make_batch(subject *self) {
    const bench_case *at = self->at;
    tl_rng rng = tl_rng_at(0, TL_STREAM_USER, 0, 0);
    self->x = tl_tensor_new(3, (const size_t[]){at->batch, at->length, at->channels}, self->error);
    self->labels = calloc(at->batch, sizeof *self->labels);
    if (!self->labels) tl_fail(self->error, TL_ERROR_MEMORY, "bench: out of memory for %zu labels", at->batch);
    if (tl_failed(self->error)) return;
    for (size_t i = 0; i < tl_tensor_count(&self->x); i++) self->x.data[i] = (tl_real)tl_rng_normal(&rng);
    for (size_t i = 0; i < at->batch; i++) self->labels[i] = (int32_t)tl_rng_below(&rng, (uint32_t)at->classes);
}

static void fill_wide(subject *self) {
    tl_rng rng = tl_rng_at(0, TL_STREAM_USER, 1, 0);
    for (size_t i = 0; i < tl_tensor_count(&self->wide[0]); i++) self->wide[0].data[i] = (tl_real)tl_rng_normal(&rng);
}

static void measure(subject *self) {
    const double seconds = self->settings->seconds;
    for (int i = 0; i < BENCH_ROUNDS && !tl_failed(self->error); i++) {
        bench_round(&self->step, train_step, self, seconds);
        bench_round(&self->infer, infer, self, seconds / 2);
        bench_round(&self->infer_one, infer_one, self, seconds / 4);
        bench_round(&self->convolutions, convolve, self, seconds);
    }
}

static size_t count_nodes(const tl_model *model) {
    int count = 0;
    while (tl_node_name(model, (tl_node){count})) count++;
    return (size_t)count;
}

static void profile_layers(subject *self) {
    const size_t nodes = count_nodes(self->model);
    self->profile = bench_profile_new(nodes, self->error);
    if (!self->profile) return;
    for (size_t i = 0; i < nodes; i++) bench_profile_name(self->profile, i, tl_node_name(self->model, (tl_node){(int)i}));
    tl_observe(self->model, bench_profile_part, self->profile);
    bench_round(&self->profiled, profile_step, self, self->settings->seconds);
}

static json_t *report_case(subject *self) {
    const bench_case *at = self->at;
    const bench_timing step = bench_summary(&self->step), inference = bench_summary(&self->infer),
                       one = bench_summary(&self->infer_one), convolutions = bench_summary(&self->convolutions);
    const size_t parameters = tl_parameter_count(self->model);
    const double ratio = step.median / convolutions.median, memory = (double)tl_model_memory(self->model) / (1024 * 1024);
    printf("%-14s %6zu %6zu %10zu %10.3f ms %5.1f %% %10.3f ms %10.4f ms %10.3f ms %6.2f\n", at->name, at->batch, at->length,
           parameters, step.median, 100 * step.spread, inference.median, one.median, convolutions.median, ratio);
    if (self->profile) bench_profile_print(self->profile);
    fflush(stdout);
    json_t *report = json_pack("{ss sI sI sI sI sI sf sf sf sf sf sf sf sf sf sf sf}", "model", at->name, "batch",
                               (json_int_t)at->batch, "length", (json_int_t)at->length, "channels", (json_int_t)at->channels,
                               "classes", (json_int_t)at->classes, "parameters", (json_int_t)parameters, "step_ms", step.median,
                               "step_min_ms", step.best, "step_spread", step.spread, "infer_ms", inference.median, "infer_min_ms",
                               inference.best, "infer_spread", inference.spread, "infer1_ms", one.median, "infer1_min_ms", one.best,
                               "conv_ms", convolutions.median, "step_over_conv", ratio, "memory_mb", memory);
    if (self->profile) json_object_set_new(report, "profile", bench_profile_json(self->profile));
    return report;
}

static void close_subject(subject *self) {
    for (size_t i = 0; i < self->layers; i++) {
        tl_conv1d_plan_free(self->layer[i].plan);
        tl_tensor_free(&self->layer[i].dweight);
    }
    for (size_t i = 0; i < sizeof self->wide / sizeof *self->wide; i++) tl_tensor_free(&self->wide[i]);
    tl_tensor_free(&self->x);
    free(self->labels);
    bench_profile_free(self->profile);
    tl_model_free(self->model);
    tl_model_free(self->inference);
    free(self);
}

/* Returns NULL on failure. *threads [OUT]: number of threads of the model. */
static json_t *run_case(const bench_settings *settings, const bench_case *at, int *threads, tl_error *error) {
    json_t *report = NULL;
    subject *self = calloc(1, sizeof *self);
    if (!self) {
        tl_fail(error, TL_ERROR_MEMORY, "bench: out of memory for the samples of %s", at->name);
        return NULL;
    }
    self->at = at;
    self->settings = settings;
    self->error = error;
    self->model = make_model(self, false);
    self->inference = make_model(self, true);
    make_batch(self);
    add_layers(self);
    fill_wide(self);
    measure(self);
    if (settings->profile && !tl_failed(error)) profile_layers(self);
    *threads = tl_model_threads(self->model);
    if (!tl_failed(error)) report = report_case(self);
    close_subject(self);
    return report;
}

int IN_PRECISION(bench_step)(const void *asked) {
    const bench_settings *settings = asked;
    tl_error error = {0};
    json_t *results = json_array();
    int threads = 0;
    printf("%-14s %6s %6s %10s %13s %7s %13s %13s %13s %6s\n", "model", "batch", "length", "parameters", "step", "spread",
           "inference", "one sample", "convolutions", "ratio");
    for (const bench_case *at = IN_PRECISION(bench_cases); at->name && !tl_failed(&error); at++)
        if (!settings->only || strcmp(settings->only, at->name) == 0)
            json_array_append_new(results, run_case(settings, at, &threads, &error));
    if (!tl_failed(&error))
        printf("%s, %s, %d thread%s; medians; ratio: step / convolution passes alone\n", tl_isa(), tl_precision(), threads,
               threads == 1 ? "" : "s");
    return bench_finish(
        settings, json_pack("{ss ss si so}", "isa", tl_isa(), "precision", tl_precision(), "threads", threads, "results", results),
        &error);
}
