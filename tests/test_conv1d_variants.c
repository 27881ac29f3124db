/* Convolutions with groups, with padding modes, and transposed ones are compared with plain loops, exactly, on small integers. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIGURATIONS = 400 };

static size_t between(tl_rng *rng, size_t minimum, size_t maximum) {
    return minimum + tl_rng_below(rng, (uint32_t)(maximum - minimum + 1));
}

/* A layer of one kind or the other, and its arrays: (batch, length, channels) → (batch, out_length, filters). */
typedef struct problem {
    bool transposed;
    tl_conv1d_cfg conv;
    tl_conv1d_transpose_cfg transpose;
    size_t batch, length, channels, out_length, filters, kernel;
    size_t pad_left, weight_count;
    const size_t *lengths; /* (batch) or NULL */
    tl_real *x, *dy, *weight, *bias;
    tl_real *y, *dx, *dweight, *dbias; /* what the plain loops give */
} problem;

static tl_real *integers(size_t count, uint32_t seed) {
    tl_real *values = calloc(count, sizeof *values);
    assert_non_null(values);
    if (seed) fill_integers(values, count, seed, 4);
    return values;
}

static void allocate(problem *p, uint32_t seed) {
    p->x = integers(p->batch * p->length * p->channels, seed);
    p->dy = integers(p->batch * p->out_length * p->filters, seed + 1);
    p->weight = integers(p->weight_count, seed + 2);
    p->bias = integers(p->filters, seed + 3);
    p->dx = integers(p->batch * p->length * p->channels, 0);
    p->y = integers(p->batch * p->out_length * p->filters, 0);
    p->dweight = integers(p->weight_count, 0);
    p->dbias = integers(p->filters, 0);
}

static void release(problem *p) {
    tl_real *arrays[] = {p->x, p->dy, p->weight, p->bias, p->y, p->dx, p->dweight, p->dbias};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

/* ---- the plain loops ---- */

static void add_term(problem *p, size_t in, size_t out, size_t w) {
    p->y[out] += p->x[in] * p->weight[w];
    p->dx[in] += p->dy[out] * p->weight[w];
    p->dweight[w] += p->x[in] * p->dy[out];
}

static void add_bias(problem *p) {
    for (size_t i = 0; i < p->batch * p->out_length * p->filters; i++) {
        p->y[i] += p->bias[i % p->filters];
        p->dbias[i % p->filters] += p->dy[i];
    }
}

/* The step at a place that may lie beyond the ends; -1: nothing is there. Written as it is said, by walking. */
static long step_at(tl_padding_mode mode, long at, long length) {
    if (mode == TL_PADDING_MODE_ZEROS) return at >= 0 && at < length ? at : -1;
    if (mode == TL_PADDING_MODE_REPLICATE) return at < 0 ? 0 : at < length ? at : length - 1;
    if (mode == TL_PADDING_MODE_REFLECT) return at < 0 ? -at : at < length ? at : length - 1 - (at - (length - 1));
    while (at < 0) at += length;
    while (at >= length) at -= length;
    return at;
}

static void convolve(problem *p) {
    const size_t groups = p->conv.groups, in_group = p->channels / groups, out_group = p->filters / groups;
    for (size_t n = 0; n < p->batch; n++)
        for (size_t t = 0; t < p->out_length; t++)
            for (size_t j = 0; j < p->kernel; j++) {
                const long at = (long)(t * p->conv.stride + j * p->conv.dilation) - (long)p->pad_left;
                const long step = step_at(p->conv.padding_mode, at, (long)p->length);
                for (size_t f = 0; step >= 0 && f < p->filters; f++)
                    for (size_t c = 0; c < in_group; c++)
                        add_term(p, (n * p->length + (size_t)step) * p->channels + f / out_group * in_group + c,
                                 (n * p->out_length + t) * p->filters + f, (j * in_group + c) * p->filters + f);
            }
    add_bias(p);
}

static void transpose(problem *p) {
    const tl_conv1d_transpose_cfg *cfg = &p->transpose;
    for (size_t n = 0; n < p->batch; n++)
        for (size_t i = 0; i < p->length; i++)
            for (size_t j = 0; j < p->kernel; j++) {
                const long t = (long)(i * cfg->stride + j * cfg->dilation) - (long)cfg->pad_left;
                for (size_t f = 0; t >= 0 && t < (long)p->out_length && f < p->filters; f++)
                    for (size_t c = 0; c < p->channels; c++)
                        add_term(p, (n * p->length + i) * p->channels + c, (n * p->out_length + (size_t)t) * p->filters + f,
                                 (j * p->filters + f) * p->channels + c);
            }
    add_bias(p);
}

/* ---- the layer ---- */

static void check_layer(const char *what, problem *p, int threads) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = threads});
    const tl_node x = tl_input(model, (tl_shape){p->length, p->channels});
    const tl_node y = p->transposed ? tl_conv1d_transpose(model, x, &p->transpose) : tl_conv1d(model, x, &p->conv);
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = p->batch, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    check_ok(&error);
    assert_int_equal(tl_output_shape(model).length, p->out_length);
    assert_int_equal(tl_output_shape(model).channels, p->filters);
    const tl_parameter weight = tl_parameter_at(model, 0), bias = tl_parameter_at(model, 1);
    assert_int_equal(tl_tensor_count(&weight.value), p->weight_count);
    memcpy(weight.value.data, p->weight, p->weight_count * sizeof(tl_real));
    memcpy(bias.value.data, p->bias, p->filters * sizeof(tl_real));
    const tl_tensor samples = TL_VIEW(p->x, p->batch, p->length, p->channels),
                    dy = TL_VIEW(p->dy, p->batch, p->out_length, p->filters);
    for (int pass = 1; pass <= 2; pass++) { /* gradients add up */
        tl_forward(model, &samples, TL_MODE_TRAINING);
        check_equal(what, tl_output(model).data, p->y, p->batch * p->out_length * p->filters);
        tl_backward_from(model, &dy);
        check_ok(tl_model_error(model));
        check_equal(what, tl_input_gradient(model).data, p->dx, p->batch * p->length * p->channels);
        for (size_t i = 0; i < p->weight_count; i++) assert_true(weight.gradient.data[i] == (tl_real)pass * p->dweight[i]);
        for (size_t i = 0; i < p->filters; i++) assert_true(bias.gradient.data[i] == (tl_real)pass * p->dbias[i]);
    }
    tl_model_free(model);
}

