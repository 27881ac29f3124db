/* Writes the layer rocket as a part of an ONNX graph. Conv would add products in an order that runtimes choose, and a feature
 * counts outputs above a bias, which rounding can change. So the graph adds shifted series in the order of the library: all outputs
 * have its bits in every runtime that rounds each operator by itself.
 *
 * Values have the axes (batch, channels or kernels, steps), and in between (batch, kernels, biases, steps).
 */
#include "layers/rocket/rocket.h"
#include "base/math.h"
#include "base/memory.h"
#include "graph/graph.h"
#include "onnx/export.h"
#include "onnx/onnx.h"

#include <stdio.h>

enum { MARGIN = TL_ROCKET_TAPS / 2, HALF = TL_ROCKET_KERNELS / 2, STATISTICS = 4 };

/* ---- values ---- */

/* The name of a value or a constant. */
typedef struct value {
    char text[TL_ONNX_NAME];
} value;

typedef struct writer {
    tl_pb_writer *out;
    const tl_export_node *node;
    const tl_rocket_layer *layer;
    const tl_real *channel; /* the state */
    size_t width;           /* channels of padded series: with several, one of zeros after them */
    int values;             /* number of names so far */
} writer;

static value new_name(writer *w) {
    value name;
    snprintf(name.text, sizeof name.text, "%.60s/%d", w->node->name, w->values++);
    return name;
}

static value put(writer *w, tl_onnx_node node) {
    const value result = new_name(w);
    node.output = result.text;
    tl_onnx_put_node(w->out, &node);
    return result;
}

static value put_one(writer *w, const char *operator_type, const value *a) {
    return put(w, (tl_onnx_node){operator_type, .input = {a->text}});
}

static value put_two(writer *w, const char *operator_type, const value *a, const value *b) {
    return put(w, (tl_onnx_node){operator_type, .input = {a->text, b->text}});
}

static value put_choice(writer *w, const value *mask, const value *a, const value *b) {
    return put(w, (tl_onnx_node){"Where", .input = {mask->text, a->text, b->text}});
}

static value put_number(writer *w, double number) {
    const value name = new_name(w);
    tl_onnx_put_scalar(w->out, name.text, number);
    return name;
}

static value put_wholes(writer *w, size_t count, const int64_t *wholes) {
    const value name = new_name(w);
    tl_onnx_put_wholes(w->out, name.text, count, wholes);
    return name;
}

static value put_whole(writer *w, size_t whole) { return put_wholes(w, 1, &(int64_t){(int64_t)whole}); }

static value put_numbers(writer *w, size_t rank, const size_t *shape, const double *numbers) {
    const value name = new_name(w);
    tl_onnx_put_tensor(w->out, name.text, rank, shape, numbers);
    return name;
}

/* The numbers first, first + 1 … */
static value put_range(writer *w, size_t first, size_t count) {
    double *number = tl_reserve(count, sizeof *number, "onnx", NULL);
    value name = {""};
    w->out->short_of_memory = w->out->short_of_memory || !number;
    for (size_t i = 0; number && i < count; i++) number[i] = (double)(first + i);
    if (number) name = put_numbers(w, 1, &count, number);
    tl_release(number);
    return name;
}

/* The steps first … end - 1. */
static value put_slice(writer *w, const value *x, size_t first, size_t end) {
    const value from = put_whole(w, first), to = put_whole(w, end), axis = put_whole(w, 2);
    return put(w, (tl_onnx_node){"Slice", .input = {x->text, from.text, to.text, axis.text}});
}

static value put_gather(writer *w, const value *x, size_t count, const int64_t *index) {
    const value wholes = put_wholes(w, count, index);
    return put(w, (tl_onnx_node){"Gather", .input = {x->text, wholes.text}, .attribute = {tl_onnx_int("axis", 1)}});
}

