/* Divides the rows and outputs of a convolution into parts for single calls of the kernel function: see direct.h. */
#include "layers/conv1d/direct.h"

#include "base/math.h"
#include "base/memory.h"

#include <string.h>

enum {
    SKIP_ROWS = 16,    /* from so many rows between two taps on, a segment for each set of taps fills the register tiles */
    COPY_MAX = 1 << 20 /* elements; above this, rows skip taps too */
};

/* If time steps do not read each other, the batch is computed as one long series, which is easier to divide into tiles. */
tl_conv1d_shape tl_direct_joined(const tl_conv1d_shape *shape) {
    tl_conv1d_shape joined = *shape;
    if (shape->kernel > 1 || shape->stride > 1 || shape->pad_left > 0 || shape->out_length != shape->length) return joined;
    joined.counted = NULL;
    joined.length = joined.out_length = shape->batch * shape->length;
    joined.batch = 1;
    return joined;
}

tl_conv1d_shape tl_direct_output_shape(const tl_conv1d_shape *shape) { return shape->counted ? *shape : tl_direct_joined(shape); }

tl_direct_form tl_direct_forward_form(const tl_conv1d_shape *shape) {
    return (tl_direct_form){.in_length = shape->length,
                            .in_width = shape->channels,
                            .first = -(ptrdiff_t)shape->pad_left,
                            .in_stride = shape->stride,
                            .taps = shape->kernel,
                            .tap_stride = shape->dilation,
                            .rows = shape->out_length,
                            .width = shape->filters,
                            .last_width = shape->filters,
                            .out_first = 0,
                            .out_stride = shape->filters,
                            .out_count = shape->out_length * shape->filters,
                            .counted = shape->counted,
                            .step = shape->filters,
                            .finish = shape->finish};
}

/* ---- rows ---- */

static ptrdiff_t position_of(const tl_direct_form *form, size_t row, size_t tap) {
    return form->first + (ptrdiff_t)(row * form->in_stride + tap * form->tap_stride);
}

/* Returns the number of input rows from the first to the last one that `rows` rows read. */
static size_t reach_of(const tl_direct_form *form, size_t rows) {
    return form->taps ? (rows - 1) * form->in_stride + (form->taps - 1) * form->tap_stride + 1 : 0;
}

static bool far_apart(const tl_direct_form *form) { return form->tap_stride >= SKIP_ROWS * form->in_stride; }

static bool is_padded(const tl_direct_form *form) {
    return form->first < 0 || form->first + (ptrdiff_t)reach_of(form, form->rows) > (ptrdiff_t)form->in_length;
}

bool tl_direct_sees_all(const tl_direct_form *form, size_t rows) {
    return !is_padded(form) || (!far_apart(form) && reach_of(form, tl_min(rows, form->rows)) <= COPY_MAX / form->in_width);
}

/* Grows with the rows of a unit: what is enough for a large batch is enough for a smaller one. */
size_t tl_direct_copy(const tl_direct_form *form, size_t chunks) {
    if (!is_padded(form) || far_apart(form)) return 0;
    const size_t reach = tl_min(reach_of(form, tl_ceil_div(form->rows, chunks)), COPY_MAX / form->in_width);
    return tl_aligned_count(reach * form->in_width);
}

/* Copies `count` input rows from `position` on, with zeros outside of the input. */
static void copy_padded(const tl_direct_form *form, const tl_real *in, ptrdiff_t position, size_t count, tl_real *to) {
    const ptrdiff_t length = (ptrdiff_t)form->in_length, stop = position + (ptrdiff_t)count;
    const ptrdiff_t begin = position < 0 ? (stop < 0 ? stop : 0) : position, end = stop < length ? stop : length;
    const size_t before = (size_t)(begin - position) * form->in_width;
    const size_t inside = end > begin ? (size_t)(end - begin) * form->in_width : 0;
    memset(to, 0, before * sizeof *to);
    if (inside) memcpy(to + before, in + (size_t)begin * form->in_width, inside * sizeof *to);
    memset(to + before + inside, 0, (count * form->in_width - before - inside) * sizeof *to);
}

/* The valid rows of a sample. */
static size_t counted_rows(const tl_direct_form *form, size_t sample) {
    if (!form->counted) return form->rows;
    const size_t elements = form->counted[sample] * form->step;
    return elements > form->out_first ? tl_min(tl_ceil_div(elements - form->out_first, form->out_stride), form->rows) : 0;
}

static tl_direct_unit unit_of(const tl_direct_form *form, size_t chunks, size_t index, const tl_real *in) {
    const size_t sample = chunks == 1 ? index : index / chunks, chunk = index - sample * chunks;
    const size_t begin = tl_split_at(form->rows, chunks, chunk);
    const size_t end = tl_max(begin, tl_min(tl_split_at(form->rows, chunks, chunk + 1), counted_rows(form, sample)));
    return (tl_direct_unit){.begin = begin,
                            .end = end,
                            .in = in + sample * form->in_length * form->in_width,
                            .inside = end,
                            .behind = end,
                            .out = sample * form->out_count + form->out_first};
}

/* Places the window of a unit, in a copy if that is needed. */
static tl_direct_unit placed(const tl_direct_form *form, tl_direct_unit unit, tl_real *copy) {
    if (unit.begin == unit.end) return unit;
    const size_t reach = reach_of(form, unit.end - unit.begin);
    const ptrdiff_t from = position_of(form, unit.begin, 0);
    if (reach == 0 || (from >= 0 && from + (ptrdiff_t)reach <= (ptrdiff_t)form->in_length)) {
        unit.window = reach ? unit.in + (size_t)from * form->in_width : unit.in;
    } else if (!far_apart(form) && reach <= COPY_MAX / form->in_width) {
        copy_padded(form, unit.in, from, reach, copy);
        unit.window = copy;
    }
    return unit;
}

