/* Convolutions of a network in integers by kernel functions. A kernel function reads its input as 16-bit integers minus the zero
 * point, with zeros for the padding, and weights in blocks of filters.
 */
#include "device/quantized.h"

#include "base/memory.h"
#include "kernels/integer.h"

#include <string.h>

enum { BLOCK = TL_INTEGER_FILTERS, PAIR = 2, MAX_PADDING = 4, MIN_ROOM = 1 << 16 };

/* A convolution for a kernel function. */
typedef struct tl_q_fast {
    const tl_integer_kernels *kernels;
    tl_integer_product product; /* of the first group of filters; x and y are set when it runs */
    size_t groups;
    size_t rows, wide; /* of the padded input: steps, and numbers with room for reads behind the end */
    int16_t *weight;
    size_t of_group; /* weights of a group */
} tl_q_fast;

/* ---- weights ---- */

/* Writes the weights of a group for the kernel function `product`. Without dilation and groups, all taps of a filter read
 * consecutive numbers. */
static void pack_group(const tl_q_op *op, const tl_q_fast *fast, size_t group) {
    const size_t filters = fast->product.filters.count, all = (size_t)op->filters, segments = fast->product.segments;
    const size_t pairs = fast->product.pairs, count = op->weights / all / segments; /* weights of a filter in a segment */
    int16_t *to = fast->weight + group * fast->of_group;
    for (size_t f = 0; f < filters; f++)
        for (size_t s = 0; s < segments; s++)
            for (size_t k = 0; k < count; k++) {
                const size_t pair = ((f / BLOCK * segments + s) * pairs + k / PAIR) * BLOCK + f % BLOCK;
                to[pair * PAIR + k % PAIR] = (int16_t)op->weight[(s * count + k) * all + group * filters + f];
            }
}

/* Writes the weights of the kernel function `depthwise`: each is the first of a pair. */
static void pack_depthwise(const tl_q_op *op, const tl_q_fast *fast) {
    const size_t channels = (size_t)op->channels, width = tl_round_up(channels, BLOCK);
    for (size_t i = 0; i < op->weights; i++) fast->weight[(i / channels * width + i % channels) * PAIR] = (int16_t)op->weight[i];
}

/* ---- preparation ---- */

/* Sets all sizes. */
static void measure(const tl_q_op *op, tl_q_fast *fast) {
    const size_t taps = (size_t)op->over.taps, channels = (size_t)op->channels, groups = (size_t)op->groups;
    const bool depthwise = op->kind == TL_Q_DEPTHWISE, together = groups == 1 && op->over.dilation == 1;
    tl_integer_product *product = &fast->product;
    fast->groups = depthwise ? 1 : groups;
    product->rows = (size_t)op->over.out_length;
    product->segments = together ? 1 : taps;
    product->pairs = depthwise ? 1 : tl_ceil_div(together ? taps * channels : channels / groups, PAIR);
    product->x_row = (size_t)op->over.stride * channels;
    product->x_segment = (size_t)op->over.dilation * channels;
    product->y_row = (size_t)op->filters;
    product->filters.count = (size_t)op->filters / fast->groups;
    const size_t blocks = tl_ceil_div(product->filters.count, BLOCK);
    fast->of_group = blocks * BLOCK * product->segments * product->pairs * PAIR;
    fast->rows = (product->rows - 1) * (size_t)op->over.stride + (taps - 1) * (size_t)op->over.dilation + 1;
    fast->wide = fast->rows * channels + BLOCK + PAIR;
}

static void set_filters(const tl_q_op *op, tl_integer_filters *filters) {
    filters->bias = op->bias;
    filters->multiplier = op->multiplier;
    filters->shift = op->shift;
    filters->zero = op->y_zero;
    filters->low = op->low;
    for (size_t f = 0; f < op->factors; f++) filters->wide = filters->wide || op->shift[f] < 31;
}

static void prepare(tl_q_op *op, tl_error *error) {
    tl_q_fast *fast = op->fast = tl_allocate(1, sizeof *op->fast, "quantized network", error);
    if (!fast) return;
    fast->kernels = tl_integer_kernels_here();
    measure(op, fast);
    set_filters(op, &fast->product.filters);
    fast->weight = tl_allocate(fast->groups * fast->of_group, sizeof *fast->weight, "quantized network", error);
    if (fast->weight && op->kind == TL_Q_DEPTHWISE) pack_depthwise(op, fast);
    for (size_t g = 0; fast->weight && op->kind == TL_Q_CONVOLVE && g < fast->groups; g++) pack_group(op, fast, g);
}

/* Whether padding makes the input much larger; then it stays as it is. */
static bool is_mostly_padding(const tl_q_op *op) {
    const double rows = (double)op->over.out_length * op->over.stride + (double)op->over.taps * op->over.dilation;
    return rows * op->channels > (double)MAX_PADDING * op->over.length * op->channels + MIN_ROOM;
}

tl_status tl_q_prepare_fast(tl_quantized *self, tl_error *error) {
    size_t wide = 0;
    for (size_t i = 0; i < self->ops && !tl_failed(error); i++) {
        tl_q_op *op = &self->op[i];
        tl_q_release_fast(op);
        if (!op->weight || is_mostly_padding(op)) continue;
        prepare(op, error);
        if (op->fast) wide = tl_max(wide, op->fast->wide);
    }
    tl_release(self->wide);
    self->wide = tl_failed(error) ? NULL : tl_allocate(wide + 1, sizeof *self->wide, "quantized network", error);
    return error->status;
}

void tl_q_release_fast(tl_q_op *op) {
    if (op->fast) tl_release(op->fast->weight);
    tl_release(op->fast);
    op->fast = NULL;
}

/* ---- running ---- */

static void widen(const tl_q_op *op, const int8_t *x, int16_t *wide) {
    const tl_q_fast *fast = op->fast;
    const size_t channels = (size_t)op->channels, left = tl_min((size_t)op->over.pad_left, fast->rows);
    const size_t steps = tl_min((size_t)op->over.length, fast->rows - left), end = (left + steps) * channels;
    memset(wide, 0, left * channels * sizeof *wide);
    fast->kernels->widen(x, steps * channels, op->x_zero[0], wide + left * channels);
    memset(wide + end, 0, (fast->wide - end) * sizeof *wide);
}

void tl_q_run_fast(const tl_quantized *self, const tl_q_op *op, const int8_t *x, int8_t *y) {
    const tl_q_fast *fast = op->fast;
    const size_t filters = fast->product.filters.count;
    widen(op, x, self->wide);
    for (size_t g = 0; g < fast->groups; g++) {
        tl_integer_product product = fast->product;
        product.x = self->wide + g * ((size_t)op->channels / fast->groups);
        product.weight = fast->weight + g * fast->of_group;
        product.filters.bias += g * filters;
        product.filters.multiplier += g * filters;
        product.filters.shift += g * filters;
        product.y = y + g * filters;
        (op->kind == TL_Q_DEPTHWISE ? fast->kernels->depthwise : fast->kernels->product)(&product);
    }
}