static value put_concat(writer *w, const value *part, size_t parts, size_t axis) {
    tl_onnx_node node = {"Concat", .attribute = {tl_onnx_int("axis", axis)}};
    for (size_t i = 0; i < parts; i++) node.input[i] = part[i].text;
    return put(w, node);
}

static value put_reshape(writer *w, const value *x, int64_t second, int64_t third) {
    const value shape = put_wholes(w, 3, (const int64_t[]){0, second, third});
    return put_two(w, "Reshape", x, &shape);
}

static value put_unsqueezed(writer *w, const value *x) {
    const value axis = put_whole(w, 2);
    return put_two(w, "Unsqueeze", x, &axis);
}

/* Sums over the last of four axes. */
static value put_sum(writer *w, const value *x) {
    const value axis = put_whole(w, 3);
    return put(w, (tl_onnx_node){"ReduceSum", .input = {x->text, axis.text}, .attribute = {tl_onnx_int("keepdims", 0)}});
}

static value put_reals(writer *w, const value *mask) {
    return put(w, (tl_onnx_node){"Cast", .input = {mask->text}, .attribute = {tl_onnx_int("to", (size_t)tl_onnx_element())}});
}

/* ---- series ---- */

static value put_differences(writer *w, const value *series) {
    const size_t length = w->node->in.length;
    const value later = put_slice(w, series, 1, length), earlier = put_slice(w, series, 0, length - 1);
    return put_two(w, "Sub", &later, &earlier);
}

/* Adds zeros before and after the steps, and, if there are several channels, a channel of zeros. */
static value put_padded(writer *w, const value *x, size_t margin) {
    const int64_t zeros = (int64_t)(w->width - w->node->in.channels), steps = (int64_t)margin;
    const value pads = put_wholes(w, 6, (const int64_t[]){0, 0, steps, 0, zeros, steps});
    return put_two(w, "Pad", x, &pads);
}

/* The channel with this number of a pair or group; the channel of zeros after the last one. */
static int64_t channel_of(const writer *w, size_t row, size_t number) {
    size_t channel[TL_ROCKET_MAX_CHANNELS];
    return (int64_t)(number < tl_rocket_channels(w->layer, w->channel, row, channel) ? channel[number] : w->width - 1);
}

/* The padded series at each tap: (batch, steps) of `width` channels each. */
static void put_taps(writer *w, const value *padded, size_t distance, size_t steps, value tap[TL_ROCKET_TAPS]) {
    for (size_t j = 0; j < TL_ROCKET_TAPS; j++) tap[j] = put_slice(w, padded, j * distance, j * distance + steps);
}

/* Adds 0 to numbers and NaN if a value of the series is not finite. */
static value put_fault(writer *w, const value *series) {
    const value zeros = put_two(w, "Sub", series, series), axes = put_wholes(w, 2, (const int64_t[]){1, 2});
    return put(w, (tl_onnx_node){"ReduceSum", .input = {zeros.text, axes.text}, .attribute = {tl_onnx_int("keepdims", 0)}});
}

/* ---- kinds mini and multi ---- */

/* A dilation of a bank. */
typedef struct dilated {
    const tl_rocket_bank *bank;
    size_t number;                  /* of the dilation */
    const tl_rocket_dilation *this; /* its numbers */
    size_t steps;
    value shared, tripled; /* (batch, width, steps), (batch, 9 · width, steps) */
} dilated;

/* The middle tap first, then the others in order. */
static void put_shared(writer *w, dilated *p, const value *series) {
    value tap[TL_ROCKET_TAPS];
    const value padded = put_padded(w, series, MARGIN * p->this->step);
    put_taps(w, &padded, p->this->step, p->steps, tap);
    value sum = tap[MARGIN];
    for (size_t j = 0; j < TL_ROCKET_TAPS; j++)
        if (j != MARGIN) sum = put_two(w, "Add", &sum, &tap[j]);
    p->shared = put_one(w, "Neg", &sum);
    const value all = put_concat(w, tap, TL_ROCKET_TAPS, 1), twice = put_two(w, "Add", &all, &all);
    p->tripled = put_two(w, "Add", &twice, &all);
}