/* Winograd's transforms round, so that the choice is not left to the library but for depthwise. */
static tl_engine exact_engine(tl_rng *rng) { return (tl_engine)between(rng, TL_ENGINE_NAIVE, TL_ENGINE_DIRECT); }

/* False where no output comes of what was drawn. */
static bool draw_convolution(tl_rng *rng, problem *drawn) {
    const size_t groups = between(rng, 1, 5), wide = between(rng, 0, 3) == 0 ? 20 : 1;
    problem p = {.batch = between(rng, 1, 11),
                 .length = between(rng, 1, 40),
                 .channels = groups * between(rng, 1, 4) * wide,
                 .filters = groups * between(rng, 1, 4) * wide,
                 .kernel = between(rng, 1, 7)};
    p.conv = (tl_conv1d_cfg){.kernel = p.kernel,
                             .stride = between(rng, 1, 3),
                             .dilation = between(rng, 1, 3),
                             .padding = TL_PADDING_EXPLICIT,
                             .pad_left = between(rng, 0, 9),
                             .pad_right = between(rng, 0, 9),
                             .padding_mode = (tl_padding_mode)between(rng, TL_PADDING_MODE_ZEROS, TL_PADDING_MODE_CIRCULAR),
                             .groups = groups,
                             .engine = exact_engine(rng)};
    if (between(rng, 0, 2) == 0) { /* depthwise */
        p.filters = p.channels;
        p.conv.groups = p.channels;
        p.conv.engine = p.channels > 1 ? TL_ENGINE_AUTO : TL_ENGINE_NAIVE;
    }
    p.conv.filters = p.filters;
    p.pad_left = p.conv.pad_left;
    const size_t padded = p.length + p.conv.pad_left + p.conv.pad_right, extent = (p.kernel - 1) * p.conv.dilation + 1;
    const size_t longest = p.conv.pad_left > p.conv.pad_right ? p.conv.pad_left : p.conv.pad_right;
    const bool valid = padded >= extent && (p.conv.padding_mode != TL_PADDING_MODE_REFLECT || longest < p.length);
    if (!valid) return false;
    p.out_length = (padded - extent) / p.conv.stride + 1;
    p.weight_count = p.kernel * (p.channels / p.conv.groups) * p.filters;
    *drawn = p;
    return true;
}

