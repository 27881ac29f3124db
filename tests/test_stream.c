/* Streams: the outputs of a whole series by the direct engine, bit for bit, however the steps come. */
#include "layer_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 432, MAX_PUSH = 300 }; /* a multiple of the strides of a few layers */

typedef tl_node (*builder)(tl_model *model, tl_node x);

/* ---- networks ---- */

static tl_node conv(tl_model *m, tl_node x, size_t filters, size_t kernel, size_t dilation, tl_padding padding) {
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = filters, .kernel = kernel, .dilation = dilation, .padding = padding});
}

static tl_node causal_stack(tl_model *m, tl_node x) {
    for (int layer = 0; layer < 6; layer++) x = tl_relu(m, conv(m, x, 16, 3, 1 << layer, TL_PADDING_CAUSAL));
    return tl_dense(m, x, &(tl_dense_cfg){.units = 1});
}

/* Older taps that take turns, in parts of several sizes and with the shortest dilations for them: outputs of one vector and two. */
static tl_node in_turns(tl_model *m, tl_node x) {
    x = tl_relu(m, conv(m, x, 16, 3, 2, TL_PADDING_CAUSAL));
    x = conv(m, conv(m, x, 12, 2, 7, TL_PADDING_CAUSAL), 16, 3, 5, TL_PADDING_CAUSAL);
    return conv(m, tl_relu(m, conv(m, x, 16, 2, 3, TL_PADDING_SAME)), 7, 3, 20, TL_PADDING_CAUSAL);
}

static tl_node same_convolutions(tl_model *m, tl_node x) {
    x = tl_relu(m, conv(m, x, 5, 8, 1, TL_PADDING_SAME));
    x = tl_batch_norm(m, conv(m, x, 9, 5, 3, TL_PADDING_SAME), NULL);
    return tl_tanh(m, conv(m, tl_relu(m, x), 3, 3, 1, TL_PADDING_SAME));
}

/* Branches of different delays, one of them none at all; a window that begins with padding alone. */
static tl_node branches(tl_model *m, tl_node x) {
    const tl_node early = conv(m, x, 4, 3, 2, TL_PADDING_CAUSAL), late = conv(m, x, 4, 9, 4, TL_PADDING_SAME);
    x = tl_add(m, (const tl_node[]){early, late, conv(m, x, 4, 1, 1, TL_PADDING_SAME)}, 3);
    const tl_node gated = tl_multiply(m, (const tl_node[]){tl_sigmoid(m, x), conv(m, x, 4, 5, 1, TL_PADDING_SAME)}, 2);
    const tl_node ahead =
        tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 2, .kernel = 2, .padding = TL_PADDING_EXPLICIT, .pad_left = 5});
    const tl_node behind = tl_conv1d(
        m, gated, &(tl_conv1d_cfg){.filters = 3, .kernel = 2, .padding = TL_PADDING_EXPLICIT, .pad_left = 1, .pad_right = 4});
    return tl_concat(m, (const tl_node[]){ahead, behind}, 2);
}

static tl_node other_rates(tl_model *m, tl_node x) {
    x = tl_relu(m, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 6, .kernel = 5, .stride = 3, .padding = TL_PADDING_CAUSAL}));
    x = tl_max_pool(m, tl_max_pool(m, x, &(tl_pool_cfg){.window = 4, .stride = 1, .padding = TL_PADDING_CAUSAL}),
                    &(tl_pool_cfg){.window = 3, .stride = 2, .padding = TL_PADDING_SAME});
    x = tl_conv1d_transpose(m, x,
                            &(tl_conv1d_transpose_cfg){.filters = 7, .kernel = 4, .stride = 2, .pad_left = 1, .pad_right = 1});
    x = tl_upsample(m, x, &(tl_upsample_cfg){.factor = 3, .linear = true});
    return tl_average_pool(m, x, &(tl_pool_cfg){.window = 4, .stride = 1, .padding = TL_PADDING_SAME});
}

/* Transposed convolutions of few outputs, of whole vectors of inputs, and with more cut off than a later input reaches. */
static tl_node transposed(tl_model *m, tl_node x) {
    x = tl_conv1d_transpose(m, conv(m, x, 64, 1, 1, TL_PADDING_SAME),
                            &(tl_conv1d_transpose_cfg){.filters = 2, .kernel = 5, .stride = 2});
    x = tl_conv1d_transpose(m, x,
                            &(tl_conv1d_transpose_cfg){.filters = 40, .kernel = 2, .dilation = 3, .pad_right = 3, .no_bias = true});
    x = tl_conv1d_transpose(m, x,
                            &(tl_conv1d_transpose_cfg){.filters = 1, .kernel = 1, .stride = 3, .pad_left = 2, .pad_right = 2});
    return conv(m, x, 2, 4, 1, TL_PADDING_CAUSAL);
}