/* The outputs of one half of the kernels (even or odd numbers) on the n-th channel of each. */
static value put_channel(writer *w, const dilated *p, size_t half, size_t n) {
    int64_t channel[HALF], index[HALF];
    value sum = p->shared;
    for (size_t i = 0; i < HALF; i++)
        channel[i] = channel_of(w, p->bank->first_pair + p->number * TL_ROCKET_KERNELS + 2 * i + half, n);
    if (w->layer->chosen > 0) sum = put_gather(w, &sum, HALF, channel);
    for (size_t tap = 0; tap < 3; tap++) {
        for (size_t i = 0; i < HALF; i++) index[i] = w->layer->tap[2 * i + half][tap] * (int64_t)w->width + channel[i];
        const value term = put_gather(w, &p->tripled, HALF, index);
        sum = put_two(w, "Add", &sum, &term);
    }
    return sum;
}

/* The outputs that count: (batch, 42, 1, steps). */
static value put_outputs(writer *w, const dilated *p, size_t half, size_t *steps) {
    value sum = put_channel(w, p, half, 0);
    for (size_t n = 1; n < w->layer->chosen; n++) {
        const value one = put_channel(w, p, half, n);
        sum = put_two(w, "Add", &one, &sum);
    }
    const size_t margin = MARGIN * p->this->step;
    const bool cut = (p->number + half) % 2 == 1 && p->steps > 2 * margin;
    *steps = cut ? p->steps - 2 * margin : p->steps;
    if (cut) sum = put_slice(w, &sum, margin, p->steps - margin);
    return put_unsqueezed(w, &sum);
}

static value put_biases(writer *w, const dilated *p, size_t half) {
    const size_t each = p->this->biases, shape[] = {HALF, each, 1};
    const double *bias = tl_export_find(w->node, "bias")->value + p->bank->first_bias + p->this->first;
    double *own = tl_reserve(HALF * each, sizeof *own, "onnx", NULL);
    value name = {""};
    w->out->short_of_memory = w->out->short_of_memory || !own;
    for (size_t i = 0; own && i < HALF * each; i++) own[i] = bias[(2 * (i / each) + half) * each + i % each];
    if (own) name = put_numbers(w, 3, shape, own);
    tl_release(own);
    return name;
}

/* The largest number of consecutive outputs above a bias: at each step, the distance to the last step that is not above. The
 * largest number so far is found by comparing with those 1, 2, 4 … steps before. */
static value put_longest(writer *w, const dilated *p, const value *above, size_t steps) {
    const value zero = put_number(w, 0), place = put_range(w, 1, steps), below = put_choice(w, above, &zero, &place);
    value last = put_reshape(w, &below, -1, (int64_t)steps);
    for (size_t back = 1; back < steps; back *= 2) {
        const value kept = put_slice(w, &last, 0, steps - back);
        const value pads = put_wholes(w, 6, (const int64_t[]){0, 0, (int64_t)back, 0, 0, 0});
        const value before = put_two(w, "Pad", &kept, &pads);
        last = put_two(w, "Max", &last, &before);
    }
    const value run = put_two(w, "Sub", &place, &last), longest = put_one(w, "GlobalMaxPool", &run);
    return put_reshape(w, &longest, HALF, (int64_t)p->this->biases);
}

/* Mean distance above the bias, mean place, and the longest run; `count`: number of outputs above. */
static void put_pooled(writer *w, const dilated *p, const value *over, const value *above, const value *count, size_t steps,
                       value statistic[STATISTICS - 1]) {
    const value zero = put_number(w, 0), one = put_number(w, 1), none = put_number(w, -1), place = put_range(w, 0, steps);
    const value divisor = put_two(w, "Max", count, &one), some = put_two(w, "Greater", count, &zero);
    const value distances = put_choice(w, above, over, &zero), distance = put_sum(w, &distances);
    const value places = put_choice(w, above, &place, &zero), total = put_sum(w, &places);
    const value mean = put_two(w, "Div", &total, &divisor);
    statistic[0] = put_two(w, "Div", &distance, &divisor);
    statistic[1] = put_choice(w, &some, &mean, &none);
    statistic[2] = put_longest(w, p, above, steps);
}

