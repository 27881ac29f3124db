/* Training: except for checkpoints, a user could write all of it with the lower tier. */
#include "train/fit.h"

#include <tapline/layers.h>
#include <tapline/random.h>

#include "base/argument.h"
#include "base/clock.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/scaling.h"
#include "data/batches.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/loss.h"
#include "graph/turn.h"
#include "io/checksum.h"
#include "layers/registry.h"
#include "train/augment.h"
#include "train/evaluate.h"
#include "train/fingerprint.h"
#include "train/metrics.h"
#include "train/scales.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- state of a training ---- */

static void release_fit(tl_fit_state *f) {
    tl_release(f->order);
    tl_tensor_free(&f->x);
    tl_ahead_release(&f->ahead);
    tl_tensor_free(&f->varied);
    tl_release(f->labels);
    tl_release(f->values);
    tl_release(f->lengths);
    tl_release(f->weights);
    tl_release(f->mixed.partner);
    tl_release(f->mixed.share);
    tl_release(f->mixed.lengths);
    tl_release(f->mixed.probabilities);
    tl_release(f->mixed.values);
    tl_release(f->best);
    tl_shards_release(&f->shards);
}

/* Copies all parameters and states of the model. */
static void copy_parameters(const tl_model *model, tl_real *copy) {
    const size_t arrays = tl_parameter_arrays(model);
    for (size_t i = 0; i < arrays; i++) {
        const tl_parameter parameter = tl_array_at(model, i);
        const size_t count = tl_tensor_count(&parameter.value);
        memcpy(copy, parameter.value.data, count * sizeof *copy);
        copy += count;
    }
}

/* Exchanges all parameters and states of the model with those in `other`. */
static void exchange_parameters(tl_model *model, tl_real *other) {
    const size_t arrays = tl_parameter_arrays(model);
    for (size_t i = 0; i < arrays; i++) {
        const tl_parameter parameter = tl_array_at(model, i);
        const size_t count = tl_tensor_count(&parameter.value);
        for (size_t k = 0; k < count; k++) {
            const tl_real one = parameter.value.data[k];
            parameter.value.data[k] = other[k];
            other[k] = one;
        }
        other += count;
    }
    tl_arrays_written(model);
}

static size_t count_parameters(const tl_model *model) {
    size_t count = 0;
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_array_at(model, i);
        count += tl_tensor_count(&parameter.value);
    }
    return count;
}

/* Sets the rate of the schedule; a rate that a callback set stays until the schedule changes its own. */
static void set_rate(tl_fit_state *f) {
    const double rate = tl_schedule_rate(&f->schedule);
    if (rate != f->learning_rate) tl_set_learning_rate(f->model, rate);
    f->learning_rate = rate;
}

static tl_status prepare_schedule(tl_fit_state *f, tl_error *error) {
    const uint64_t steps = (uint64_t)f->cfg.epochs * tl_ceil_div(f->batches, f->cfg.accumulate);
    f->learning_rate = tl_learning_rate(f->model);
    if (tl_schedule_prepare(&f->schedule, &f->cfg.schedule, f->learning_rate, steps, error) == TL_OK) set_rate(f);
    return error->status;
}

static bool lacks_labels(const tl_dataset *data) {
    const size_t count = data->labels ? data->x.shape[0] * tl_labels_each(data) : 0;
    size_t i = 0;
    while (i < count && data->labels[i] >= 0) i++;
    return i < count;
}

/* Fails for random changes that are impossible with this data or these batches. */
static tl_status check_variations(const tl_fit_cfg *cfg, const tl_dataset *data, tl_error *error) {
    const tl_augment_cfg *augment = &cfg->augment;
    const bool each_step = tl_labels_each(data) > 1;
    if (tl_augment_check(augment, error) != TL_OK) return error->status;
    if (augment->crop > 0 && each_step)
        return tl_fail(error, TL_ERROR_ARGUMENT, "fit: crop %g moves the steps of series, but the data has a target for each step",
                       augment->crop);
    if (augment->mixup > 0 && each_step && data->lengths)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "fit: mixup %g cannot mix series of different lengths that have a target for each step", augment->mixup);
    if (augment->mixup > 0 && lacks_labels(data))
        return tl_fail(error, TL_ERROR_ARGUMENT, "fit: mixup %g cannot mix series without a label (-1)", augment->mixup);
    if (augment->mixup > 0 && cfg->batch < 2)
        return tl_fail(error, TL_ERROR_ARGUMENT, "fit: mixup %g mixes two series of a batch, but batches have only %zu",
                       augment->mixup, cfg->batch);
    return TL_OK;
}

