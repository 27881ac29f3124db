/* The gradient of the input in the direct engine: the forward sum over dy, with the weights transposed and the taps in reverse
 * order. With a stride, each residue of the position is a dense convolution of its own. If that leaves vectors of channels mostly
 * empty, one of these is used:
 * - several neighbouring positions are computed as one row: its window covers the windows of all of them, with zeros among its
 * weights;
 * - the products of all taps and channels are added to their places (direct_scatter.c);
 * - the lanes of vectors are filters instead of channels: an output is then the sum of the lanes.
 */
#include "layers/conv1d/direct.h"

#include "base/math.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

enum {
    SCATTER_COST = 10, /* cost of adding a product to dx, in multiply-adds */
    LANES_COST = 10    /* cost of adding the lanes of an output, in multiply-adds of a vector */
};

typedef struct input_job {
    const tl_conv1d_shape *shape;
    const tl_real *dy, *weight;
    tl_real *dx;
    const tl_workers *workers;
    tl_real *scratch;
} input_job;

/* ---- each residue of the position separately ---- */

tl_direct_taps tl_direct_taps_of(const tl_conv1d_shape *shape, size_t residue) {
    const size_t stride = shape->stride, every = stride / tl_common_divisor(shape->dilation, stride);
    size_t tap = 0;
    while (tap < tl_min(every, shape->kernel) && tap * shape->dilation % stride != (residue + shape->pad_left) % stride) tap++;
    if (tap == tl_min(every, shape->kernel)) return (tl_direct_taps){.every = every};
    const size_t count = (shape->kernel - 1 - tap) / every + 1;
    return (tl_direct_taps){.every = every, .last = tap + (count - 1) * every, .count = count};
}

static tl_direct_form residue_form(const tl_conv1d_shape *shape, size_t residue, bool lane_reduction) {
    const tl_direct_taps taps = tl_direct_taps_of(shape, residue);
    const ptrdiff_t reach = (ptrdiff_t)(residue + shape->pad_left) - (ptrdiff_t)(taps.last * shape->dilation);
    return (tl_direct_form){.in_length = shape->out_length,
                            .in_width = shape->filters,
                            .first = taps.count ? reach / (ptrdiff_t)shape->stride : 0,
                            .in_stride = 1,
                            .taps = taps.count,
                            .tap_stride = taps.every * shape->dilation / shape->stride,
                            .rows = (shape->length - residue - 1) / shape->stride + 1,
                            .width = shape->channels,
                            .last_width = shape->channels,
                            .out_first = residue * shape->channels,
                            .out_stride = shape->stride * shape->channels,
                            .out_count = shape->length * shape->channels,
                            .lane_reduction = lane_reduction,
                            .counted = shape->counted,
                            .step = shape->channels,
                            .finish = shape->finish};
}

static size_t residues_of(const tl_conv1d_shape *shape) { return tl_min(shape->stride, shape->length); }

static size_t residues_scratch(const tl_conv1d_shape *shape, int workers) {
    size_t maximum = 0;
    for (size_t residue = 0; residue < residues_of(shape); residue++) {
        const tl_direct_form form = residue_form(shape, residue, false);
        maximum = tl_max(maximum, tl_direct_sum_scratch(&form, shape->batch, workers));
    }
    return maximum;
}

static void sum_residues(const input_job *job, bool lane_reduction) {
    const tl_conv1d_shape *shape = job->shape;
    const size_t tap = shape->channels * shape->filters;
    for (size_t residue = 0; residue < residues_of(shape); residue++) {
        const tl_direct_taps taps = tl_direct_taps_of(shape, residue);
        const tl_direct_form form = residue_form(shape, residue, lane_reduction);
        const tl_direct_weights weights = {.form = &form,
                                           .weight = job->weight + taps.last * tap,
                                           .tap_stride = -(ptrdiff_t)(taps.every * tap),
                                           .in_stride = 1,
                                           .out_stride = shape->filters};
        tl_direct_sum(&weights, shape->batch, job->dy, NULL, job->dx, job->workers, job->scratch);
    }
}

/* ---- several neighbouring positions as one row, dilation 1 ---- */

