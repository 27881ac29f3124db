/* Divides a convolution into tiles of F(m, r), and transforms its input: see winograd.h. */
#include "layers/conv1d/winograd.h"

#include "base/math.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

enum {
    TRANSFORM_TERMS = 40,    /* terms of a product that take the time of the transforms of its result */
    WEIGHT_ROWS = 20,        /* rows of a product that take the time of the transforms of its weights */
    SINGLE_LANES = 4,        /* lanes that take the time of a single output */
    MIN_TERMS = 40,          /* minimum terms of a sum, for TL_ENGINE_AUTO */
    UNIT_BYTES = 256 * 1024, /* transformed input of a unit: a part of the second-level cache */
    LARGER = 3, /* factor of the unit size if weights are loaded from memory for each unit, so that there are fewer units */
    NEAR_BYTES = 3 << 20, /* input and output of a batch that need no prefetch: it would take up to 7 % of the time */
    UNIT_ROWS = 24        /* minimum rows of each product: some register tiles, for which weights are read once */
};

/* Of F(4, 3) and F(6, 3), the one with fewer products for the length of a series; but F(6, 3), which has a larger rounding error,
 * only for longer sums, whose rounding error is large anyway. */
static tl_winograd_variant three_taps(const tl_winograd_form *form) {
    const size_t rows = tl_ceil_div(form->rows, form->dilation);
    const bool fewer = 8 * tl_ceil_div(rows, 6) < 6 * tl_ceil_div(rows, 4);
    return fewer && tl_min(form->in_width, form->width) >= 64 ? TL_WINOGRAD_6_3 : TL_WINOGRAD_4_3;
}

/* The time for a usual batch, in terms of the sums: those of a point and tile, what its transforms cost beside, and the weights. */
static double time_of(const tl_winograd_form *form, tl_winograd_variant variant) {
    const tl_winograd *of = &form->kernels->winograd[variant];
    const size_t rows = tl_ceil_div(form->rows, form->dilation), terms = tl_ceil_div(form->taps, of->taps) * form->in_width;
    const double tiles = (double)tl_ceil_div(rows, of->outputs), all = (double)(terms + TRANSFORM_TERMS);
    return (double)of->points * (TL_USUAL_BATCH * tiles * all + WEIGHT_ROWS * (double)terms);
}

/* Several groups share the tiles, which must then be as far apart as the groups. */
static bool serves(const tl_winograd_form *form, tl_winograd_variant variant) {
    const tl_winograd *of = &form->kernels->winograd[variant];
    return of->outputs == of->taps || form->taps <= of->taps;
}

static tl_winograd_variant many_taps(const tl_winograd_form *form) {
    tl_winograd_variant best = TL_WINOGRAD_4_4;
    for (tl_winograd_variant v = TL_WINOGRAD_8_8; v <= TL_WINOGRAD_12_8; v++)
        if (serves(form, v) && time_of(form, v) < time_of(form, best)) best = v;
    return best;
}

static tl_winograd_variant variant_of(const tl_winograd_form *form) {
    return form->taps == 3 ? three_taps(form) : form->taps == 5 ? TL_WINOGRAD_4_5 : many_taps(form);
}

/* Rows at distances of large powers of two would evict each other from the cache. Several groups read rows without gaps. */
static size_t plane_row_of(const tl_winograd_form *form) {
    const size_t row = tl_winograd_in_row(form), line = TL_ALIGNMENT / sizeof(tl_real);
    return form->groups == 1 && form->dilation == 1 && row % (8 * line) == 0 ? row + line : row;
}

/* A last output in a vector of its own would cost as much as all of its lanes. */
static bool one_is_left(const tl_winograd_form *form) {
    const size_t lanes = form->kernels->lanes, blocks = tl_direct_blocks(form->kernels, form->width - 1);
    if (form->width % lanes != 1 || form->width < lanes || form->in_width < lanes) return false;
    const tl_direct_block last = tl_direct_block_at(form->kernels, form->width - 1, blocks - 1);
    return last.lanes + lanes <= TL_MAX_TILE_WIDTH;
}

