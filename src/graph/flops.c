/* Counts the operations of a forward pass: each layer counts its own. */
#include "graph/graph.h"

double tl_layer_elements(const tl_layer *layer) { return (double)layer->out.length * (double)layer->out.channels; }

double tl_no_flops(const tl_layer *layer) {
    (void)layer;
    return 0;
}

double tl_node_flops(const tl_model *model, tl_node node) {
    const bool there = model && model->compiled && node.id >= 0 && (size_t)node.id < model->vertices;
    if (!there || !model->vertex[node.id].live) return 0;
    const tl_layer *layer = model->vertex[node.id].layer;
    return layer->ops->flops ? layer->ops->flops(layer) : tl_layer_elements(layer);
}
