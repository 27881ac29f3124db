/* The direct engine: a kernel function with register tiles that reads the input in place (no im2col), and weights packed in blocks
 * of vectors. Forward broadcasts inputs over vectors of filters; direct_input.c and direct_weights.c compute the gradients.
 */
#include "layers/conv1d/direct.h"

#include "base/math.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

/* ---- several neighbouring outputs as one row, if filters leave a vector mostly empty ---- */

enum {
    FEW_ROWS = 256 /* rows of the batch: for so few, packing the weights takes longer than reading them in place */
};

/* A row of several positions must take at most this share of the time of single rows; otherwise it is not worth spreading the
 * weights. */
static const double joint_share = 0.85, joint_share_of_few = 0.7;

/* A row of `positions` outputs reads the inputs of all their windows; dilation 1. */
static tl_direct_form joint_form(const tl_conv1d_shape *shape, size_t positions) {
    tl_direct_form form = tl_direct_forward_form(shape);
    if (positions == 1) return form;
    form.in_stride *= positions;
    form.taps += (positions - 1) * shape->stride;
    form.rows = tl_ceil_div(shape->out_length, positions);
    form.width = form.out_stride = positions * shape->filters;
    form.last_width = (shape->out_length - (form.rows - 1) * positions) * shape->filters;
    form.position_width = shape->filters;
    form.position_step = shape->stride;
    form.position_taps = shape->kernel;
    return form;
}

/* Returns the cost of a position, in multiply-adds of vectors. */
static double cost_of(const tl_conv1d_shape *shape, size_t positions, size_t lanes) {
    const tl_direct_form form = joint_form(shape, positions);
    const double all = tl_outputs_cost(form.taps * form.in_width, form.width, lanes);
    return (all - (double)tl_direct_left_out(&form, lanes)) / (double)positions;
}

static size_t positions_of(const tl_conv1d_shape *shape, size_t lanes) {
    const double limit = joint_share * cost_of(shape, 1, lanes);
    const double full =
        (double)((shape->kernel + shape->stride) * shape->channels * shape->filters) / (double)lanes; /* for two positions */
    size_t best = 1;
    if (shape->kernel == 1 || shape->dilation > 1 || full >= limit) return best;
    const size_t maximum = tl_min(TL_DIRECT_POSITIONS / shape->filters, shape->out_length);
    double minimum = limit;
    for (size_t positions = 2; positions <= maximum; positions++) {
        const double cost = cost_of(shape, positions, lanes);
        if (cost >= minimum) continue;
        minimum = cost;
        best = positions;
    }
    return best;
}

/* ---- the form ---- */

/* Windows without gaps in memory are the rows of a product; with few filters it uses lane reduction. `once`: the weights are packed
 * once; the form then does not depend on the batch. */
static tl_direct_form choose_form(const tl_conv1d_shape *shape, size_t lanes, bool once) {
    const size_t positions = positions_of(shape, lanes), window = shape->kernel * shape->channels;
    tl_direct_form form = joint_form(shape, 1);
    const bool dense = (shape->kernel == 1 || shape->dilation == 1) && tl_direct_always_sees_all(&form);
    const bool lane_reduction = tl_lane_reduction_cost(window, shape->filters, lanes) < cost_of(shape, positions, lanes);
    const bool gains = cost_of(shape, positions, lanes) <= joint_share_of_few * cost_of(shape, 1, lanes);
    const bool few = !once && !gains && shape->batch * shape->out_length <= FEW_ROWS;
    form.in_place = dense && (lane_reduction || few);
    return form.in_place ? form : joint_form(shape, positions);
}

static tl_direct_form form_of(const tl_conv1d_shape *shape, size_t lanes) { return choose_form(shape, lanes, false); }

bool tl_direct_by_lanes(const tl_conv1d_shape *whole, size_t lanes) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    const size_t window = shape.kernel * shape.channels;
    return form_of(&shape, lanes).in_place &&
           tl_lane_reduction_cost(window, shape.filters, lanes) < tl_outputs_cost(window, shape.filters, lanes);
}

static size_t joint_weights(const tl_direct_form *form) {
    return tl_aligned_count((form->taps * form->in_width + 1) * form->width);
}