static tl_status check_weights(const tl_fit_cfg *cfg, const tl_dataset *data, tl_error *error) {
    if (cfg->weights && cfg->augment.mixup > 0)
        return tl_fail(error, TL_ERROR_ARGUMENT, "fit: mixup %g does not mix series that have weights", cfg->augment.mixup);
    for (size_t i = 0; cfg->weights && i < data->x.shape[0] && !tl_failed(error); i++) {
        char what[60];
        snprintf(what, sizeof what, "fit: weight of sample %zu:", i);
        tl_check_number(what, cfg->weights[i], 0, INFINITY, error);
    }
    return error->status;
}

/* The place in the order where a batch begins. A last batch of one series takes another series from the batch before, because batch
 * norm and mixup need two. */
static size_t first_of(const tl_fit_state *f, size_t batch) {
    const size_t samples = f->data->x.shape[0], size = f->cfg.batch;
    const bool lonely = size > 2 && samples % size == 1 && f->batches > 1;
    return batch == f->batches ? samples : batch * size - (lonely && batch + 1 == f->batches);
}

/* The minimum number of series from which a batch norm computes its statistics. All batches except the last two have the same
 * size. */
static size_t smallest_norm(const tl_fit_state *f) {
    size_t smallest = SIZE_MAX;
    for (size_t batch = f->batches - tl_min(f->batches, 3); batch < f->batches; batch++) {
        const size_t size = first_of(f, batch + 1) - first_of(f, batch);
        const size_t of_batch = f->cfg.synchronise_batch_norm ? size : tl_shards_smallest(&f->shards, size);
        smallest = tl_min(smallest, of_batch);
    }
    return smallest;
}

/* A batch norm that sees a single value for each channel would give the same output for every series. */
static tl_status check_norms(const tl_fit_state *f, tl_error *error) {
    const bool divided = f->shards.count > 1 && !f->cfg.synchronise_batch_norm;
    const bool single = f->shards.count > 1 ? smallest_norm(f) == 1 : tl_min(f->cfg.batch, f->data->x.shape[0]) == 1;
    for (size_t i = 0; single && i < f->model->vertices; i++) {
        const tl_vertex *vertex = &f->model->vertex[i];
        if (!vertex->live || vertex->frozen || vertex->layer->ops != &tl_batch_norm_layer_ops || vertex->layer->in[0].length > 1)
            continue;
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "fit: with one series in a %s, layer %zu (batch_norm) has a single value for each channel; use a %s of at "
                       "least 2",
                       divided ? "shard" : "batch", i, divided ? "shard" : "batch");
    }
    return TL_OK;
}

static tl_status take_configuration(tl_fit_state *f, tl_error *error) {
    if (f->cfg.epochs == 0) f->cfg.epochs = 1;
    if (f->cfg.batch == 0) f->cfg.batch = tl_model_batch(f->model);
    if (f->cfg.accumulate == 0) f->cfg.accumulate = 1;
    if (f->cfg.epochs < 0) return tl_fail(error, TL_ERROR_ARGUMENT, "fit: %d epochs are below 0", f->cfg.epochs);
    if (!(f->cfg.checkpoint_every >= 0))
        return tl_fail(error, TL_ERROR_ARGUMENT, "fit: checkpoint_every %g is below 0", f->cfg.checkpoint_every);
    if (f->cfg.patience < 0) return tl_fail(error, TL_ERROR_ARGUMENT, "fit: patience %d is below 0", f->cfg.patience);
    if (tl_shards_prepare(&f->shards, f->model, f->cfg.shards > 0 ? f->cfg.shards : 1, f->cfg.batch, f->cfg.exchange, error) !=
        TL_OK)
        return error->status;
    if (f->cfg.shards == 1) f->cfg.shards = 0; /* as in checkpoints of trainings without shards */
    if (f->cfg.synchronise_batch_norm && tl_shards_synchronise(&f->shards, f->model, error) != TL_OK) return error->status;
    f->batches = tl_ceil_div(f->data->x.shape[0], f->cfg.batch);
    if (check_variations(&f->cfg, f->data, error) != TL_OK || check_weights(&f->cfg, f->data, error) != TL_OK ||
        check_norms(f, error) != TL_OK)
        return error->status;
    if (f->cfg.validation && tl_data_check(f->model, f->cfg.validation, "fit", error) != TL_OK) return error->status;
    if (tl_watch_check(f, error) != TL_OK) return error->status;
    return prepare_schedule(f, error);
}

