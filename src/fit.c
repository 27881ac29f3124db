/* Fitting: nothing here that a user could not write with the lower tier. */
#include <tapline/layers.h>
#include <tapline/random.h>
#include <tapline/train.h>

#include "clock.h"
#include "evaluate.h"
#include "memory.h"
#include "metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a fit at work ---- */

typedef struct fit {
    tl_model *model;
    const tl_dataset *data;
    tl_fit_cfg cfg; /* defaults filled in */
    tl_schedule schedule;
    double learning_rate; /* that the schedule set last */
    uint32_t *order;      /* (samples) the epoch's */
    tl_tensor x;          /* (batch, length, channels) gathered samples */
    int32_t *labels;      /* (batch) */
    tl_real *values;      /* (batch) */
    tl_real *best;        /* parameters and state of the best epoch */
    tl_fit_result result;
    double begin;
} fit;

static void release_fit(fit *f) {
    tl_release(f->order);
    tl_tensor_free(&f->x);
    tl_release(f->labels);
    tl_release(f->values);
    tl_release(f->best);
}

/* Copies every parameter and state out of the model, or back into it. */
static void copy_parameters(tl_model *model, tl_real *copy, bool back) {
    const size_t arrays = tl_parameter_arrays(model);
    for (size_t i = 0; i < arrays; i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        const size_t count = tl_tensor_count(&parameter.value);
        memcpy(back ? parameter.value.data : copy, back ? copy : parameter.value.data, count * sizeof(tl_real));
        copy += count;
    }
}

static size_t count_parameters(const tl_model *model) {
    size_t count = 0;
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        count += tl_tensor_count(&parameter.value);
    }
    return count;
}

/* Lets the schedule set the rate; what a callback has set stays until the schedule's own changes. */
static void set_rate(fit *f) {
    const double rate = tl_schedule_rate(&f->schedule);
    if (rate != f->learning_rate) tl_set_learning_rate(f->model, rate);
    f->learning_rate = rate;
}

static size_t parts_of(size_t count, size_t size) { return (count + size - 1) / size; }

static tl_status prepare_schedule(fit *f, size_t samples, tl_error *error) {
    const uint64_t steps = (uint64_t)f->cfg.epochs * parts_of(parts_of(samples, f->cfg.batch), f->cfg.accumulate);
    f->learning_rate = tl_learning_rate(f->model);
    if (tl_schedule_prepare(&f->schedule, &f->cfg.schedule, f->learning_rate, steps, error) == TL_OK) set_rate(f);
    return error->status;
}

static tl_status prepare_fit(fit *f, const tl_fit_cfg *cfg, tl_error *error) {
    const tl_shape in = tl_input_shape(f->model);
    if (tl_data_check(f->model, f->data, error) != TL_OK) return error->status;
    if (cfg) f->cfg = *cfg;
    if (f->cfg.epochs == 0) f->cfg.epochs = 1;
    if (f->cfg.batch == 0) f->cfg.batch = tl_model_batch(f->model);
    if (f->cfg.accumulate == 0) f->cfg.accumulate = 1;
    if (f->cfg.epochs < 0) return tl_fail(error, TL_ERROR_ARGUMENT, "fit: %d epochs are below 0", f->cfg.epochs);
    if (f->cfg.batch > tl_model_batch(f->model))
        return tl_fail(error, TL_ERROR_ARGUMENT, "fit: batch %zu exceeds the model's %zu", f->cfg.batch, tl_model_batch(f->model));
    const size_t samples = f->data->x.shape[0];
    if (prepare_schedule(f, samples, error) != TL_OK) return error->status;
    f->order = tl_allocate(samples, sizeof *f->order, "the order of the samples", error);
    f->x = tl_tensor_new(3, (size_t[]){f->cfg.batch, in.length, in.channels}, error);
    f->labels = tl_allocate(f->cfg.batch, sizeof *f->labels, "labels", error);
    f->values = tl_allocate(f->cfg.batch, sizeof *f->values, "targets", error);
    if (f->cfg.restore_best) f->best = tl_allocate(count_parameters(f->model), sizeof(tl_real), "the best parameters", error);
    f->result.best_loss = INFINITY;
    f->begin = tl_seconds();
    return error->status;
}

/* The epoch's order; keyed by the steps taken so far, so that it is new each epoch and the same after a resume. */
static void shuffle(fit *f) {
    tl_rng rng = tl_rng_at(tl_model_seed(f->model), TL_STREAM_SHUFFLE, 0, tl_steps(f->model));
    const size_t samples = f->data->x.shape[0];
    tl_rng_permutation(&rng, f->order, samples);
    for (size_t i = 0; f->cfg.keep_order && i < samples; i++) f->order[i] = (uint32_t)i;
}