static tl_node transposed_of_many(tl_model *m, tl_node x) {
    x = tl_conv1d_transpose(m, conv(m, x, 256, 1, 1, TL_PADDING_SAME),
                            &(tl_conv1d_transpose_cfg){.filters = 1, .kernel = 9, .dilation = 2});
    return tl_conv1d_transpose(m, conv(m, x, 64, 1, 1, TL_PADDING_SAME),
                               &(tl_conv1d_transpose_cfg){.filters = 3, .kernel = 4, .stride = 2});
}

static tl_node groups(tl_model *m, tl_node x) {
    x = tl_conv1d(m, conv(m, x, 12, 1, 1, TL_PADDING_SAME),
                  &(tl_conv1d_cfg){.filters = 12, .kernel = 6, .groups = 12, .padding = TL_PADDING_SAME});
    x = tl_conv1d(m, tl_relu(m, x),
                  &(tl_conv1d_cfg){.filters = 6, .kernel = 9, .groups = 3, .dilation = 2, .padding = TL_PADDING_CAUSAL});
    return tl_prelu(m, tl_layer_norm(m, tl_dropout(m, x, &(tl_dropout_cfg){.rate = 0.5}), NULL));
}

/* More outputs than one call of a kernel has. */
static tl_node wide(tl_model *m, tl_node x) {
    return conv(m, tl_relu(m, conv(m, x, 150, 4, 2, TL_PADDING_CAUSAL)), 131, 2, 1, TL_PADDING_CAUSAL);
}

/* Few outputs of many inputs, whose direct sums go by the lanes of vectors. */
static tl_node narrow(tl_model *m, tl_node x) {
    x = conv(m, conv(m, x, 96, 1, 1, TL_PADDING_SAME), 2, 5, 1, TL_PADDING_VALID);
    x = tl_relu(m, conv(m, conv(m, x, 64, 1, 1, TL_PADDING_SAME), 1, 1, 1, TL_PADDING_SAME));
    x = tl_conv1d(m, conv(m, x, 96, 1, 1, TL_PADDING_SAME), &(tl_conv1d_cfg){.filters = 4, .kernel = 3, .groups = 2});
    return tl_dense(m, conv(m, x, 70, 1, 1, TL_PADDING_SAME), &(tl_dense_cfg){.units = 3});
}

static tl_node wavenet(tl_model *m, tl_node x) {
    return tl_wavenet_steps(m, x, &(tl_wavenet_cfg){.outputs = 3, .filters = 8, .skips = 8, .blocks = 5});
}

static tl_node unet(tl_model *m, tl_node x) {
    return tl_unet(m, x, &(tl_unet_cfg){.outputs = 2, .filters = 4, .kernel = 5, .levels = 3});
}

static tl_node fixed_filters(tl_model *m, tl_node x) { return conv(m, tl_fixed_filters(m, x), 2, 3, 1, TL_PADDING_SAME); }

static tl_node softmax_of_window(tl_model *m, tl_node x) { return tl_softmax(m, conv(m, x, 4, 7, 1, TL_PADDING_VALID)); }

/* An activation must not overwrite what a branch reads, and a dropout passes on what others read. */
static tl_node shared_inputs(tl_model *m, tl_node x) {
    const tl_node h = conv(m, x, 3, 3, 1, TL_PADDING_CAUSAL), dropped = tl_dropout(m, h, &(tl_dropout_cfg){.rate = 0.1});
    const tl_node a = tl_sigmoid(m, dropped), b = tl_relu(m, h), c = tl_tanh(m, tl_relu(m, b));
    return tl_add(m, (const tl_node[]){tl_relu(m, a), h, c, dropped}, 4);
}

static const struct network {
    const char *name;
    builder build;
    size_t channels;
} networks[] = {
    {"causal stack", causal_stack, 1},
    {"in turns", in_turns, 9},
    {"same convolutions", same_convolutions, 2},
    {"branches", branches, 3},
    {"other rates", other_rates, 2},
    {"transposed", transposed, 2},
    {"groups", groups, 3},
    {"transposed of many", transposed_of_many, 1},
    {"wide", wide, 3},
    {"wavenet", wavenet, 1},
    {"narrow", narrow, 2},
    {"unet", unet, 1},
    {"fixed filters", fixed_filters, 2},
    {"softmax of a window", softmax_of_window, 1},
    {"shared inputs", shared_inputs, 2},
};
enum { NETWORKS = sizeof networks / sizeof *networks };

/* ---- models, series, streams ---- */

static tl_rng rng_of(uint32_t number) { return tl_rng_at(20, TL_STREAM_USER, number, 0); }

