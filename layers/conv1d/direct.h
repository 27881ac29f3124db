/* direct.h: what the passes of the direct engine share: a convolution brought to the form that the kernel computes, and its rows
 * cut into segments that the kernel takes in one call.
 */
#ifndef TL_DIRECT_H
#define TL_DIRECT_H

#include "layers/conv1d/engine.h"

#include "compute/product.h"

/* Row m of the output: a sum over taps i of input row first + m·in_stride + i·tap_stride times the weights of the tap; rows outside
 * of the input count as 0. Forward is one such form with x as its input, backward one or a few with dy as theirs. The lanes of a
 * vector are outputs; with `lane_reduction`, which takes whole vectors of input elements, they are input elements, and an output is
 * the sum of its lanes. With `in_place` the weights are a tl_factor where they are; tap_stride is then 1, rows are of one width,
 * and see all taps. */
typedef struct tl_direct_form {
    size_t in_length, in_width; /* of one sample */
    ptrdiff_t first;
    size_t in_stride, taps, tap_stride;
    size_t rows, width, last_width;          /* last_width: of the last row, at most that of all others */
    size_t out_first, out_stride, out_count; /* elements: of row 0, between rows, of a sample */
    bool lane_reduction, in_place;
    const size_t *counted; /* (batch) steps of each sample of the output that count, others need not be computed; NULL: all */
    size_t step;           /* elements of such a step */
} tl_direct_form;

/* The shape as the engine computes it: with a kernel of 1 the batch is one long sample. */
tl_conv1d_shape tl_direct_joined(const tl_conv1d_shape *shape);

/* The same for passes whose rows do not depend on each other: not where samples have lengths of their own. */
tl_conv1d_shape tl_direct_output_shape(const tl_conv1d_shape *shape);

tl_direct_form tl_direct_forward_form(const tl_conv1d_shape *shape);

/* Whether units of up to so many rows see all taps, those outside of the input as zeros; and units of any batch. */
bool tl_direct_sees_all(const tl_direct_form *form, size_t rows);
bool tl_direct_always_sees_all(const tl_direct_form *form);

/* Whether an output of a forward pass is the sum of the lanes of vectors of its window, each summed by itself. */
bool tl_direct_by_lanes(const tl_conv1d_shape *whole, size_t lanes);

/* The share of rows and taps that is computed: all, unless taps lie so far apart that rows skip those beyond the series. */
double tl_direct_share(const tl_conv1d_shape *shape);

/* ---- rows ---- */

/* A run of rows of one sample, whose input and output stay in cache. */
typedef struct tl_direct_unit {
    size_t begin, end;     /* rows; none where none of them counts, and the rest is then undefined */
    const tl_real *in;     /* the sample */
    const tl_real *window; /* what row `begin` reads, padding included; NULL: rows skip the taps that lie outside */
    size_t inside, behind; /* rows from which on they read the sample itself, and a copy again: else `end` */
    const tl_real *last;   /* what row `behind` reads */
    size_t out;            /* elements from the beginning of the output to row 0 */
} tl_direct_unit;

/* Unit `index` of a batch that is cut into `chunks` units a sample. Where its windows reach beyond the series it makes a padded
 * copy of its input in `copy` (tl_direct_copy elements), unless few taps lie so far apart that skipping them is cheaper. */
tl_direct_unit tl_direct_unit_at(const tl_direct_form *form, size_t chunks, size_t index, const tl_real *in, tl_real *copy);

/* The same; where a copy would take long beside the sums, of what the rows at its ends read only. */
tl_direct_unit tl_direct_unit_cut(const tl_direct_form *form, size_t chunks, size_t index, const tl_real *in, tl_real *copy);
size_t tl_direct_copy(const tl_direct_form *form, size_t chunks);

/* Rows of one width that read the same taps, all of them there. */
typedef struct tl_direct_segment {
    const tl_real *x; /* the first row's input at `tap`; undefined without taps */
    size_t rows, width;
    size_t tap, taps;
} tl_direct_segment;

/* The segment that begins with row `row` of a unit. */
tl_direct_segment tl_direct_segment_at(const tl_direct_form *form, const tl_direct_unit *unit, size_t row);

/* Elements of a window, (tap, input element), as `runs` times `count` of them: as few runs as their memory allows. They are whole
 * taps unless tap_stride is 1. */
typedef struct tl_direct_window {
    size_t runs, run_stride, count, stride;
} tl_direct_window;

tl_direct_window tl_direct_window_of(const tl_direct_form *form, size_t elements);

/* Where an element of a window is, from the window's first one. */
size_t tl_direct_offset(const tl_direct_form *form, size_t element);

/* ---- passes ---- */

/* Element (tap, input element, output) of a form is weight[tap·tap_stride + element·in_stride + output·out_stride]; one of the
 * latter two steps is 1, in_stride with `lane_reduction`. */
typedef struct tl_direct_weights {
    const tl_direct_form *form;
    const tl_real *weight;
    ptrdiff_t tap_stride;
    size_t in_stride, out_stride;
} tl_direct_weights;

/* packed: for each block (taps, in_width, lanes), or with lane_reduction (in_width / lanes, taps, outputs, lanes); zero beyond the
 * last output. */
void tl_direct_pack(const tl_direct_weights *weights, const tl_workers *workers, tl_real *packed);

/* Computes a form; bias: (width) or NULL. */
void tl_direct_sum(const tl_direct_weights *weights, size_t batch, const tl_real *in, const tl_real *bias, tl_real *out,
                   const tl_workers *workers, tl_real *scratch);
size_t tl_direct_sum_scratch(const tl_direct_form *form, size_t batch, int workers);

void tl_direct_scatter(const tl_conv1d_shape *shape, const tl_real *dy, const tl_real *weight, tl_real *dx,
                       const tl_workers *workers, tl_real *scratch);
size_t tl_direct_scatter_scratch(const tl_conv1d_shape *shape, int workers);

void tl_direct_backward_input(const tl_conv1d_shape *whole, const tl_real *dy, const tl_real *weight, tl_real *dx,
                              const tl_workers *workers, tl_real *scratch);
size_t tl_direct_input_scratch(const tl_conv1d_shape *whole, int workers);

double tl_direct_input_cost(const tl_conv1d_shape *shape); /* of tl_conv1d_ops */

/* The taps that meet the positions residue, residue + stride, … of dx: last, last - every, …; with a stride only every
 * stride / gcd(stride, dilation)-th. */
typedef struct tl_direct_taps {
    size_t every, last, count;
} tl_direct_taps;

tl_direct_taps tl_direct_taps_of(const tl_conv1d_shape *shape, size_t residue);

/* How an element of dx is summed over the taps, from the last to the first, and filters of dy: in their order; each tap by itself;
 * or each lane of the vectors of filters by itself. */
typedef enum tl_direct_order { TL_DIRECT_IN_ORDER = 0, TL_DIRECT_BY_TAPS, TL_DIRECT_BY_LANES } tl_direct_order;

tl_direct_order tl_direct_input_order(const tl_conv1d_shape *whole, size_t lanes);

void tl_direct_backward_weights(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *dy, tl_real *dweight, tl_real *dbias,
                                const tl_workers *workers, tl_real *scratch);
size_t tl_direct_weights_scratch(const tl_conv1d_shape *shape, int workers);
double tl_direct_weights_cost(const tl_conv1d_shape *shape);

/* The largest power of two up to a: so many parts are shared evenly. */
static inline size_t tl_power_of_two(size_t a) {
    size_t power = 1;
    while (power <= a / 2) power *= 2;
    return power;
}

#endif
