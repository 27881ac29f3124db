/* Statistics that layers learn from a pass over the training data (tl_preparation). A pass prepares the layers whose inputs no
 * longer change. */
#include <tapline/train.h>

#include "base/argument.h"
#include "base/math.h"
#include "base/memory.h"
#include "data/batches.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/turn.h"
#include "train/evaluate.h"
#include "train/scales.h"

#include <math.h>
#include <string.h>

typedef struct preparation {
    tl_model *model;
    const tl_dataset *data;
    uint32_t *order;        /* (samples) */
    size_t batches;         /* their sizes differ by at most one, so that none is very small */
    tl_tensor x;            /* (batch, length, channels) */
    size_t *lengths;        /* (batch); NULL: whole series */
    double **sums;          /* (vertices) of the layers that learn; NULL for others */
    double *numbers;        /* memory of the sums */
    size_t count;           /* number of elements */
    bool *learnt, *reached; /* (vertices) layers that have finished; layers whose output is known in this pass */
    tl_real *before;        /* the states of the model, to restore them on failure */
} preparation;

static const tl_preparation *preparation_of(const tl_model *model, size_t id) {
    const tl_vertex *vertex = &model->vertex[id];
    return vertex->live && !vertex->absorbed && !vertex->frozen ? vertex->layer->ops->preparation : NULL;
}

static void release(preparation *p) {
    tl_release(p->order);
    tl_tensor_free(&p->x);
    tl_release(p->lengths);
    tl_release(p->sums);
    tl_release(p->numbers);
    tl_release(p->learnt);
    tl_release(p->before);
}

static void place_sums(preparation *p, tl_error *error) {
    const tl_model *model = p->model;
    for (size_t i = 0; i < model->vertices; i++)
        if (preparation_of(model, i)) p->count += model->vertex[i].layer->sums;
    p->numbers = tl_allocate(p->count + 1, sizeof *p->numbers, "the sums of a preparation", error);
    for (size_t i = 0, at = 0; p->numbers && p->sums && i < model->vertices; i++) {
        if (!preparation_of(model, i)) continue;
        p->sums[i] = p->numbers + at;
        at += model->vertex[i].layer->sums;
    }
}

static tl_status prepare(preparation *p, tl_error *error) {
    const tl_model *model = p->model;
    const size_t *shape = p->data->x.shape, maximum = tl_model_batch(model), vertices = model->vertices;
    p->batches = tl_ceil_div(shape[0], maximum);
    p->order = tl_allocate(shape[0], sizeof *p->order, "the order of the samples", error);
    p->x = tl_tensor_new(3, (size_t[]){tl_min(shape[0], maximum), shape[1], shape[2]}, error);
    if (p->data->lengths) p->lengths = tl_allocate(maximum, sizeof *p->lengths, "lengths", error);
    p->sums = tl_allocate(vertices, sizeof *p->sums, "the sums of a preparation", error);
    p->learnt = tl_allocate(2 * vertices, sizeof *p->learnt, "marks of layers", error);
    p->before = tl_allocate(model->state_count + 1, sizeof *p->before, "a copy of the statistics", error);
    place_sums(p, error);
    if (tl_failed(error)) return error->status;
    p->reached = p->learnt + vertices;
    memcpy(p->before, model->states, model->state_count * sizeof *p->before);
    tl_rng order = tl_rng_at(tl_model_seed(model), TL_STREAM_SHUFFLE, 1, 0); /* substream 0 is that of epochs */
    tl_rng_permutation(&order, p->order, shape[0]);
    return TL_OK;
}