static problem random_convolution(tl_rng *rng) {
    problem p;
    while (!draw_convolution(rng, &p)) continue;
    return p;
}

static void given_groups_and_any_padding_when_run_then_exactly_as_plain_loops(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(1, TL_STREAM_USER, 0, 0);
    size_t modes[4] = {0}, depthwise = 0;
    for (int i = 0; i < CONFIGURATIONS; i++) {
        problem p = random_convolution(&rng);
        char what[200];
        snprintf(what, sizeof what,
                 "%d: batch %zu, (%zu, %zu) to (%zu, %zu), k%zu, stride %zu, dilation %zu, mode %d, groups %zu, engine %d", i,
                 p.batch, p.length, p.channels, p.out_length, p.filters, p.kernel, p.conv.stride, p.conv.dilation,
                 (int)p.conv.padding_mode, p.conv.groups, (int)p.conv.engine);
        allocate(&p, (uint32_t)(4 * i + 1));
        convolve(&p);
        check_layer(what, &p, 1 + i % 3);
        release(&p);
        modes[p.conv.padding_mode]++;
        depthwise += p.conv.engine == TL_ENGINE_AUTO;
    }
    for (int mode = 0; mode < 4; mode++) assert_true(modes[mode] > CONFIGURATIONS / 10);
    assert_true(depthwise > CONFIGURATIONS / 10);
}

/* False where no output comes of what was drawn. */
static bool draw_transpose(tl_rng *rng, problem *drawn) {
    const size_t wide = between(rng, 0, 3) == 0 ? 20 : 1;
    problem p = {.transposed = true,
                 .batch = between(rng, 1, 7),
                 .length = between(rng, 1, 20),
                 .channels = between(rng, 1, 6) * wide,
                 .filters = between(rng, 1, 6) * wide,
                 .kernel = between(rng, 1, 7)};
    const size_t stride = between(rng, 1, 4);
    p.transpose = (tl_conv1d_transpose_cfg){.filters = p.filters,
                                            .kernel = p.kernel,
                                            .stride = stride,
                                            .dilation = between(rng, 1, 3),
                                            .pad_left = between(rng, 0, 3),
                                            .pad_right = between(rng, 0, 3),
                                            .output_padding = between(rng, 0, stride - 1),
                                            .engine = exact_engine(rng)};
    const size_t whole = (p.length - 1) * stride + (p.kernel - 1) * p.transpose.dilation + 1 + p.transpose.output_padding;
    const size_t cut = p.transpose.pad_left + p.transpose.pad_right;
    if (whole <= cut) return false;
    p.out_length = whole - cut;
    p.weight_count = p.kernel * p.filters * p.channels;
    *drawn = p;
    return true;
}

static problem random_transpose(tl_rng *rng) {
    problem p;
    while (!draw_transpose(rng, &p)) continue;
    return p;
}

static void given_a_transposed_convolution_when_run_then_as_plain_loops(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(2, TL_STREAM_USER, 0, 0);
    for (int i = 0; i < CONFIGURATIONS; i++) {
        problem p = random_transpose(&rng);
        char what[200];
        snprintf(what, sizeof what,
                 "%d: batch %zu, (%zu, %zu) to (%zu, %zu), k%zu, stride %zu, dilation %zu, output padding %zu, engine %d", i,
                 p.batch, p.length, p.channels, p.out_length, p.filters, p.kernel, p.transpose.stride, p.transpose.dilation,
                 p.transpose.output_padding, (int)p.transpose.engine);
        allocate(&p, (uint32_t)(4 * i + 1));
        transpose(&p);
        check_layer(what, &p, 1 + i % 3);
        release(&p);
    }
}

/* ---- lengths: each sample as if it were alone ---- */

typedef tl_node (*builder)(tl_model *model, tl_node x);

enum { LONGEST = 24, CHANNELS = 4, SAMPLES = 3, FILTERS = 4 };
static const size_t lengths[SAMPLES] = {24, 9, 17};