/* to: (taps of the form, channels, positions, filters), zero where a position does not read a tap; then the biases of a row. */
static void spread_weights(const tl_conv1d_shape *shape, const tl_direct_form *form, const tl_real *weight, const tl_real *bias,
                           tl_real *to) {
    const size_t filters = shape->filters, positions = form->width / filters;
    tl_real *biases = to + form->taps * form->in_width * form->width;
    memset(to, 0, (size_t)(biases - to) * sizeof *to);
    for (size_t at = 0; at < positions; at++) {
        for (size_t i = 0; i < shape->kernel * form->in_width; i++)
            memcpy(to + (at * shape->stride * form->in_width + i) * form->width + at * filters, weight + i * filters,
                   filters * sizeof *to);
        if (bias) memcpy(biases + at * filters, bias, filters * sizeof *to);
    }
}

static tl_direct_weights weights_of(const tl_direct_form *form, const tl_real *weight) {
    return (tl_direct_weights){.form = form,
                               .weight = weight,
                               .tap_stride = (ptrdiff_t)(form->in_width * form->width),
                               .in_stride = form->width,
                               .out_stride = 1};
}

static void forward(const tl_conv1d_shape *whole, const tl_real *x, const tl_real *weight, const tl_real *bias, tl_real *y,
                    const tl_workers *workers, tl_real *scratch) {
    const tl_conv1d_shape shape = tl_direct_output_shape(whole);
    const tl_direct_form form = form_of(&shape, tl_kernels_of(workers)->lanes);
    tl_direct_weights weights = weights_of(&form, weight);
    if (form.width > shape.filters) {
        spread_weights(&shape, &form, weight, bias, scratch);
        weights.weight = scratch;
        if (bias) bias = scratch + form.taps * form.in_width * form.width;
        scratch += joint_weights(&form);
    }
    tl_direct_sum(&weights, shape.batch, x, bias, y, workers, scratch);
}

/* The maximum over the forms for all instruction sets, which differ in lanes. Smaller batches may use weights in place, others
 * packed ones. */
static size_t forward_scratch(const tl_conv1d_shape *whole, int workers) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    tl_direct_form form = joint_form(&shape, 1);
    form.in_place = true;
    size_t maximum = tl_direct_sum_scratch(&form, shape.batch, workers);
    for (size_t lanes = 16 / sizeof(tl_real); lanes <= 64 / sizeof(tl_real); lanes *= 2) {
        form = joint_form(&shape, positions_of(&shape, lanes));
        maximum = tl_max(maximum, joint_weights(&form) + tl_direct_sum_scratch(&form, shape.batch, workers));
    }
    return maximum;
}

/* ---- packed weights, after a cache line that says which form they are for: to find it takes a microsecond ---- */

enum { POSITIONS = 0, IN_PLACE, HEAD = TL_ALIGNMENT / (int)sizeof(tl_real) };

static tl_direct_form form_of_packed(const tl_conv1d_shape *shape, const tl_real *head) {
    tl_direct_form form = joint_form(shape, (size_t)head[POSITIONS]);
    form.in_place = head[IN_PLACE] != 0;
    return form;
}

/* The maximum over the forms for all instruction sets. */
static size_t packed(const tl_conv1d_shape *whole) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    size_t maximum = 0;
    for (size_t lanes = 16 / sizeof(tl_real); lanes <= 64 / sizeof(tl_real); lanes *= 2) {
        const tl_direct_form form = choose_form(&shape, lanes, true);
        maximum = tl_max(maximum, tl_direct_packed_count(&form));
    }
    return HEAD + maximum;
}

static size_t pack_scratch(const tl_conv1d_shape *whole) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    size_t maximum = 0;
    for (size_t lanes = 16 / sizeof(tl_real); lanes <= 64 / sizeof(tl_real); lanes *= 2) {
        const tl_direct_form form = choose_form(&shape, lanes, true);
        if (form.width > shape.filters) maximum = tl_max(maximum, joint_weights(&form));
    }
    return maximum;
}