/* Copies the series of a batch to contiguous memory. */
static tl_status gather(preparation *p, size_t batch, tl_error *error) {
    const size_t samples = p->data->x.shape[0], first = tl_split_at(samples, p->batches, batch);
    p->x.shape[0] = tl_split_at(samples, p->batches, batch + 1) - first;
    if (tl_series_copy(p->data, p->order + first, p->x.shape[0], p->x.data, error) != TL_OK) return error->status;
    for (size_t i = 0; p->lengths && i < p->x.shape[0]; i++) p->lengths[i] = p->data->lengths[p->order[first + i]];
    if (p->lengths) tl_set_lengths(p->model, p->lengths, p->x.shape[0]);
    return TL_OK;
}

static bool inputs_known(const preparation *p, size_t id) {
    const tl_vertex *vertex = &p->model->vertex[id];
    for (size_t e = 0; e < vertex->layer->inputs; e++)
        if (!p->reached[vertex->input[e]]) return false;
    return true;
}

/* Returns whether the layer's output is known afterwards. */
static bool run_layer(const preparation *p, size_t id) {
    tl_vertex *vertex = &p->model->vertex[id];
    const tl_preparation *learner = p->learnt[id] ? NULL : preparation_of(p->model, id);
    tl_pass pass = vertex->forward[TL_MODE_INFERENCE];
    if (!inputs_known(p, id)) return false;
    if (vertex->absorbed || (int)id == p->model->input) return true;
    pass.sums = learner ? p->sums[id] : NULL;
    if (learner)
        learner->accumulate(vertex->layer, &pass);
    else
        vertex->layer->ops->forward(vertex->layer, &pass);
    if (p->model->has_lengths) tl_blank(&pass.y, vertex);
    return !learner || !learner->waits;
}

/* Runs the layers up to the last one that learns. */
static void run_batch(const preparation *p, size_t last) {
    if (!tl_begin_forward(p->model, &p->x, TL_MODE_INFERENCE)) return;
    const unsigned denormals = tl_denormals_off();
    for (size_t i = 0; i <= last; i++) p->reached[i] = p->model->vertex[i].live && run_layer(p, i);
    tl_denormals_restore(denormals);
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
        const tl_preparation *learner = p->learnt[i] ? NULL : preparation_of(model, i);
        const tl_layer *layer = model->vertex[i].layer;
        if (!learner || !inputs_known(p, i)) continue;
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

/* One pass over the data. */
static tl_status run_pass(preparation *p, size_t last, tl_error *error) {
    for (size_t batch = 0; batch < p->batches; batch++) {
        if (gather(p, batch, error) != TL_OK) return error->status;
        run_batch(p, last);
        if (tl_report(p->model, error) == TL_OK) continue;
        tl_model_clear_error(p->model); /* it is reported to the caller */
        return error->status;
    }
    return finish(p, last, error);
}

static bool learns(const tl_model *model) {
    for (size_t i = 0; i < model->vertices; i++)
        if (preparation_of(model, i)) return true;
    return false;
}

tl_status tl_update_statistics(tl_model *model, const tl_dataset *data, tl_error *error) {
    tl_error own = {0};
    preparation p = {.model = model, .data = data};
    tl_turn turn;
    if (!error) error = &own;
    if (tl_failed(error) || tl_series_check(model, data, "statistics", error) != TL_OK || !learns(model)) return error->status;
    if (!tl_turn_begin(model, &turn, "statistics", error)) return error->status;
    if (prepare(&p, error) == TL_OK) {
        model->stage = TL_STAGE_NOTHING;
        for (size_t last; !tl_failed(error) && (last = last_learner(&p)) < model->vertices;) run_pass(&p, last, error);
        if (tl_failed(error)) memcpy(model->states, p.before, model->state_count * sizeof *p.before);
        tl_arrays_written(model);
    }
    release(&p);
    tl_turn_end(model, turn);
    return error->status;
}

tl_status tl_draw_features(tl_model *model, const tl_dataset *data, tl_error *error) {
    bool waits = false;
    for (size_t i = 0; i < model->vertices; i++) waits = waits || (preparation_of(model, i) && preparation_of(model, i)->waits);
    return waits ? tl_update_statistics(model, data, error) : TL_OK;
}
