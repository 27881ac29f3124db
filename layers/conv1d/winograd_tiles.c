/* Cutting a convolution into tiles of F(m, r), and the transform of its input: see winograd.h. */
#include "winograd.h"

#include "memory.h"

#include <string.h>

enum {
    TRANSFORM_COST = 20,     /* of an element at a point, in multiply-adds */
    WEIGHT_COST = 20,        /* of a transformed weight, the same */
    LEAST_ROWS = 4,          /* of a product, to choose this engine */
    UNIT_BYTES = 256 * 1024, /* transformed input of a unit: a share of the second-level cache */
    UNIT_ROWS = 24           /* of each product at least: some tiles of registers, for which weights are read once */
};

/* F(4, 5), and groups of F(4, 4). Of F(4, 3) and F(6, 3) the one with fewer products for the length of a series; but the latter,
 * which rounds more, only beside the rounding of longer sums. */
static tl_winograd_variant variant_of(const tl_conv1d_shape *shape) {
    if (shape->kernel != 3) return shape->kernel == 5 ? TL_WINOGRAD_4_5 : TL_WINOGRAD_4_4;
    const size_t rows = tl_divide_up(shape->out_length, shape->dilation);
    const bool fewer = 8 * tl_divide_up(rows, 6) < 6 * tl_divide_up(rows, 4);
    return fewer && tl_least(shape->channels, shape->filters) >= 64 ? TL_WINOGRAD_6_3 : TL_WINOGRAD_4_3;
}

tl_winograd_form tl_winograd_forward_form(const tl_conv1d_shape *shape) {
    const tl_kernels *kernels = tl_kernels_here();
    const tl_winograd *variant = &kernels->winograd[variant_of(shape)];
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

/* Counts multiply-adds: those of the products, what the transforms cost, and what transforming the weights does, once a call. Each
 * of a group's products needs some rows, for which its weights are read once. */
bool tl_winograd_is_faster(const tl_conv1d_shape *shape) {
    const tl_winograd_form form = tl_winograd_forward_form(shape);
    const double channels = (double)shape->channels, filters = (double)shape->filters, pairs = channels * filters;
    const double series = (double)shape->batch * (double)shape->dilation, tiles = series * (double)form.tiles;
    const double products = (tiles + WEIGHT_COST) * (double)form.groups * pairs;
    const double winograd = (double)form.variant->points * (products + tiles * TRANSFORM_COST * (channels + filters));
    const double direct = (double)shape->batch * (double)shape->out_length * (double)shape->kernel * pairs;
    return form.tiles * form.dilation >= LEAST_ROWS && winograd < direct;
}

/* ---- units ---- */

tl_winograd_cut tl_winograd_cut_of(const tl_winograd_form *form, size_t least_units) {
    const size_t tile = form->variant->points * tl_winograd_in_row(form) * sizeof(tl_real), others = form->groups - 1;
    const size_t in_cache = tl_most(UNIT_BYTES / tile, others) - others; /* tiles of a unit, of one sample */
    const size_t shared = tl_divide_up(form->tiles * form->batch, least_units),
                 few = tl_divide_up(UNIT_ROWS, form->dilation) + others;
    const size_t limit = tl_most(tl_least(in_cache, shared), few);
    tl_winograd_cut cut = {.samples = 1, .pieces = 1};
    if (form->tiles > limit)
        cut.pieces = tl_divide_up(form->tiles, limit);
    else
        cut.samples = tl_most(tl_least((in_cache + others) / (form->tiles + others), form->batch / least_units), 1);
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

tl_direct_soon tl_winograd_next(const tl_winograd_form *form, const tl_winograd_unit *unit, size_t point, const tl_real *array,
                                size_t length, size_t width) {
    const size_t tile = form->variant->outputs * form->dilation, rows = unit->samples * tl_least(unit->tiles * tile, length);
    const size_t all = form->batch * length, points = form->variant->points;
    const size_t next = tl_least(unit->sample * length + unit->tile * tile + rows, all), count = tl_least(rows, all - next);
    const size_t begin = next + count * point / points, end = next + count * (point + 1) / points;
    return (tl_direct_soon){.at = array + begin * width, .rows = end - begin, .step = width, .width = width};
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