/* Divides a form into tiles of the variant that suits it. */
static void cut_into_tiles(tl_winograd_form *form) {
    form->kernels = tl_kernels_here();
    form->variant = &form->kernels->winograd[variant_of(form)];
    form->groups = tl_ceil_div(form->taps, form->variant->taps);
    form->tiles = tl_ceil_div(tl_ceil_div(form->rows, form->dilation), form->variant->outputs);
    form->plane_row = plane_row_of(form);
    form->single = one_is_left(form);
}

tl_winograd_form tl_winograd_forward_form(const tl_conv1d_shape *shape) {
    tl_winograd_form form = {.batch = shape->batch,
                             .in_count = shape->length * shape->channels,
                             .in_width = shape->stride * shape->channels,
                             .in_first = -(ptrdiff_t)(shape->pad_left * shape->channels),
                             .taps = tl_ceil_div(shape->kernel, shape->stride),
                             .dilation = shape->dilation,
                             .window = shape->kernel * shape->channels,
                             .out_count = shape->out_length * shape->filters,
                             .width = shape->filters,
                             .rows = shape->out_length,
                             .counted = shape->counted,
                             .step = shape->filters,
                             .finish = shape->finish};
    cut_into_tiles(&form);
    return form;
}

/* Row r of dx is the sum of the rows r - tap of dy; with a stride, row 0 is the first one that reaches into the series. */
tl_winograd_form tl_winograd_backward_form(const tl_conv1d_shape *shape) {
    const size_t before = shape->pad_left / shape->stride, part = shape->pad_left % shape->stride;
    const size_t taps = tl_ceil_div(shape->kernel, shape->stride);
    const ptrdiff_t first = (ptrdiff_t)before - (ptrdiff_t)((taps - 1) * shape->dilation);
    tl_winograd_form form = {.batch = shape->batch,
                             .in_count = shape->out_length * shape->filters,
                             .in_width = shape->filters,
                             .in_first = first * (ptrdiff_t)shape->filters,
                             .taps = taps,
                             .dilation = shape->dilation,
                             .window = taps * shape->filters,
                             .out_count = shape->length * shape->channels,
                             .width = shape->stride * shape->channels,
                             .out_first = -(ptrdiff_t)(part * shape->channels),
                             .rows = tl_ceil_div(shape->length + part, shape->stride),
                             .counted = shape->counted,
                             .step = shape->channels,
                             .finish = shape->finish};
    cut_into_tiles(&form);
    return form;
}

/* Sums with fewer terms have such a small rounding error that the transforms would cause most of it. */
static bool sums_are_long(const tl_winograd_form *form, tl_conv1d_pass pass) {
    return (pass == TL_CONV1D_BACKWARD_WEIGHTS ? form->batch * form->rows : form->taps * form->in_width) >= MIN_TERMS;
}

double tl_winograd_cost(const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    static const struct {
        double product, transform, weight; /* cost of an element of whole vectors at a point */
        double sample, call;
    } costs[] = {{1.02, 7, 8, 16000, 8000}, {1.02, 7, 15, 16000, 2000}, {1.09, 5, 14, 3000, 12000}};
    const tl_winograd_form form =
        pass == TL_CONV1D_BACKWARD_INPUT ? tl_winograd_backward_form(shape) : tl_winograd_forward_form(shape);
    if (!sums_are_long(&form, pass)) return HUGE_VAL;
    const size_t lanes = form.kernels->lanes;
    const double in = (double)tl_round_up(form.in_width, lanes);
    const double out = (double)tl_round_up(tl_winograd_in_vectors(&form), lanes) + (form.single ? SINGLE_LANES : 0);
    const double tiles = (double)form.batch * (double)form.dilation * (double)form.tiles;
    const double weights = (double)form.groups * (double)form.in_width * out;
    const double weight = costs[pass].weight * tl_conv1d_cache_penalty((double)form.variant->points * weights);
    const double point = (costs[pass].product * tiles + weight) * weights + costs[pass].transform * tiles * (in + out);
    return (double)form.variant->points * point + costs[pass].sample * (double)form.batch + costs[pass].call;
}

/* The gradient of the weights computes the tiles of several samples together, also those that do not count, if they fit in a unit:
 * with a unit of two samples, larger units have several too. */
