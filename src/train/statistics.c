/* Statistics that layers learn from a pass over the training data (tl_preparation). A pass prepares the layers whose inputs no
 * longer change. The ranks of a training divide the batches, or with synchronised batch norm the shards of each batch; each rank
 * then adds the sums of all batches in their order. */
#include <tapline/train.h>

#include "base/argument.h"
#include "base/math.h"
#include "base/memory.h"
#include "data/batches.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/turn.h"
#include "train/evaluate.h"
#include "train/exchange.h"
#include "train/scales.h"

#include <math.h>
#include <string.h>

typedef struct preparation {
    tl_model *model;
    const tl_dataset *data;
    const tl_exchange *exchange;
    tl_shards *shards; /* of each batch; NULL: batches are not divided */
    bool by_batch;     /* with shards: the series are not in memory, on this or another rank, which may fail to read them */
    size_t ranks;      /* that divide the batches of a pass */
    uint32_t *order;   /* (samples) */
    size_t batches;    /* their sizes differ by at most one, so that none is very small */
    tl_tensor x;       /* (batch, length, channels) */
    tl_ahead ahead;
    size_t *lengths;        /* (batch); NULL: whole series */
    double **sums;          /* (vertices) of the layers that learn; NULL for others */
    double *numbers;        /* memory of the sums */
    size_t count;           /* number of elements */
    double *own, *one;      /* (count + 1) the sums of this rank's batch, and of the batch that is added; then whether it failed */
    bool *learnt, *reached; /* (vertices) layers that have finished; layers whose output is known in this pass */
    bool *learning;         /* (vertices) with shards: layers whose statistics are summed in this pass */
    tl_real *before;        /* the states of the model, to restore them on failure */
} preparation;

static const tl_preparation *preparation_of(const tl_model *model, size_t id) {
    const tl_vertex *vertex = &model->vertex[id];
    return vertex->live && !vertex->absorbed && !vertex->frozen ? vertex->layer->ops->preparation : NULL;
}

static void release(preparation *p) {
    tl_release(p->order);
    tl_tensor_free(&p->x);
    tl_ahead_release(&p->ahead);
    tl_release(p->lengths);
    tl_release(p->sums);
    tl_release(p->numbers);
    tl_release(p->own);
    tl_release(p->learnt);
    tl_release(p->before);
}

static void place_sums(preparation *p, tl_error *error) {
    const tl_model *model = p->model;
    for (size_t i = 0; i < model->vertices; i++)
        if (preparation_of(model, i)) p->count += model->vertex[i].layer->sums;
    p->numbers = tl_allocate(p->count + 1, sizeof *p->numbers, "the sums of a preparation", error);
    p->own = tl_allocate(2 * (p->count + 1), sizeof *p->own, "the sums of a batch", error);
    for (size_t i = 0, at = 0; p->numbers && p->sums && i < model->vertices; i++) {
        if (!preparation_of(model, i)) continue;
        p->sums[i] = p->numbers + at;
        at += model->vertex[i].layer->sums;
    }
}

static tl_status prepare(preparation *p, tl_error *error) {
    const tl_model *model = p->model;
    const size_t *shape = p->data->x.shape, vertices = model->vertices;
    const size_t maximum = p->shards ? p->shards->batch : tl_model_batch(model);
    p->batches = tl_ceil_div(shape[0], maximum);
    p->order = tl_allocate(shape[0], sizeof *p->order, "the order of the samples", error);
    p->x = tl_tensor_new(3, (size_t[]){tl_min(shape[0], maximum), shape[1], shape[2]}, error);
    tl_ahead_begin(&p->ahead, p->data, error);
    if (p->data->lengths) p->lengths = tl_allocate(maximum, sizeof *p->lengths, "lengths", error);
    p->sums = tl_allocate(vertices, sizeof *p->sums, "the sums of a preparation", error);
    p->learnt = tl_allocate(3 * vertices, sizeof *p->learnt, "marks of layers", error);
    p->before = tl_allocate(model->state_count + 1, sizeof *p->before, "a copy of the statistics", error);
    place_sums(p, error);
    if (tl_failed(error)) return error->status;
    p->reached = p->learnt + vertices;
    p->learning = p->reached + vertices;
    p->one = p->own + p->count + 1;
    memcpy(p->before, model->states, model->state_count * sizeof *p->before);
    tl_rng order = tl_rng_at(tl_model_seed(model), TL_STREAM_SHUFFLE, 1, 0); /* substream 0 is that of epochs */
    tl_rng_permutation(&order, p->order, shape[0]);
    return TL_OK;
}

