/* direct.h: shared by the passes of the direct engine: a convolution in the form that the kernel function computes, and its
 * division into segments of rows for single calls of it.
 */
#ifndef TL_DIRECT_H
#define TL_DIRECT_H

#include "layers/conv1d/engine.h"

#include "compute/product.h"

/* Row m of the output is the sum over taps i of input row first + m·in_stride + i·tap_stride times the weights of the tap; rows
 * outside of the input count as 0. Forward is one such form with x as its input; backward is one or more of them with dy as their
 * input. The lanes of a vector are outputs. With `lane_reduction`, which needs whole vectors of input elements, lanes are input
 * elements, and an output is the sum of the lanes. With `in_place` the weights are a tl_factor in place; tap_stride is then 1, all
 * rows have one width, and they read all taps. */
typedef struct tl_direct_form {
    size_t in_length, in_width; /* of a sample */
    ptrdiff_t first;
    size_t in_stride, taps, tap_stride;
    size_t rows, width, last_width;                      /* last_width: of the last row, at most that of the others */
    size_t out_first, out_stride, out_count;             /* in elements: position of row 0, distance of rows, size of a sample */
    size_t position_width, position_step, position_taps; /* of a row of several positions: the outputs of a position, which reads
                                                            only position_taps taps, from tap position · position_step on; 0: every
                                                            output reads all taps */
    bool lane_reduction, in_place;
    const size_t *counted;   /* (batch) valid output steps of each sample; others need not be computed; NULL: all are valid */
    size_t step;             /* elements of one of these steps */
    const tl_finish *finish; /* see tl_conv1d_shape */
} tl_direct_form;

/* Returns the shape that the engine computes: with a kernel of 1, the batch is one long sample. */
tl_conv1d_shape tl_direct_joined(const tl_conv1d_shape *shape);

/* The same for passes with independent rows; not for samples of different lengths. */
tl_conv1d_shape tl_direct_output_shape(const tl_conv1d_shape *shape);

tl_direct_form tl_direct_forward_form(const tl_conv1d_shape *shape);

/* Returns whether units of at most `rows` rows read all taps, with zeros outside of the input; and units of any batch. */
bool tl_direct_sees_all(const tl_direct_form *form, size_t rows);
bool tl_direct_always_sees_all(const tl_direct_form *form);

/* Returns whether an output of forward is the sum of the lanes of vectors of its window, where each lane is summed separately. */
bool tl_direct_by_lanes(const tl_conv1d_shape *whole, size_t lanes);

/* Returns the share of rows and taps that is computed: all, unless taps are so far apart that rows skip those outside of the
 * series. */
double tl_direct_share(const tl_conv1d_shape *shape);

/* ---- rows ---- */

/* Consecutive rows of a sample whose input and output stay in the cache. */
typedef struct tl_direct_unit {
    size_t begin, end;     /* rows; if none is valid, there are none, and the other fields are undefined */
    const tl_real *in;     /* the sample */
    const tl_real *window; /* input of row `begin` including padding; NULL: rows skip taps outside of the series */
    size_t inside, behind; /* from row `inside` on, rows read the sample itself; from `behind` on, a copy again; else `end` */
    const tl_real *last;   /* the input of row `behind` */
    size_t out;            /* position of row 0 in the output, in elements */
} tl_direct_unit;

/* Returns unit `index` of a batch that is divided into `chunks` units for each sample. If its windows reach outside of the series,
 * its input is copied with padding to `copy`: (tl_direct_copy), unless few taps are so far apart that skipping them is cheaper. */
tl_direct_unit tl_direct_unit_at(const tl_direct_form *form, size_t chunks, size_t index, const tl_real *in, tl_real *copy);

/* The same; if a copy would be slow compared with the sums, only the input of the rows at both ends is copied. */
tl_direct_unit tl_direct_unit_cut(const tl_direct_form *form, size_t chunks, size_t index, const tl_real *in, tl_real *copy);
size_t tl_direct_copy(const tl_direct_form *form, size_t chunks);

/* Rows of one width that read the same taps, none of them outside. */
typedef struct tl_direct_segment {
    const tl_real *x; /* the first row's input at `tap`; undefined without taps */
    size_t rows, width;
    size_t tap, taps;
} tl_direct_segment;

/* Returns the segment that begins with row `row` of a unit. */
tl_direct_segment tl_direct_segment_at(const tl_direct_form *form, const tl_direct_unit *unit, size_t row);