/* Parameters and states as training might have left them. */
static void fill_parameters(tl_model *model) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter p = tl_parameter_at(model, i);
        const size_t count = tl_tensor_count(&p.value);
        if (strcmp(p.name, "weight") == 0) continue;
        fill_normal(p.value.data, count, (uint32_t)i + 1);
        for (size_t j = 0; strcmp(p.name, "variance") == 0 && j < count; j++)
            p.value.data[j] = 1 + p.value.data[j] * p.value.data[j];
    }
}

static tl_model *compile(tl_model *model, tl_node x) {
    tl_error error = {0};
    tl_model_compile(
        model, x, &(tl_compile_cfg){.batch = 1, .inference_only = true, .no_fold_batch_norm = true, .loss = TL_LOSS_SQUARED_ERROR},
        &error);
    check_ok(&error);
    fill_parameters(model);
    return model;
}

static tl_model *model_of(builder build, size_t length, size_t channels) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 3, .engine = TL_ENGINE_DIRECT, .threads = 1});
    return compile(model, build(model, tl_input(model, (tl_shape){length, channels})));
}

static tl_stream *stream_of(const tl_model *model, const tl_stream_cfg *cfg) {
    tl_error error = {0};
    tl_stream *stream = tl_stream_new(model, cfg, &error);
    check_ok(&error);
    assert_non_null(stream);
    return stream;
}

/* (length, channels) numbers, and where a network's outputs go. */
typedef struct series {
    size_t length, channels, outputs, width;
    tl_real *x, *y;
} series;

static series series_of(const tl_model *model, size_t outputs) {
    const tl_shape in = tl_input_shape(model), out = tl_output_shape(model);
    series s = {.length = in.length, .channels = in.channels, .outputs = outputs, .width = out.channels};
    s.x = calloc(s.length * s.channels, sizeof *s.x);
    s.y = calloc((outputs + 1) * s.width, sizeof *s.y);
    assert_true(s.x && s.y);
    fill_normal(s.x, s.length * s.channels, 7);
    return s;
}

static void free_series(series *s) {
    free(s->x);
    free(s->y);
}

/* Pushes steps from `from` on until `to`, in pushes of random sizes; returns the outputs so far. */
static size_t push_some(tl_stream *stream, series *s, size_t from, size_t to, size_t outputs, tl_rng *rng) {
    while (from < to) {
        size_t steps = (size_t)between(rng, 1, between(rng, 0, 1) ? MAX_PUSH : 3);
        if (steps > to - from) steps = to - from;
        const size_t ready = tl_stream_ready(stream, steps);
        assert_true(outputs + ready <= s->outputs);
        const size_t got =
            tl_stream_push(stream, s->x + from * s->channels, steps, s->y + outputs * s->width, s->outputs - outputs);
        check_ok(tl_stream_error(stream));
        assert_int_equal(got, ready);
        outputs += got;
        from += steps;
    }
    return outputs;
}

static size_t end(tl_stream *stream, series *s, size_t outputs) {
    const size_t rest = tl_stream_rest(stream);
    assert_true(outputs + rest <= s->outputs);
    assert_int_equal(tl_stream_end(stream, s->y + outputs * s->width, s->outputs - outputs), rest);
    check_ok(tl_stream_error(stream));
    return outputs + rest;
}

/* The outputs of the model for the series as a whole. */
static const tl_real *whole(tl_model *model, const series *s) {
    const tl_tensor x = TL_VIEW(s->x, 1, s->length, s->channels);
    tl_forward(model, &x, TL_MODE_INFERENCE);
    check_ok(tl_model_error(model));
    return tl_output(model).data;
}

static void check_network(const char *name, tl_model *model, tl_rng *rng, int rounds) {
    series s = series_of(model, tl_output_shape(model).length);
    const tl_real *expected = whole(model, &s);
    for (int round = 0; round < rounds; round++) {
        tl_stream *stream = stream_of(model, &(tl_stream_cfg){.block = (size_t)between(rng, 1, 100)});
        for (int again = 0; again < 2; again++) {
            memset(s.y, 0, s.outputs * s.width * sizeof *s.y);
            assert_int_equal(end(stream, &s, push_some(stream, &s, 0, s.length, 0, rng)), s.outputs);
            check_equal(name, s.y, expected, s.outputs * s.width);
            tl_stream_reset(stream);
        }
        tl_stream_free(stream);
    }
    free_series(&s);
}

static void given_networks_when_steps_come_in_any_pushes_then_whole_series(void **unused) {
    (void)unused;
    for (uint32_t i = 0; i < NETWORKS; i++) {
        tl_rng rng = rng_of(i);
        tl_model *model = model_of(networks[i].build, LENGTH, networks[i].channels);
        check_network(networks[i].name, model, &rng, 3);
        tl_model_free(model);
    }
}

/* ---- every layer, as it may be configured ---- */