/* floor(a / b) */
static ptrdiff_t divide_down(ptrdiff_t a, size_t b) { return a >= 0 ? a / (ptrdiff_t)b : -(ptrdiff_t)tl_ceil_div((size_t)-a, b); }

/* `positions` is a multiple of the stride. */
static tl_direct_form joint_form(const tl_conv1d_shape *shape, size_t positions) {
    const ptrdiff_t pad = (ptrdiff_t)shape->pad_left, kernel = (ptrdiff_t)shape->kernel;
    const ptrdiff_t first = -divide_down(kernel - 1 - pad, shape->stride);
    const ptrdiff_t last = divide_down((ptrdiff_t)positions - 1 + pad, shape->stride);
    const size_t rows = tl_ceil_div(shape->length, positions);
    const bool dense = shape->stride == 1; /* a position reads the taps of dy from its own number on */
    return (tl_direct_form){.in_length = shape->out_length,
                            .in_width = shape->filters,
                            .first = first,
                            .in_stride = positions / shape->stride,
                            .taps = (size_t)(last - first + 1),
                            .tap_stride = 1,
                            .rows = rows,
                            .width = positions * shape->channels,
                            .last_width = (shape->length - (rows - 1) * positions) * shape->channels,
                            .out_stride = positions * shape->channels,
                            .position_width = dense ? shape->channels : 0,
                            .position_step = 1,
                            .position_taps = shape->kernel,
                            .out_count = shape->length * shape->channels,
                            .counted = shape->counted,
                            .step = shape->channels,
                            .finish = shape->finish};
}

static size_t joint_weights(const tl_direct_form *form) { return tl_aligned_count(form->taps * form->width * form->in_width); }

/* to: (taps of the form, positions, channels, filters), zero where a tap does not contribute to a position. */
static void spread_weights(const tl_conv1d_shape *shape, const tl_direct_form *form, const tl_real *weight, tl_real *to) {
    const size_t tap = shape->channels * shape->filters, positions = form->width / shape->channels;
    memset(to, 0, form->taps * positions * tap * sizeof *to);
    for (size_t i = 0; i < form->taps; i++) {
        for (size_t at = 0; at < positions; at++, to += tap) {
            const ptrdiff_t t = form->first + (ptrdiff_t)i;
            const ptrdiff_t from = (ptrdiff_t)(at + shape->pad_left) - t * (ptrdiff_t)shape->stride;
            if (from >= 0 && from < (ptrdiff_t)shape->kernel) memcpy(to, weight + (size_t)from * tap, tap * sizeof *to);
        }
    }
}

static void sum_joint(const input_job *job, size_t positions) {
    const tl_direct_form form = joint_form(job->shape, positions);
    spread_weights(job->shape, &form, job->weight, job->scratch);
    const tl_direct_weights weights = {.form = &form,
                                       .weight = job->scratch,
                                       .tap_stride = (ptrdiff_t)(form.width * form.in_width),
                                       .in_stride = 1,
                                       .out_stride = form.in_width};
    tl_real *rest = job->scratch + joint_weights(&form);
    tl_direct_sum(&weights, job->shape->batch, job->dy, NULL, job->dx, job->workers, rest);
}

static size_t joint_scratch(const tl_conv1d_shape *shape, size_t positions, int workers) {
    const tl_direct_form form = joint_form(shape, positions);
    return joint_weights(&form) + tl_direct_sum_scratch(&form, shape->batch, workers);
}

/* ---- choice ---- */

typedef struct choice {
    enum { RESIDUES, LANE_REDUCTION, SCATTER, JOINT } form;
    size_t positions; /* of a joint row */
    double cost;      /* multiply-adds for each filter of a position, including those with zeros; weighted by measurements */
} choice;

static choice by_residues(const tl_conv1d_shape *shape, size_t lanes) {
    const double taps = (double)shape->kernel / (double)shape->stride;
    return (choice){.form = RESIDUES, .cost = taps * (double)tl_round_up(shape->channels, lanes)};
}