static bool varies(const tl_augment_cfg *cfg) { return cfg->crop > 0 || cfg->scale > 0 || cfg->jitter > 0 || cfg->mixup > 0; }

static void prepare_mixtures(tl_fit_state *f, tl_error *error) {
    const size_t batch = f->cfg.batch, rows = batch * tl_labels_each(f->data), classes = tl_output_shape(f->model).channels;
    tl_mixtures *mixed = &f->mixed;
    if (f->cfg.augment.mixup == 0) return;
    mixed->partner = tl_allocate(batch, sizeof *mixed->partner, "the partners of mixup", error);
    mixed->share = tl_allocate(batch, sizeof *mixed->share, "the shares of mixup", error);
    if (f->data->lengths) mixed->lengths = tl_allocate(batch, sizeof *mixed->lengths, "lengths of mixtures", error);
    if (tl_loss_takes_labels(tl_model_loss(f->model)))
        mixed->probabilities = tl_allocate(rows * classes, sizeof *mixed->probabilities, "targets of mixtures", error);
    else
        mixed->values = tl_allocate(batch * tl_values_each(f->data), sizeof *mixed->values, "targets of mixtures", error);
}

static tl_status prepare_fit(tl_fit_state *f, tl_error *error) {
    const tl_shape in = tl_input_shape(f->model);
    if (tl_data_check(f->model, f->data, "fit", error) != TL_OK || take_configuration(f, error) != TL_OK) return error->status;
    f->order = tl_allocate(f->data->x.shape[0], sizeof *f->order, "the order of the samples", error);
    f->x = tl_tensor_new(3, (size_t[]){f->cfg.batch, in.length, in.channels}, error);
    if (varies(&f->cfg.augment)) f->varied = tl_tensor_new(3, f->x.shape, error);
    f->labels = tl_allocate(f->cfg.batch * tl_labels_each(f->data), sizeof *f->labels, "labels", error);
    f->values = tl_allocate(f->cfg.batch * tl_values_each(f->data), sizeof *f->values, "targets", error);
    if (f->data->lengths) f->lengths = tl_allocate(f->cfg.batch, sizeof *f->lengths, "lengths", error);
    if (f->cfg.weights) f->weights = tl_allocate(f->cfg.batch, sizeof *f->weights, "weights", error);
    prepare_mixtures(f, error);
    if (f->cfg.restore_best) f->best = tl_allocate(count_parameters(f->model), sizeof(tl_real), "the best parameters", error);
    if (!tl_failed(error)) tl_keep_scales(f->model, f->data, error);
    if (!tl_failed(error)) tl_draw_features(f->model, f->data, error);
    tl_ahead_begin(&f->ahead, f->data, error); /* tl_draw_features has released its own */
    tl_zero_grad(f->model);
    f->batch = f->batches; /* as if an epoch had just ended */
    f->result.best_loss = tl_watch_worst(f);
    f->validation = tl_no_metrics;
    f->begin = f->saved = tl_seconds();
    return tl_failed(error) ? error->status : tl_checkpoint_begin(f, error);
}

/* The order of the epoch. Its key is the number of steps so far, so that it differs between epochs and is the same after a
 * resume. */
static void shuffle(tl_fit_state *f) {
    tl_rng rng = tl_rng_at(tl_model_seed(f->model), TL_STREAM_SHUFFLE, 0, f->order_key);
    const size_t samples = f->data->x.shape[0];
    tl_rng_permutation(&rng, f->order, samples);
    for (size_t i = 0; f->cfg.keep_order && i < samples; i++) f->order[i] = (uint32_t)i;
}

/* Mixes the targets of a series; labels become probabilities of classes. */
static void mix_targets(tl_fit_state *f, size_t i) {
    const tl_mixtures *mixed = &f->mixed;
    const size_t classes = tl_output_shape(f->model).channels, labels = tl_labels_each(f->data), values = tl_values_each(f->data);
    const size_t partner = mixed->partner[i];
    const tl_real share = mixed->share[i];
    for (size_t k = 0; mixed->probabilities && k < labels; k++) {
        tl_real *row = mixed->probabilities + (i * labels + k) * classes;
        memset(row, 0, classes * sizeof *row);
        row[f->labels[i * labels + k]] += 1 - share;
        row[f->labels[partner * labels + k]] += share;
    }
    for (size_t k = 0; mixed->values && k < values; k++)
        mixed->values[i * values + k] = (1 - share) * f->values[i * values + k] + share * f->values[partner * values + k];
}