/* Layers that a stream refuses, or works otherwise than a whole series does. */
static bool needs_whole(const char *name) {
    static const char *const names[] = {"flatten",         "group_norm",           "last_step", "global_average_pool",
                                        "global_max_pool", "global_max_pool, mean"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static void given_any_layer_when_streamed_then_whole_series_or_refused(void **unused) {
    (void)unused;
    size_t streamed = 0;
    for (uint32_t i = 0; i < layer_case_count; i++) {
        tl_rng rng = rng_of(100 + i);
        for (int round = 0; round < 6 && !needs_whole(layer_cases[i].name); round++) {
            tl_error error = {0};
            tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 5, .engine = TL_ENGINE_DIRECT, .threads = 1});
            const tl_node x = tl_input(model, (tl_shape){60, (size_t)between(&rng, 1, 3)});
            compile(model, layer_case_build(&layer_cases[i], model, x, &rng));
            tl_stream *stream = tl_stream_new(model, NULL, &error);
            if (stream) {
                check_network(layer_cases[i].name, model, &rng, 1);
                streamed++;
            } else
                check_error(&error, TL_ERROR_ARGUMENT, "padding mode");
            tl_stream_free(stream);
            tl_model_free(model);
        }
    }
    assert_true(streamed > 180);
}

/* ---- layers over all of time ---- */

static tl_node features(tl_model *m, tl_node x) {
    return tl_max_pool(m, tl_relu(m, conv(m, x, 5, 5, 1, TL_PADDING_CAUSAL)), &(tl_pool_cfg){.window = 2});
}
static tl_node summary(tl_model *m, tl_node x) {
    x = tl_concat(m, (const tl_node[]){tl_global_average_pool(m, x), tl_global_max_pool(m, x), tl_last_step(m, x)}, 3);
    return tl_softmax(m, tl_dense(m, tl_flatten(m, x), &(tl_dense_cfg){.units = 3}));
}
static tl_node summary_of_features(tl_model *m, tl_node x) { return summary(m, features(m, x)); }

/* The summary of `rows` of the features from row `first` on, with the parameters of the whole network. */
static void check_summary(const tl_model *network, const tl_real *rows, size_t count, const tl_real *actual) {
    tl_model *model = model_of(summary, count, 5);
    const tl_tensor x = TL_VIEW(rows, 1, count, 5);
    const size_t own = tl_parameter_arrays(model), before = tl_parameter_arrays(network) - own;
    for (size_t i = 0; i < own; i++) {
        const tl_parameter to = tl_parameter_at(model, i), from = tl_parameter_at(network, before + i);
        memcpy(to.value.data, from.value.data, tl_tensor_count(&to.value) * sizeof(tl_real));
    }
    tl_forward(model, &x, TL_MODE_INFERENCE);
    check_equal("summary", actual, tl_output(model).data, 3);
    tl_model_free(model);
}

/* Answers come every `hop` steps, of the last `window` ones, or of all. */
static void check_summaries(size_t window, size_t hop) {
    tl_model *model = model_of(summary_of_features, LENGTH, 2), *front = model_of(features, LENGTH, 2);
    const tl_stream_cfg cfg = {.window = window, .hop = hop};
    tl_stream *stream = stream_of(model, &cfg);
    tl_rng rng = rng_of((uint32_t)(window + hop));
    series s = series_of(model, LENGTH / 2);
    const tl_real *rows = whole(front, &s);
    const size_t outputs = push_some(stream, &s, 0, LENGTH, 0, &rng), each = hop ? hop / 2 : 1, extent = window ? window / 2 : each;
    assert_int_equal(outputs, (LENGTH / 2 - extent) / each + 1);
    assert_int_equal(tl_stream_delay(stream), 2 * extent - 1);
    for (size_t i = 0; i < outputs; i++) {
        const size_t first = window ? i * each : 0;
        check_summary(model, rows + first * 5, i * each + extent - first, s.y + i * 3);
    }
    assert_int_equal(tl_stream_rest(stream), 0);
    tl_stream_free(stream);
    free_series(&s);
    tl_model_free(front);
    tl_model_free(model);
}

static void given_global_pools_when_streamed_then_those_of_all_steps_or_a_window(void **unused) {
    (void)unused;
    check_summaries(0, 0);
    check_summaries(0, 10);
    check_summaries(20, 0);
    check_summaries(150, 14);
    check_summaries(8, 20);
}

/* ---- state ---- */

