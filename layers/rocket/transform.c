/* The transform of kinds mini and multi: a task computes all kernels of one dilation for some series, one in each lane of a vector.
 * Weights are -1 and 2. An output is therefore three times the sum of three inputs minus the sum of all nine; the latter is the
 * same for all kernels of a dilation (Dempster, Schmidt & Webb 2021, section 3.2).
 */
#include "base/argument.h"
#include "base/math.h"
#include "base/memory.h"
#include "layers/rocket/rocket.h"

#include <math.h>
#include <string.h>

enum { MARGIN = TL_ROCKET_TAPS / 2 };

typedef struct transform_job {
    const tl_rocket_layer *layer;
    const tl_pass *pass;
    const tl_kernels *kernels;
    size_t each; /* elements of scratch for each worker */
} transform_job;

/* The outputs of each lane that count: all outputs of the series padded with zeros, or only those that need no padding (all, if
 * there are none). */
typedef struct lanes_range {
    size_t first, last;                                          /* outputs that count in any lane */
    size_t begin[TL_ROCKET_MAX_LANES], end[TL_ROCKET_MAX_LANES]; /* of each lane */
    tl_real outputs[TL_ROCKET_MAX_LANES], skipped[TL_ROCKET_MAX_LANES];
} lanes_range;

/* The data of a task. The values of `padded` are multiplied by 3. */
typedef struct block {
    tl_rocket_block at;
    const transform_job *job;
    const tl_rocket_bank *bank;
    const tl_rocket_dilation *dilation;
    tl_real *shared;      /* (channels, steps, lanes) the negative sum of all nine inputs */
    tl_real *output;      /* (steps, lanes) of a kernel */
    tl_real *pooled;      /* (statistics, biases, lanes) */
    lanes_range range[2]; /* with padding, and without */
} block;

/* Enough for the lanes of any instruction set. */
static size_t scratch_of_worker(const tl_rocket_layer *self) {
    const size_t steps = self->base.in[0].length, channels = self->base.in[0].channels;
    const size_t rows = channels * (2 * steps + 2 * MARGIN * self->reach) + steps + self->pooled * self->widest;
    return tl_aligned_count(rows * TL_ROCKET_MAX_LANES);
}

static size_t transform_scratch(const tl_rocket_layer *self, int threads) { return (size_t)threads * scratch_of_worker(self); }

/* ---- the series of a block ---- */

static void find_range(const block *b, size_t margin, lanes_range *range) {
    range->first = b->at.steps;
    range->last = 0;
    for (size_t lane = 0; lane < b->at.samples; lane++) {
        const size_t steps = tl_rocket_steps_of(&b->at, lane), cut = steps > 2 * margin ? margin : 0;
        range->begin[lane] = cut;
        range->end[lane] = steps - cut;
        range->outputs[lane] = (tl_real)(steps - 2 * cut);
        range->first = tl_min(range->first, cut);
        range->last = tl_max(range->last, steps - cut);
    }
    for (size_t lane = b->at.samples; lane < b->at.lanes; lane++) {
        range->begin[lane] = range->first;
        range->end[lane] = range->last;
        range->outputs[lane] = 1;
    }
    for (size_t lane = 0; lane < b->at.lanes; lane++) range->skipped[lane] = (tl_real)(range->begin[lane] - range->first);
}

/* Adds the middle tap first, then the others in order. */
static void add_taps(const block *b, size_t channel) {
    const size_t lanes = b->at.lanes, count = b->at.steps * lanes, stride = b->dilation->step * lanes;
    const tl_real *restrict from = b->at.padded + channel * b->at.row;
    tl_real *restrict sum = b->shared + channel * count;
    memcpy(sum, from + MARGIN * stride, count * sizeof *sum);
    for (size_t tap = 0; tap < TL_ROCKET_TAPS; tap++)
        for (size_t i = 0; tap != MARGIN && i < count; i++) sum[i] += from[tap * stride + i];
    for (size_t i = 0; i < count; i++) sum[i] = -sum[i];
}

/* Adds, because a compiler may fuse a product with a later addition, which is then rounded differently. */
static void triple(tl_real *values, size_t count) {
    for (size_t i = 0; i < count; i++) values[i] = values[i] + values[i] + values[i];
}

static void load_block(block *b) {
    const size_t channels = b->at.layer->base.in[0].channels;
    tl_rocket_load(&b->at);
    for (size_t c = 0; c < channels; c++) add_taps(b, c);
    triple(b->at.padded, channels * b->at.row);
    find_range(b, 0, &b->range[0]);
    find_range(b, MARGIN * b->dilation->step, &b->range[1]);
}

/* ---- kernels ---- */

static void convolve(const block *b, size_t kernel) {
    const tl_rocket_layer *self = b->job->layer;
    const size_t lanes = b->at.lanes,
                 pair = b->bank->first_pair + (size_t)(b->dilation - b->bank->dilation) * TL_ROCKET_KERNELS + kernel;
    size_t channel[TL_ROCKET_MAX_CHANNELS];
    const size_t count = tl_rocket_channels(self, b->job->pass->state[TL_ROCKET_CHANNEL], pair, channel);
    for (size_t c = 0; c < count; c++) {
        const tl_real *padded = b->at.padded + channel[c] * b->at.row;
        tl_rocket_sum sum = {.out = b->output, .count = b->at.steps * lanes, .more = c > 0};
        sum.term[0] = b->shared + channel[c] * b->at.steps * lanes;
        for (size_t i = 0; i < 3; i++) sum.term[1 + i] = padded + self->tap[kernel][i] * b->dilation->step * lanes;
        b->job->kernels->rocket_sum(&sum);
    }
}