static bool mixes_samples(const tl_winograd_form *form) {
    tl_winograd_form two = *form;
    two.batch = 2;
    for (size_t i = 0; i < TL_TUNINGS; i++)
        if (tl_winograd_cut_of(&two, 1, tl_tunings[i].sum_rows).samples > 1) return true;
    return false;
}

/* The last tile of a sample, and the tiles of the other groups of taps after it, reach so far. */
size_t tl_winograd_reads_behind(const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    const tl_winograd_form form =
        pass == TL_CONV1D_BACKWARD_INPUT ? tl_winograd_backward_form(shape) : tl_winograd_forward_form(shape);
    if (pass == TL_CONV1D_BACKWARD_WEIGHTS && mixes_samples(&form)) return SIZE_MAX;
    const size_t rows = (form.groups + 1) * form.variant->outputs + form.variant->reach;
    return tl_conv1d_reach(shape) + rows * shape->dilation * shape->stride;
}

/* ---- blocks of outputs ---- */

size_t tl_winograd_blocks(const tl_winograd_form *form) { return tl_direct_blocks(form->kernels, tl_winograd_in_vectors(form)); }

tl_direct_block tl_winograd_block_at(const tl_winograd_form *form, size_t index) {
    tl_direct_block block = tl_direct_block_at(form->kernels, tl_winograd_in_vectors(form), index);
    if (form->single && index + 1 == tl_winograd_blocks(form)) {
        block.width++;
        block.lanes += form->kernels->lanes;
    }
    return block;
}

/* ---- units ---- */

tl_winograd_cut tl_winograd_cut_of(const tl_winograd_form *form, size_t min_units, size_t max_rows) {
    const size_t tile = form->variant->points * tl_winograd_in_row(form) * sizeof(tl_real), others = form->groups - 1;
    const size_t weights = form->variant->points * form->groups * form->in_width * form->width * sizeof(tl_real);
    const size_t bytes = weights > TL_CACHED_WEIGHTS ? LARGER * UNIT_BYTES : UNIT_BYTES;
    const size_t in_cache = tl_min(tl_max(bytes / tile, others) - others, max_rows / form->dilation); /* tiles of a unit */
    const size_t shared = tl_ceil_div(form->tiles * form->batch, min_units), few = tl_ceil_div(UNIT_ROWS, form->dilation) + others;
    const size_t limit = tl_max(tl_min(in_cache, shared), few);
    tl_winograd_cut cut = {.samples = 1, .pieces = 1};
    if (form->tiles > limit)
        cut.pieces = tl_ceil_div(form->tiles, limit);
    else
        cut.samples = tl_max(tl_min((in_cache + others) / (form->tiles + others), form->batch / min_units), 1);
    cut.units = tl_ceil_div(form->batch, cut.samples) * cut.pieces;
    return cut;
}

/* Number of tiles of a sample with valid steps. */
static size_t counted_tiles(const tl_winograd_form *form, size_t sample) {
    if (!form->counted) return form->tiles;
    const size_t elements = form->counted[sample] * form->step + (size_t)-form->out_first;
    return tl_min(tl_ceil_div(elements, form->variant->outputs * tl_winograd_out_row(form)), form->tiles);
}

/* All samples of a unit use the maximum of their numbers of tiles. */
tl_winograd_unit tl_winograd_unit_at(const tl_winograd_form *form, const tl_winograd_cut *cut, size_t index) {
    const size_t piece = index % cut->pieces, sample = index / cut->pieces * cut->samples;
    const size_t samples = tl_min(cut->samples, form->batch - sample), tile = tl_split_at(form->tiles, cut->pieces, piece);
    size_t counted = 0;
    for (size_t i = 0; i < samples; i++) counted = tl_max(counted, counted_tiles(form, sample + i));
    const size_t end = tl_min(tl_split_at(form->tiles, cut->pieces, piece + 1), counted), tiles = end > tile ? end - tile : 0;
    return (tl_winograd_unit){
        .sample = sample, .samples = samples, .tile = tile, .tiles = tiles, .in_tiles = tiles > 0 ? tiles + form->groups - 1 : 0};
}

