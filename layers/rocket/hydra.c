/* Kind hydra: groups of random kernels that compete for each step of a series (Dempster, Schmidt & Webb 2023). */
#include "base/math.h"
#include "base/memory.h"
#include "layers/rocket/rocket.h"

#include <math.h>

enum { BANKS = 2, KERNELS = TL_HYDRA_KERNELS, EACH = 2 * KERNELS /* features of a group */, MARGIN = TL_ROCKET_TAPS / 2 };
enum { MIN_CHANNELS = 2, MAX_CHANNELS = 8 }; /* channels that a group adds up, if there are several */

/* ---- setup ---- */

static size_t rows_of(const tl_rocket_layer *self) { return self->doublings * BANKS * self->groups; }

static void hydra_plan(tl_rocket_layer *self, tl_error *error) {
    const size_t channels = self->base.in[0].channels;
    if (self->features < BANKS * EACH) {
        tl_fail(error, TL_ERROR_ARGUMENT, "features %d is below %d, the features of two groups at one dilation", self->features,
                BANKS * EACH);
        return;
    }
    self->groups = (size_t)self->features / (BANKS * EACH);
    self->reach = self->doublings = 1;
    for (; 2 * self->reach * (TL_ROCKET_TAPS - 1) < self->length; self->doublings++) self->reach *= 2;
    self->chosen = channels > 1 ? tl_min(tl_max(channels / 2, MIN_CHANNELS), MAX_CHANNELS) : 0;
    const size_t rows = rows_of(self);
    self->base.out = (tl_shape){.length = 1, .channels = rows * EACH};
    self->base.sums = 1;
    tl_layer_state(&self->base, "fitted", 1, &(size_t){1}, TL_INIT_ZEROS);
    tl_layer_state(&self->base, "weight", 2, (const size_t[]){rows, TL_ROCKET_TAPS * KERNELS}, TL_INIT_ZEROS);
    if (self->chosen > 0) tl_layer_state(&self->base, "channel", 2, (const size_t[]){rows, self->chosen}, TL_INIT_ZEROS);
}

/* ---- drawing ---- */

/* The kernels do not depend on the data; only its series are counted. */
static void hydra_accumulate(const tl_rocket_layer *self, const tl_pass *pass) {
    (void)self;
    pass->sums[0] += (double)pass->batch;
}

/* Draws normal numbers, subtracts their mean, and divides by the sum of their absolute values. */
static void draw_kernel(tl_rng *rng, tl_real *weight) {
    double tap[TL_ROCKET_TAPS], mean = 0, size = 0;
    for (size_t j = 0; j < TL_ROCKET_TAPS; j++) mean += (tap[j] = tl_rng_normal(rng)) / TL_ROCKET_TAPS;
    for (size_t j = 0; j < TL_ROCKET_TAPS; j++) size += fabs(tap[j] - mean);
    for (size_t j = 0; j < TL_ROCKET_TAPS; j++) weight[j * KERNELS] = (tl_real)((tap[j] - mean) / size);
}

static void hydra_draw(const tl_rocket_layer *self, const tl_pass *pass) {
    const uint32_t channels = (uint32_t)self->base.in[0].channels;
    for (size_t row = 0; row < rows_of(self); row++) {
        tl_rng rng = tl_rng_at(pass->seed, TL_STREAM_FEATURES, pass->node, row);
        tl_real *weight = pass->state[TL_ROCKET_BIAS] + row * TL_ROCKET_TAPS * KERNELS;
        for (size_t k = 0; k < KERNELS; k++) draw_kernel(&rng, weight + k);
        for (size_t c = 0; c < self->chosen; c++)
            pass->state[TL_ROCKET_CHANNEL][row * self->chosen + c] = (tl_real)tl_rng_below(&rng, channels);
    }
    pass->state[TL_ROCKET_FITTED][0] = 1;
}

/* ---- the transform ---- */

typedef struct hydra_job {
    const tl_rocket_layer *layer;
    const tl_pass *pass;
    const tl_kernels *kernels;
    size_t each; /* elements of scratch for each worker */
} hydra_job;

static size_t scratch_of_worker(const tl_rocket_layer *self) {
    const size_t row = self->base.in[0].length + 2 * MARGIN * self->reach;
    return tl_aligned_count(((self->base.in[0].channels + 1) * row + EACH) * TL_ROCKET_MAX_LANES);
}

static size_t hydra_scratch(const tl_rocket_layer *self, int threads) { return (size_t)threads * scratch_of_worker(self); }

