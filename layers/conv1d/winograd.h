/* winograd.h: shared by the passes of the winograd engine: a convolution as tiles of F(m, r), and their transformed inputs.
 *
 * A kernel of k taps is divided into groups of r taps. Group g of tile i reads the same input as group 0 of tile i + g·r/m: with
 * one group, or with m = r, the transformed tiles serve all groups. With a dilation d, the rows t, t + d, … form a dense series: a
 * tile is m blocks of d consecutive rows, one row of each of d series, and its transform is one of rows of d · channels elements.
 * With a stride s, s rows together count as one row of s · channels elements: windows of ⌈taps / s⌉ such rows then begin one row
 * apart. The first and the last of them may be only partly in the series.
 */
#ifndef TL_WINOGRAD_H
#define TL_WINOGRAD_H

#include "layers/conv1d/direct.h"

typedef struct tl_winograd_form {
    const tl_kernels *kernels;
    const tl_winograd *variant;
    size_t batch;
    size_t in_count, in_width; /* elements of a sample; of a row */
    ptrdiff_t in_first;        /* element of the sample that tap 0 of output row 0 reads first; below 0 with padding */
    size_t taps, groups, dilation;
    size_t window; /* elements with a weight: fewer than taps · in_width if the stride does not divide the kernel */
    size_t out_count, width;
    bool single;             /* the last output is not in a vector with others */
    ptrdiff_t out_first;     /* element of the sample where output row 0 begins; below 0 if it is only partly in the sample */
    size_t rows, tiles;      /* of the output of a sample */
    size_t plane_row;        /* elements from a tile of transformed input to the next one */
    const size_t *counted;   /* (batch) valid output steps of each sample; others need not be computed; NULL: all are valid */
    size_t step;             /* elements of one of these steps */
    const tl_finish *finish; /* see tl_conv1d_shape */
} tl_winograd_form;

tl_winograd_form tl_winograd_forward_form(const tl_conv1d_shape *shape);
tl_winograd_form tl_winograd_backward_form(const tl_conv1d_shape *shape); /* from dy to dx */

/* See tl_conv1d_ops. */
double tl_winograd_cost(const tl_conv1d_shape *shape, tl_conv1d_pass pass);

/* See tl_conv1d_ops. */
size_t tl_winograd_reads_behind(const tl_conv1d_shape *shape, tl_conv1d_pass pass);

/* Elements of a row of a tile, of all series; the same for the output. */
static inline size_t tl_winograd_in_row(const tl_winograd_form *form) { return form->dilation * form->in_width; }
static inline size_t tl_winograd_out_row(const tl_winograd_form *form) { return form->dilation * form->width; }

/* ---- blocks of outputs ---- */

/* If one output is left after whole vectors, a vector for it would be mostly empty. It is then a single one: its lanes are input
 * elements. The last block has it after its vectors, and its `lanes` include a vector for it. */
static inline size_t tl_winograd_in_vectors(const tl_winograd_form *form) { return form->width - form->single; }
size_t tl_winograd_blocks(const tl_winograd_form *form);
tl_direct_block tl_winograd_block_at(const tl_winograd_form *form, size_t index);

/* Outputs of a block that are in vectors, rounded up: a row of its weights. */
static inline size_t tl_winograd_factor_row(const tl_winograd_form *form, const tl_direct_block *block) {
    return block->vectors * form->kernels->lanes;
}

/* Returns whether a block has the single output. */
static inline bool tl_winograd_has_single(const tl_winograd_form *form, const tl_direct_block *block) {
    return block->width > tl_winograd_factor_row(form, block);
}

/* ---- units ---- */

/* The units of a batch: a few samples, or a piece of one, whose transformed input stays in the cache. */
typedef struct tl_winograd_cut {
    size_t samples; /* maximum for a unit */
    size_t pieces;  /* of a sample */
    size_t units;
} tl_winograd_cut;

tl_winograd_cut tl_winograd_cut_of(const tl_winograd_form *form, size_t min_units, size_t max_rows);

/* Samples and tiles; no tiles for samples without counted rows. `in_tiles` tiles are transformed for each sample: those of all
 * groups. */
typedef struct tl_winograd_unit {
    size_t sample, samples, tile, tiles, in_tiles;
} tl_winograd_unit;

tl_winograd_unit tl_winograd_unit_at(const tl_winograd_form *form, const tl_winograd_cut *cut, size_t index);

/* Returns whether the batch's input and output are too large for the caches: then they are prefetched. */
bool tl_winograd_is_far(const tl_winograd_form *form);

/* The part of an array, (batch, count), in rows of `width`, that belongs to a unit, or to the next one; with each point, a share of
 * it is prefetched. */
tl_prefetch tl_winograd_prefetch(const tl_winograd_form *form, const tl_winograd_unit *unit, bool behind, size_t point,
                                 const tl_real *array, size_t count, size_t width);

/* Elements of the transformed input of any unit at one point; and of the copy of a tile at the border. */
size_t tl_winograd_plane(const tl_winograd_form *form, const tl_winograd_cut *cut);
size_t tl_winograd_copy(const tl_winograd_form *form);

/* planes: (points, tl_winograd_plane); each plane holds (sample, in_tile, series, input element), tiles `plane_row` apart. */
void tl_winograd_transform_input(const tl_winograd_form *form, const tl_winograd_unit *unit, const tl_real *in, size_t plane,
                                 tl_real *planes, tl_real *copy);

/* ---- weights ---- */

/* Element (tap, input element, output) of a form is from[first + tap·tap_stride + element·in_stride + output·out_stride], or 0 if
 * that is not below `count`: this happens at the last tap of a stride. */
typedef struct tl_winograd_weights {
    const tl_real *from;
    size_t count, first;
    ptrdiff_t tap_stride;
    size_t in_stride, out_stride;
} tl_winograd_weights;

/* Transforms the weights of a form. packed: (tl_winograd_piece) temporary memory; transformed: (tl_winograd_factors) for any
 * instruction set: blocks of (points, tl_winograd_point_rows, tl_winograd_factor_row), then, from tl_winograd_single_begin on,
 * those of the single output: (points, tl_winograd_single_count), each run rounded up. */
void tl_winograd_transform_weights(const tl_winograd_form *form, const tl_winograd_weights *weights, tl_real *packed,
                                   tl_real *transformed);
size_t tl_winograd_piece(const tl_winograd_form *form);
size_t tl_winograd_factors(const tl_winograd_form *form);
size_t tl_winograd_point_rows(const tl_winograd_form *form);
size_t tl_winograd_single_begin(const tl_winograd_form *form);
size_t tl_winograd_single_count(const tl_winograd_form *form);
size_t tl_winograd_single_run(const tl_winograd_form *form); /* elements of a run of its sum */

/* ---- the gradient of the weights ---- */

void tl_winograd_backward_weights(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *dy, tl_real *dweight,
                                  tl_real *dbias, const tl_workers *workers, tl_real *scratch);
size_t tl_winograd_weights_scratch(const tl_conv1d_shape *shape, int workers);

#endif