bool tl_winograd_is_far(const tl_winograd_form *form) {
    return form->batch * (form->in_count + form->out_count) * sizeof(tl_real) > NEAR_BYTES;
}

tl_prefetch tl_winograd_prefetch(const tl_winograd_form *form, const tl_winograd_unit *unit, bool behind, size_t point,
                                 const tl_real *array, size_t count, size_t width) {
    const size_t tile = form->variant->outputs * form->dilation * width, own = unit->samples * tl_min(unit->tiles * tile, count);
    const size_t all = form->batch * count, points = form->variant->points;
    const size_t first = tl_min(unit->sample * count + unit->tile * tile + (behind ? own : 0), all);
    const size_t rows = tl_min(own, all - first) / width, begin = rows * point / points, end = rows * (point + 1) / points;
    return (tl_prefetch){.at = array + first + begin * width, .rows = end - begin, .stride = width, .width = width};
}

size_t tl_winograd_plane(const tl_winograd_form *form, const tl_winograd_cut *cut) {
    const size_t in_tiles = tl_ceil_div(form->tiles, cut->pieces) + form->groups - 1;
    return tl_aligned_count(cut->samples * in_tiles * form->plane_row);
}

/* ---- the input ---- */

size_t tl_winograd_copy(const tl_winograd_form *form) { return tl_aligned_count(form->variant->reach * tl_winograd_in_row(form)); }

/* Returns the element of the sample at which a tile begins. */
static ptrdiff_t begin_of(const tl_winograd_form *form, size_t tile) {
    return form->in_first + (ptrdiff_t)(tile * form->variant->outputs * tl_winograd_in_row(form));
}

static bool is_inside(const tl_winograd_form *form, size_t tile) {
    const ptrdiff_t begin = begin_of(form, tile), reach = (ptrdiff_t)(form->variant->reach * tl_winograd_in_row(form));
    return begin >= 0 && begin + reach <= (ptrdiff_t)form->in_count;
}

/* Copies the input of a tile at the border, with zeros outside of the series. */
static void copy_tile(const tl_winograd_form *form, const tl_real *in, size_t tile, tl_real *copy) {
    const ptrdiff_t count = (ptrdiff_t)form->in_count, reach = (ptrdiff_t)(form->variant->reach * tl_winograd_in_row(form));
    const ptrdiff_t first = begin_of(form, tile), stop = first + reach < count ? first + reach : count;
    const ptrdiff_t begin = first > 0 ? first : 0;
    memset(copy, 0, (size_t)reach * sizeof *copy);
    if (begin < stop) memcpy(copy + (begin - first), in + begin, (size_t)(stop - begin) * sizeof *copy);
}

/* Transforms the tiles of a sample; those inside of the series in one run. */
static void transform_sample(const tl_winograd_form *form, const tl_winograd_unit *unit, const tl_real *in, size_t plane,
                             tl_real *planes, tl_real *copy) {
    const size_t row = tl_winograd_in_row(form), end = unit->tile + unit->in_tiles;
    tl_winograd_rows rows = {
        .from_row = row, .from_stride = form->variant->outputs * row, .to_row = plane, .to_stride = form->plane_row, .width = row};
    for (size_t tile = unit->tile; tile < end; tile += rows.tiles) {
        rows.tiles = 1;
        rows.to = planes + (tile - unit->tile) * form->plane_row;
        if (is_inside(form, tile)) {
            while (tile + rows.tiles < end && is_inside(form, tile + rows.tiles)) rows.tiles++;
            rows.from = in + begin_of(form, tile);
        } else {
            copy_tile(form, in, tile, copy);
            rows.from = copy;
        }
        form->variant->input(&rows);
    }
}

void tl_winograd_transform_input(const tl_winograd_form *form, const tl_winograd_unit *unit, const tl_real *in, size_t plane,
                                 tl_real *planes, tl_real *copy) {
    for (size_t i = 0; i < unit->samples; i++)
        transform_sample(form, unit, in + (unit->sample + i) * form->in_count, plane, planes + i * unit->in_tiles * form->plane_row,
                         copy);
}