static tl_model *compiled(builder build, size_t length, size_t batch) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 4});
    tl_model_compile(model, build(model, tl_input(model, (tl_shape){length, CHANNELS})),
                     &(tl_compile_cfg){.batch = batch, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    check_ok(&error);
    fill_integers(tl_parameter_at(model, 0).value.data,
                  tl_parameter_at(model, 0).value.shape[0] * tl_parameter_at(model, 0).value.shape[1] *
                      tl_parameter_at(model, 0).value.shape[2],
                  7, 4);
    return model;
}

static tl_node with_mode(tl_model *m, tl_node x, tl_padding_mode mode) {
    return tl_conv1d(
        m, x,
        &(tl_conv1d_cfg){
            .filters = FILTERS, .kernel = 5, .dilation = 2, .padding = TL_PADDING_SAME, .padding_mode = mode, .groups = CHANNELS});
}
static tl_node reflecting(tl_model *m, tl_node x) { return with_mode(m, x, TL_PADDING_MODE_REFLECT); }
static tl_node replicating(tl_model *m, tl_node x) { return with_mode(m, x, TL_PADDING_MODE_REPLICATE); }
static tl_node circular(tl_model *m, tl_node x) { return with_mode(m, x, TL_PADDING_MODE_CIRCULAR); }
static tl_node longer(tl_model *m, tl_node x) {
    const tl_conv1d_transpose_cfg cfg = {
        .filters = FILTERS, .kernel = 4, .stride = 2, .pad_left = 1, .pad_right = 1, .engine = TL_ENGINE_NAIVE};
    return tl_conv1d_transpose(m, x, &cfg);
}

static void check_alone(builder build, tl_model *all, const tl_real *x, const tl_real *dy, size_t sample) {
    const size_t longest = tl_output_shape(all).length, before = sample * longest * FILTERS;
    tl_model *alone = compiled(build, lengths[sample], 1);
    const tl_tensor view = TL_VIEW(x + sample * LONGEST * CHANNELS, 1, lengths[sample], CHANNELS);
    tl_forward(alone, &view, TL_MODE_TRAINING);
    const size_t count = tl_output_shape(alone).length * FILTERS;
    assert_int_equal(tl_output_length(all, sample) * FILTERS, count);
    check_equal("output", tl_output(all).data + before, tl_output(alone).data, count);
    for (size_t i = count; i < longest * FILTERS; i++) assert_true(tl_output(all).data[before + i] == 0);
    const tl_tensor back = TL_VIEW(dy + before, 1, tl_output_shape(alone).length, FILTERS);
    tl_backward_from(alone, &back);
    check_ok(tl_model_error(alone));
    tl_model_free(alone);
}

/* The gradients of each sample alone, summed and side by side. */
static void check_gradients_alone(builder build, tl_model *all, const tl_real *x, const tl_real *dy) {
    tl_real sum[5 * CHANNELS * FILTERS] = {0};
    const tl_tensor gradient = tl_parameter_at(all, 0).gradient;
    const size_t longest = tl_output_shape(all).length;
    for (size_t sample = 0; sample < SAMPLES; sample++) {
        tl_model *alone = compiled(build, lengths[sample], 1);
        const tl_tensor view = TL_VIEW(x + sample * LONGEST * CHANNELS, 1, lengths[sample], CHANNELS);
        const tl_tensor back = TL_VIEW(dy + sample * longest * FILTERS, 1, tl_output_shape(alone).length, FILTERS);
        tl_forward(alone, &view, TL_MODE_TRAINING);
        tl_backward_from(alone, &back);
        const tl_real *dx = tl_input_gradient(all).data + sample * LONGEST * CHANNELS;
        check_equal("input gradient", dx, tl_input_gradient(alone).data, lengths[sample] * CHANNELS);
        for (size_t i = 0; i < tl_tensor_count(&gradient); i++) sum[i] += tl_parameter_at(alone, 0).gradient.data[i];
        tl_model_free(alone);
    }
    check_equal("weight gradient", gradient.data, sum, tl_tensor_count(&gradient));
}

static void given_lengths_when_padded_or_transposed_then_each_sample_as_if_alone(void **unused) {
    (void)unused;
    const builder builders[] = {reflecting, replicating, circular, longer};
    static tl_real x[SAMPLES * LONGEST * CHANNELS], dy[SAMPLES * 2 * LONGEST * FILTERS];
    fill_integers(x, sizeof x / sizeof *x, 1, 4);
    fill_integers(dy, sizeof dy / sizeof *dy, 2, 4);
    for (size_t i = 0; i < SAMPLES; i++)
        memset(x + (i * LONGEST + lengths[i]) * CHANNELS, 0, (LONGEST - lengths[i]) * CHANNELS * sizeof *x);
    for (size_t b = 0; b < sizeof builders / sizeof *builders; b++) {
        tl_model *all = compiled(builders[b], LONGEST, SAMPLES);
        const tl_tensor view = TL_VIEW(x, SAMPLES, LONGEST, CHANNELS),
                        back = TL_VIEW(dy, SAMPLES, tl_output_shape(all).length, FILTERS);
        tl_set_lengths(all, lengths, SAMPLES);
        tl_forward(all, &view, TL_MODE_TRAINING);
        check_ok(tl_model_error(all));
        for (size_t i = 0; i < SAMPLES; i++) check_alone(builders[b], all, x, dy, i);
        tl_backward_from(all, &back);
        check_gradients_alone(builders[b], all, x, dy);
        tl_model_free(all);
    }
}

static void given_a_sample_too_short_to_reflect_when_passed_then_it_is_said(void **unused) {
    (void)unused;
    static tl_real x[LONGEST * CHANNELS];
    tl_model *model = compiled(reflecting, LONGEST, 1);
    const tl_tensor view = TL_VIEW(x, 1, LONGEST, CHANNELS);
    tl_set_lengths(model, (const size_t[]){4}, 1);
    tl_forward(model, &view, TL_MODE_TRAINING);
    check_error(tl_model_error(model), TL_ERROR_SHAPE, "(conv1d): sample 0 has length 4 here, which is too short for an output");
    tl_model_free(model);
}

static void given_padding_modes_when_run_then_the_same_steps_as_by_hand(void **unused) {
    (void)unused;
    const struct {
        tl_padding_mode mode;
        tl_real y[7];
    } cases[] = {
        {TL_PADDING_MODE_ZEROS, {0, 0, 1, 2, 3, 0, 0}},
        {TL_PADDING_MODE_REFLECT, {3, 2, 1, 2, 3, 2, 1}},
        {TL_PADDING_MODE_REPLICATE, {1, 1, 1, 2, 3, 3, 3}},
        {TL_PADDING_MODE_CIRCULAR, {2, 3, 1, 2, 3, 1, 2}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        problem p = {.batch = 1, .length = 3, .channels = 1, .out_length = 7, .filters = 1, .kernel = 1, .weight_count = 1};
        p.conv = (tl_conv1d_cfg){.filters = 1,
                                 .kernel = 1,
                                 .padding = TL_PADDING_EXPLICIT,
                                 .pad_left = 2,
                                 .pad_right = 2,
                                 .padding_mode = cases[i].mode};
        tl_model *model = tl_model_new(NULL);
        tl_model_compile(model, tl_conv1d(model, tl_input(model, (tl_shape){3, 1}), &p.conv), NULL, NULL);
        tl_parameter_at(model, 0).value.data[0] = 1;
        const tl_real x[] = {1, 2, 3};
        const tl_tensor view = TL_VIEW(x, 1, 3, 1);
        tl_forward(model, &view, TL_MODE_INFERENCE);
        check_equal(tl_padding_mode_name(cases[i].mode), tl_output(model).data, cases[i].y, 7);
        tl_model_free(model);
    }
}

/* ---- what is refused ---- */

#define CONV(name, ...)                                                                                                            \
    static tl_node name(tl_model *m, tl_node x) { return tl_conv1d(m, x, &(tl_conv1d_cfg){.kernel = 2, __VA_ARGS__}); }
#define TRANSPOSE(name, ...)                                                                                                       \
    static tl_node name(tl_model *m, tl_node x) { return tl_conv1d_transpose(m, x, &(tl_conv1d_transpose_cfg){__VA_ARGS__}); }
CONV(groups_negative, .filters = 3, .groups = (size_t)-1)
CONV(groups_of_channels, .filters = 4, .groups = 2)
CONV(groups_of_filters, .filters = 4, .groups = 3)
CONV(mode_unknown, .filters = 4, .padding_mode = (tl_padding_mode)9)
CONV(reflect_long, .filters = 4, .padding = TL_PADDING_EXPLICIT, .pad_left = 5, .padding_mode = TL_PADDING_MODE_REFLECT)
CONV(mode_and_stride, .filters = 4, .stride = (size_t)-1, .padding_mode = TL_PADDING_MODE_REFLECT)
TRANSPOSE(no_filters, .kernel = 2)
TRANSPOSE(no_kernel, .filters = 2)
TRANSPOSE(stride_negative, .filters = 2, .kernel = 2, .stride = (size_t)-1)
TRANSPOSE(dilation_negative, .filters = 2, .kernel = 2, .dilation = (size_t)-2)
TRANSPOSE(left_negative, .filters = 2, .kernel = 2, .pad_left = (size_t)-1)
TRANSPOSE(right_negative, .filters = 2, .kernel = 2, .pad_right = (size_t)-1)
TRANSPOSE(more_negative, .filters = 2, .kernel = 2, .output_padding = (size_t)-1)
TRANSPOSE(more_than_stride, .filters = 2, .kernel = 2, .stride = 3, .output_padding = 3)
TRANSPOSE(cut_away, .filters = 2, .kernel = 2, .pad_left = 3, .pad_right = 3)
TRANSPOSE(huge, .filters = INT32_MAX, .kernel = INT32_MAX, .stride = INT32_MAX, .dilation = INT32_MAX)
#undef CONV
#undef TRANSPOSE

static void given_a_bad_configuration_when_compiled_then_layer_and_limit_named(void **unused) {
    (void)unused;
    const check_refusal refusals[] = {
        {groups_negative, TL_ERROR_ARGUMENT, "(conv1d): groups -1 is below 1"},
        {groups_of_channels, TL_ERROR_SHAPE, "(conv1d): 3 channels are not a multiple of 2 groups"},
        {groups_of_filters, TL_ERROR_ARGUMENT, "(conv1d): 4 filters are not a multiple of 3 groups"},
        {mode_unknown, TL_ERROR_ARGUMENT, "(conv1d): padding mode 9 is unknown"},
        {reflect_long, TL_ERROR_SHAPE, "(conv1d): reflection of 5 and 0 steps: each must be below the length 5"},
        {mode_and_stride, TL_ERROR_ARGUMENT, "(conv1d): stride -1 is below 1"},
        {no_filters, TL_ERROR_ARGUMENT, "(conv1d_transpose): filters 0 is below 1"},
        {no_kernel, TL_ERROR_ARGUMENT, "(conv1d_transpose): kernel 0 is below 1"},
        {stride_negative, TL_ERROR_ARGUMENT, "(conv1d_transpose): stride -1 is below 1"},
        {dilation_negative, TL_ERROR_ARGUMENT, "(conv1d_transpose): dilation -2 is below 1"},
        {left_negative, TL_ERROR_ARGUMENT, "(conv1d_transpose): left padding -1 is below 0"},
        {right_negative, TL_ERROR_ARGUMENT, "(conv1d_transpose): right padding -1 is below 0"},
        {more_negative, TL_ERROR_ARGUMENT, "(conv1d_transpose): output padding -1 is below 0"},
        {more_than_stride, TL_ERROR_ARGUMENT, "(conv1d_transpose): output padding 3 is not below the stride 3"},
        {cut_away, TL_ERROR_SHAPE, "(conv1d_transpose): padding of 3 and 3 steps cuts off all of an output of 6"},
        {huge, TL_ERROR_ARGUMENT, "(conv1d_transpose): kernel 2147483647 is above 16777216"},
    };
    check_refused_layers(refusals, sizeof refusals / sizeof *refusals, (tl_shape){5, 3});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_groups_and_any_padding_when_run_then_exactly_as_plain_loops),
        cmocka_unit_test(given_a_transposed_convolution_when_run_then_as_plain_loops),
        cmocka_unit_test(given_lengths_when_padded_or_transposed_then_each_sample_as_if_alone),
        cmocka_unit_test(given_a_sample_too_short_to_reflect_when_passed_then_it_is_said),
        cmocka_unit_test(given_padding_modes_when_run_then_the_same_steps_as_by_hand),
        cmocka_unit_test(given_a_bad_configuration_when_compiled_then_layer_and_limit_named),
    };
    return check_run(tests);
}
