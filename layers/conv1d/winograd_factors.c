/* The factors of the winograd engine's products: weights, transformed by G, in the order in which the kernel functions read them.
 */
#include "layers/conv1d/winograd.h"

#include "base/math.h"
#include "base/memory.h"
#include "compute/transpose.h"

#include <string.h>

enum { PIECE = 16 }; /* input elements whose weights are transformed at a time: a cache line in single precision */

/* ---- their places ---- */

/* Distance of two points of a block in rows of lanes: one more than the number of rows, because rows at distances of powers of two
 * would evict each other from the cache. */
size_t tl_winograd_point_rows(const tl_winograd_form *form) { return form->groups * form->in_width + 1; }

/* Elements of a run of a single output's sum, and its transformed weights at a point: whole vectors for each run. */
size_t tl_winograd_single_run(const tl_winograd_form *form) {
    return form->dilation == 1 ? form->groups * form->in_width : form->in_width;
}

size_t tl_winograd_single_count(const tl_winograd_form *form) {
    return form->groups * form->in_width / tl_winograd_single_run(form) * tl_aligned_count(tl_winograd_single_run(form));
}

/* For any instruction set: the last output of an odd number may be single. */
size_t tl_winograd_factors(const tl_winograd_form *form) {
    const size_t single = form->width % 2 ? tl_winograd_single_count(form) : 0;
    return form->variant->points * (tl_aligned_count(form->width) * tl_winograd_point_rows(form) + single);
}

/* Elements of a packed piece of the weights. */
size_t tl_winograd_piece(const tl_winograd_form *form) {
    return form->variant->taps * (PIECE + 1) * tl_min(tl_aligned_count(form->width), TL_MAX_TILE_WIDTH);
}

/* ---- vectors of outputs ---- */

typedef struct source {
    const tl_winograd_form *form;
    const tl_winograd_weights *weights;
} source;

/* A block of outputs for some input elements of a group of taps. */
typedef struct weights_piece {
    tl_direct_block block;
    size_t group, first, count; /* input elements */
} weights_piece;

/* A tap of a piece: (count, lanes). Reads along the contiguous side. */
static void pack_tap(const source *from, const weights_piece *piece, size_t tap, tl_real *to) {
    const tl_winograd_weights *w = from->weights;
    const size_t lanes = tl_winograd_factor_row(from->form, &piece->block), width = tl_min(piece->block.width, lanes);
    size_t at = (size_t)((ptrdiff_t)w->first + (ptrdiff_t)tap * w->tap_stride) + piece->first * w->in_stride +
                piece->block.first * w->out_stride;
    if (w->out_stride == 1) {
        for (size_t i = 0; i < piece->count && at < w->count; i++, at += w->in_stride)
            memcpy(to + i * lanes, w->from + at, tl_min(width, w->count - at) * sizeof *to);
        return;
    }
    if (at < w->count) {
        const size_t outputs = tl_min(width, tl_ceil_div(w->count - at, w->out_stride));
        tl_transpose(w->from + at, w->out_stride, outputs, piece->count, to, lanes);
    }
}

/* (taps, count + 1, lanes), zero after the last tap and output. */
static void pack_piece(const source *from, const weights_piece *piece, tl_real *to) {
    const size_t taps = from->form->variant->taps, first = piece->group * taps,
                 row = (piece->count + 1) * tl_winograd_factor_row(from->form, &piece->block);
    memset(to, 0, taps * row * sizeof *to);
    for (size_t tap = first; tap < tl_min(first + taps, from->form->taps); tap++, to += row) pack_tap(from, piece, tap, to);
}

/* Returns the piece in place if it is complete and has the order of a packed one; else NULL. */
static const tl_real *ready_piece(const source *from, const weights_piece *piece) {
    const tl_winograd_weights *w = from->weights;
    const size_t taps = from->form->variant->taps, first = piece->group * taps,
                 lanes = tl_winograd_factor_row(from->form, &piece->block);
    if (w->out_stride != 1 || w->tap_stride < 0 || piece->block.width < lanes || first + taps > from->form->taps) return NULL;
    const size_t at = w->first + first * (size_t)w->tap_stride + piece->first * w->in_stride + piece->block.first;
    const size_t last = at + (taps - 1) * (size_t)w->tap_stride + (piece->count - 1) * w->in_stride;
    return last + lanes <= w->count ? w->from + at : NULL;
}

