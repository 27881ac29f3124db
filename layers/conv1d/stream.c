/* A convolution on a stream: its window is read in place, with weights that were packed once.
 *
 * If outputs are computed one at a time, each addition of the sum waits for the one before. But in a dilated kernel, all taps
 * except the newest read steps that are already there. For the next few outputs, their part of the sum is computed together with a
 * register tile, and each output later continues from it. The additions keep the order of the direct engine.
 *
 * A short kernel with few filters spreads this work evenly (tl_row_turns): while the newest tap of an output is added, which is a
 * chain of additions too, so is one of the older taps of the next outputs.
 */
#include "layers/conv1d/direct.h"
#include "layers/conv1d/variant.h"

#include "base/memory.h"
#include "compute/packed.h"

#include <string.h>

enum {
    MAX_AHEAD = 12, /* maximum number of outputs: one or two register tiles */
    MIN_OLDER = 16  /* minimum elements of the older taps for which this is faster */
};

static size_t all_channels(const tl_conv1d_groups *self) { return self->groups * self->job.shape.channels; }
static size_t all_filters(const tl_conv1d_groups *self) { return self->groups * self->job.shape.filters; }

static bool by_channel(const tl_conv1d_groups *self) {
    const tl_conv1d_shape *s = &self->job.shape;
    return self->job.engine[TL_CONV1D_FORWARD] == &tl_conv1d_depthwise || (self->groups > 1 && s->channels == 1 && s->filters == 1);
}

/* Returns the number of outputs whose older taps are summed together: none of them reads a step that is not there yet. */
static size_t outputs_ahead(const tl_conv1d_groups *self) {
    const tl_conv1d_shape *s = &self->job.shape;
    if (by_channel(self) || s->stride > 1 || (s->kernel - 1) * s->channels < MIN_OLDER) return 0;
    return s->dilation + 1 < MAX_AHEAD ? s->dilation + 1 : MAX_AHEAD;
}

/* Returns whether outputs are computed by lane reduction: each group is then a tl_factor. */
static bool by_lanes(const tl_conv1d_groups *self, const tl_kernels *kernels) {
    return !by_channel(self) && tl_direct_by_lanes(&self->job.shape, kernels->lanes);
}

/* Returns the rows of a group of tl_row_turns for this convolution, as many as possible, since all of them read the same weights;
 * 0: its older taps do not take turns. No row of the next group may read a step that is not there yet. */
static size_t rows_of_turns(const tl_conv1d_groups *self, const tl_kernels *kernels) {
    const tl_conv1d_shape *s = &self->job.shape;
    const size_t older = s->kernel - 1;
    if (self->groups > 1 || outputs_ahead(self) == 0 || by_lanes(self, kernels) || s->filters > TL_TURN_VECTORS * kernels->lanes)
        return 0;
    for (size_t rows = TL_TURN_ROWS; rows > 1; rows /= 2) {
        const size_t parts = rows / older; /* of a tap */
        bool there = parts * older == rows && parts >= rows / 2 && s->channels % tl_max(parts, 1) == 0;
        for (size_t turn = 0; turn < rows && there; turn++) there = (older - turn / parts) * s->dilation + turn + 1 >= 2 * rows;
        if (there) return rows;
    }
    return 0;
}

/* What comes before the packed weights if their taps take turns. */
typedef struct in_turns {
    tl_row_turn run;
    tl_row_turns turns;
} in_turns;

enum { TURNS = 128 / (int)sizeof(tl_real) }; /* its elements */

static const in_turns *turns_of(const tl_real *packed) { return (const void *)packed; }

static size_t factor_count(const tl_conv1d_shape *s) { return tl_packed_factor_count(s->kernel * s->channels, s->filters); }

static inline size_t group_count(const tl_conv1d_shape *s) { return tl_packed_count(s->kernel, s->channels, s->filters); }

/* tl_streaming.constants, for the most frequent case: a single output, which fits in one call of the kernel function. */
enum {
    AHEAD,  /* outputs_ahead; 0: does not apply */
    WIDTH,  /* elements of each output */
    NEWEST, /* position of the newest tap, and of its weights */
    FACTOR,
    IN_TURNS = WIDTH, /* without AHEAD: elements of `packed` before the weights if their taps take turns, else 0 */
    LANES = NEWEST,   /* without AHEAD: whether by_lanes */
    WHOLE = FACTOR    /* without AHEAD: whether a single output is one sum over all taps */
};