/* The place of a batch in the order. */
static size_t first_of(const preparation *p, size_t batch) { return tl_split_at(p->data->x.shape[0], p->batches, batch); }

/* Reads the series of this batch and the next ones of this rank, if they are not in memory. */
static tl_status read_ahead(preparation *p, size_t batch, tl_error *error) {
    if (!tl_ahead_ends(&p->ahead)) return error->status;
    while (batch < p->batches &&
           tl_ahead_add(&p->ahead, p->order + first_of(p, batch), first_of(p, batch + 1) - first_of(p, batch)))
        batch += p->ranks;
    return tl_ahead_read(&p->ahead, error);
}

/* Copies the series of a batch to contiguous memory. */
static tl_status gather(preparation *p, size_t batch, tl_error *error) {
    const uint32_t *order = p->order + first_of(p, batch);
    p->x.shape[0] = first_of(p, batch + 1) - first_of(p, batch);
    if (read_ahead(p, batch, error) != TL_OK || tl_ahead_take(&p->ahead, order, p->x.shape[0], p->x.data, error) != TL_OK)
        return error->status;
    for (size_t i = 0; p->lengths && i < p->x.shape[0]; i++) p->lengths[i] = p->data->lengths[order[i]];
    if (p->lengths) tl_set_lengths(p->model, p->lengths, p->x.shape[0]);
    return TL_OK;
}

static bool inputs_known(const preparation *p, size_t id) {
    const tl_vertex *vertex = &p->model->vertex[id];
    for (size_t e = 0; e < vertex->layer->inputs; e++)
        if (!p->reached[vertex->input[e]]) return false;
    return true;
}

/* Where the sums of a layer are in `of_batch`. */
static double *sums_in(const preparation *p, double *of_batch, size_t id) { return of_batch + (p->sums[id] - p->numbers); }

/* What a layer learns in this pass; NULL: nothing. */
static const tl_preparation *learner_of(const preparation *p, size_t id) {
    return !p->learnt[id] && inputs_known(p, id) ? preparation_of(p->model, id) : NULL;
}

/* Finds the layers whose output is known in this pass. */
static void find_reached(const preparation *p) {
    for (size_t i = 0; i < p->model->vertices; i++) {
        const tl_preparation *learner = learner_of(p, i);
        p->reached[i] = p->model->vertex[i].live && inputs_known(p, i) && !(learner && learner->waits);
    }
}

static void run_layer(const preparation *p, size_t id) {
    tl_vertex *vertex = &p->model->vertex[id];
    const tl_preparation *learner = learner_of(p, id);
    tl_pass pass = vertex->forward[TL_MODE_INFERENCE];
    if (!vertex->live || !inputs_known(p, id) || vertex->absorbed || (int)id == p->model->input) return;
    if (learner) pass.sums = learner->join ? sums_in(p, p->own, id) : p->sums[id];
    if (learner)
        learner->accumulate(vertex->layer, &pass);
    else
        vertex->layer->ops->forward(vertex->layer, &pass);
    if (p->model->has_lengths) tl_blank(&pass.y, vertex);
}

/* Runs the layers up to the last one that learns. */
static void run_layers(const preparation *p, size_t last) {
    if (!tl_begin_forward(p->model, &p->x, TL_MODE_INFERENCE)) return;
    const unsigned denormals = tl_denormals_off();
    for (size_t i = 0; i <= last; i++) run_layer(p, i);
    tl_denormals_restore(denormals);
}

/* Computes the sums of a batch; the number after them tells the other ranks whether it failed. */
static void run_batch(preparation *p, size_t batch, size_t last, tl_error *error) {
    memset(p->own, 0, (p->count + 1) * sizeof *p->own);
    if (gather(p, batch, error) == TL_OK) {
        run_layers(p, last);
        if (tl_report(p->model, error) != TL_OK) tl_model_clear_error(p->model); /* it is reported to the caller */
    }
    p->own[p->count] = tl_failed(error);
}

/* Returns the last layer that learns; the number of layers if there is none. */
static size_t last_learner(const preparation *p) {
    size_t i = p->model->vertices;
    while (i-- > 0)
        if (preparation_of(p->model, i) && !p->learnt[i]) return i;
    return p->model->vertices;
}