static void given_a_state_when_restored_in_another_stream_then_it_goes_on(void **unused) {
    (void)unused;
    for (uint32_t i = 0; i < NETWORKS; i++) {
        tl_rng rng = rng_of(200 + i);
        tl_error error = {0};
        tl_model *model = model_of(networks[i].build, LENGTH, networks[i].channels);
        series s = series_of(model, tl_output_shape(model).length);
        tl_stream *stream = stream_of(model, &(tl_stream_cfg){.block = 7});
        size_t at = 0, outputs = 0;
        for (int part = 0; part < 6; part++) {
            const size_t to = part < 5 ? at + (size_t)between(&rng, 0, 80) : LENGTH, size = tl_stream_state_size(stream);
            outputs = push_some(stream, &s, at, to, outputs, &rng);
            at = to;
            tl_stream *next =
                part % 2 ? tl_stream_copy(stream, &error) : stream_of(model, &(tl_stream_cfg){.block = (size_t)(1 + part * 30)});
            unsigned char *bytes = malloc(size);
            tl_stream_save(stream, bytes, size, &error);
            push_some(next, &s, part % 2 ? at : 0, LENGTH, 0, &rng); /* which the restored state forgets */
            tl_stream_restore(next, bytes, size, &error);
            check_ok(&error);
            free(bytes);
            tl_stream_free(stream);
            stream = next;
        }
        assert_int_equal(end(stream, &s, outputs), s.outputs);
        check_equal(networks[i].name, s.y, whole(model, &s), s.outputs * s.width);
        tl_stream_free(stream);
        free_series(&s);
        tl_model_free(model);
    }
}

static void given_damaged_bytes_when_restored_then_refused_and_unchanged(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = model_of(branches, LENGTH, 3), *other = model_of(shared_inputs, LENGTH, 2);
    tl_stream *stream = stream_of(model, NULL), *foreign = stream_of(other, NULL);
    const size_t size = tl_stream_state_size(stream);
    unsigned char *bytes = malloc(size), *before = malloc(size);
    tl_stream_save(stream, bytes, size, &error);
    check_ok(&error);
    for (size_t i = 0; i < size; i += 1 + i / 64) {
        memcpy(before, bytes, size);
        before[i] ^= 0x10;
        assert_int_equal(tl_stream_restore(stream, before, size, &error), TL_ERROR_FORMAT);
        check_error(&error, TL_ERROR_FORMAT, "stream restore: the bytes are not a state of this stream");
        error = (tl_error){0};
        tl_stream_save(stream, before, size, &error);
        assert_memory_equal(before, bytes, size);
    }
    tl_stream_restore(stream, bytes, size - 1, &error);
    check_error(&error, TL_ERROR_FORMAT, "the state of this stream has");
    error = (tl_error){0};
    tl_stream_save(stream, bytes, size - 1, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "tl_stream_state_size");
    error = (tl_error){0};
    unsigned char *own = malloc(tl_stream_state_size(foreign));
    tl_stream_save(foreign, own, tl_stream_state_size(foreign), &error);
    tl_stream_restore(stream, own, tl_stream_state_size(foreign), &error);
    check_error(&error, TL_ERROR_FORMAT, "stream restore");
    tl_stream_free(stream);
    tl_stream_free(foreign);
    tl_model_free(model);
    tl_model_free(other);
    free(own);
    free(bytes);
    free(before);
}

/* ---- several streams ---- */

static void given_streams_of_one_model_when_threads_push_then_each_is_right(void **unused) {
    (void)unused;
    enum { STREAMS = 4 };
    tl_model *model = model_of(branches, LENGTH, 3);
    tl_stream *stream[STREAMS] = {stream_of(model, NULL), stream_of(model, &(tl_stream_cfg){.block = 5})};
    series s[STREAMS];
    size_t outputs[STREAMS];
    for (int i = 2; i < STREAMS; i++) stream[i] = tl_stream_copy(stream[i - 2], NULL);
    const size_t length = tl_output_shape(model).length;
    for (int i = 0; i < STREAMS; i++) s[i] = series_of(model, length);
#pragma omp parallel for num_threads(STREAMS)
    for (int i = 0; i < STREAMS; i++) {
        tl_rng rng = rng_of(300 + (uint32_t)i);
        outputs[i] = 0;
        for (size_t t = 0, count; t < LENGTH; t += count) {
            count = (size_t)between(&rng, 1, 9);
            if (count > LENGTH - t) count = LENGTH - t;
            outputs[i] += tl_stream_push(stream[i], s[i].x + t * 3, count, s[i].y + outputs[i] * 5, length - outputs[i]);
        }
    }
    tl_stream_free(stream[0]); /* whose parameters the copy has */
    for (int i = 0; i < STREAMS; i++) {
        if (i > 0) assert_int_equal(end(stream[i], &s[i], outputs[i]), length);
        check_equal("thread", s[i].y, whole(model, &s[i]), (i > 0 ? length : outputs[i]) * 5);
        if (i > 0) tl_stream_free(stream[i]);
        free_series(&s[i]);
    }
    tl_model_free(model);
}