/* Takes the targets of a sample to place `i` of the batch, where its series is, and varies the series. */
static void take_sample(tl_fit_state *f, size_t sample, size_t i, uint64_t key) {
    const tl_dataset *data = f->data;
    const size_t labels = tl_labels_each(data), values = tl_values_each(data), channels = values / labels;
    if (data->lengths) f->lengths[i] = data->lengths[sample];
    if (f->weights) f->weights[i] = (tl_real)f->cfg.weights[sample];
    if (data->labels) memcpy(f->labels + i * labels, data->labels + sample * labels, labels * sizeof *f->labels);
    for (size_t k = 0; data->values && k < values; k++)
        f->values[i * values + k] = (tl_real)tl_scaled(&f->model->targets, k % channels, tl_value_at(data, sample * values + k));
    if (f->varied.data) tl_augment_series(&f->cfg.augment, &f->x, f->lengths, &f->varied, tl_model_seed(f->model), key, i);
}

/* Whether this rank needs the series at place `i` of the batch: for a pass, or as the partner of a mixture. */
static bool is_needed(const tl_fit_state *f, tl_places own, size_t i, size_t count) {
    const size_t on = f->mixed.partner ? f->mixed.partner[0] : 0, mixed = (i + count - on) % count; /* tl_mixup_draw */
    return (i >= own.first && i < own.end) || (mixed >= own.first && mixed < own.end);
}

/* Reads the series of this batch and the next ones that this rank needs, if they are not in memory. Which ones are partners of a
 * mixture is not known before their batch. */
static void read_ahead(tl_fit_state *f, tl_error *error) {
    if (!tl_ahead_ends(&f->ahead) || (f->mixed.partner && f->shards.exchange)) return;
    for (size_t batch = f->batch; batch < f->batches; batch++) {
        const size_t first = first_of(f, batch);
        const tl_places own = tl_shards_own(&f->shards, first_of(f, batch + 1) - first);
        if (!tl_ahead_add(&f->ahead, f->order + first + own.first, own.end - own.first)) break;
    }
    tl_ahead_read(&f->ahead, error);
}

/* Copies the series of the samples that this rank needs to their places in the batch, neighbours together. */
static void gather_series(tl_fit_state *f, tl_places own, const uint32_t *order, size_t count, tl_error *error) {
    const size_t each = f->data->x.shape[1] * f->data->x.shape[2];
    read_ahead(f, error);
    for (size_t i = 0, end; i < count && !tl_failed(error); i = end + 1) {
        for (end = i; end < count && is_needed(f, own, end, count);) end++;
        if (end > i) tl_ahead_take(&f->ahead, order + i, end - i, f->x.data + i * each, error);
    }
}

/* Where series are not in memory, one rank may fail to read them; the others then must not wait for it. */
static tl_status agree_on_series(const tl_fit_state *f, tl_error *error) {
    return f->by_batch ? tl_exchange_agree(f->shards.exchange, error) : error->status;
}

/* Copies those of the samples `first` … `first + count - 1` of the order that this rank needs to the batch. */
static tl_status gather(tl_fit_state *f, size_t first, size_t count, tl_error *error) {
    const uint64_t key = f->order_key * f->batches + f->batch; /* different for each batch */
    const tl_places own = tl_shards_own(&f->shards, count);
    const tl_mixtures *mixed = &f->mixed;
    f->x.shape[0] = f->varied.shape[0] = count;
    if (mixed->partner) tl_mixup_draw(f->cfg.augment.mixup, mixed->partner, mixed->share, count, tl_model_seed(f->model), key);
    gather_series(f, own, f->order + first, count, error);
    if (agree_on_series(f, error) != TL_OK) return error->status;
    for (size_t i = 0; i < count; i++)
        if (is_needed(f, own, i, count)) take_sample(f, f->order[first + i], i, key);
    for (size_t i = own.first; mixed->partner && i < own.end; i++) {
        tl_mixup_series(&f->varied, f->lengths, mixed->partner, mixed->share, &f->x, mixed->lengths, i);
        mix_targets(f, i);
    }
    return TL_OK;
}

/* Returns the place of the first infinity. NaN means a missing target and is allowed. */
static size_t first_infinite(const tl_real *values, size_t count) {
    size_t i = 0;
    while (i < count && !isinf(values[i])) i++;
    return i;
}

