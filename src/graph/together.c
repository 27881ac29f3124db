#include "graph/together.h"

#include "base/memory.h"
#include "graph/replica.h"

#include <string.h>

bool tl_is_synchronised(const tl_model *model, size_t id, const tl_synchronised *how) {
    const tl_vertex *vertex = &model->vertex[id];
    return vertex->live && !vertex->absorbed && !vertex->frozen && vertex->layer->ops == how->kind;
}

/* ---- memory ---- */

/* Frozen layers have sums too, because a callback may unfreeze them. */
static size_t sums_of(const tl_together *self, size_t id) {
    const tl_layer *layer = self->model->vertex[id].layer;
    return self->model->vertex[id].live && layer->ops == self->how->kind ? layer->sums : 0;
}

static void place_sums(tl_together *self, tl_error *error) {
    const tl_model *model = self->model;
    size_t all = 0, at = 0;
    for (size_t i = 0; i < model->vertices; i++) {
        if (sums_of(self, i) > 0) self->most = tl_max(self->most, self->how->terms(model->vertex[i].layer));
        all += self->count * sums_of(self, i);
    }
    self->terms = tl_allocate(self->count * self->most + 1, sizeof *self->terms, "sums of shards", error);
    self->numbers = tl_allocate(all + 1, sizeof *self->numbers, "sums of shards", error);
    self->sums = tl_allocate(model->vertices, sizeof *self->sums, "sums of shards", error);
    for (size_t i = 0; self->sums && self->numbers && i < model->vertices; i++) {
        if (sums_of(self, i) > 0) self->sums[i] = self->numbers + at;
        at += self->count * sums_of(self, i);
    }
}

static tl_status check_memory(const tl_together *self, tl_error *error) {
    const double maximum = (double)self->model->max_memory;
    const double needed = tl_planned_memory(self->model) + (double)(self->count - 1) * tl_replica_memory(self->model);
    if (needed <= maximum) return TL_OK;
    return tl_fail(error, TL_ERROR_MEMORY,
                   "fit: synchronise_batch_norm keeps the activations of %zu shards and needs %.4g MB; the limit is %.4g MB "
                   "(max_memory, --max-memory); with more ranks or a smaller batch, a rank needs less",
                   self->count, needed / 1e6, maximum / 1e6);
}

tl_status tl_together_prepare(tl_together *self, tl_model *model, size_t count, const tl_synchronised *how,
                              const tl_exchange *exchange, tl_error *error) {
    *self = (tl_together){.model = model, .exchange = exchange, .how = how, .count = count};
    if (check_memory(self, error) != TL_OK) return error->status;
    self->pass = tl_allocate(count, sizeof *self->pass, "passes of shards", error);
    self->x = tl_allocate(count, sizeof *self->x, "passes of shards", error);
    self->runs = tl_allocate(count, sizeof *self->runs, "passes of shards", error);
    place_sums(self, error);
    if (self->pass) self->pass[0] = model;
    for (size_t i = 1; !tl_failed(error) && i < count; i++) self->pass[i] = tl_replica_new(model, error);
    return error->status;
}

void tl_together_release(tl_together *self) {
    for (size_t i = 1; self->pass && i < self->count; i++) tl_replica_free(self->pass[i]);
    tl_release(self->pass);
    tl_release(self->x);
    tl_release(self->runs);
    tl_release(self->terms);
    tl_release(self->sums);
    tl_release(self->numbers);
}

void tl_together_begin(tl_together *self) {
    tl_hold_still(self->model, false);
    for (size_t i = 1; i < self->count; i++) tl_replica_refresh(self->pass[i], self->model);
}

/* ---- synchronised layers ---- */

typedef void (*part)(const tl_layer *layer, const tl_pass *pass, double *terms);

/* Runs a part of a layer for all shards. `backward`: of the backward pass, else of the forward pass in this mode. */
static void run_part(tl_together *self, size_t id, part run, tl_mode mode, bool backward) {
    const size_t terms = self->how->terms(self->model->vertex[id].layer);
    for (size_t i = 0; i < self->count; i++) {
        const tl_vertex *vertex = &self->pass[i]->vertex[id];
        tl_pass pass = backward ? vertex->backward : vertex->forward[mode];
        if (!self->runs[i]) pass.batch = 0;
        pass.sums = self->sums[id] + i * vertex->layer->sums;
        run(vertex->layer, &pass, self->terms + i * terms);
    }
}

static void add_row(double *to, const double *from, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] += from[i];
}