/* The statistics of half of the kernels: each (batch, 42, biases). */
static void put_half(writer *w, const dilated *p, size_t half, value statistic[STATISTICS]) {
    size_t steps;
    const value output = put_outputs(w, p, half, &steps), bias = put_biases(w, p, half);
    const value above = put_two(w, "Greater", &output, &bias), ones = put_reals(w, &above), count = put_sum(w, &ones);
    const value all = put_number(w, (double)steps);
    statistic[0] = put_two(w, "Div", &count, &all);
    if (w->layer->pooled == 1) return;
    const value over = put_two(w, "Sub", &output, &bias);
    put_pooled(w, p, &over, &above, &count, steps, statistic + 1);
}

/* The features of a dilation: (batch, statistics, 84 · biases). */
static value put_dilation(writer *w, const tl_rocket_bank *bank, size_t number, const value *series) {
    dilated p = {.bank = bank, .number = number, .this = &bank->dilation[number], .steps = w->node->in.length - bank->differences};
    value half[2][STATISTICS], row[STATISTICS];
    put_shared(w, &p, series);
    for (size_t h = 0; h < 2; h++) put_half(w, &p, h, half[h]);
    for (size_t s = 0; s < w->layer->pooled; s++) {
        const value both = put_concat(w, (const value[]){half[0][s], half[1][s]}, 2, 2); /* kernels 0 and 1, 2 and 3 … */
        row[s] = put_reshape(w, &both, 1, -1);
    }
    return w->layer->pooled == 1 ? row[0] : put_concat(w, row, STATISTICS, 1);
}

static value put_kernels(writer *w, const value *series) {
    value part[2 * TL_ROCKET_MAX_DILATIONS];
    size_t parts = 0;
    for (size_t b = 0; b < w->layer->banks; b++) {
        const tl_rocket_bank *bank = &w->layer->bank[b];
        const value x = bank->differences ? put_differences(w, series) : *series;
        for (size_t d = 0; d < bank->dilations; d++) part[parts++] = put_dilation(w, bank, d, &x);
    }
    return put_concat(w, part, parts, 2);
}

/* ---- kind hydra ---- */

/* The weights of a tap: (groups, 8, 1). */
static value put_weights(writer *w, size_t first_row, size_t tap) {
    const size_t groups = w->layer->groups, kernels = TL_HYDRA_KERNELS, shape[] = {groups, kernels, 1};
    const double *weight = tl_export_find(w->node, "weight")->value;
    double *own = tl_reserve(groups * kernels, sizeof *own, "onnx", NULL);
    value name = {""};
    w->out->short_of_memory = w->out->short_of_memory || !own;
    for (size_t i = 0; own && i < groups * kernels; i++)
        own[i] = weight[((first_row + i / kernels) * TL_ROCKET_TAPS + tap) * kernels + i % kernels];
    if (own) name = put_numbers(w, 3, shape, own);
    tl_release(own);
    return name;
}

/* The padded inputs of the groups: the series, or sums of channels: (batch, groups, padded steps). */
static value put_group_inputs(writer *w, const value *padded, size_t first_row) {
    const size_t groups = w->layer->groups;
    int64_t *channel = tl_allocate(groups, sizeof *channel, "onnx", NULL);
    value sum = *padded;
    w->out->short_of_memory = w->out->short_of_memory || !channel;
    for (size_t n = 0; channel && n < w->layer->chosen; n++) {
        for (size_t g = 0; g < groups; g++) channel[g] = channel_of(w, first_row + g, n);
        const value one = put_gather(w, padded, groups, channel);
        sum = n > 0 ? put_two(w, "Add", &sum, &one) : one;
    }
    tl_release(channel);
    return sum;
}