/* Explains why a step failed: a loss stays non-finite if the data is not finite. */
static tl_status explain(const tl_fit_state *f, const tl_error *reason, tl_error *error) {
    const tl_dataset *data = f->data;
    const size_t channels = data->x.shape[2], each = data->x.shape[1] * channels, values = tl_values_each(data);
    const uint32_t *batch = f->order + first_of(f, f->batch - 1);
    for (size_t i = 0; reason->status == TL_ERROR_NUMERIC && i < f->x.shape[0]; i++) {
        const tl_real *x = f->x.data, *targets = data->values ? data->values + batch[i] * values : NULL;
        if (tl_series_copy(data, &batch[i], 1, f->x.data, error) != TL_OK)
            return error->status; /* the batch is not needed any more */
        const size_t at = tl_finite_count(x, each), target = targets ? first_infinite(targets, values) : values;
        if (at < each)
            return tl_fail(error, reason->status, "%s (sample %u of the data is not finite at step %zu, channel %zu)", reason->text,
                           batch[i], at / channels, at % channels);
        if (target < values)
            return tl_fail(error, reason->status, "%s (target value %zu of sample %u of the data is not finite)", reason->text,
                           target, batch[i]);
    }
    return tl_fail(error, reason->status, "%s", reason->text);
}

static tl_status take_step(tl_fit_state *f, tl_error *error) {
    tl_error reason = {0};
    if (tl_step(f->model, &reason) != TL_OK) return explain(f, &reason, error);
    f->result.steps++;
    return TL_OK;
}

/* The target of the series of the batch from place `first` on. */
static tl_target target_from(const tl_fit_state *f, size_t first) {
    const size_t labels = first * tl_labels_each(f->data), values = first * tl_values_each(f->data);
    const tl_mixtures *mixed = &f->mixed;
    if (mixed->partner)
        return (tl_target){.probabilities =
                               mixed->probabilities ? mixed->probabilities + labels * tl_output_shape(f->model).channels : NULL,
                           .values = mixed->values ? mixed->values + values : NULL};
    return (tl_target){.labels = f->labels ? f->labels + labels : NULL,
                       .values = f->values ? f->values + values : NULL,
                       .weights = f->weights ? f->weights + first : NULL};
}

/* The series of a pass over some series of the batch. Sets their lengths in the model that runs it. */
static tl_tensor series_of(const tl_fit_state *f, tl_model *model, tl_places of) {
    const bool mixed = f->mixed.partner != NULL;
    const size_t count = of.end - of.first, *lengths = mixed ? f->mixed.lengths : f->lengths;
    if (lengths && count > 0) tl_set_lengths(model, lengths + of.first, count);
    return tl_tensor_slice(f->varied.data && !mixed ? &f->varied : &f->x, of.first, count);
}

/* The loss of a pass, between forward and backward. */
static void measure_pass(const tl_fit_state *f, tl_model *model, tl_places of, tl_tally *sums) {
    const tl_target target = target_from(f, of.first);
    const double loss = tl_loss(model, &target);
    if (!tl_failed(tl_model_error(model))) tl_tally_add(sums, model, &target, loss);
}

/* One forward and backward pass over some series of the batch. */
static void run_pass(const tl_fit_state *f, tl_places of, tl_tally *sums) {
    const tl_tensor x = series_of(f, f->model, of);
    tl_forward(f->model, &x, TL_MODE_TRAINING);
    measure_pass(f, f->model, of, sums);
    tl_backward(f->model);
}

static void run_shards(tl_fit_state *f) {
    tl_shards *shards = &f->shards;
    tl_shards_begin(shards, f->model);
    for (size_t shard = shards->first; shard < shards->first + shards->own; shard++) {
        const tl_places places = tl_shard_places(shards, f->x.shape[0], shard);
        tl_tally tally = {0};
        tl_shard_begin(shards, f->model, places.first);
        if (places.end > places.first) run_pass(f, places, &tally);
        tl_shard_end(shards, f->model, shard, places.end - places.first, &tally);
    }
    tl_shards_end(shards, f->model, &f->sums);
}

