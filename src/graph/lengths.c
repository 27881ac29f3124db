/* Samples of different lengths in a batch: each layer maps lengths, and steps after a length are zero where a layer reads them. */
#include "base/math.h"
#include "graph/graph.h"
#include "graph/turn.h"

#include <stdio.h>
#include <string.h>

static tl_status check_range(const size_t *lengths, size_t count, size_t maximum, const char *caller, tl_error *error) {
    for (size_t i = 0; i < count; i++)
        if (lengths[i] < 1 || lengths[i] > maximum)
            return tl_fail(error, TL_ERROR_SHAPE, "%s: sample %zu has length %zu, outside 1 … %zu", caller, i, lengths[i], maximum);
    return TL_OK;
}

static void set_lengths(tl_model *model, const size_t *lengths, size_t count) {
    if (tl_failed(&model->error)) return;
    if (!model->compiled) {
        tl_fail(&model->error, TL_ERROR_STATE, "lengths: the model is not compiled");
        return;
    }
    const size_t maximum = model->vertex[model->input].layer->out.length;
    model->given = 0;
    if (!lengths) return;
    if (count == 0 || count > model->batch) {
        tl_fail(&model->error, TL_ERROR_SHAPE, "lengths: %zu samples are outside 1 … %zu, the batch that was compiled", count,
                model->batch);
        return;
    }
    if (check_range(lengths, count, maximum, "lengths", &model->error) != TL_OK) return;
    memcpy(model->vertex[model->input].lengths, lengths, count * sizeof *lengths);
    model->given = count;
}

void tl_set_lengths(tl_model *model, const size_t *lengths, size_t count) {
    const tl_turn turn = tl_turn_take(model);
    if (turn == TL_TURN_REFUSED) return;
    set_lengths(model, lengths, count);
    tl_turn_end(model, turn);
}

/* Returns the first step after the sample's length at which x is not 0; the length of x if there is none. */
static size_t first_beyond(const tl_tensor *x, size_t sample, size_t length) {
    const size_t channels = x->shape[2];
    const tl_real *values = x->data + sample * x->shape[1] * channels;
    for (size_t i = length * channels; i < x->shape[1] * channels; i++)
        if (values[i] != 0) return i / channels;
    return x->shape[1];
}

static tl_status check_padding(const tl_tensor *x, const size_t *lengths, const char *caller, tl_error *error) {
    for (size_t i = 0; i < x->shape[0]; i++) {
        const size_t step = first_beyond(x, i, lengths[i]);
        if (step == x->shape[1]) continue;
        return tl_fail(error, TL_ERROR_ARGUMENT, "%s: sample %zu has length %zu, but x is not 0 at its step %zu", caller, i,
                       lengths[i], step);
    }
    return TL_OK;
}

tl_status tl_lengths_check(const tl_tensor *x, const size_t *lengths, const char *caller, tl_error *error) {
    if (!lengths) return TL_OK;
    const tl_status status = check_range(lengths, x->shape[0], x->shape[1], caller, error);
    return status == TL_OK && x->data ? check_padding(x, lengths, caller, error) : status; /* NULL: of a data set with batches */
}

static bool fail_layer(tl_model *model, size_t id, const char *text) {
    tl_layer_fail(&model->error, TL_ERROR_SHAPE, id, model->vertex[id].layer->ops->name, text);
    return false;
}

/* Computes the output lengths of a layer from the lengths of its inputs. */
static bool map_lengths(tl_model *model, size_t id, size_t batch) {
    tl_vertex *vertex = &model->vertex[id];
    const tl_layer *layer = vertex->layer;
    char text[120];
    if (!layer->ops->out_length && layer->out.length != layer->in[0].length)
        return fail_layer(model, id, "needs whole series, but lengths were set");
    for (size_t i = 0; i < batch; i++) {
        const size_t length = model->vertex[vertex->input[0]].lengths[i];
        for (size_t e = 1; e < layer->inputs; e++) {
            if (model->vertex[vertex->input[e]].lengths[i] == length) continue;
            snprintf(text, sizeof text, "sample %zu has length %zu at input 0 and %zu at input %zu", i, length,
                     model->vertex[vertex->input[e]].lengths[i], e);
            return fail_layer(model, id, text);
        }
        vertex->lengths[i] = layer->ops->out_length ? layer->ops->out_length(layer, length) : length;
        if (vertex->lengths[i] >= 1) continue;
        snprintf(text, sizeof text, "sample %zu has length %zu here, which is too short for an output", i, length);
        return fail_layer(model, id, text);
    }
    return true;
}

