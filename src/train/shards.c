#include "train/shards.h"

#include "base/memory.h"
#include "layers/registry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The report of a shard: a tl_tally as doubles, the number of its series, and its fault. */
enum { LOSS, WEIGHT, CORRECT, SQUARED, ABSOLUTE, SAMPLES, VALUES, SERIES, FAULT, REPORT };
enum { NO_FAULT = 0, PASS_FAILED = -1 }; /* FAULT; else 1 + the layer whose output is not finite */

/* ---- the series of each shard ---- */

/* Number of shards that are not empty in a batch of `size` series. */
static size_t shards_used(const tl_shards *self, size_t size) {
    const size_t used = tl_ceil_div(size * self->count, self->batch);
    return tl_min(used, self->count);
}

tl_places tl_shard_places(const tl_shards *self, size_t size, size_t shard) {
    const size_t used = shards_used(self, size);
    if (shard >= used) return (tl_places){size, size};
    return (tl_places){tl_split_at(size, used, shard), tl_split_at(size, used, shard + 1)};
}

tl_places tl_shards_own(const tl_shards *self, size_t size) {
    if (self->count <= 1) return (tl_places){0, size};
    return (tl_places){tl_shard_places(self, size, self->first).first,
                       tl_shard_places(self, size, self->first + self->own - 1).end};
}

size_t tl_shards_smallest(const tl_shards *self, size_t size) { return self->count <= 1 ? size : size / shards_used(self, size); }

/* ---- before training ---- */

/* "1, 2, 4 or 8" */
static const char *list_divisors(size_t shards, char text[80]) {
    size_t used = 0;
    for (size_t n = 1; n <= shards && used < 80; n *= 2)
        used += (size_t)snprintf(text + used, 80 - used, "%s%zu", n == 1 ? "" : n == shards ? " or " : ", ", n);
    return text;
}

static tl_status check_counts(size_t count, size_t batch, size_t largest, size_t ranks, tl_error *error) {
    char list[80];
    if (count > TL_MAX_SHARDS || (count & (count - 1)) != 0)
        return tl_fail(error, TL_ERROR_ARGUMENT, "fit: shards is %zu; it must be a power of two, at most %d", count, TL_MAX_SHARDS);
    if (count % ranks != 0 && count == 1)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "fit: %zu ranks share one shard; set shards to a power of two that is a multiple of the number of ranks",
                       ranks);
    if (count % ranks != 0)
        return tl_fail(error, TL_ERROR_ARGUMENT, "fit: %zu shards cannot be divided among %zu ranks; start %s ranks", count, ranks,
                       list_divisors(count, list));
    if (count > batch)
        return tl_fail(
            error, TL_ERROR_ARGUMENT,
            "fit: %zu shards need batches of at least as many series, but batch is %zu; use fewer shards, or a larger batch", count,
            batch);
    if (tl_ceil_div(batch, count) > largest)
        return tl_fail(error, TL_ERROR_ARGUMENT, "fit: batch %zu exceeds the compiled batch%s, %zu", batch,
                       count > 1 ? " times the shards" : "", largest * count);
    return TL_OK;
}

static tl_status allocate(tl_shards *self, const tl_model *model, tl_error *error) {
    self->numbers = model->parameter_count + model->state_count;
    self->leaf = tl_allocate(self->numbers, sizeof(tl_real), "the gradients of a shard", error);
    for (size_t level = 0; (size_t)1 << level <= self->own; level++)
        self->level[level] = tl_allocate(self->numbers, sizeof(tl_real), "sums of gradients of shards", error);
    self->held = tl_allocate(model->parameter_count, sizeof(tl_real), "gradients of batches", error);
    self->states = tl_allocate(model->state_count + 1, sizeof(tl_real), "a copy of the statistics", error);
    self->reports = tl_allocate(self->count * REPORT, sizeof *self->reports, "the losses of shards", error);
    return error->status;
}

tl_status tl_shards_prepare(tl_shards *self, const tl_model *model, size_t count, size_t batch, const tl_exchange *exchange,
                            tl_error *error) {
    if (tl_exchange_check(exchange, error) != TL_OK) return error->status;
    const size_t ranks = tl_exchange_ranks(exchange);
    if (check_counts(count, batch, tl_model_batch(model), ranks, error) != TL_OK) return error->status;
    *self = (tl_shards){.count = count, .batch = batch, .exchange = ranks > 1 ? exchange : NULL, .own = count / ranks};
    self->first = tl_exchange_rank(exchange) * self->own;
    return count > 1 ? allocate(self, model, error) : TL_OK;
}

void tl_shards_release(tl_shards *self) {
    tl_release(self->leaf);
    for (size_t level = 0; level < TL_SHARD_LEVELS; level++) tl_release(self->level[level]);
    tl_release(self->held);
    tl_release(self->states);
    tl_release(self->reports);
    tl_release(self->tally);
    tl_together_release(&self->together);
}

static bool has_batch_norm(const tl_model *model) {
    size_t i = 0;
    while (i < model->vertices && !tl_is_synchronised(model, i, &tl_batch_norm_synchronised)) i++;
    return i < model->vertices;
}

tl_status tl_shards_synchronise(tl_shards *self, tl_model *model, tl_error *error) {
    if (self->count <= 1)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "fit: synchronise_batch_norm needs a batch that is divided; set shards to a power of two above 1");
    if (!has_batch_norm(model))
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "fit: synchronise_batch_norm (--synchronise-batch-norm): the network has no batch norm that is trained");
    self->synchronised = true;
    self->tally = tl_allocate(self->own, sizeof *self->tally, "the losses of shards", error);
    return tl_together_prepare(&self->together, model, self->own, &tl_batch_norm_synchronised, self->exchange, error);
}