static choice lane_reduction(const tl_conv1d_shape *shape, size_t lanes) {
    const double taps = (double)shape->kernel / (double)shape->stride, vectors = (double)shape->filters / (double)lanes;
    const double cost = 1.5 * (double)shape->channels * (taps + LANES_COST / vectors);
    return (choice){.form = LANE_REDUCTION, .cost = shape->filters % lanes ? HUGE_VAL : cost};
}

static choice scatter(const tl_conv1d_shape *shape, size_t lanes) {
    const double outputs = (double)tl_round_up(shape->kernel * shape->channels, lanes);
    const double cost = 1.25 * outputs * (1 + SCATTER_COST / (double)shape->filters) / (double)shape->stride;
    return (choice){.form = SCATTER, .cost = cost};
}

static choice joint(const tl_conv1d_shape *shape, size_t positions, size_t lanes) {
    const tl_direct_form form = joint_form(shape, positions);
    const double all = (double)(form.taps * tl_round_up(form.width, lanes));
    const double left_out = (double)(tl_direct_left_out(&form, lanes) * lanes) / (double)shape->filters;
    return (choice){.form = JOINT, .positions = positions, .cost = (double)form.rows * (all - left_out) / (double)shape->length};
}

static choice cheaper(choice a, choice b) { return b.cost < a.cost ? b : a; }

static choice choose(const tl_conv1d_shape *shape, size_t lanes) {
    choice best = cheaper(by_residues(shape, lanes), lane_reduction(shape, lanes));
    best = cheaper(best, scatter(shape, lanes));
    const size_t maximum =
        shape->dilation == 1 && shape->kernel > 1 ? tl_min(TL_DIRECT_POSITIONS / shape->channels, shape->length) : 0;
    for (size_t positions = shape->stride; positions > 0 && positions <= maximum; positions += shape->stride)
        best = cheaper(best, joint(shape, positions, lanes));
    return best;
}

tl_direct_order tl_direct_input_order(const tl_conv1d_shape *whole, size_t lanes) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    const choice best = choose(&shape, lanes);
    return best.form == SCATTER ? TL_DIRECT_BY_TAPS : best.form == LANE_REDUCTION ? TL_DIRECT_BY_LANES : TL_DIRECT_IN_ORDER;
}

double tl_direct_input_cost(const tl_conv1d_shape *shape) {
    const choice best = choose(shape, tl_kernels_here()->lanes);
    const double positions = (double)(shape->batch * shape->length), filters = (double)shape->filters;
    const double packed = best.cost * filters * (double)(best.form == JOINT ? best.positions : shape->stride);
    return 1.04 * positions * filters * best.cost * tl_direct_share(shape) + 18 * tl_conv1d_cache_penalty(packed) * packed +
           4.5 * positions * (double)shape->channels + 600 * (double)(shape->batch * shape->stride) + 15000;
}

void tl_direct_backward_input(const tl_conv1d_shape *whole, const tl_real *dy, const tl_real *weight, tl_real *dx,
                              const tl_workers *workers, tl_real *scratch) {
    const tl_conv1d_shape shape = tl_direct_output_shape(whole);
    const input_job job = {.shape = &shape, .dy = dy, .weight = weight, .dx = dx, .workers = workers, .scratch = scratch};
    const choice best = choose(&shape, tl_kernels_of(workers)->lanes);
    if (best.form == JOINT)
        sum_joint(&job, best.positions);
    else if (best.form == SCATTER)
        tl_direct_scatter(&shape, dy, weight, dx, workers, scratch);
    else
        sum_residues(&job, best.form == LANE_REDUCTION);
}

/* The maximum over the forms for all instruction sets, which differ in lanes. */
size_t tl_direct_input_scratch(const tl_conv1d_shape *whole, int workers) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    size_t maximum = tl_max(residues_scratch(&shape, workers), tl_direct_scatter_scratch(&shape, workers));
    for (size_t lanes = 16 / sizeof(tl_real); lanes <= 64 / sizeof(tl_real); lanes *= 2) {
        const choice best = choose(&shape, lanes);
        if (best.form == JOINT) maximum = tl_max(maximum, joint_scratch(&shape, best.positions, workers));
    }
    return maximum;
}