static void transform_piece(const source *from, const weights_piece *piece, tl_real *packed, tl_real *transformed) {
    const tl_winograd_form *form = from->form;
    const size_t lanes = tl_winograd_factor_row(form, &piece->block);
    const tl_real *ready = ready_piece(from, piece);
    tl_winograd_rows rows = {.from = ready,
                             .from_row = (size_t)from->weights->tap_stride,
                             .from_stride = from->weights->in_stride,
                             .to = transformed + piece->block.first * form->variant->points * tl_winograd_point_rows(form) +
                                   (piece->group * form->in_width + piece->first) * lanes,
                             .to_row = tl_winograd_point_rows(form) * lanes,
                             .to_stride = lanes,
                             .tiles = piece->count,
                             .width = lanes};
    if (!ready) {
        pack_piece(from, piece, packed);
        rows.from = packed;
        rows.from_row = (piece->count + 1) * lanes;
        rows.tiles = 1;
        rows.width = piece->count * lanes;
    }
    form->variant->weights(&rows);
}

/* The same for the single output: (count) of each tap. */
static void transform_single_piece(const source *from, const weights_piece *piece, tl_real *packed, tl_real *to) {
    const tl_winograd_weights *w = from->weights;
    const size_t taps = from->form->variant->taps, first = piece->group * taps;
    memset(packed, 0, taps * piece->count * sizeof *packed);
    for (size_t tap = first; tap < tl_min(first + taps, from->form->taps); tap++) {
        size_t at = (size_t)((ptrdiff_t)w->first + (ptrdiff_t)tap * w->tap_stride) + piece->first * w->in_stride +
                    (from->form->width - 1) * w->out_stride;
        tl_real *row = packed + (tap - first) * piece->count;
        for (size_t i = 0; i < piece->count && at < w->count; i++, at += w->in_stride) row[i] = w->from[at];
    }
    from->form->variant->weights(&(tl_winograd_rows){.from = packed,
                                                     .from_row = piece->count,
                                                     .to = to + piece->first,
                                                     .to_row = tl_winograd_single_count(from->form),
                                                     .tiles = 1,
                                                     .width = piece->count});
}

/* The last vector of a run ends with its last element, and is 0 before the first one that is in no other vector. */
static void move_ends(const tl_winograd_form *form, tl_real *to) {
    const size_t run = tl_winograd_single_run(form), lanes = form->kernels->lanes, rest = run % lanes;
    const size_t all = form->variant->points * tl_winograd_single_count(form);
    if (rest == 0) return;
    for (tl_real *last = to + run - rest; last < to + all; last += tl_aligned_count(run)) {
        memmove(last + lanes - rest, last, rest * sizeof *last);
        memset(last, 0, tl_min(rest, lanes - rest) * sizeof *last);
    }
}

/* (points, single_count) */
static void transform_single(const source *from, tl_real *packed, tl_real *to) {
    const tl_winograd_form *form = from->form;
    const size_t distance = form->dilation == 1 ? form->in_width : tl_aligned_count(form->in_width);
    weights_piece piece;
    memset(to, 0, form->variant->points * tl_winograd_single_count(form) * sizeof *to);
    for (piece.group = 0; piece.group < form->groups; piece.group++) {
        for (piece.first = 0; piece.first < form->in_width; piece.first += PIECE) {
            piece.count = tl_min(PIECE, form->in_width - piece.first);
            transform_single_piece(from, &piece, packed, to + piece.group * distance);
        }
    }
    move_ends(form, to);
}

size_t tl_winograd_single_begin(const tl_winograd_form *form) {
    return tl_winograd_in_vectors(form) * form->variant->points * tl_winograd_point_rows(form);
}

void tl_winograd_transform_weights(const tl_winograd_form *form, const tl_winograd_weights *weights, tl_real *packed,
                                   tl_real *transformed) {
    const source from = {form, weights};
    weights_piece piece;
    if (form->single) transform_single(&from, packed, transformed + tl_winograd_single_begin(form));
    for (size_t b = 0; b < tl_winograd_blocks(form); b++) {
        piece.block = tl_winograd_block_at(form, b);
        for (piece.group = 0; piece.group < form->groups; piece.group++) {
            for (piece.first = 0; piece.first < form->in_width; piece.first += PIECE) {
                piece.count = tl_min(PIECE, form->in_width - piece.first);
                transform_piece(&from, &piece, packed, transformed);
            }
        }
    }
}
