/* Seventeen fixed filters that respond to increases, decreases and peaks (Ismail-Fawaz et al. 2022). All channels have the same
 * weights, so that each filter runs over the sum of the channels.
 */
#include "layers/fixed_filters.h"

#include "base/math.h"
#include "compute/counted.h"
#include "layers/registry.h"

#include <string.h>

enum { TRENDS = 6, PEAKS = 5, FILTERS = TL_FIXED_FILTERS, MAX_TAPS = TL_FIXED_TAPS }; /* FILTERS = 2 · TRENDS + PEAKS */

/* The first TRENDS filters are for increases, as many for decreases, the others for peaks. */
static size_t taps_of(size_t filter) {
    return filter < 2 * TRENDS ? (size_t)2 << filter % TRENDS : (size_t)6 << (filter - 2 * TRENDS);
}

/* Parabolas up and down, then down, twice as high up, and down; each of the six parts has a sixth of the taps. */
static double peak_at(size_t tap, size_t taps) {
    const size_t part = taps / 6, within = tap % part, rising = tap / part % 2 == 0 ? within + 1 : part - within;
    const double height = (double)rising / (double)part;
    return (tap / part / 2 == 1 ? 2 : -1) * height * height;
}

size_t tl_fixed_filter(size_t filter, tl_real taps[TL_FIXED_TAPS]) {
    const size_t count = taps_of(filter);
    for (size_t j = 0; j < count; j++) {
        const double trend = (j % 2 == 0) == (filter < TRENDS) ? -1 : 1;
        taps[j] = (tl_real)(filter < 2 * TRENDS ? trend : peak_at(j, count));
    }
    return count;
}

static void fixed_filters_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    layer->out.channels = FILTERS;
}

/* For each worker: the sum of the channels, and the output of one filter. */
static size_t fixed_filters_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)batch;
    return (size_t)threads * 2 * layer->in[0].length;
}

typedef struct fixed_filters_job {
    const tl_pass *pass;
    size_t length, channels;
} fixed_filters_job;

/* The steps of a sample that count. With the padding of TL_PADDING_SAME, those after them are 0, as outside of a series. */
static size_t steps_of(const fixed_filters_job *job, size_t sample) {
    return job->pass->lengths ? job->pass->lengths[sample] : job->length;
}

static void add_scaled(tl_real *restrict to, const tl_real *restrict from, tl_real factor, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] += factor * from[i];
}

/* With the padding of TL_PADDING_SAME, each tap of the outputs first … first + count - 1 reads the inputs from `input` on. */
typedef struct span {
    size_t first, input, count;
} span;

static span span_of(size_t tap, size_t taps, size_t length) {
    const size_t left = (taps - 1) / 2, first = tap < left ? left - tap : 0, input = tap < left ? 0 : tap - left;
    const size_t later = tl_max(first, input);
    return (span){.first = first, .input = input, .count = later < length ? length - later : 0};
}

static void forward_task(void *context, size_t sample, int worker) {
    const fixed_filters_job *job = context;
    const size_t length = steps_of(job, sample);
    const tl_real *x = job->pass->x[0].data + sample * job->length * job->channels;
    tl_real *y = job->pass->y.data + sample * job->length * FILTERS;
    tl_real *sum = job->pass->scratch + (size_t)worker * 2 * job->length, *answers = sum + length, taps[MAX_TAPS];
    memset(sum, 0, length * sizeof *sum);
    for (size_t i = 0; i < length * job->channels; i++) sum[i / job->channels] += x[i];
    for (size_t f = 0; f < FILTERS; f++) {
        tl_fixed_filter(f, taps);
        memset(answers, 0, length * sizeof *answers);
        for (size_t j = 0; j < taps_of(f); j++) {
            const span s = span_of(j, taps_of(f), length);
            add_scaled(answers + s.first, sum + s.input, taps[j], s.count);
        }
        for (size_t t = 0; t < length; t++) y[t * FILTERS + f] = answers[t];
    }
}