/* Replaces the terms of each shard by their sums over the shards of all ranks. The tree of this rank's shards is continued between
 * the ranks. */
static void add_terms(const tl_together *self, size_t id) {
    const size_t count = self->how->terms(self->model->vertex[id].layer);
    double *const terms = self->terms;
    for (size_t distance = 1; distance < self->count; distance *= 2)
        for (size_t i = 0; i + distance < self->count; i += 2 * distance)
            add_row(terms + i * count, terms + (i + distance) * count, count);
    if (self->exchange) self->exchange->sum_f64(self->exchange->self, terms, count);
    for (size_t i = 1; i < self->count; i++) memcpy(terms + i * count, terms, count * sizeof *terms);
}

static void forward_synchronised(tl_together *self, size_t id, tl_mode mode) {
    run_part(self, id, self->how->sum, mode, false);
    add_terms(self, id);
    run_part(self, id, self->how->deviate, mode, false);
    add_terms(self, id);
    run_part(self, id, self->how->normalise, mode, false);
    for (size_t i = 0; i < self->count; i++) {
        const tl_model *model = self->pass[i];
        if (self->runs[i] && model->has_lengths) tl_blank(&model->vertex[id].forward[mode].y, &model->vertex[id]);
    }
    tl_pass_part_done(&self->model->workers, TL_PASS_PART_FORWARD);
}

static void backward_synchronised(tl_together *self, size_t id) {
    run_part(self, id, self->how->sum_gradients, TL_MODE_TRAINING, true);
    add_terms(self, id);
    run_part(self, id, self->how->propagate, TL_MODE_TRAINING, true);
    for (size_t i = 0; i < self->count; i++) {
        self->pass[i]->workers.layer.id = (int)id;
        if (self->runs[i]) tl_hand_back(self->pass[i], id);
    }
}

/* ---- passes ---- */

void tl_together_forward(tl_together *self, tl_mode mode, const bool *only) {
    tl_model *const model = self->model;
    for (size_t i = 0; i < self->count; i++)
        self->runs[i] = self->x[i].shape[0] > 0 && tl_begin_forward(self->pass[i], &self->x[i], mode);
    const unsigned denormals = tl_denormals_off();
    for (size_t id = 0; id < model->vertices; id++) {
        if (!tl_layer_runs(model, id, mode)) continue;
        model->workers.layer.id = (int)id;
        if (only ? only[id] : tl_is_synchronised(model, id, self->how)) {
            forward_synchronised(self, id, mode);
            continue;
        }
        for (size_t i = 0; i < self->count; i++)
            if (self->runs[i]) tl_forward_layer(self->pass[i], id, mode);
    }
    tl_denormals_restore(denormals);
    for (size_t i = 0; i < self->count; i++)
        if (self->runs[i]) tl_end_forward(self->pass[i], mode);
}

void tl_together_backward(tl_together *self) {
    tl_model *const model = self->model;
    for (size_t i = 0; i < self->count; i++)
        self->runs[i] = self->runs[i] && self->pass[i]->stage == TL_STAGE_LOSS && !tl_failed(&self->pass[i]->error);
    const unsigned denormals = tl_denormals_off();
    for (size_t id = model->vertices; id-- > 0;) {
        if (!tl_layer_runs_backward(model, id)) continue;
        model->workers.layer.id = (int)id;
        if (tl_is_synchronised(model, id, self->how)) {
            backward_synchronised(self, id);
            continue;
        }
        for (size_t i = 0; i < self->count; i++)
            if (self->runs[i]) tl_backward_layer(self->pass[i], id);
    }
    tl_denormals_restore(denormals);
    for (size_t i = 0; i < self->count; i++)
        if (self->runs[i]) tl_end_backward(self->pass[i], self->pass[i]->loss_weight);
}

void tl_together_keep(tl_together *self) {
    for (size_t id = 0; id < self->model->vertices; id++) {
        const tl_vertex *vertex = &self->model->vertex[id];
        if (!tl_is_synchronised(self->model, id, self->how)) continue;
        tl_pass pass = vertex->forward[TL_MODE_TRAINING];
        pass.sums = self->sums[id];
        self->how->keep(vertex->layer, &pass);
    }
}

void tl_together_report(tl_together *self) {
    for (size_t i = 1; i < self->count; i++) {
        if (!tl_failed(&self->model->error)) self->model->error = self->pass[i]->error;
        for (size_t id = 0; id < self->model->vertices; id++)
            if (!self->model->vertex[id].fault) self->model->vertex[id].fault = self->pass[i]->vertex[id].fault;
    }
}