/* The same with synchronised batch norm: all shards of this rank go from layer to layer together. */
static void run_shards_together(tl_fit_state *f) {
    tl_shards *shards = &f->shards;
    tl_together *all = &shards->together;
    tl_shards_begin(shards, f->model);
    tl_together_begin(all);
    for (size_t i = 0; i < shards->own; i++) {
        const tl_places places = tl_shard_places(shards, f->x.shape[0], shards->first + i);
        tl_shard_begin(shards, all->pass[i], places.first);
        all->x[i] = series_of(f, all->pass[i], places);
    }
    tl_together_forward(all, TL_MODE_TRAINING, NULL);
    for (size_t i = 0; i < shards->own; i++) {
        shards->tally[i] = (tl_tally){0};
        if (all->runs[i])
            measure_pass(f, all->pass[i], tl_shard_places(shards, f->x.shape[0], shards->first + i), &shards->tally[i]);
    }
    tl_together_backward(all);
    for (size_t i = 0; i < shards->own; i++)
        tl_shard_end(shards, all->pass[i], shards->first + i, all->x[i].shape[0], &shards->tally[i]);
    tl_together_report(all);
    tl_shards_end(shards, f->model, &f->sums);
    tl_together_keep(all);
}

/* Runs all passes of a batch, then the optimizer step if `step` is true. */
static tl_status train_batch(tl_fit_state *f, bool step, tl_error *error) {
    if (f->shards.synchronised)
        run_shards_together(f);
    else if (f->shards.count > 1)
        run_shards(f);
    else
        run_pass(f, (tl_places){0, f->x.shape[0]}, &f->sums);
    const bool wrong = tl_failed(tl_model_error(f->model)) || f->model->loss_not_finite;
    return step || wrong ? take_step(f, error) : TL_OK;
}

/* The mean loss of the batches since the last step; 0 if there are none. */
static double step_loss(const tl_fit_state *f) {
    const tl_tally of_step = {.loss = f->sums.loss - f->last.loss, .weight = f->sums.weight - f->last.weight};
    return tl_tally_loss(&of_step);
}

bool tl_call_back(const tl_callback callbacks[TL_MAX_CALLBACKS], const tl_progress *progress) {
    bool on = true;
    for (size_t i = 0; i < TL_MAX_CALLBACKS && callbacks[i].function; i++)
        on = callbacks[i].function(progress, callbacks[i].user) && on;
    return on;
}

static bool callbacks_continue(const tl_fit_state *f) {
    const tl_progress progress = {.model = f->model,
                                  .epoch = f->epoch,
                                  .epochs = f->cfg.epochs,
                                  .batch = f->batch,
                                  .batches = f->batches,
                                  .epoch_end = f->batch == f->batches,
                                  .train = tl_tally_metrics(&f->sums, tl_model_loss(f->model)),
                                  .validation = f->batch == f->batches ? f->validation : tl_no_metrics,
                                  .steps = f->result.steps,
                                  .step_loss = step_loss(f),
                                  .learning_rate = tl_learning_rate(f->model),
                                  .seconds = tl_seconds() - f->begin};
    return tl_call_back(f->cfg.callbacks, &progress);
}

static void end_step(tl_fit_state *f) {
    tl_schedule_step(&f->schedule, step_loss(f));
    set_rate(f);
    f->last = f->sums;
}

/* Makes this epoch the best one. */
static void name_best(tl_fit_state *f, double watched) {
    f->result.best_loss = watched;
    f->result.best_epoch = f->epoch;
    f->result.best_accuracy = f->sums.samples > 0 ? f->sums.correct / (double)f->sums.samples : 0;
}

static void end_epoch(tl_fit_state *f) {
    const double loss = tl_tally_loss(&f->sums), watched = tl_watched(f, loss);
    if (tl_watch_better(f, watched, f->result.best_loss)) {
        name_best(f, watched);
        if (f->best) copy_parameters(f->model, f->best);
    }
    const double lower = tl_watch_worst(f) > 0 ? watched : -watched; /* a schedule takes lower values as better */
    tl_schedule_epoch(&f->schedule, f->cfg.watch == TL_WATCH_DEFAULT ? loss : lower);
    set_rate(f);
}

/* True only at the end of an epoch; a resumed training may begin there. */
static bool early_stopped(const tl_fit_state *f) {
    return f->cfg.patience > 0 && f->batch == f->batches && f->epoch - f->result.best_epoch >= f->cfg.patience;
}

static bool finished(const tl_fit_state *f) {
    return f->result.stopped || early_stopped(f) || (f->epoch == f->cfg.epochs && f->batch == f->batches);
}

enum { SECONDS = 10 }; /* minimum time between checkpoints, unless another is given */

/* Decides by the clock of the rank that writes the checkpoint. */
static bool checkpoint_due(const tl_fit_state *f) {
    const double since = tl_seconds() - f->saved, every = f->cfg.checkpoint_every;
    if (!f->cfg.checkpoint || !tl_exchange_leads(f->shards.exchange)) return false;
    return every > 0 ? since >= every : f->batch == f->batches && since >= SECONDS;
}