/* Sets outputs of shorter series that do not count to -∞: they are not above any bias. */
static void blank(const block *b, const lanes_range *range) {
    const size_t lanes = b->at.lanes;
    for (size_t lane = 0; lane < b->at.samples; lane++) {
        for (size_t t = range->first; t < range->begin[lane]; t++) b->output[t * lanes + lane] = (tl_real)-INFINITY;
        for (size_t t = range->end[lane]; t < range->last; t++) b->output[t * lanes + lane] = (tl_real)-INFINITY;
    }
}

/* If a value of the series is not finite, all its features are NaN. */
static void write_features(const block *b, size_t first) {
    const tl_rocket_layer *self = b->job->layer;
    const size_t biases = b->dilation->biases, lanes = b->at.lanes;
    for (size_t lane = 0; lane < b->at.samples; lane++) {
        tl_real *y = b->job->pass->y.data + (b->at.sample + lane) * self->base.out.channels + first;
        for (size_t p = 0; p < self->pooled; p++)
            for (size_t f = 0; f < biases; f++)
                y[p * self->biases + f] = b->at.finite[lane] ? b->pooled[(p * biases + f) * lanes + lane] : (tl_real)NAN;
    }
}

/* The series is padded if the sum of the indices of kernel and dilation is even. */
static void run_kernel(const block *b, size_t kernel) {
    const size_t dilation = (size_t)(b->dilation - b->bank->dilation), lanes = b->at.lanes;
    const lanes_range *range = &b->range[(dilation + kernel) % 2];
    const size_t first = b->bank->first_bias + b->dilation->first + kernel * b->dilation->biases;
    convolve(b, kernel);
    blank(b, range);
    const tl_rocket_count run = {.output = b->output + range->first * lanes,
                                 .steps = range->last - range->first,
                                 .bias = b->job->pass->state[TL_ROCKET_BIAS] + first,
                                 .biases = b->dilation->biases,
                                 .outputs = range->outputs,
                                 .skipped = range->skipped,
                                 .pooled = b->pooled};
    if (b->job->layer->pooled > 1)
        b->job->kernels->rocket_pool(&run);
    else
        b->job->kernels->rocket_count(&run);
    write_features(b, first);
}

/* ---- tasks ---- */

/* Finds a dilation by its number, which counts over all banks. */
static void find_dilation(const tl_rocket_layer *self, size_t number, block *b) {
    b->bank = &self->bank[number >= self->bank[0].dilations];
    b->dilation = &b->bank->dilation[number - (b->bank == self->bank ? 0 : self->bank[0].dilations)];
}

static size_t count_dilations(const tl_rocket_layer *self) { return self->bank[0].dilations + self->bank[1].dilations; }

static void transform_task(void *context, size_t task, int worker) {
    const transform_job *job = context;
    const tl_rocket_layer *self = job->layer;
    const size_t dilations = count_dilations(self), channels = self->base.in[0].channels, lanes = job->kernels->lanes;
    block b = {.job = job, .at = {.layer = self, .pass = job->pass, .lanes = lanes, .sample = task / dilations * lanes}};
    find_dilation(self, task % dilations, &b);
    b.at.samples = tl_min(job->pass->batch - b.at.sample, lanes);
    b.at.differences = b.bank->differences;
    b.at.margin = MARGIN * b.dilation->step;
    b.at.steps = self->base.in[0].length - b.at.differences;
    b.at.row = (b.at.steps + 2 * b.at.margin) * lanes;
    b.at.padded = job->pass->scratch + (size_t)worker * job->each;
    b.shared = b.at.padded + channels * b.at.row;
    b.output = b.shared + channels * b.at.steps * lanes;
    b.pooled = b.output + b.at.steps * lanes;
    load_block(&b);
    for (size_t kernel = 0; kernel < TL_ROCKET_KERNELS; kernel++) run_kernel(&b, kernel);
}

static void transform(const tl_rocket_layer *self, const tl_pass *pass) {
    transform_job job = {.layer = self, .pass = pass, .kernels = tl_kernels_of(pass->workers), .each = scratch_of_worker(self)};
    const double work = (double)pass->batch * (double)self->base.in[0].length * (double)(self->biases * self->pooled);
    tl_parallel(pass->workers, tl_ceil_div(pass->batch, job.kernels->lanes) * count_dilations(self), work, transform_task, &job);
}

/* For each dilation, eight additions that all kernels share; three additions for each kernel; a comparison for each bias. */
static double transform_flops(const tl_rocket_layer *self) {
    const double dilations = (double)count_dilations(self), channels = (double)self->base.in[0].channels;
    return (double)self->base.in[0].length *
           (dilations * (8 * channels + 3 * TL_ROCKET_KERNELS) + (double)(self->biases * self->pooled));
}

const tl_rocket_ops tl_rocket_mini_ops = {.name = "mini",
                                          .features = 9996,
                                          .shortest = TL_ROCKET_TAPS,
                                          .plan = tl_rocket_plan,
                                          .accumulate = tl_rocket_keep,
                                          .draw = tl_rocket_draw,
                                          .scratch = transform_scratch,
                                          .flops = transform_flops,
                                          .transform = transform};

const tl_rocket_ops tl_rocket_multi_ops = {.name = "multi",
                                           .features = 49728,
                                           .shortest = TL_ROCKET_TAPS + 1, /* differences are shorter by one */
                                           .plan = tl_rocket_plan,
                                           .accumulate = tl_rocket_keep,
                                           .draw = tl_rocket_draw,
                                           .scratch = transform_scratch,
                                           .flops = transform_flops,
                                           .transform = transform};