static bool all_finite(const preparation *p, size_t id) {
    const tl_layer *layer = p->model->vertex[id].layer;
    for (size_t i = 0; i < layer->sums; i++)
        if (!isfinite(p->sums[id][i])) return false;
    for (size_t s = 0; s < layer->states; s++)
        if (tl_finite_count(p->model->vertex[id].state[s], tl_declared_count(&layer->state[s])) <
            tl_declared_count(&layer->state[s]))
            return false;
    return true;
}

static tl_status finish(const preparation *p, size_t last, tl_error *error) {
    tl_model *model = p->model;
    for (size_t i = 0; i <= last; i++) {
        const tl_preparation *learner = learner_of(p, i);
        const tl_layer *layer = model->vertex[i].layer;
        if (!learner) continue;
        tl_pass pass = model->vertex[i].forward[TL_MODE_INFERENCE];
        pass.sums = p->sums[i];
        learner->finish(layer, &pass);
        p->learnt[i] = true;
        if (!all_finite(p, i)) {
            tl_layer_fail(
                error, TL_ERROR_NUMERIC, i, layer->ops->name,
                "its statistics of the data are not finite; scale the data to smaller values, or train with a lower learning rate");
            return error->status;
        }
    }
    return TL_OK;
}

/* The ranks that divide the batches of a pass: all, if the sums of all layers can be joined. */
static size_t ranks_of_pass(const preparation *p) {
    for (size_t i = 0; i < p->model->vertices; i++)
        if (learner_of(p, i) && !learner_of(p, i)->join) return 1;
    return tl_exchange_ranks(p->exchange);
}

/* Joins the sums of the batch of a rank; returns whether the batch succeeded there. */
static bool join_batch(const preparation *p, size_t rank) {
    const size_t bytes = (p->count + 1) * sizeof *p->own;
    if (p->ranks == 1 || rank == tl_exchange_rank(p->exchange)) memcpy(p->one, p->own, bytes);
    if (p->ranks > 1) p->exchange->broadcast(p->exchange->self, p->one, bytes, (int)rank);
    for (size_t i = 0; i < p->model->vertices; i++) {
        const tl_preparation *learner = learner_of(p, i);
        if (learner && learner->join) learner->join(p->model->vertex[i].layer, p->sums[i], sums_in(p, p->one, i));
    }
    return p->one[p->count] == 0;
}

/* One pass over the data. If a batch fails on one rank, no rank begins another. */
static tl_status run_pass(preparation *p, size_t last, tl_error *error) {
    find_reached(p);
    p->ranks = ranks_of_pass(p);
    const size_t own = p->ranks > 1 ? tl_exchange_rank(p->exchange) : 0;
    bool sound = true;
    for (size_t first = 0; first < p->batches && sound; first += p->ranks) {
        if (first + own < p->batches) run_batch(p, first + own, last, error);
        for (size_t rank = 0; rank < tl_min(p->ranks, p->batches - first); rank++) sound = join_batch(p, rank) && sound;
    }
    return tl_exchange_agree(p->exchange, error) == TL_OK ? finish(p, last, error) : error->status;
}

/* ---- batches that are divided into shards ---- */

/* Reads the series of this rank in this batch and the next ones, if they are not in memory. */
static tl_status read_own(preparation *p, size_t batch, tl_error *error) {
    if (!tl_ahead_ends(&p->ahead)) return error->status;
    for (; batch < p->batches; batch++) {
        const tl_places own = tl_shards_own(p->shards, first_of(p, batch + 1) - first_of(p, batch));
        if (!tl_ahead_add(&p->ahead, p->order + first_of(p, batch) + own.first, own.end - own.first)) break;
    }
    return tl_ahead_read(&p->ahead, error);
}

/* Copies the series of this rank to their places in the batch. */
static tl_status gather_own(preparation *p, size_t batch, tl_error *error) {
    const size_t each = p->data->x.shape[1] * p->data->x.shape[2], count = first_of(p, batch + 1) - first_of(p, batch);
    const tl_places own = tl_shards_own(p->shards, count);
    const uint32_t *order = p->order + first_of(p, batch);
    p->x.shape[0] = count;
    if (read_own(p, batch, error) != TL_OK || own.first == own.end) return error->status;
    for (size_t i = own.first; p->lengths && i < own.end; i++) p->lengths[i] = p->data->lengths[order[i]];
    return tl_ahead_take(&p->ahead, order + own.first, own.end - own.first, p->x.data + own.first * each, error);
}