/* ---- a batch ---- */

void tl_shards_begin(tl_shards *self, tl_model *model) {
    self->passes = model->passes;
    self->samples = model->samples;
    self->weight = model->weight;
    memcpy(self->states, model->states, model->state_count * sizeof(tl_real));
    memset(self->reports, 0, self->count * REPORT * sizeof *self->reports);
    if (self->samples == 0) return; /* the gradients are zero */
    memcpy(self->held, model->gradients, model->parameter_count * sizeof(tl_real));
    memset(model->gradients, 0, model->parameter_count * sizeof(tl_real));
}

void tl_shard_begin(tl_shards *self, tl_model *model, size_t place) {
    model->passes = self->passes;
    model->place = place;
    memcpy(model->states, self->states, model->state_count * sizeof(tl_real));
}

/* Returns the fault of a pass: the first layer whose output is not finite. */
static double fault_of(const tl_model *model) {
    if (tl_failed(&model->error)) return PASS_FAILED;
    for (size_t i = 0; i < model->vertices; i++)
        if (model->vertex[i].fault) return (double)(i + 1);
    return NO_FAULT;
}

/* Moves the gradients and the changes of the states to the leaf. Each shard starts from the same states and changes them as a batch
 * does. The change by the batch is the mean of these changes, weighted with the number of series. */
static void take_leaf(tl_shards *self, tl_model *model, size_t size) {
    const size_t parameters = model->parameter_count;
    memcpy(self->leaf, model->gradients, parameters * sizeof(tl_real));
    memset(model->gradients, 0, parameters * sizeof(tl_real));
    for (size_t i = 0; i < model->state_count; i++)
        self->leaf[parameters + i] = size > 0 ? (tl_real)size * (model->states[i] - self->states[i]) : 0;
}

/* Adds the leaf to the tree, as 1 is added to a binary number: sums of equally many shards are added to each other. */
static void add_leaf(tl_shards *self, const tl_model *model, size_t shard) {
    size_t level = 0;
    for (size_t left = shard - self->first; left & 1; left >>= 1)
        tl_add_to(&model->workers, self->leaf, self->level[level++], self->numbers);
    tl_real *const sum = self->leaf;
    self->leaf = self->level[level];
    self->level[level] = sum;
}

void tl_shard_end(tl_shards *self, tl_model *model, size_t shard, size_t size, const tl_tally *tally) {
    const double report[REPORT] = {[LOSS] = tally->loss,
                                   [WEIGHT] = tally->weight,
                                   [CORRECT] = tally->correct,
                                   [SQUARED] = tally->squared,
                                   [ABSOLUTE] = tally->absolute,
                                   [SAMPLES] = (double)tally->samples,
                                   [VALUES] = (double)tally->values,
                                   [SERIES] = (double)size,
                                   [FAULT] = fault_of(model)};
    memcpy(self->reports + shard * REPORT, report, sizeof report);
    take_leaf(self, model, size);
    add_leaf(self, model, shard);
}

static void mark_fault(tl_model *model, size_t shard, double fault) {
    if (fault == PASS_FAILED)
        tl_fail(&model->error, TL_ERROR_STATE, "fit: the pass of shard %zu failed on its rank", shard);
    else if (fault > 0 && !model->vertex[(size_t)fault - 1].fault)
        model->vertex[(size_t)fault - 1].fault = "a value is not finite in the series of another rank";
}

/* Adds the reports in the order of the shards, which does not depend on the number of ranks. */
static size_t sum_reports(const tl_shards *self, tl_model *model, tl_tally *sums) {
    tl_tally all = {0};
    double series = 0;
    for (size_t shard = 0; shard < self->count; shard++) {
        const double *report = self->reports + shard * REPORT;
        all.loss += report[LOSS];
        all.weight += report[WEIGHT];
        all.correct += report[CORRECT];
        all.squared += report[SQUARED];
        all.absolute += report[ABSOLUTE];
        all.samples += (size_t)report[SAMPLES];
        all.values += (size_t)report[VALUES];
        series += report[SERIES];
        model->loss_not_finite = model->loss_not_finite || !isfinite(report[LOSS]);
        mark_fault(model, shard, report[FAULT]);
    }
    tl_tally_join(sums, &all);
    model->weight = self->weight + all.weight;
    return (size_t)series;
}

void tl_shards_end(tl_shards *self, tl_model *model, tl_tally *sums) {
    size_t top = 0;
    while (self->own >> top > 1) top++;
    tl_real *const all = self->level[top], *const states = all + model->parameter_count;
    tl_exchange_sum(self->exchange, all, self->numbers);
    tl_exchange_sum_numbers(self->exchange, self->reports, self->count * REPORT);
    const size_t series = sum_reports(self, model, sums);
    memcpy(model->gradients, all, model->parameter_count * sizeof(tl_real));
    if (self->samples > 0) tl_add_to(&model->workers, model->gradients, self->held, model->parameter_count);
    for (size_t i = 0; i < model->state_count; i++) model->states[i] = self->states[i] + states[i] / (tl_real)series;
    model->samples = self->samples + series;
    model->passes = self->passes + 1;
    model->place = 0;
}