/* Outputs: (batch, groups, 8, steps). */
static value put_group_outputs(writer *w, const value *series, size_t first_row, size_t distance, size_t steps) {
    value tap[TL_ROCKET_TAPS], sum = {""};
    const value padded = put_padded(w, series, MARGIN * distance), input = put_group_inputs(w, &padded, first_row);
    put_taps(w, &input, distance, steps, tap);
    for (size_t j = 0; j < TL_ROCKET_TAPS; j++) {
        const value weight = put_weights(w, first_row, j), x = put_unsqueezed(w, &tap[j]), product = put_two(w, "Mul", &x, &weight);
        sum = j > 0 ? put_two(w, "Add", &sum, &product) : product;
    }
    return sum;
}

/* Whether each kernel is the one that `operator_type` (ArgMax, ArgMin) finds. */
static value put_winner(writer *w, const char *operator_type, const value *output) {
    int64_t kernel[TL_HYDRA_KERNELS];
    for (int64_t k = 0; k < TL_HYDRA_KERNELS; k++) kernel[k] = k;
    const value winner = put(w, (tl_onnx_node){operator_type, .input = {output->text}, .attribute = {tl_onnx_int("axis", 2)}});
    const value row = put_wholes(w, TL_HYDRA_KERNELS, kernel), axis = put_whole(w, 1),
                column = put_two(w, "Unsqueeze", &row, &axis);
    return put_two(w, "Equal", &winner, &column);
}

/* The features of all groups at one dilation, on the series or its differences: (batch, groups, 16). */
static value put_groups(writer *w, const value *series, size_t first_row, size_t distance, size_t steps) {
    const value output = put_group_outputs(w, series, first_row, distance, steps), zero = put_number(w, 0);
    const value high = put_winner(w, "ArgMax", &output), low = put_winner(w, "ArgMin", &output);
    const value largest = put_choice(w, &high, &output, &zero), ones = put_reals(w, &low);
    const value sums = put_sum(w, &largest), counts = put_sum(w, &ones), positive = put_one(w, "Relu", &sums);
    const value both = put_concat(w, (const value[]){positive, counts}, 2, 2);
    return put_one(w, "Sqrt", &both);
}

static value put_hydra(writer *w, const value *series) {
    value part[2 * TL_ROCKET_MAX_DILATIONS];
    const value x[] = {*series, put_differences(w, series)};
    const size_t groups = w->layer->groups;
    size_t parts = 0;
    for (size_t d = 0; d < w->layer->doublings; d++)
        for (size_t b = 0; b < 2; b++, parts++)
            part[parts] = put_groups(w, &x[b], parts * groups, (size_t)1 << d, w->node->in.length - b);
    return put_concat(w, part, parts, 1);
}

/* ---- the layer ---- */

void tl_onnx_put_rocket(tl_onnx_graph *graph, const tl_export_node *node, const char *series, const char *output) {
    const tl_rocket_layer *layer = (const tl_rocket_layer *)node->layer;
    writer w = {.out = &graph->out,
                .node = node,
                .layer = layer,
                .channel = graph->net.model->vertex[node->vertex].state[TL_ROCKET_CHANNEL],
                .width = node->in.channels + (layer->chosen > 0)};
    value x;
    snprintf(x.text, sizeof x.text, "%s", series);
    const value parts = layer->kind == TL_ROCKET_HYDRA ? put_hydra(&w, &x) : put_kernels(&w, &x);
    const value features = put(&w, (tl_onnx_node){"Flatten", .input = {parts.text}, .attribute = {tl_onnx_int("axis", 1)}});
    const value fault = put_fault(&w, &x), axis = put_whole(&w, 1), column = put_two(&w, "Unsqueeze", &fault, &axis);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Add", output, .input = {features.text, column.text}});
}