void tl_conv1d_stream_plan(const tl_conv1d_groups *self, const tl_kernels *kernels, tl_streaming *streaming) {
    const tl_conv1d_shape *s = &self->job.shape;
    streaming->extent = (s->kernel - 1) * s->dilation + 1;
    streaming->stride = s->stride;
    streaming->left = s->pad_left;
    streaming->packed = by_channel(self) ? (s->kernel + 1) * all_channels(self) : self->groups * group_count(s);
    if (by_lanes(self, kernels)) {
        streaming->packed = self->groups * factor_count(s);
        streaming->partial = s->kernel * s->channels;
        streaming->constants[LANES] = true;
        return;
    }
    if (rows_of_turns(self, kernels)) {
        streaming->packed += TURNS;
        streaming->partial = 2 * rows_of_turns(self, kernels) * tl_aligned_count(s->filters);
        streaming->constants[IN_TURNS] = TURNS;
        return;
    }
    streaming->constants[WHOLE] = !by_channel(self) && self->groups == 1 && outputs_ahead(self) == 0;
    streaming->partial = self->groups * outputs_ahead(self) * tl_aligned_count(s->filters);
    if (self->groups > 1 || outputs_ahead(self) == 0 || s->filters > TL_ROW_VECTORS * kernels->lanes) return;
    const size_t newest = s->kernel - 1;
    streaming->constants[AHEAD] = outputs_ahead(self);
    streaming->constants[WIDTH] = tl_aligned_count(s->filters);
    streaming->constants[NEWEST] = newest * s->dilation * s->channels;
    streaming->constants[FACTOR] = tl_aligned_count(s->filters) + newest * s->channels * tl_packed_lanes(kernels, s->filters, 0);
}

/* For the weights that will be packed at `weights`. */
static void pack_turns(const tl_conv1d_shape *s, const tl_kernels *kernels, size_t rows, const tl_real *weights, tl_real *packed) {
    _Static_assert(sizeof(in_turns) <= TURNS * sizeof(tl_real), "it has its place");
    const size_t parts = rows / (s->kernel - 1), count = s->channels / parts, lanes = tl_packed_lanes(kernels, s->filters, 0);
    const tl_real *factor = weights + tl_aligned_count(s->filters);
    in_turns in = {.run = kernels->row_turn(s->filters, rows),
                   .turns = {.rows = rows,
                             .count = count,
                             .channels = s->channels,
                             .width = s->filters,
                             .start = weights,
                             .newest = (s->kernel - 1) * s->dilation * s->channels,
                             .factor = factor + (s->kernel - 1) * s->channels * lanes}};
    for (size_t turn = 0; turn < rows; turn++) {
        in.turns.turn[turn].older = (rows - turn + turn / parts * s->dilation) * s->channels + turn % parts * count;
        in.turns.turn[turn].factor = factor + turn * count * lanes;
    }
    memcpy(packed, &in, sizeof in);
}

void tl_conv1d_stream_pack(const tl_conv1d_groups *self, const tl_kernels *kernels, const tl_real *weight, const tl_real *bias,
                           tl_real *packed) {
    const tl_conv1d_shape *s = &self->job.shape;
    const size_t filters = all_filters(self);
    if (by_channel(self)) { /* (kernel, channels), then the bias */
        memcpy(packed, weight, s->kernel * filters * sizeof *packed);
        if (bias) memcpy(packed + s->kernel * filters, bias, filters * sizeof *packed);
        return;
    }
    const bool lanes = by_lanes(self, kernels);
    const size_t rows = rows_of_turns(self, kernels);
    if (rows) {
        pack_turns(s, kernels, rows, packed + TURNS, packed);
        packed += TURNS;
    }
    for (size_t g = 0; g < self->groups; g++) {
        const tl_packed_weights weights = {.taps = s->kernel,
                                           .channels = s->channels,
                                           .width = s->filters,
                                           .weight = weight + g * s->filters,
                                           .tap_stride = (ptrdiff_t)(s->channels * filters),
                                           .channel_stride = filters,
                                           .output_stride = 1,
                                           .bias = bias ? bias + g * s->filters : NULL};
        if (lanes)
            tl_packed_factor_make(kernels, &weights, packed + g * factor_count(s));
        else
            tl_packed_make(kernels, &weights, packed + g * group_count(s));
    }
}

static void rectify(const tl_kernels *kernels, const tl_stream_pass *pass, size_t filters) {
    if (!pass->streaming->relu) return;
    kernels->activate(
        &(tl_activation_run){.activation = TL_ACTIVATION_RELU, .from = pass->y, .to = pass->y, .count = pass->windows * filters});
}

/* Copies the window of a group of channels, without other channels. */
static void gather_window(const tl_conv1d_groups *self, const tl_real *x, tl_real *window) {
    const tl_conv1d_shape *s = &self->job.shape;
    for (size_t tap = 0; tap < s->kernel; tap++)
        memcpy(window + tap * s->channels, x + tap * all_channels(self), s->channels * sizeof *window);
}

