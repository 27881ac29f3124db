/* random_graph.h: networks that are drawn at random: any layers, one after the other or in branches that join again. */
#ifndef RANDOM_GRAPH_H
#define RANDOM_GRAPH_H

#include "check.h"

enum { RANDOM_LAYERS = 12 }; /* at most, beside what joins branches */

/* What is fixed by the number of a network, whatever runs it. */
typedef struct random_graph {
    uint32_t number;
    size_t batch;
    tl_shape in;
    tl_loss_kind loss;
} random_graph;

random_graph random_graph_of(uint32_t number);

/* Draws the layers of the network and returns its output. `engine`: of its convolutions, where the engine runs their shape, else
 * naive. */
tl_node random_graph_build(const random_graph *graph, tl_model *model, tl_engine engine);

#endif