/* The checkpoint of a stopped training does not contain the step for an incomplete group of batches, which comes later: a resumed
 * training adds the remaining batches first. */
static tl_status save_checkpoint(tl_fit_state *f, bool due, tl_error *error) {
    if (!f->cfg.checkpoint || !(due || finished(f))) return TL_OK;
    f->result.seconds = tl_seconds() - f->begin;
    if (tl_exchange_leads(f->shards.exchange)) tl_checkpoint_save(f, error);
    f->saved = tl_seconds();
    return tl_exchange_agree(f->shards.exchange, error);
}

/* The ranks divide the series, and get the same metrics. */
static tl_status evaluate(const tl_fit_state *f, const tl_dataset *data, tl_metrics *metrics, tl_error *error) {
    tl_evaluate_among(f->model, data, f->shards.exchange, metrics, error);
    return tl_exchange_agree(f->shards.exchange, error);
}

/* Evaluates the validation set at the end of an epoch. */
static tl_status validate(tl_fit_state *f, tl_error *error) {
    if (f->batch < f->batches || !f->cfg.validation) return TL_OK;
    return evaluate(f, f->cfg.validation, &f->validation, error);
}

/* Fails if the parameters of the ranks differ at the end of an epoch. */
static tl_status compare_ranks(const tl_fit_state *f, tl_error *error) {
    char digits[TL_CHECKSUM_DIGITS + 1];
    if (!f->shards.exchange || f->batch < f->batches) return TL_OK;
    tl_fingerprint_state(f->model, digits);
    return tl_exchange_compare(f->shards.exchange, digits, "other parameters than rank 0 at the end of an epoch",
                               "its memory or processor is faulty; resume from the checkpoint without that machine", error);
}

enum { STOP, SAVE, REQUESTS }; /* what any rank may request after a batch */

static tl_status train_next(tl_fit_state *f, tl_error *error) {
    const size_t first = first_of(f, f->batch);
    if (gather(f, first, first_of(f, f->batch + 1) - first, error) != TL_OK) return error->status;
    f->batch++;
    const bool step = f->batch % f->cfg.accumulate == 0 || f->batch == f->batches;
    if (train_batch(f, step, error) != TL_OK) return error->status;
    if (compare_ranks(f, error) != TL_OK || validate(f, error) != TL_OK) return error->status;
    double requests[REQUESTS] = {[STOP] = !callbacks_continue(f), [SAVE] = checkpoint_due(f)};
    tl_exchange_sum_numbers(f->shards.exchange, requests, REQUESTS);
    f->result.stopped = requests[STOP] > 0;
    if (step) end_step(f);
    if (f->batch == f->batches) end_epoch(f);
    if (save_checkpoint(f, requests[SAVE] > 0, error) != TL_OK) return error->status;
    return f->result.stopped && !step ? take_step(f, error) : TL_OK;
}

static void begin_epoch(tl_fit_state *f) {
    f->result.epochs = ++f->epoch;
    f->batch = 0;
    f->order_key = tl_steps(f->model);
    f->sums = f->last = (tl_tally){0};
}

static void train(tl_fit_state *f, tl_error *error) {
    while (!finished(f) && !tl_failed(error)) {
        if (f->batch == f->batches) begin_epoch(f);
        shuffle(f);
        while (f->batch < f->batches && !f->result.stopped && !tl_failed(error)) train_next(f, error);
    }
}

/* Computes the statistics of the data, with batches of the model's size, or with those of a synchronised training. */
static tl_status update_statistics(tl_fit_state *f, tl_error *error) {
    if (f->result.steps == 0 || f->cfg.keep_running) return error->status;
    if (f->shards.synchronised)
        tl_update_statistics_together(f->model, f->data, &f->shards, f->by_batch, error);
    else
        tl_update_statistics_among(f->model, f->data, f->shards.exchange, error);
    return error->status;
}

/* Returns whether the parameters of the best epoch are far worse than the epoch was. Its accuracy is the mean over its steps, so
 * that a bad last step does not show. *best [OUT]: the metrics of these parameters. */
static bool best_is_spoilt(const tl_fit_state *f, tl_metrics *best, tl_error *error) {
    static const double far_below = 0.05;
    const bool watches_training = f->cfg.watch == TL_WATCH_TRAIN_LOSS || (f->cfg.watch == TL_WATCH_DEFAULT && !f->cfg.validation);
    if (!watches_training || !tl_loss_takes_labels(tl_model_loss(f->model)) || f->result.best_epoch == f->epoch) return false;
    if (evaluate(f, f->data, best, error) != TL_OK) return false;
    return best->accuracy < f->result.best_accuracy - far_below;
}