static void run_by_lanes(const tl_conv1d_groups *self, const tl_stream_pass *pass) {
    const tl_conv1d_shape *s = &self->job.shape;
    const size_t channels = all_channels(self), filters = all_filters(self), row = s->stride * channels;
    for (size_t g = 0; g < self->groups; g++) {
        const tl_real *packed = pass->packed + g * factor_count(s), *x = pass->x[0] + g * s->channels;
        tl_factor_rows rows = {
            .x = x, .row_stride = row, .rows = pass->windows, .y = pass->y + g * s->filters, .y_stride = filters};
        if (self->groups == 1 || s->kernel == 1) {
            tl_packed_factor_multiply(packed, &rows);
            continue;
        }
        rows.x = pass->partial;
        rows.rows = 1;
        for (size_t i = 0; i < pass->windows; i++, rows.y += filters) {
            gather_window(self, x + i * row, pass->partial);
            tl_packed_factor_multiply(packed, &rows);
        }
    }
    rectify(tl_kernels_of(pass->workers), pass, filters);
}

static void run_by_channel(const tl_conv1d_groups *self, const tl_stream_pass *pass) {
    const tl_conv1d_shape *s = &self->job.shape;
    const tl_kernels *kernels = tl_kernels_of(pass->workers);
    const size_t channels = all_channels(self);
    kernels->depthwise(&(tl_depthwise_rows){.length = (pass->windows - 1) * s->stride + pass->streaming->extent,
                                            .out_length = pass->windows,
                                            .channels = channels,
                                            .kernel = s->kernel,
                                            .stride = s->stride,
                                            .dilation = s->dilation,
                                            .x = pass->x[0],
                                            .weight = pass->packed,
                                            .bias = pass->packed + s->kernel * channels,
                                            .y = pass->y});
    rectify(kernels, pass, channels);
}

/* The sum of a group over all taps, for all windows of the pass. */
static inline tl_packed_sum sum_of(const tl_conv1d_groups *self, const tl_stream_pass *pass, size_t group) {
    const tl_conv1d_shape *s = &self->job.shape;
    const size_t channels = all_channels(self), filters = all_filters(self);
    const size_t *own = pass->streaming->constants, before = own[AHEAD] ? 0 : own[IN_TURNS];
    return (tl_packed_sum){.packed = pass->packed + before + group * group_count(s),
                           .taps = s->kernel,
                           .channels = s->channels,
                           .width = s->filters,
                           .last = s->kernel,
                           .x = pass->x[0] + group * s->channels,
                           .tap_stride = s->dilation * channels,
                           .row_stride = s->stride * channels,
                           .out = pass->y + group * s->filters,
                           .out_stride = filters,
                           .rows = pass->windows,
                           .relu = pass->streaming->relu};
}

/* Sums all taps except the newest for so many outputs: ahead (outputs, width rounded up to a cache line). Rarely called, and not
 * inlined.
 */
static __attribute__((noinline)) void sum_older(const tl_kernels *kernels, tl_packed_sum sum, size_t outputs, size_t width,
                                                tl_real *ahead) {
    sum.last = sum.taps - 1;
    sum.out = ahead;
    sum.out_stride = width;
    sum.rows = outputs;
    sum.relu = false;
    tl_packed_run(kernels, &sum);
}

/* Computes `sum`, for one output, from the sum of its older taps in slot `slot` of `ahead`. The call for the first of `outputs`
 * outputs computes these sums. */
static inline void sum_newest(const tl_kernels *kernels, const tl_packed_sum *sum, size_t outputs, size_t slot, tl_real *ahead) {
    const size_t width = tl_aligned_count(sum->width), newest = sum->taps - 1;
    tl_packed_sum part = *sum;
    if (slot == 0) sum_older(kernels, *sum, outputs, width, ahead);
    part.first = newest;
    part.x = sum->x + newest * sum->tap_stride;
    part.start = ahead + slot * width;
    tl_packed_row(kernels, &part);
}

static __attribute__((noinline)) void run_all(const tl_conv1d_groups *self, const tl_stream_pass *pass) {
    const tl_kernels *kernels = tl_kernels_of(pass->workers);
    const size_t outputs = pass->windows == 1 ? outputs_ahead(self) : 0;
    if (by_channel(self)) {
        run_by_channel(self, pass);
        return;
    }
    if (pass->streaming->constants[AHEAD] == 0 && pass->streaming->constants[LANES]) {
        run_by_lanes(self, pass);
        return;
    }
    const bool there = outputs && pass->first < *pass->partial_until && pass->first + outputs >= *pass->partial_until;
    if (outputs && !there) *pass->partial_until = pass->first + outputs;
    const size_t slot = outputs ? (size_t)(pass->first + outputs - *pass->partial_until) : 0;
    for (size_t g = 0; g < self->groups; g++) {
        const tl_packed_sum sum = sum_of(self, pass, g);
        if (outputs)
            sum_newest(kernels, &sum, outputs, slot, pass->partial + g * outputs * tl_aligned_count(sum.width));
        else
            tl_packed_run(kernels, &sum);
    }
}

