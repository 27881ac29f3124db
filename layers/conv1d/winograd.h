/* winograd.h: what the passes of the winograd engine share: a convolution as tiles of F(m, r), and their transformed inputs.
 *
 * A kernel of k taps is cut into groups of r. Group g of tile i reads what group 0 of tile i + g·r/m reads: with one group, or with
 * m = r, the transformed tiles serve all groups. With a dilation d, rows t, t + d, … are a dense series: a tile is m blocks of d
 * consecutive rows, one row of each of d series, and its transform one of rows of d · channels elements.
 */
#ifndef TL_WINOGRAD_H
#define TL_WINOGRAD_H

#include "direct.h"

typedef struct tl_winograd_form {
    const tl_kernels *kernels;
    const tl_winograd *variant;
    size_t batch, in_length, in_width;
    ptrdiff_t first; /* the input row that tap 0 of output row 0 reads */
    size_t taps, groups, dilation;
    size_t rows, width; /* of the output of a sample */
    size_t tiles;       /* of a sample */
} tl_winograd_form;

tl_winograd_form tl_winograd_forward_form(const tl_conv1d_shape *shape);

/* Whether direct takes longer, of a shape that the engine supports. */
bool tl_winograd_is_faster(const tl_conv1d_shape *shape);

/* Elements of a row of a tile, of all series; and of the output. */
static inline size_t tl_winograd_in_row(const tl_winograd_form *form) { return form->dilation * form->in_width; }
static inline size_t tl_winograd_out_row(const tl_winograd_form *form) { return form->dilation * form->width; }

/* ---- units ---- */

/* Units of a batch: a few samples, or a piece of one, whose transformed input stays in cache. */
typedef struct tl_winograd_cut {
    size_t samples; /* of a unit, at most */
    size_t pieces;  /* of a sample */
    size_t units;
} tl_winograd_cut;

tl_winograd_cut tl_winograd_cut_of(const tl_winograd_form *form, size_t least_units);

/* Samples and tiles. `in_tiles` are transformed for each sample: those of all groups. */
typedef struct tl_winograd_unit {
    size_t sample, samples, tile, tiles, in_tiles;
} tl_winograd_unit;

tl_winograd_unit tl_winograd_unit_at(const tl_winograd_form *form, const tl_winograd_cut *cut, size_t index);

/* About what the unit behind this one reads of (batch, length, width), a share for each point: to be asked for with its products.
 */
tl_direct_soon tl_winograd_next(const tl_winograd_form *form, const tl_winograd_unit *unit, size_t point, const tl_real *array,
                                size_t length, size_t width);

/* Elements that the transformed input of any unit takes at one point, and the copy of a tile at the border. */
size_t tl_winograd_plane(const tl_winograd_form *form, const tl_winograd_cut *cut);
size_t tl_winograd_copy(const tl_winograd_form *form);

/* planes: (points, tl_winograd_plane), of which each holds (sample, in_tile, series, input element). */
void tl_winograd_transform_input(const tl_winograd_form *form, const tl_winograd_unit *unit, const tl_real *in, size_t plane,
                                 tl_real *planes, tl_real *copy);

/* ---- the gradient of the weights ---- */

void tl_winograd_backward_weights(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *dy, tl_real *dweight,
                                  tl_real *dbias, const tl_workers *workers, tl_real *scratch);
size_t tl_winograd_weights_scratch(const tl_conv1d_shape *shape, int workers);

#endif