/* Copies samples `first` … `first + count - 1` of the order side by side. */
static void gather(fit *f, size_t first, size_t count) {
    const tl_dataset *data = f->data;
    const size_t each = data->x.shape[1] * data->x.shape[2];
    for (size_t i = 0; i < count; i++) {
        const size_t sample = f->order[first + i];
        memcpy(f->x.data + i * each, data->x.data + sample * each, each * sizeof(tl_real));
        if (data->labels) f->labels[i] = data->labels[sample];
        if (data->values) f->values[i] = data->values[sample];
    }
    f->x.shape[0] = count;
}

static tl_status take_step(fit *f, tl_error *error) {
    if (tl_step(f->model, error) == TL_OK) f->result.steps++;
    return error->status;
}

/* One forward and backward pass; steps where `step` says so. */
static tl_status train_batch(fit *f, bool step, tl_tally *sums, tl_error *error) {
    const tl_target target = {.labels = f->labels, .values = f->values};
    tl_forward(f->model, &f->x, TL_TRAINING);
    const double loss = tl_loss(f->model, &target);
    if (!tl_failed(tl_model_error(f->model))) tl_tally_add(sums, f->model, &target, loss);
    tl_backward(f->model);
    const bool wrong = tl_failed(tl_model_error(f->model)) || !isfinite(loss);
    return step || wrong ? take_step(f, error) : TL_OK;
}

static bool go_on(fit *f, int epoch, size_t batch, size_t batches, const tl_tally *sums) {
    if (!f->cfg.callback) return true;
    const tl_progress progress = {.epoch = epoch,
                                  .epochs = f->cfg.epochs,
                                  .batch = batch,
                                  .batches = batches,
                                  .epoch_end = batch == batches,
                                  .train = tl_tally_metrics(sums, tl_model_loss(f->model)),
                                  .learning_rate = tl_learning_rate(f->model),
                                  .seconds = tl_seconds() - f->begin};
    return f->cfg.callback(&progress, f->cfg.user);
}

static void end_epoch(fit *f, int epoch, double loss) {
    if (loss < f->result.best_loss) {
        f->result.best_loss = loss;
        f->result.best_epoch = epoch;
        if (f->best) copy_parameters(f->model, f->best, false);
    }
    tl_schedule_epoch(&f->schedule, loss);
    set_rate(f);
}

static tl_status train_epoch(fit *f, int epoch, tl_error *error) {
    const size_t samples = f->data->x.shape[0], batch = f->cfg.batch, batches = parts_of(samples, batch);
    tl_tally sums = {0}, last = {0}; /* last: what they were at the last step */
    shuffle(f);
    for (size_t b = 1; b <= batches && !f->result.stopped; b++) {
        const size_t first = (b - 1) * batch, rest = samples - first;
        gather(f, first, rest < batch ? rest : batch);
        const bool step = b % f->cfg.accumulate == 0 || b == batches;
        if (train_batch(f, step, &sums, error) != TL_OK) return error->status;
        f->result.stopped = !go_on(f, epoch, b, batches, &sums);
        if (f->result.stopped && !step && take_step(f, error) != TL_OK) return error->status;
        if (step) {
            const tl_tally step_sums = {.loss = sums.loss - last.loss, .weight = sums.weight - last.weight};
            tl_schedule_step(&f->schedule, tl_tally_loss(&step_sums));
            set_rate(f);
            last = sums;
        }
        if (b == batches) end_epoch(f, epoch, tl_tally_loss(&sums));
    }
    return TL_OK;
}

tl_status tl_fit(tl_model *model, const tl_dataset *data, const tl_fit_cfg *cfg, tl_fit_result *result, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error)) return error->status;
    fit f = {.model = model, .data = data};
    if (prepare_fit(&f, cfg, error) == TL_OK) {
        tl_zero_grad(model);
        for (int epoch = 1; epoch <= f.cfg.epochs && !f.result.stopped && !tl_failed(error); epoch++) {
            f.result.epochs = epoch;
            train_epoch(&f, epoch, error);
        }
        if (f.best && f.result.best_epoch > 0) copy_parameters(model, f.best, true);
        f.result.seconds = tl_seconds() - f.begin;
        tl_zero_grad(model);
    }
    release_fit(&f);
    if (result) *result = f.result;
    return error->status;
}