static void given_a_stream_when_the_model_trains_on_then_it_keeps_its_parameters(void **unused) {
    (void)unused;
    tl_model *model = model_of(groups, LENGTH, 3);
    tl_stream *stream = stream_of(model, NULL);
    series s = series_of(model, LENGTH);
    tl_rng rng = rng_of(400);
    tl_real *expected = malloc(LENGTH * s.width * sizeof *expected);
    memcpy(expected, whole(model, &s), LENGTH * s.width * sizeof *expected);
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter p = tl_parameter_at(model, i);
        memset(p.value.data, 0, tl_tensor_count(&p.value) * sizeof(tl_real));
    }
    end(stream, &s, push_some(stream, &s, 0, LENGTH, 0, &rng));
    check_equal("parameters", s.y, expected, LENGTH * s.width);
    free(expected);
    free_series(&s);
    tl_stream_free(stream);
    tl_model_free(model);
}

/* ---- what goes wrong ---- */

static tl_node flattened(tl_model *m, tl_node x) {
    return tl_dense(m, tl_flatten(m, conv(m, x, 2, 3, 1, TL_PADDING_SAME)), &(tl_dense_cfg){.units = 2});
}
static tl_node group_norm(tl_model *m, tl_node x) { return tl_group_norm(m, x, &(tl_group_norm_cfg){.groups = 1}); }
static tl_node reflected(tl_model *m, tl_node x) {
    return tl_conv1d(
        m, x, &(tl_conv1d_cfg){.filters = 1, .kernel = 3, .padding = TL_PADDING_SAME, .padding_mode = TL_PADDING_MODE_REFLECT});
}
static tl_node excited(tl_model *m, tl_node x) {
    const tl_node gate = tl_upsample(m, tl_sigmoid(m, tl_global_average_pool(m, x)), &(tl_upsample_cfg){.factor = 5});
    return tl_multiply(m, (const tl_node[]){x, gate}, 2);
}
static tl_node two_rates(tl_model *m, tl_node x) { /* which are one where the length is 5 */
    const tl_node half = tl_max_pool(m, x, &(tl_pool_cfg){.window = 2, .padding = TL_PADDING_SAME});
    return tl_add(m, (const tl_node[]){half, tl_max_pool(m, x, &(tl_pool_cfg){.window = 3, .stride = 1})}, 2);
}

static void given_a_layer_of_whole_series_when_streamed_then_the_cure_is_told(void **unused) {
    (void)unused;
    static const struct refused {
        builder build;
        tl_stream_cfg cfg;
        const char *text;
    } cases[] = {
        {flattened,
         {0},
         "layer 2 (flatten): joins 5 steps, which a stream does not have at the same time; use global_average_pool, "
         "global_max_pool or last_step, or"},
        {group_norm,
         {0},
         "layer 1 (group_norm): needs the mean and variance of the whole series, which a stream does not have; use batch_norm"},
        {reflected, {0}, "layer 1 (conv1d): padding mode reflect needs steps from the end of the series"},
        {excited, {0}, "layer 3 (upsample): needs several steps, but comes after a layer over all of time"},
        {two_rates,
         {0},
         "layer 3 (add): input 0 has 1 steps for 2 steps of the stream, input 1 has 1 for 1; the rates must be equal"},
        {causal_stack, {.window = 3}, "stream: window 3 and hop 0 are only for layers over all of time"},
        {summary_of_features, {.hop = 3}, "hop 3 is not a multiple of 2 steps"},
        {causal_stack, {.block = 65537}, "stream: block 65537 exceeds 65536"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_model *model = model_of(cases[i].build, 5, 1);
        assert_null(tl_stream_new(model, &cases[i].cfg, &error));
        check_error(&error, cases[i].build == two_rates ? TL_ERROR_SHAPE : TL_ERROR_ARGUMENT, cases[i].text);
        tl_model_free(model);
    }
}

static void given_a_limit_of_memory_when_a_stream_needs_more_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = model_of(causal_stack, LENGTH, 1);
    tl_stream *stream = stream_of(model, NULL);
    const size_t needed = tl_stream_memory(stream);
    tl_stream_free(stream);
    stream = tl_stream_new(model, &(tl_stream_cfg){.max_memory = needed}, &error);
    check_ok(&error);
    tl_stream_free(stream);
    assert_null(tl_stream_new(model, &(tl_stream_cfg){.max_memory = 100}, &error));
    check_error(&error, TL_ERROR_MEMORY, "stream: needs ");
    assert_non_null(strstr(error.text, " MB; the limit is 0.0001 MB (max_memory, --max-memory)"));
    tl_model_free(model);
}

