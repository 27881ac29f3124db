/* Freezing of layers, their settings, and the parameters that the optimizer changes as a result. */
#include "graph/graph.h"

#include "base/argument.h"

#include <string.h>

static bool same_group(const tl_group_cfg *a, const tl_group_cfg *b) { return a->rate == b->rate && a->no_decay == b->no_decay; }

void tl_graph_mark(tl_model *model) {
    if (model->plan_only) return;
    model->runs = 0;
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live) continue;
        const tl_layer *layer = vertex->layer;
        const bool trained = layer->parameters > 0 && !vertex->frozen;
        vertex->forward[TL_MODE_TRAINING].frozen = vertex->backward.frozen = vertex->frozen || model->still;
        vertex->needs_gradient = trained || ((int)i == model->input && model->input_gradient);
        for (size_t e = 0; e < layer->inputs; e++) {
            const tl_vertex *before = &model->vertex[vertex->input[e]];
            vertex->needs_gradient = vertex->needs_gradient || before->needs_gradient;
            vertex->dx[e].data = before->needs_gradient ? vertex->dx_memory[e] : NULL;
        }
        for (size_t p = 0; p < layer->parameters; p++) vertex->active_gradient[p] = trained ? vertex->gradient[p] : NULL;
        if (!trained) continue;
        tl_run *last = model->runs ? &model->run[model->runs - 1] : NULL;
        if (last && last->first + last->count == vertex->first && same_group(&last->group, &vertex->group))
            last->count += vertex->count;
        else
            model->run[model->runs++] = (tl_run){.first = vertex->first, .count = vertex->count, .group = vertex->group};
    }
}

/* Returns the vertex of a node. Returns NULL, and sets the model's error, if there is none; NULL if there is no model. */
static tl_vertex *find_vertex(tl_model *model, tl_node node, const char *caller) {
    if (!model) return NULL;
    if (node.id >= 0 && (size_t)node.id < model->vertices) return &model->vertex[node.id];
    tl_fail(&model->error, TL_ERROR_ARGUMENT, "%s: node %d; the model has %zu nodes", caller, node.id, model->vertices);
    return NULL;
}

static void set_frozen(tl_model *model, tl_node node, bool frozen) {
    tl_vertex *vertex = find_vertex(model, node, frozen ? "freeze" : "unfreeze");
    if (!vertex) return;
    vertex->frozen = frozen;
    if (!model->compiled) return;
    tl_graph_mark(model);
    /* Accumulated gradients do not count in the next step, or in its norm. */
    if (model->gradients && vertex->count > 0) memset(model->gradients + vertex->first, 0, vertex->count * sizeof(tl_real));
}

void tl_freeze(tl_model *model, tl_node node) { set_frozen(model, node, true); }
void tl_unfreeze(tl_model *model, tl_node node) { set_frozen(model, node, false); }

void tl_set_group_sized(tl_model *model, tl_node node, const tl_group_cfg *cfg, size_t size) {
    tl_vertex *vertex = find_vertex(model, node, "group");
    tl_group_cfg group;
    if (!vertex) return;
    tl_take(&group, sizeof group, cfg, size, "group", &model->error);
    if (group.rate == 0) group.rate = 1;
    if (!(group.rate > 0 && group.rate <= 1e6)) {
        tl_fail(&model->error, TL_ERROR_ARGUMENT, "group: rate %g is not above 0 and at most 1e6", group.rate);
        return;
    }
    vertex->group = group;
    if (model->compiled) tl_graph_mark(model);
}