/* Takes the parameters of the last epoch if those of the best one are spoilt, and they are better. */
static void compare_with_last(tl_fit_state *f, tl_error *error) {
    tl_metrics best = {0}, last = {0};
    if (!best_is_spoilt(f, &best, error)) return;
    exchange_parameters(f->model, f->best);
    if (update_statistics(f, error) == TL_OK) evaluate(f, f->data, &last, error);
    if (tl_failed(error) || !(last.accuracy > best.accuracy)) {
        exchange_parameters(f->model, f->best);
        return;
    }
    name_best(f, tl_tally_loss(&f->sums));
}

/* Restores the parameters of the best epoch and computes the statistics that belong to them; after a failure as far as possible. */
static void settle(tl_fit_state *f, tl_error *error) {
    tl_error wrong = {0};
    const bool restores = f->best && f->result.best_epoch > 0;
    tl_ahead_release(&f->ahead); /* update_statistics needs as much */
    if (restores) exchange_parameters(f->model, f->best);
    if (update_statistics(f, &wrong) == TL_OK && restores && !tl_failed(error)) compare_with_last(f, &wrong);
    if (tl_failed(&wrong) && !tl_failed(error)) tl_fail(error, wrong.status, "fit: after training: %.400s", wrong.text);
    tl_exchange_agree(f->shards.exchange, error);
}

/* Fails on all ranks if one failed to prepare, or if the ranks would not train the same. */
static tl_status begin_together(tl_fit_state *f, tl_error *error) {
    char digits[TL_CHECKSUM_DIGITS + 1] = "";
    const tl_exchange *exchange = f->shards.exchange;
    double by_batch = f->data && f->data->batches.fill;
    if (tl_exchange_agree(f->cfg.exchange, error) != TL_OK || !exchange) return error->status;
    tl_exchange_sum_numbers(exchange, &by_batch, 1); /* ranks with more memory may have the series there */
    f->by_batch = by_batch > 0;
    tl_fingerprint_digest(tl_fingerprint_machine(f->model), digits);
    tl_exchange_compare(exchange, digits, "another processor, build or library than rank 0, and rounds differently",
                        "set TAPLINE_ISA, TAPLINE_TUNING and OPENBLAS_CORETYPE on all ranks to the values of the oldest processor",
                        error);
    tl_fingerprint_digest(tl_fingerprint_of(f), digits);
    tl_exchange_compare(exchange, digits, "other data, another network or other settings than rank 0", "give all ranks the same",
                        error);
    tl_fingerprint_state(f->model, digits);
    return tl_exchange_compare(exchange, digits, "other parameters than rank 0", "give all ranks the same seed or file", error);
}

void tl_fit_take(tl_fit_cfg *cfg, const tl_fit_cfg *given, const tl_fit_sizes *sizes, tl_error *error) {
    const tl_part parts[] = {{offsetof(tl_fit_cfg, schedule), sizeof(tl_schedule_cfg), sizes->schedule},
                             {offsetof(tl_fit_cfg, augment), sizeof(tl_augment_cfg), sizes->augment}};
    tl_take_parts(cfg, sizeof *cfg, given, sizes->cfg, parts, sizeof parts / sizeof *parts, "fit", error);
}

tl_status tl_fit_sized(tl_model *model, const tl_dataset *data, const tl_fit_cfg *given, tl_fit_result *result,
                       const tl_fit_sizes *sizes, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    tl_turn turn;
    if (tl_failed(error) || !tl_turn_begin(model, &turn, "fit", error)) return error->status;
    tl_fit_state f = {.model = model, .data = data};
    tl_fit_take(&f.cfg, given, sizes, error);
    if (tl_exchange_check(f.cfg.exchange, error) == TL_OK) {
        prepare_fit(&f, error);
        begin_together(&f, error);
    }
    if (!tl_failed(error)) {
        train(&f, error);
        if (tl_failed(error)) tl_model_clear_error(model); /* it is reported to the caller */
        f.result.early_stopped = early_stopped(&f);
        settle(&f, error);
        f.result.seconds = tl_seconds() - f.begin;
        tl_zero_grad(model);
    }
    release_fit(&f);
    tl_turn_end(model, turn);
    tl_hand_over(result, sizes->result, &f.result, sizeof f.result);
    return error->status;
}