static void given_wrong_calls_when_pushed_then_the_error_stays_until_reset(void **unused) {
    (void)unused;
    tl_model *model = model_of(causal_stack, LENGTH, 1);
    tl_stream *stream = stream_of(model, NULL);
    tl_real x[4] = {1, 2, 3, 4}, y[4], after[4];
    assert_int_equal(tl_stream_push(stream, x, 4, y, 4), 4);
    tl_stream_reset(stream);
    assert_int_equal(tl_stream_push(stream, x, 3, after, 2), 0);
    check_error(tl_stream_error(stream), TL_ERROR_ARGUMENT,
                "stream push: y has room for 2 outputs, but there are 3; tl_stream_ready returns their number beforehand");
    assert_int_equal(tl_stream_push(stream, x, 1, after, 2), 0);
    tl_stream_reset(stream);
    assert_int_equal(tl_stream_push(stream, x, 4, after, 4), 4);
    check_equal("after an error", after, y, 4);
    assert_int_equal(tl_stream_push(stream, NULL, 1, y, 4), 0);
    check_error(tl_stream_error(stream), TL_ERROR_ARGUMENT, "x is NULL, but there are 1 steps");
    tl_stream_reset(stream);
    assert_int_equal(tl_stream_push(stream, x, 1, NULL, 4), 0);
    check_error(tl_stream_error(stream), TL_ERROR_ARGUMENT, "y is NULL, but there are 1 outputs");
    tl_stream_reset(stream);
    assert_int_equal(tl_stream_end(stream, NULL, 0), 0);
    assert_int_equal(tl_stream_push(stream, x, 1, y, 4), 0);
    check_error(tl_stream_error(stream), TL_ERROR_STATE, "the series has ended; call tl_stream_reset to begin another one");
    tl_stream_free(stream);
    tl_model_free(model);
}

static void given_no_stream_when_called_then_errors_and_zeros(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x = 0;
    check_error(tl_stream_error(NULL), TL_ERROR_STATE, "the stream is NULL");
    assert_int_equal(
        tl_stream_push(NULL, &x, 1, &x, 1) + tl_stream_end(NULL, &x, 1) + tl_stream_ready(NULL, 1) + tl_stream_rest(NULL), 0);
    assert_int_equal(tl_stream_delay(NULL) + tl_stream_receptive_field(NULL) + tl_stream_memory(NULL) + tl_stream_state_size(NULL),
                     0);
    assert_int_equal(tl_stream_rate_of(NULL).outputs, 0);
    tl_stream_reset(NULL);
    tl_stream_free(NULL);
    assert_null(tl_stream_copy(NULL, &error));
    check_error(&error, TL_ERROR_STATE, "the stream is NULL");
    error = (tl_error){0};
    tl_stream_save(NULL, &x, 1, &error);
    check_error(&error, TL_ERROR_STATE, "the stream is NULL");
    error = (tl_error){0};
    tl_stream_restore(NULL, &x, 1, &error);
    check_error(&error, TL_ERROR_STATE, "the stream is NULL");
    error = (tl_error){0};
    assert_null(tl_stream_new(NULL, NULL, &error));
    check_error(&error, TL_ERROR_MEMORY, "the model is NULL");
    error = (tl_error){0};
    tl_model *model = tl_model_new(NULL);
    assert_null(tl_stream_new(model, NULL, &error));
    check_error(&error, TL_ERROR_STATE, "stream: the model is not compiled");
    tl_model_free(model);
}

/* ---- what is known beforehand ---- */

static tl_node doubled(tl_model *m, tl_node x) {
    x = conv(m, x, 2, 3, 1, TL_PADDING_CAUSAL);
    return tl_conv1d_transpose(m, x,
                               &(tl_conv1d_transpose_cfg){.filters = 2, .kernel = 4, .stride = 2, .pad_left = 1, .pad_right = 1});
}