/* Sums the older taps of this output and the next ones. Not inlined, since it is rare. */
static __attribute__((noinline)) void sum_ahead(const tl_conv1d_groups *self, const tl_kernels *kernels,
                                                const tl_stream_pass *pass) {
    const tl_conv1d_shape *s = &self->job.shape;
    const size_t *own = pass->streaming->constants;
    tl_packed_run(kernels, &(tl_packed_sum){.packed = pass->packed,
                                            .taps = s->kernel,
                                            .channels = s->channels,
                                            .width = s->filters,
                                            .last = s->kernel - 1,
                                            .x = pass->x[0],
                                            .tap_stride = s->dilation * s->channels,
                                            .row_stride = s->channels,
                                            .out = pass->partial,
                                            .out_stride = own[WIDTH],
                                            .rows = own[AHEAD]});
    *pass->partial_until = pass->first + own[AHEAD];
}

/* Begins a group with this output. Rarely called, and not inlined. */
static __attribute__((noinline)) void begin_turns(const tl_conv1d_groups *self, const tl_stream_pass *pass) {
    const tl_kernels *kernels = tl_kernels_of(pass->workers);
    const tl_row_turns *turns = &turns_of(pass->packed)->turns;
    const size_t width = tl_packed_lanes(kernels, turns->width, 0);
    sum_older(kernels, sum_of(self, pass, 0), turns->rows, width, pass->partial);
    for (size_t row = turns->rows; row < 2 * turns->rows; row++)
        memcpy(pass->partial + row * width, turns->start, width * sizeof *turns->start);
}

/* One output, and a part of the next ones. *partial_until tells the next output and its turn. */
static inline void run_turn(const tl_conv1d_groups *self, const tl_stream_pass *pass) {
    enum { MAX_TURNS = 2 * TL_TURN_ROWS };
    const in_turns *in = turns_of(pass->packed);
    const uint64_t next = pass->first + 1, until = *pass->partial_until;
    size_t turn = (size_t)(until % MAX_TURNS);
    if (until / MAX_TURNS != next) {
        begin_turns(self, pass);
        turn = 0;
    }
    *pass->partial_until = (next + 1) * MAX_TURNS + ((turn + 1) & (2 * in->turns.rows - 1));
    in->run(&in->turns, turn, pass->x[0], pass->partial, pass->y, pass->streaming->relu);
}

/* One output, by its newest tap. */
static inline void run_newest(const tl_conv1d_groups *self, const tl_kernels *kernels, const tl_stream_pass *pass) {
    const size_t *own = pass->streaming->constants;
    if (*pass->partial_until - pass->first - 1 >= own[AHEAD]) sum_ahead(self, kernels, pass);
    const size_t slot = own[AHEAD] - (size_t)(*pass->partial_until - pass->first);
    kernels->row_product(&(tl_row_product){.x = pass->x[0] + own[NEWEST],
                                           .runs = 1,
                                           .count = self->job.shape.channels,
                                           .stride = 1,
                                           .factor = pass->packed + own[FACTOR],
                                           .start = pass->partial + slot * own[WIDTH],
                                           .out = pass->y,
                                           .width = self->job.shape.filters,
                                           .relu = pass->streaming->relu});
}

/* Other cases; not inlined, so that run_turn saves no registers for them. Within, the most frequent ones are inlined: for a few
 * channels, a few calls take as long as the sum. */
static __attribute__((noinline)) void run_other(const tl_conv1d_groups *self, const tl_stream_pass *pass) {
    const tl_kernels *kernels = tl_kernels_of(pass->workers);
    const size_t *own = pass->streaming->constants;
    if (pass->windows == 1 && own[AHEAD]) {
        run_newest(self, kernels, pass);
    } else if (pass->windows == 1 && own[WHOLE]) {
        const tl_packed_sum sum = sum_of(self, pass, 0);
        tl_packed_row(kernels, &sum);
    } else
        run_all(self, pass);
}

void tl_conv1d_stream_run(const tl_conv1d_groups *self, const tl_stream_pass *pass) {
    const size_t *own = pass->streaming->constants;
    if (pass->windows == 1 && own[AHEAD] == 0 && own[IN_TURNS])
        run_turn(self, pass);
    else
        run_other(self, pass);
}