static void pack(const tl_conv1d_shape *whole, const tl_real *weight, const tl_real *bias, const tl_workers *workers,
                 tl_real *scratch, tl_real *to) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    const tl_direct_form form = choose_form(&shape, tl_kernels_of(workers)->lanes, true);
    tl_direct_weights weights = weights_of(&form, weight);
    if (form.width > shape.filters) {
        spread_weights(&shape, &form, weight, bias, scratch);
        weights.weight = scratch;
        if (bias) bias = scratch + form.taps * form.in_width * form.width;
    }
    const size_t positions = form.width / shape.filters;
    to[POSITIONS] = (tl_real)positions;
    to[IN_PLACE] = form.in_place ? 1 : 0;
    tl_direct_make_packed(&weights, bias, workers, to + HEAD);
}

static void run(const tl_conv1d_shape *whole, const tl_real *x, const tl_real *weights, const tl_finish *finish, tl_real *y,
                const tl_workers *workers, tl_real *scratch) {
    const tl_conv1d_shape shape = tl_direct_output_shape(whole);
    const tl_direct_form form = form_of_packed(&shape, weights);
    tl_direct_sum_packed(&form, shape.batch, x, weights + HEAD, finish, y, workers, scratch);
}

/* The cost of the weights: read in place, copied one by one for lane reduction, or packed by rows in each block of filters. */
static double weights_cost(const tl_direct_form *form, bool lane_reduction) {
    const double rows = (double)(form->taps * form->in_width), elements = rows * (double)form->width;
    const double far = tl_conv1d_cache_penalty(elements);
    if (form->in_place) return (lane_reduction ? 16 : 2) * far * elements;
    return 320 * far * rows * (double)tl_direct_blocks(tl_kernels_here(), form->width);
}

static double forward_cost(const tl_conv1d_shape *shape) {
    const size_t lanes = tl_kernels_here()->lanes;
    const tl_direct_form form = form_of(shape, lanes);
    const double outputs = cost_of(shape, form.width / shape->filters, lanes);
    const double lane_reduction =
        form.in_place ? tl_lane_reduction_cost(form.taps * form.in_width, shape->filters, lanes) : HUGE_VAL;
    const double rows = (double)(shape->batch * shape->out_length);
    return 1.03 * rows * fmin(outputs, lane_reduction) * (double)lanes * tl_direct_share(shape) +
           weights_cost(&form, lane_reduction < outputs) + 4 * rows * (double)shape->filters + 3300 * (double)shape->batch + 2000;
}

static double cost(const tl_conv1d_shape *whole, tl_conv1d_pass pass) {
    const tl_conv1d_shape shape = tl_direct_joined(whole);
    switch (pass) {
    case TL_CONV1D_FORWARD:
        return forward_cost(&shape);
    case TL_CONV1D_BACKWARD_INPUT:
        return tl_direct_input_cost(&shape);
    case TL_CONV1D_BACKWARD_WEIGHTS:
        break;
    }
    return tl_direct_weights_cost(&shape);
}

static bool supports(const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    (void)shape;
    (void)pass;
    return true;
}

static size_t scratch_of(const tl_conv1d_shape *shape, tl_conv1d_pass pass, int workers) {
    switch (pass) {
    case TL_CONV1D_FORWARD:
        return forward_scratch(shape, workers);
    case TL_CONV1D_BACKWARD_INPUT:
        return tl_direct_input_scratch(shape, workers);
    case TL_CONV1D_BACKWARD_WEIGHTS:
        break;
    }
    return tl_direct_weights_scratch(shape, workers);
}

/* A row of several positions reads the windows of all of them. */
static size_t reads_behind(const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    if (pass == TL_CONV1D_BACKWARD_WEIGHTS && tl_direct_weights_mixes(shape)) return SIZE_MAX;
    return tl_conv1d_reach(shape) + TL_DIRECT_POSITIONS * shape->stride;
}

const tl_conv1d_ops tl_conv1d_direct = {
    .name = "direct",
    .engine = TL_ENGINE_DIRECT,
    .finishes = true,
    .supports = supports,
    .cost = cost,
    .scratch = scratch_of,
    .forward = forward,
    .backward_input = tl_direct_backward_input,
    .backward_weights = tl_direct_backward_weights,
    .packed = packed,
    .pack_scratch = pack_scratch,
    .pack = pack,
    .run = run,
    .reads_behind = reads_behind,
};