/* Runs all shards of this rank together, and joins the sums of the whole batch. A single value has no deviation: it does not
 * count. */
static void run_together(preparation *p) {
    tl_together *all = &p->shards->together;
    tl_together_begin(all);
    for (size_t i = 0; i < all->count; i++) {
        const tl_places of = tl_shard_places(p->shards, p->x.shape[0], p->shards->first + i);
        all->x[i] = tl_tensor_slice(&p->x, of.first, of.end - of.first);
        if (p->lengths && of.end > of.first) tl_set_lengths(all->pass[i], p->lengths + of.first, of.end - of.first);
    }
    tl_together_forward(all, TL_MODE_INFERENCE, p->learning);
    tl_together_report(all);
    p->model->stage = TL_STAGE_NOTHING;
    for (size_t i = 0; i < p->model->vertices; i++)
        if (p->learning[i] && all->sums[i][0] > 1) learner_of(p, i)->join(p->model->vertex[i].layer, p->sums[i], all->sums[i]);
}

/* One pass over the data, as run_pass. */
static tl_status run_pass_together(preparation *p, size_t last, tl_error *error) {
    bool sound = true;
    find_reached(p);
    for (size_t i = 0; i < p->model->vertices; i++)
        p->learning[i] = learner_of(p, i) && tl_is_synchronised(p->model, i, p->shards->together.how);
    for (size_t batch = 0; batch < p->batches && sound; batch++) {
        gather_own(p, batch, error);
        sound = (p->by_batch ? tl_exchange_agree(p->exchange, error) : error->status) == TL_OK;
        if (sound) run_together(p);
    }
    if (tl_report(p->model, error) != TL_OK) tl_model_clear_error(p->model); /* it is reported to the caller */
    return tl_exchange_agree(p->exchange, error) == TL_OK ? finish(p, last, error) : error->status;
}

/* ---- all passes ---- */

static bool learns(const tl_model *model) {
    for (size_t i = 0; i < model->vertices; i++)
        if (preparation_of(model, i)) return true;
    return false;
}

/* `p` is set up as far as it is known without the data. */
static tl_status update(preparation *p, tl_error *error) {
    tl_error own = {0};
    tl_model *model = p->model;
    tl_turn turn;
    if (!error) error = &own;
    if (tl_failed(error) || tl_series_check(model, p->data, "statistics", error) != TL_OK || !learns(model)) return error->status;
    if (!tl_turn_begin(model, &turn, "statistics", error)) return error->status;
    prepare(p, error);
    if (tl_exchange_agree(p->exchange, error) == TL_OK) {
        model->stage = TL_STAGE_NOTHING;
        for (size_t last; !tl_failed(error) && (last = last_learner(p)) < model->vertices;)
            (p->shards ? run_pass_together : run_pass)(p, last, error);
        if (tl_failed(error)) memcpy(model->states, p->before, model->state_count * sizeof *p->before);
        tl_arrays_written(model);
    }
    release(p);
    tl_turn_end(model, turn);
    return error->status;
}

tl_status tl_update_statistics_among(tl_model *model, const tl_dataset *data, const tl_exchange *exchange, tl_error *error) {
    preparation p = {.model = model, .data = data, .exchange = exchange};
    return update(&p, error);
}

/* Whether all layers can learn from shards. Those that wait have learnt before the training (tl_draw_features). */
static bool learns_together(const tl_model *model, const tl_synchronised *how) {
    for (size_t i = 0; i < model->vertices; i++) {
        const tl_preparation *learner = preparation_of(model, i);
        if (learner && !learner->waits && !tl_is_synchronised(model, i, how)) return false;
    }
    return true;
}

tl_status tl_update_statistics_together(tl_model *model, const tl_dataset *data, tl_shards *shards, bool by_batch,
                                        tl_error *error) {
    preparation p = {.model = model, .data = data, .exchange = shards->exchange, .by_batch = by_batch};
    if (learns_together(model, shards->together.how)) p.shards = shards;
    return update(&p, error);
}

tl_status tl_update_statistics(tl_model *model, const tl_dataset *data, tl_error *error) {
    return tl_update_statistics_among(model, data, NULL, error);
}

tl_status tl_draw_features(tl_model *model, const tl_dataset *data, tl_error *error) {
    bool waits = false;
    for (size_t i = 0; i < model->vertices; i++) waits = waits || (preparation_of(model, i) && preparation_of(model, i)->waits);
    return waits ? tl_update_statistics(model, data, error) : TL_OK;
}
