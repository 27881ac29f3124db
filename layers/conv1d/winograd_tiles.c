/* Cutting a convolution into tiles of F(m, r), and the transform of its input: see winograd.h. */
#include "winograd.h"

#include "memory.h"

#include <string.h>

enum { UNIT_BYTES = 192 * 1024 }; /* transformed input of a unit: a share of the second-level cache */

/* F(4, 3), F(4, 5), and groups of F(4, 4). */
static tl_winograd_variant variant_of(size_t kernel) {
    return kernel == 3 ? TL_WINOGRAD_4_3 : kernel == 5 ? TL_WINOGRAD_4_5 : TL_WINOGRAD_4_4;
}

tl_winograd_form tl_winograd_forward_form(const tl_conv1d_shape *shape) {
    const tl_kernels *kernels = tl_kernels_here();
    const tl_winograd *variant = &kernels->winograd[variant_of(shape->kernel)];
    return (tl_winograd_form){.kernels = kernels,
                              .variant = variant,
                              .batch = shape->batch,
                              .in_length = shape->length,
                              .in_width = shape->channels,
                              .first = -(ptrdiff_t)shape->pad_left,
                              .taps = shape->kernel,
                              .groups = tl_divide_up(shape->kernel, variant->taps),
                              .dilation = shape->dilation,
                              .rows = shape->out_length,
                              .width = shape->filters,
                              .tiles = tl_divide_up(tl_divide_up(shape->out_length, shape->dilation), variant->outputs)};
}

/* ---- units ---- */

tl_winograd_cut tl_winograd_cut_of(const tl_winograd_form *form, size_t least_units) {
    const size_t tile = form->variant->points * tl_winograd_in_row(form) * sizeof(tl_real);
    const size_t limit = tl_most(UNIT_BYTES / tile, 2 * form->groups), in_tiles = form->tiles + form->groups - 1;
    tl_winograd_cut cut = {.samples = 1, .pieces = 1};
    if (in_tiles > limit)
        cut.pieces = tl_divide_up(form->tiles, limit - form->groups + 1);
    else
        cut.samples = tl_most(tl_least(limit / in_tiles, form->batch / least_units), 1);
    cut.units = tl_divide_up(form->batch, cut.samples) * cut.pieces;
    return cut;
}

tl_winograd_unit tl_winograd_unit_at(const tl_winograd_form *form, const tl_winograd_cut *cut, size_t index) {
    const size_t piece = index % cut->pieces, sample = index / cut->pieces * cut->samples;
    const size_t tile = tl_split_at(form->tiles, cut->pieces, piece);
    const size_t tiles = tl_split_at(form->tiles, cut->pieces, piece + 1) - tile;
    return (tl_winograd_unit){.sample = sample,
                              .samples = tl_least(cut->samples, form->batch - sample),
                              .tile = tile,
                              .tiles = tiles,
                              .in_tiles = tiles + form->groups - 1};
}

size_t tl_winograd_plane(const tl_winograd_form *form, const tl_winograd_cut *cut) {
    const size_t in_tiles = tl_divide_up(form->tiles, cut->pieces) + form->groups - 1;
    return tl_aligned_count(cut->samples * in_tiles * tl_winograd_in_row(form));
}

/* ---- the input ---- */

size_t tl_winograd_copy(const tl_winograd_form *form) { return tl_aligned_count(form->variant->points * tl_winograd_in_row(form)); }

/* The first input row of a tile. */
static ptrdiff_t position_of(const tl_winograd_form *form, size_t tile) {
    return form->first + (ptrdiff_t)(tile * form->variant->outputs * form->dilation);
}

static bool is_inside(const tl_winograd_form *form, size_t tile) {
    const ptrdiff_t reach = (ptrdiff_t)(form->variant->points * form->dilation), position = position_of(form, tile);
    return position >= 0 && position + reach <= (ptrdiff_t)form->in_length;
}

/* The input rows of a tile at the border, zeros where there are none. */
static void copy_tile(const tl_winograd_form *form, const tl_real *in, size_t tile, tl_real *copy) {
    const ptrdiff_t length = (ptrdiff_t)form->in_length, reach = (ptrdiff_t)(form->variant->points * form->dilation);
    const ptrdiff_t position = position_of(form, tile), stop = position + reach < length ? position + reach : length;
    const ptrdiff_t begin = position > 0 ? position : 0;
    memset(copy, 0, (size_t)reach * form->in_width * sizeof *copy);
    if (begin >= stop) return;
    memcpy(copy + (size_t)(begin - position) * form->in_width, in + (size_t)begin * form->in_width,
           (size_t)(stop - begin) * form->in_width * sizeof *copy);
}

/* Tiles of one sample, those inside of the series in one run. */
static void transform_sample(const tl_winograd_form *form, const tl_winograd_unit *unit, const tl_real *in, size_t plane,
                             tl_real *planes, tl_real *copy) {
    const size_t row = tl_winograd_in_row(form), end = unit->tile + unit->in_tiles;
    tl_winograd_rows rows = {
        .from_row = row, .from_step = form->variant->outputs * row, .to_row = plane, .to_step = row, .width = row};
    for (size_t tile = unit->tile; tile < end; tile += rows.tiles) {
        rows.tiles = 1;
        rows.to = planes + (tile - unit->tile) * row;
        if (is_inside(form, tile)) {
            while (tile + rows.tiles < end && is_inside(form, tile + rows.tiles)) rows.tiles++;
            rows.from = in + (size_t)position_of(form, tile) * form->in_width;
        } else {
            copy_tile(form, in, tile, copy);
            rows.from = copy;
        }
        form->variant->input(&rows);
    }
}

void tl_winograd_transform_input(const tl_winograd_form *form, const tl_winograd_unit *unit, const tl_real *in, size_t plane,
                                 tl_real *planes, tl_real *copy) {
    const size_t sample = form->in_length * form->in_width;
    for (size_t i = 0; i < unit->samples; i++)
        transform_sample(form, unit, in + (unit->sample + i) * sample, plane,
                         planes + i * unit->in_tiles * tl_winograd_in_row(form), copy);
}
