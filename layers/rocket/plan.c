/* MiniRocket's kernels, dilations and biases (Dempster, Schmidt & Webb 2021, section 3.1). */
#include "base/math.h"
#include "layers/rocket/rocket.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The elements of all kept series together, and the minimum number of kept series. */
enum { KEPT = 1 << 21, MIN_KEPT = 16 };

static const double golden_ratio = 1.6180339887498949;

/* ---- setup ---- */

static void list_kernels(tl_rocket_layer *self) {
    size_t kernel = 0;
    for (int i = 0; i < TL_ROCKET_TAPS; i++)
        for (int j = i + 1; j < TL_ROCKET_TAPS; j++)
            for (int k = j + 1; k < TL_ROCKET_TAPS; k++, kernel++) {
                self->tap[kernel][0] = (unsigned char)i;
                self->tap[kernel][1] = (unsigned char)j;
                self->tap[kernel][2] = (unsigned char)k;
            }
}

/* Chooses dilations 2^e, rounded down, for exponents e at equal distances from 0 to the largest one, at which a kernel spans the
 * series. A dilation that several exponents give gets the biases of all of them. Biases that remain after rounding down are added
 * to the dilations one by one, from the smallest on. */
static void choose_dilations(tl_rocket_bank *bank, size_t length, size_t biases) {
    const size_t count = tl_min(biases, TL_ROCKET_MAX_DILATIONS);
    const double largest = log2((double)(length - 1) / (TL_ROCKET_TAPS - 1));
    size_t shares[TL_ROCKET_MAX_DILATIONS] = {0}, given = 0;
    for (size_t i = 0; i < count; i++) {
        /* The tolerance: the last bit of log2 must not make a power of two smaller. */
        const double step = floor(exp2(count > 1 ? largest * (double)i / (double)(count - 1) : 0) * (1 + 1e-12));
        if (bank->dilations == 0 || bank->dilation[bank->dilations - 1].step != (size_t)step)
            bank->dilation[bank->dilations++].step = (size_t)step;
        shares[bank->dilations - 1]++;
    }
    for (size_t i = 0; i < bank->dilations; i++) given += bank->dilation[i].biases = shares[i] * biases / count;
    for (size_t i = 0; given < biases; i = (i + 1) % bank->dilations, given++) bank->dilation[i].biases++;
}

/* Adds a bank whose kernels have `biases` biases each. */
static void add_bank(tl_rocket_layer *self, bool differences, size_t biases) {
    tl_rocket_bank *bank = &self->bank[self->banks++];
    *bank = (tl_rocket_bank){.differences = differences, .first_bias = self->biases, .first_pair = self->pairs};
    choose_dilations(bank, self->length - differences, biases);
    for (size_t i = 0; i < bank->dilations; i++) {
        tl_rocket_dilation *dilation = &bank->dilation[i];
        dilation->first = bank->biases;
        bank->biases += dilation->biases * TL_ROCKET_KERNELS;
        self->widest = tl_max(self->widest, dilation->biases);
        self->reach = tl_max(self->reach, dilation->step);
    }
    self->biases += bank->biases;
    self->pairs += bank->dilations * TL_ROCKET_KERNELS;
}

/* Number of elements of a kept series: its length, then its values. */
static size_t size_of(const tl_rocket_layer *self) { return 1 + self->base.in[0].length * self->base.in[0].channels; }

void tl_rocket_plan(tl_rocket_layer *self, tl_error *error) {
    const bool multi = self->kind == TL_ROCKET_MULTI;
    self->pooled = multi ? 4 : 1;
    const size_t each = self->pooled * (multi ? 2 : 1) * TL_ROCKET_KERNELS, features = (size_t)self->features;
    if (features < each) {
        tl_fail(error, TL_ERROR_ARGUMENT, "features %d is below %zu, the minimum for %d kernels", self->features, each,
                (int)TL_ROCKET_KERNELS);
        return;
    }
    list_kernels(self);
    add_bank(self, false, features / each);
    if (multi) add_bank(self, true, features / each);
    const size_t channels = self->base.in[0].channels, size = self->base.in[0].length * channels;
    self->chosen = channels > 1 ? tl_min(channels, TL_ROCKET_MAX_CHANNELS) : 0;
    self->kept = tl_min(self->pairs, tl_max(KEPT / size, MIN_KEPT));
    self->base.out = (tl_shape){.length = 1, .channels = self->biases * self->pooled};
    self->base.sums = 1 + self->kept * size_of(self);
    tl_layer_state(&self->base, "fitted", 1, &(size_t){1}, TL_INIT_ZEROS);
    tl_layer_state(&self->base, "bias", 1, &self->biases, TL_INIT_ZEROS);
    if (self->chosen > 0) tl_layer_state(&self->base, "channel", 2, (const size_t[]){self->pairs, self->chosen}, TL_INIT_ZEROS);
}

/* The state may come from a file with any numbers, so they are limited here. */
size_t tl_rocket_channels(const tl_rocket_layer *self, const tl_real *state, size_t pair, size_t channel[TL_ROCKET_MAX_CHANNELS]) {
    const size_t last = self->base.in[0].channels - 1;
    size_t count = 0;
    channel[0] = 0;
    if (self->chosen == 0) return 1;
    for (const tl_real *row = state + pair * self->chosen; count < self->chosen && row[count] >= 0; count++)
        channel[count] = row[count] < (tl_real)last ? (size_t)row[count] : last;
    return tl_max(count, 1);
}

/* ---- kept series ---- */

/* The sums are the number of kept series, then these series. The first series of the preparation are kept, because their order is
 * random. */