/* The elements of a window, (tap, input element), as `runs` runs of `count` elements: as few runs as possible. They are whole taps
 * unless tap_stride is 1. */
typedef struct tl_direct_window {
    size_t runs, run_stride, count, stride;
} tl_direct_window;

tl_direct_window tl_direct_window_of(const tl_direct_form *form, size_t elements);

/* Returns the position of an element of a window, relative to its first one. */
size_t tl_direct_offset(const tl_direct_form *form, size_t element);

/* Returns the multiply-adds of vectors that are left out in each row, because their weights are 0. */
size_t tl_direct_left_out(const tl_direct_form *form, size_t lanes);

/* ---- passes ---- */

enum { TL_DIRECT_POSITIONS = 64 }; /* maximum positions of a row that has several */

/* Element (tap, input element, output) of a form is weight[tap·tap_stride + element·in_stride + output·out_stride]. out_stride is
 * 1; with `lane_reduction` in_stride is 1. */
typedef struct tl_direct_weights {
    const tl_direct_form *form;
    const tl_real *weight;
    ptrdiff_t tap_stride;
    size_t in_stride, out_stride;
} tl_direct_weights;

/* packed: for each block (taps, in_width, lanes); with lane_reduction (in_width / lanes, taps, outputs, lanes). It is zero after
 * the last output. */
void tl_direct_pack(const tl_direct_weights *weights, const tl_workers *workers, tl_real *packed);

/* Computes a form and finishes its outputs (form->finish); bias: (width) or NULL. */
void tl_direct_sum(const tl_direct_weights *weights, size_t batch, const tl_real *in, const tl_real *bias, tl_real *out,
                   const tl_workers *workers, tl_real *scratch);
size_t tl_direct_sum_scratch(const tl_direct_form *form, size_t batch, int workers);

/* The same in two parts: packs the weights and the biases into packed: (tl_direct_packed_count) [OUT]; computes the form, and
 * finishes the outputs (NULL: as they are). Weights in place must be a lane reduction. */
size_t tl_direct_packed_count(const tl_direct_form *form);
void tl_direct_make_packed(const tl_direct_weights *weights, const tl_real *bias, const tl_workers *workers, tl_real *packed);
void tl_direct_sum_packed(const tl_direct_form *form, size_t batch, const tl_real *in, const tl_real *packed,
                          const tl_finish *finish, tl_real *out, const tl_workers *workers, tl_real *scratch);

void tl_direct_scatter(const tl_conv1d_shape *shape, const tl_real *dy, const tl_real *weight, tl_real *dx,
                       const tl_workers *workers, tl_real *scratch);
size_t tl_direct_scatter_scratch(const tl_conv1d_shape *shape, int workers);

void tl_direct_backward_input(const tl_conv1d_shape *whole, const tl_real *dy, const tl_real *weight, tl_real *dx,
                              const tl_workers *workers, tl_real *scratch);
size_t tl_direct_input_scratch(const tl_conv1d_shape *whole, int workers);

double tl_direct_input_cost(const tl_conv1d_shape *shape); /* see tl_conv1d_ops */

/* The taps that contribute to the positions residue, residue + stride, … of dx: last, last - every, …; with a stride only every
 * stride / gcd(stride, dilation)-th tap. */
typedef struct tl_direct_taps {
    size_t every, last, count;
} tl_direct_taps;

tl_direct_taps tl_direct_taps_of(const tl_conv1d_shape *shape, size_t residue);

/* How an element of dx is summed over the taps, from the last to the first, and over the filters of dy: in order; each tap
 * separately; or each lane of the vectors of filters separately. */
typedef enum tl_direct_order { TL_DIRECT_IN_ORDER = 0, TL_DIRECT_BY_TAPS, TL_DIRECT_BY_LANES } tl_direct_order;

tl_direct_order tl_direct_input_order(const tl_conv1d_shape *whole, size_t lanes);

void tl_direct_backward_weights(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *dy, tl_real *dweight, tl_real *dbias,
                                const tl_workers *workers, tl_real *scratch);
size_t tl_direct_weights_scratch(const tl_conv1d_shape *shape, int workers);
double tl_direct_weights_cost(const tl_conv1d_shape *shape);

/* Returns whether its units may have several samples, whose rows are computed together, also those that do not count. */
bool tl_direct_weights_mixes(const tl_conv1d_shape *shape);

/* Returns the largest power of two up to a: this number of parts is divided evenly. */
static inline size_t tl_power_of_two(size_t a) {
    size_t power = 1;
    while (power <= a / 2) power *= 2;
    return power;
}

#endif