static void bind_lengths(tl_model *model, bool given) {
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live || vertex->layer->inputs == 0) continue;
        tl_pass *const passes[] = {&vertex->forward[TL_MODE_TRAINING], &vertex->forward[TL_MODE_INFERENCE], &vertex->backward};
        for (size_t p = 0; p < sizeof passes / sizeof *passes; p++) {
            passes[p]->lengths = given ? model->vertex[vertex->input[0]].lengths : NULL;
            passes[p]->out_lengths = given ? vertex->lengths : NULL;
        }
    }
    model->has_lengths = given;
}

bool tl_begin_lengths(tl_model *model, const tl_tensor *x) {
    const size_t given = model->given;
    model->given = 0;
    if (given != 0 || model->has_lengths) bind_lengths(model, given != 0);
    if (given == 0) return true;
    if (given != x->shape[0]) {
        tl_fail(&model->error, TL_ERROR_SHAPE, "forward: lengths were set for %zu samples, x has %zu", given, x->shape[0]);
        return false;
    }
    bool fits = check_padding(x, model->vertex[model->input].lengths, "forward", &model->error) == TL_OK;
    for (size_t i = 0; fits && i < model->vertices; i++)
        if (model->vertex[i].live && (int)i != model->input) fits = map_lengths(model, i, given);
    return fits;
}

/* ---- steps that do not count ---- */

static size_t reads_behind(const tl_layer *layer) { return layer->ops->reads_behind ? layer->ops->reads_behind(layer) : SIZE_MAX; }

/* The layer whose output or gradient has the memory of this one's, because one of them does the work of both; below 0: none. */
static int same_memory(const tl_vertex *vertex) {
    if (vertex->taken) return vertex->input[vertex->taken_input];
    return vertex->absorbed || vertex->rectified || vertex->masked ? vertex->input[0] : -1;
}

/* A layer reads its own output and its gradient, and those of its inputs. The user may read those of the model. */
void tl_plan_blanks(tl_model *model) {
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        const bool all = (int)i == model->input || (int)i == model->output;
        if (!vertex->live) continue;
        vertex->behind = all ? SIZE_MAX : reads_behind(vertex->layer);
        for (size_t e = 0; e < vertex->layer->inputs; e++) {
            tl_vertex *before = &model->vertex[vertex->input[e]];
            before->behind = tl_max(before->behind, reads_behind(vertex->layer));
        }
    }
    for (size_t i = model->vertices; i-- > 0;) {
        const int before = model->vertex[i].live ? same_memory(&model->vertex[i]) : -1;
        if (before >= 0) model->vertex[before].behind = tl_max(model->vertex[before].behind, model->vertex[i].behind);
    }
    for (size_t i = 0; i < model->vertices; i++) {
        const int before = model->vertex[i].live ? same_memory(&model->vertex[i]) : -1;
        if (before >= 0) model->vertex[i].behind = model->vertex[before].behind;
    }
}

void tl_blank(const tl_tensor *tensor, const tl_vertex *vertex) {
    const size_t length = tensor->shape[1], channels = tensor->shape[2];
    for (size_t i = 0; i < tensor->shape[0]; i++) {
        const size_t own = vertex->lengths[i], steps = tl_min(length - own, vertex->behind);
        memset(tensor->data + (i * length + own) * channels, 0, steps * channels * sizeof(tl_real));
    }
}