tl_direct_unit tl_direct_unit_at(const tl_direct_form *form, size_t chunks, size_t index, const tl_real *in, tl_real *copy) {
    return placed(form, unit_of(form, chunks, index, in), copy);
}

/* Returns the first row from `row` on whose tap reads input row `bound` or a later one. */
static size_t first_row_at(const tl_direct_form *form, size_t row, size_t tap, size_t bound) {
    const ptrdiff_t position = position_of(form, row, tap);
    return position >= (ptrdiff_t)bound ? row : row + tl_ceil_div((size_t)((ptrdiff_t)bound - position), form->in_stride);
}

/* The ends become separate tiles with fewer rows. This costs less than copying the rest if an input element has at most about as
 * many multiply-adds as there are rows. */
tl_direct_unit tl_direct_unit_cut(const tl_direct_form *form, size_t chunks, size_t index, const tl_real *in, tl_real *copy) {
    tl_direct_unit unit = unit_of(form, chunks, index, in);
    if (unit.begin == unit.end) return unit;
    if (form->taps == 0 || far_apart(form)) return placed(form, unit, copy);
    const size_t inside = tl_min(first_row_at(form, unit.begin, 0, 0), unit.end);
    const size_t behind = tl_min(first_row_at(form, inside, form->taps - 1, form->in_length), unit.end);
    const size_t before = inside > unit.begin ? reach_of(form, inside - unit.begin) : 0;
    const size_t after = unit.end > behind ? reach_of(form, unit.end - behind) : 0, whole = reach_of(form, unit.end - unit.begin);
    const bool cheaper = (behind - inside) * form->in_stride > form->taps * form->width;
    if (before + after == 0 || !cheaper || before + after > tl_min(whole, COPY_MAX / form->in_width))
        return placed(form, unit, copy);
    if (before) copy_padded(form, unit.in, position_of(form, unit.begin, 0), before, copy);
    unit.window = copy;
    unit.inside = inside;
    unit.behind = behind;
    unit.last = copy + before * form->in_width;
    if (after) copy_padded(form, unit.in, position_of(form, behind, 0), after, copy + before * form->in_width);
    return unit;
}

double tl_direct_share(const tl_conv1d_shape *shape) {
    const tl_direct_form form = tl_direct_forward_form(shape);
    size_t terms = 0;
    if (!far_apart(&form)) return 1;
    for (size_t tap = 0; tap < form.taps; tap++) {
        const size_t end = first_row_at(&form, 0, tap, form.in_length), begin = first_row_at(&form, 0, tap, 0);
        terms += tl_min(end, form.rows) - tl_min(begin, form.rows);
    }
    return (double)terms / (double)(form.rows * form.taps);
}

/* Returns the rows from `row` on that read the same taps. */
static tl_direct_segment same_taps(const tl_direct_form *form, const tl_direct_unit *unit, size_t row) {
    if (unit->window) {
        const size_t stride = form->in_stride * form->in_width;
        tl_direct_segment segment = {.tap = 0, .taps = form->taps};
        if (row < unit->inside) {
            segment.x = unit->window + (row - unit->begin) * stride;
            segment.rows = unit->inside - row;
        } else if (row < unit->behind) {
            segment.x = unit->in + (size_t)position_of(form, row, 0) * form->in_width;
            segment.rows = unit->behind - row;
        } else {
            segment.x = unit->last + (row - unit->behind) * stride;
            segment.rows = unit->end - row;
        }
        return segment;
    }
    size_t tap = 0, stop = form->taps, next = unit->end;
    while (tap < stop && position_of(form, row, tap) < 0) tap++;
    while (stop > tap && position_of(form, row, stop - 1) >= (ptrdiff_t)form->in_length) stop--;
    if (tap > 0) next = tl_min(next, first_row_at(form, row, tap - 1, 0));
    if (stop > tap) next = tl_min(next, first_row_at(form, row, stop - 1, form->in_length));
    const size_t at = stop > tap ? (size_t)position_of(form, row, tap) : 0;
    return (tl_direct_segment){.x = unit->in + at * form->in_width, .rows = next - row, .tap = tap, .taps = stop - tap};
}

tl_direct_segment tl_direct_segment_at(const tl_direct_form *form, const tl_direct_unit *unit, size_t row) {
    tl_direct_segment segment = same_taps(form, unit, row);
    const bool last = row + 1 == form->rows;
    segment.width = last ? form->last_width : form->width;
    if (!last && form->last_width < form->width) segment.rows = tl_min(segment.rows, form->rows - 1 - row);
    return segment;
}

size_t tl_direct_offset(const tl_direct_form *form, size_t element) {
    if (form->tap_stride == 1) return element;
    return element / form->in_width * form->tap_stride * form->in_width + element % form->in_width;
}

tl_direct_window tl_direct_window_of(const tl_direct_form *form, size_t elements) {
    if (form->tap_stride == 1) return (tl_direct_window){.runs = 1, .count = elements, .stride = 1};
    if (form->in_width == 1) return (tl_direct_window){.runs = 1, .count = elements, .stride = form->tap_stride};
    return (tl_direct_window){
        .runs = elements / form->in_width, .run_stride = form->tap_stride * form->in_width, .count = form->in_width, .stride = 1};
}