/* Returns the input of the kernels of a group: a channel, or the sum of several channels. */
static const tl_real *input_of(const tl_rocket_block *b, size_t row, tl_real *sum) {
    size_t channel[TL_ROCKET_MAX_CHANNELS];
    const size_t count = tl_rocket_channels(b->layer, b->pass->state[TL_ROCKET_CHANNEL], row, channel);
    if (count == 1) return b->padded + channel[0] * b->row;
    for (size_t i = 0; i < b->row; i++) sum[i] = b->padded[channel[0] * b->row + i] + b->padded[channel[1] * b->row + i];
    for (size_t c = 2; c < count; c++)
        for (size_t i = 0; i < b->row; i++) sum[i] += b->padded[channel[c] * b->row + i];
    return sum;
}

/* Writes square roots, so that large counts do not outweigh the others (section 3.5). If a value of the series is not finite, all
 * its features are NaN. */
static void write_features(const tl_rocket_block *b, size_t row, const tl_real *counts) {
    for (size_t lane = 0; lane < b->samples; lane++) {
        tl_real *y = b->pass->y.data + (b->sample + lane) * b->layer->base.out.channels + row * EACH;
        for (size_t f = 0; f < EACH; f++)
            y[f] = b->finite[lane] ? (tl_real)sqrt(fmax(0, (double)counts[f * b->lanes + lane])) : (tl_real)NAN;
    }
}

static void run_groups(const hydra_job *job, tl_rocket_block *b, size_t first_row) {
    tl_real *sum = b->padded + b->layer->base.in[0].channels * b->row, *counts = sum + b->row, steps[TL_ROCKET_MAX_LANES] = {0};
    for (size_t lane = 0; lane < b->samples; lane++) steps[lane] = (tl_real)tl_rocket_steps_of(b, lane);
    for (size_t row = first_row; row < first_row + b->layer->groups; row++) {
        job->kernels->rocket_compete(&(tl_rocket_group){.x = input_of(b, row, sum),
                                                        .stride = b->margin / MARGIN * b->lanes,
                                                        .steps = b->steps,
                                                        .weight = b->pass->state[TL_ROCKET_BIAS] + row * TL_ROCKET_TAPS * KERNELS,
                                                        .counted = steps,
                                                        .counts = counts});
        write_features(b, row, counts);
    }
}

static void hydra_task(void *context, size_t task, int worker) {
    const hydra_job *job = context;
    const tl_rocket_layer *self = job->layer;
    const size_t each = self->doublings * BANKS, lanes = job->kernels->lanes, sample = task / each * lanes, part = task % each;
    tl_rocket_block b = {.layer = self, .pass = job->pass, .lanes = lanes, .sample = sample, .differences = part % BANKS == 1};
    b.samples = tl_min(job->pass->batch - sample, lanes);
    b.margin = (size_t)MARGIN << part / BANKS;
    b.steps = self->base.in[0].length - b.differences;
    b.row = (b.steps + 2 * b.margin) * lanes;
    b.padded = job->pass->scratch + (size_t)worker * job->each;
    tl_rocket_load(&b);
    run_groups(job, &b, part * self->groups);
}

static void hydra_transform(const tl_rocket_layer *self, const tl_pass *pass) {
    hydra_job job = {.layer = self, .pass = pass, .kernels = tl_kernels_of(pass->workers), .each = scratch_of_worker(self)};
    const size_t blocks = tl_ceil_div(pass->batch, job.kernels->lanes);
    const double work = 10.0 * (double)pass->batch * (double)self->base.in[0].length * (double)self->base.out.channels;
    tl_parallel(pass->workers, blocks * self->doublings * BANKS, work, hydra_task, &job);
}

/* For each kernel and step, nine products and their sum, and a comparison with the largest and the smallest output. */
static double hydra_flops(const tl_rocket_layer *self) {
    return (double)self->base.in[0].length * (double)(rows_of(self) * KERNELS) * (2.0 * TL_ROCKET_TAPS + 1);
}

const tl_rocket_ops tl_rocket_hydra_ops = {.name = "hydra",
                                           .features = 1024,
                                           .shortest = TL_ROCKET_TAPS + 1,
                                           .plan = hydra_plan,
                                           .accumulate = hydra_accumulate,
                                           .draw = hydra_draw,
                                           .scratch = hydra_scratch,
                                           .flops = hydra_flops,
                                           .transform = hydra_transform};