static void given_networks_when_made_then_delay_field_and_rate_are_known(void **unused) {
    (void)unused;
    static const struct known {
        builder build;
        size_t channels, delay, field, outputs, steps;
    } cases[] = {
        {causal_stack, 1, 0, 127, 1, 1},    {same_convolutions, 2, 4 + 6 + 1, 8 + 12 + 2, 1, 1},
        {softmax_of_window, 1, 6, 7, 1, 1}, {wavenet, 1, 0, 1 + 1 + 31, 1, 1},
        {doubled, 2, 0, 2 + 2, 2, 1},       {summary_of_features, 2, 1, 0, 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_model *model = model_of(cases[i].build, LENGTH, cases[i].channels);
        tl_stream *stream = stream_of(model, NULL);
        assert_int_equal(tl_stream_delay(stream), cases[i].delay);
        assert_int_equal(tl_stream_receptive_field(stream), cases[i].field);
        assert_int_equal(tl_stream_rate_of(stream).outputs, cases[i].outputs);
        assert_int_equal(tl_stream_rate_of(stream).steps, cases[i].steps);
        tl_stream_free(stream);
        tl_model_free(model);
    }
}

/* ---- delays of random graphs ---- */

/* A layer that each output depends on in all steps that it sees: weights and inputs are above 0. */
static tl_node random_layer(tl_model *m, tl_node x, tl_rng *rng) {
    const tl_padding padding = between(rng, 0, 1) ? TL_PADDING_SAME : TL_PADDING_CAUSAL;
    switch (between(rng, 0, 4)) {
    case 0:
        return tl_average_pool(m, x, &(tl_pool_cfg){.window = between(rng, 1, 4), .stride = 1, .padding = padding});
    case 1:
        return tl_upsample(m, tl_average_pool(m, x, &(tl_pool_cfg){.window = 2}), &(tl_upsample_cfg){.factor = 2});
    case 2:
        return tl_sigmoid(m, x);
    default:
        return conv(m, x, 2, between(rng, 1, 5), between(rng, 1, 3), padding);
    }
}

static tl_node random_graph(tl_model *m, tl_node x, tl_rng *rng) {
    x = conv(m, x, 2, 1, 1, TL_PADDING_SAME);
    for (size_t block = between(rng, 1, 4); block > 0; block--) {
        enum { BRANCHES = 3 };
        tl_node branch[BRANCHES] = {x, x, x};
        const size_t branches = between(rng, 1, BRANCHES);
        for (size_t b = 0; b < BRANCHES && b < branches; b++)
            for (size_t layer = between(rng, 0, 2); layer > 0; layer--) branch[b] = random_layer(m, branch[b], rng);
        x = branches > 1 ? tl_add(m, branch, branches) : branch[0];
    }
    return conv(m, x, 1, 1, 1, TL_PADDING_SAME);
}

/* The last step that the first output depends on: changing a later one leaves it as it is. */
static size_t last_step_of_first(tl_model *model, series *s) {
    const tl_real before = *whole(model, s);
    size_t step = s->length;
    while (step-- > 0) {
        const tl_real kept = s->x[step];
        s->x[step] += 100;
        const tl_real after = *whole(model, s);
        s->x[step] = kept;
        if (after != before) break;
    }
    return step;
}

static void given_random_graphs_when_pushed_then_outputs_come_when_due(void **unused) {
    (void)unused;
    enum { GRAPHS = 40, SHORT = 96 };
    for (uint32_t i = 0; i < GRAPHS; i++) {
        tl_rng rng = rng_of(500 + i);
        tl_model *model = tl_model_new(&(tl_model_cfg){.seed = i, .engine = TL_ENGINE_DIRECT, .threads = 1});
        compile(model, random_graph(model, tl_input(model, (tl_shape){SHORT, 1}), &rng));
        for (size_t p = 0; p < tl_parameter_arrays(model); p++) {
            const tl_parameter array = tl_parameter_at(model, p);
            for (size_t j = 0; j < tl_tensor_count(&array.value); j++) array.value.data[j] = (tl_real)0.1;
        }
        series s = series_of(model, SHORT);
        for (size_t t = 0; t < SHORT; t++) s.x[t] = (tl_real)(t % 7) / 64;
        tl_stream *stream = stream_of(model, NULL);
        size_t step = 0;
        while (tl_stream_push(stream, s.x + step, 1, s.y, SHORT) == 0) step++;
        assert_int_equal(step, tl_stream_delay(stream));
        assert_int_equal(step, last_step_of_first(model, &s));
        tl_stream_reset(stream);
        check_network("random graph", model, &rng, 1);
        tl_stream_free(stream);
        free_series(&s);
        tl_model_free(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_networks_when_steps_come_in_any_pushes_then_whole_series),
        cmocka_unit_test(given_any_layer_when_streamed_then_whole_series_or_refused),
        cmocka_unit_test(given_global_pools_when_streamed_then_those_of_all_steps_or_a_window),
        cmocka_unit_test(given_a_state_when_restored_in_another_stream_then_it_goes_on),
        cmocka_unit_test(given_damaged_bytes_when_restored_then_refused_and_unchanged),
        cmocka_unit_test(given_streams_of_one_model_when_threads_push_then_each_is_right),
        cmocka_unit_test(given_a_stream_when_the_model_trains_on_then_it_keeps_its_parameters),
        cmocka_unit_test(given_a_layer_of_whole_series_when_streamed_then_the_cure_is_told),
        cmocka_unit_test(given_a_limit_of_memory_when_a_stream_needs_more_then_refused),
        cmocka_unit_test(given_wrong_calls_when_pushed_then_the_error_stays_until_reset),
        cmocka_unit_test(given_no_stream_when_called_then_errors_and_zeros),
        cmocka_unit_test(given_networks_when_made_then_delay_field_and_rate_are_known),
        cmocka_unit_test(given_random_graphs_when_pushed_then_outputs_come_when_due),
    };
    return check_run(tests);
}