void tl_rocket_keep(const tl_rocket_layer *self, const tl_pass *pass) {
    const size_t each = size_of(self) - 1, before = (size_t)pass->sums[0], count = tl_min(self->kept - before, pass->batch);
    for (size_t i = 0; i < count; i++) {
        double *to = pass->sums + 1 + (before + i) * size_of(self);
        to[0] = (double)(pass->lengths ? pass->lengths[i] : self->base.in[0].length);
        for (size_t k = 0; k < each; k++) to[1 + k] = (double)pass->x[0].data[i * each + k];
    }
    pass->sums[0] += (double)count;
}

/* ---- drawing ---- */

/* Draws one to nine different channels. The logarithm of their number is uniform, as in the authors' code for several channels. */
static void draw_channels(const tl_rocket_layer *self, tl_rng *rng, tl_real *row) {
    const size_t channels = self->base.in[0].channels;
    const size_t count = tl_min((size_t)exp2(tl_rng_uniform(rng) * log2((double)self->chosen + 1)), self->chosen);
    for (size_t i = 0; i < self->chosen; i++) row[i] = -1;
    for (size_t i = 0; i < count; i++) {
        bool taken = true;
        while (taken) {
            row[i] = (tl_real)tl_rng_below(rng, (uint32_t)channels);
            taken = false;
            for (size_t k = 0; k < i; k++) taken = taken || row[k] == row[i];
        }
    }
}

typedef struct draw_job {
    const tl_rocket_layer *layer;
    const tl_pass *pass;
    size_t each; /* elements of scratch for each worker */
} draw_job;

static double value_at(const double *series, bool differences, ptrdiff_t at, ptrdiff_t steps, size_t channels) {
    if (at < 0 || at >= steps) return 0;
    const tl_real here = (tl_real)series[(size_t)at * channels];
    return differences ? (double)(tl_real)((tl_real)series[((size_t)at + 1) * channels] - here) : (double)here;
}

/* One output of a kernel on one channel. */
static double convolve(const tl_rocket_bank *bank, const unsigned char tap[3], ptrdiff_t dilation, const double *series,
                       ptrdiff_t at, ptrdiff_t steps, size_t channels) {
    double sum = 0;
    for (ptrdiff_t j = 0; j < TL_ROCKET_TAPS; j++) {
        const double value = value_at(series, bank->differences, at + (j - TL_ROCKET_TAPS / 2) * dilation, steps, channels);
        sum += j == tap[0] || j == tap[1] || j == tap[2] ? 2 * value : -value;
    }
    return sum;
}

static int compare(const void *a, const void *b) {
    const tl_real first = *(const tl_real *)a, second = *(const tl_real *)b;
    return (first > second) - (first < second);
}

/* Interpolates between the two nearest values. */
static double quantile(const tl_real *sorted, size_t count, double share) {
    const double place = share * (double)(count - 1);
    const size_t below = tl_min((size_t)place, count - 1), above = tl_min(below + 1, count - 1);
    return (double)sorted[below] + (place - (double)below) * ((double)sorted[above] - (double)sorted[below]);
}

/* Sets the biases of a pair to quantiles of its outputs for one series. The shares are the fractional parts of multiples of the
 * golden ratio, which fill 0 … 1 evenly. */
static void draw_biases(const draw_job *job, const tl_rocket_bank *bank, size_t pair, const double *kept, tl_real *outputs) {
    const tl_rocket_layer *self = job->layer;
    const tl_rocket_dilation *dilation = &bank->dilation[pair / TL_ROCKET_KERNELS];
    const size_t kernel = pair % TL_ROCKET_KERNELS, steps = (size_t)kept[0] - (bank->differences && kept[0] > 1);
    size_t channel[TL_ROCKET_MAX_CHANNELS];
    const size_t count = tl_rocket_channels(self, job->pass->state[TL_ROCKET_CHANNEL], bank->first_pair + pair, channel);
    for (size_t t = 0; t < steps; t++) {
        double sum = 0;
        for (size_t c = 0; c < count; c++)
            sum += convolve(bank, self->tap[kernel], (ptrdiff_t)dilation->step, kept + 1 + channel[c], (ptrdiff_t)t,
                            (ptrdiff_t)steps, self->base.in[0].channels);
        outputs[t] = (tl_real)sum;
    }
    qsort(outputs, steps, sizeof *outputs, compare);
    const size_t first = dilation->first + kernel * dilation->biases;
    for (size_t i = first; i < first + dilation->biases; i++)
        job->pass->state[TL_ROCKET_BIAS][bank->first_bias + i] =
            (tl_real)quantile(outputs, steps, fmod((double)(i + 1) * golden_ratio, 1));
}

static void draw_task(void *context, size_t pair, int worker) {
    const draw_job *job = context;
    const tl_rocket_layer *self = job->layer;
    const tl_rocket_bank *bank = &self->bank[self->banks > 1 && pair >= self->bank[1].first_pair];
    tl_rng rng = tl_rng_at(job->pass->seed, TL_STREAM_FEATURES, job->pass->node, pair);
    const size_t series = tl_rng_below(&rng, (uint32_t)job->pass->sums[0]);
    if (self->chosen > 0) draw_channels(self, &rng, job->pass->state[TL_ROCKET_CHANNEL] + pair * self->chosen);
    draw_biases(job, bank, pair - bank->first_pair, job->pass->sums + 1 + series * size_of(self),
                job->pass->scratch + (size_t)worker * job->each);
}

void tl_rocket_draw(const tl_rocket_layer *self, const tl_pass *pass) {
    draw_job job = {.layer = self, .pass = pass, .each = self->base.in[0].length};
    tl_parallel(pass->workers, self->pairs, (double)self->pairs * (double)job.each * 100, draw_task, &job);
    pass->state[TL_ROCKET_FITTED][0] = 1;
}