static void backward_task(void *context, size_t sample, int worker) {
    const fixed_filters_job *job = context;
    const size_t length = steps_of(job, sample);
    const tl_real *dy = job->pass->dy.data + sample * job->length * FILTERS;
    tl_real *dx = job->pass->dx[0].data + sample * job->length * job->channels;
    tl_real *dsum = job->pass->scratch + (size_t)worker * 2 * job->length, *answers = dsum + length, taps[MAX_TAPS];
    memset(dsum, 0, length * sizeof *dsum);
    for (size_t f = 0; f < FILTERS; f++) {
        tl_fixed_filter(f, taps);
        for (size_t t = 0; t < length; t++) answers[t] = dy[t * FILTERS + f];
        for (size_t j = 0; j < taps_of(f); j++) {
            const span s = span_of(j, taps_of(f), length);
            add_scaled(dsum + s.input, answers + s.first, taps[j], s.count);
        }
    }
    for (size_t i = 0; i < length * job->channels; i++) dx[i] = dsum[i / job->channels];
}

static void share(const tl_layer *layer, const tl_pass *pass, tl_task task) {
    fixed_filters_job job = {.pass = pass, .length = layer->in[0].length, .channels = layer->in[0].channels};
    size_t taps = job.channels;
    for (size_t f = 0; f < FILTERS; f++) taps += taps_of(f);
    tl_parallel(pass->workers, pass->batch, 2.0 * (double)pass->batch * (double)job.length * (double)taps, task, &job);
}

static void fixed_filters_forward(const tl_layer *layer, const tl_pass *pass) { share(layer, pass, forward_task); }

static void fixed_filters_backward(const tl_layer *layer, const tl_pass *pass) {
    if (pass->dx[0].data) share(layer, pass, backward_task);
}

/* ---- stream ---- */

static void fixed_filters_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    (void)layer;
    (void)workers;
    (void)error;
    streaming->extent = MAX_TAPS;
    streaming->left = (MAX_TAPS - 1) / 2;
    streaming->packed = FILTERS * MAX_TAPS;
    streaming->partial = MAX_TAPS;
}

static void fixed_filters_stream_pack(const tl_layer *layer, const tl_workers *workers, tl_real *const *parameter,
                                      tl_real *const *state, tl_real *packed) {
    (void)layer;
    (void)workers;
    (void)parameter;
    (void)state;
    for (size_t f = 0; f < FILTERS; f++) tl_fixed_filter(f, packed + f * MAX_TAPS);
}

/* The additions have the order of forward_task. */
static void fixed_filters_stream_run(const tl_layer *layer, const tl_stream_pass *pass) {
    const size_t channels = layer->in[0].channels;
    tl_real *sum = pass->partial;
    for (size_t i = 0; i < pass->windows; i++) {
        const tl_real *x = pass->x[0] + i * channels;
        memset(sum, 0, MAX_TAPS * sizeof *sum);
        for (size_t j = 0; j < MAX_TAPS * channels; j++) sum[j / channels] += x[j];
        for (size_t f = 0; f < FILTERS; f++) {
            const tl_real *taps = pass->packed + f * MAX_TAPS, *from = sum + (MAX_TAPS - 1) / 2 - (taps_of(f) - 1) / 2;
            tl_real answer = 0;
            for (size_t j = 0; j < taps_of(f); j++) answer += taps[j] * from[j];
            pass->y[i * FILTERS + f] = answer;
        }
    }
}

static const tl_stream_ops fixed_filters_stream = {
    .plan = fixed_filters_stream_plan, .pack = fixed_filters_stream_pack, .run = fixed_filters_stream_run};

static double fixed_filters_flops(const tl_layer *layer) {
    double taps = 0;
    for (size_t f = 0; f < FILTERS; f++) taps += (double)taps_of(f);
    return (double)layer->in[0].length * ((double)layer->in[0].channels - 1 + 2 * taps);
}

const tl_layer_ops tl_fixed_filters_layer_ops = {
    .name = "fixed_filters",
    .size = sizeof(tl_layer),
    .setup = fixed_filters_setup,
    .scratch = fixed_filters_scratch,
    .flops = fixed_filters_flops,
    .forward = fixed_filters_forward,
    .backward = fixed_filters_backward,
    .stream = &fixed_filters_stream,
    .reads_behind = tl_reads_counted,
};

tl_node tl_fixed_filters(tl_model *model, tl_node x) {
    const tl_layer layer = {.ops = &tl_fixed_filters_layer_ops};
    return tl_layer_add(model, &x, 1, &layer);
}
