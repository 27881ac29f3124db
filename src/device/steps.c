/* Chooses the layers with code in the C file, and the places of their values. */
#include "device/network.h"

#include "base/memory.h"
#include "layers/registry.h"

#include <stdlib.h>

enum { NONE = -1, INPUT_SLOT = 0 };

/* Memory for the outputs of a step, or for the input. Layers without code share the slot of their input. */
typedef struct slot {
    size_t count;
    int first, last; /* time of the write, and of the last read */
    int span;
    size_t node; /* the node whose output it contains */
} slot;

typedef struct planning {
    tl_c_network *network;
    tl_c_value *of; /* (nodes) `span` is the slot; `offset` is the start of the output in the slot */
    slot *slots;    /* (steps + 1) one for the input, then one for each step */
} planning;

/* ---- steps ---- */

static int time_of(size_t step) { return (int)step + 1; } /* 0: the scaling of the input */

/* Whether the code of a layer can include the ReLU after it. In integers, this is a lower limit of any layer with weights. */
static bool rectifies(const tl_c_network *network, const tl_export_node *node) {
    const bool in_integers = node->kind == &tl_fixed_filters_layer_ops || node->kind == &tl_batch_norm_layer_ops;
    return tl_c_layer_of(node->layer)->rectifies || (network->quantized && in_integers);
}

/* Includes a ReLU in the step before it. Returns false if that step cannot include it, or if other layers read its output. */
static bool take_over(const planning *p, size_t index) {
    const tl_export_node *node = &p->network->net.node[index];
    const size_t before = node->input[0];
    const int own = p->of[before].span;
    if (node->layer->ops != &tl_relu_layer_ops || own == INPUT_SLOT || p->slots[own].node != before) return false;
    tl_c_step *step = &p->network->step[own - 1];
    if (p->network->net.node[before].readers != 1 || !rectifies(p->network, step->node)) return false;
    step->relu = true;
    p->of[index] = p->of[before];
    p->slots[own].node = index;
    return true;
}

static void add_step(planning *p, size_t index) {
    tl_c_network *network = p->network;
    const tl_export_node *node = &network->net.node[index];
    tl_c_step *step = &network->step[network->steps++];
    *step = (tl_c_step){.node = node, .y = {.span = (int)network->steps}, .scratch = NONE};
    const int now = time_of(network->steps - 1);
    for (size_t e = 0; e < node->inputs; e++) {
        step->x[e] = p->of[node->input[e]];
        p->slots[step->x[e].span].last = now;
    }
    p->of[index] = step->y;
    p->slots[step->y.span] =
        (slot){.count = node->out.length * node->out.channels, .first = now, .last = now, .span = NONE, .node = index};
}

static void add_node(planning *p, size_t index) {
    const tl_export_node *node = &p->network->net.node[index];
    const tl_c_layer *row = tl_c_layer_of(node->layer);
    if (!row)
        tl_export_refuse(&p->network->net, node, p->network->error);
    else if (!row->write) {
        p->of[index] = p->of[node->input[0]];
        if (row->skipped) p->of[index].offset += row->skipped(node);
    } else if (!take_over(p, index))
        add_step(p, index);
}

/* ---- memory ---- */

static int add_span(tl_c_network *network, size_t count, int first, int last) {
    network->span[network->spans] = (tl_span){.count = count, .first = first, .last = last};
    return (int)network->spans++;
}

/* The span of an input that the step may overwrite because no later step reads it; NONE: there is none. */
static int overwritten_span(const planning *p, const tl_c_step *step, const slot *y) {
    for (size_t e = 0; e < step->node->inputs && step->node->layer->ops->in_place; e++) {
        const slot *x = &p->slots[step->x[e].span];
        if (x->span >= 0 && x->last == y->first && x->count == y->count && step->x[e].offset == 0) return x->span;
    }
    return NONE;
}

static void place_step(planning *p, tl_c_step *step) {
    tl_c_network *network = p->network;
    const tl_c_layer *row = tl_c_layer_of(step->node->layer);
    slot *y = &p->slots[step->y.span];
    y->span = overwritten_span(p, step, y);
    if (y->span == NONE)
        y->span = add_span(network, y->count, y->first, y->last);
    else
        network->span[y->span].last = y->last;
    const size_t scratch = row->scratch ? row->scratch(step->node) : 0;
    if (scratch > 0) step->scratch = add_span(network, scratch, y->first, y->first);
}

/* If the whole slot of the output is the result, its place is the caller's array. */
static void place_output(planning *p) {
    tl_c_network *network = p->network;
    const tl_shape out = network->net.node[network->net.nodes - 1].out;
    const slot *output = &p->slots[network->output.span];
    const int span = output->span;
    if (span < 0 || output->count != out.length * out.channels) return;
    network->span[span].count = 0;
    for (size_t s = 0; s <= network->steps; s++)
        if (p->slots[s].span == span) p->slots[s].span = TL_C_CALLER_Y;
}

static void place_slots(planning *p) {
    tl_c_network *network = p->network;
    slot *input = &p->slots[INPUT_SLOT];
    network->output = p->of[network->net.nodes - 1];
    p->slots[network->output.span].last = time_of(network->steps);
    input->span = tl_c_scales(network) || network->quantized ? add_span(network, input->count, 0, input->last) : TL_C_CALLER_X;
    for (size_t s = 0; s < network->steps; s++) place_step(p, &network->step[s]);
    if (!network->quantized) place_output(p);
}

/* Replaces slots by spans. */
static void resolve(const planning *p, tl_c_value *value) { value->span = p->slots[value->span].span; }

static void resolve_all(const planning *p) {
    tl_c_network *network = p->network;
    network->input = (tl_c_value){.span = p->slots[INPUT_SLOT].span};
    resolve(p, &network->output);
    for (size_t s = 0; s < network->steps; s++) {
        tl_c_step *step = &network->step[s];
        resolve(p, &step->y);
        for (size_t e = 0; e < step->node->inputs; e++) resolve(p, &step->x[e]);
    }
}

static void plan_arena(tl_c_network *network) {
    bool fits;
    tl_span **order = calloc(network->spans + 1, 2 * sizeof *order);
    if (!order) {
        tl_fail(network->error, TL_ERROR_MEMORY, "export: out of memory");
        return;
    }
    network->arena = tl_arena_plan(network->span, network->spans, order, &fits);
    if (!fits || network->arena > INT32_MAX)
        tl_fail(network->error, TL_ERROR_SHAPE, "export: the layers need more memory than an int can count in numbers");
    free(order);
}

tl_status tl_c_plan(tl_c_network *network) {
    const tl_export *net = &network->net;
    planning p = {.network = network, .of = calloc(net->nodes, sizeof *p.of), .slots = calloc(net->nodes, sizeof *p.slots)};
    network->step = calloc(net->nodes, sizeof *network->step);
    network->span = calloc(net->nodes, 2 * sizeof *network->span);
    if (!p.of || !p.slots || !network->step || !network->span)
        tl_fail(network->error, TL_ERROR_MEMORY, "export: out of memory");
    else {
        p.slots[INPUT_SLOT] = (slot){.count = net->node[0].out.length * net->node[0].out.channels, .span = NONE};
        for (size_t i = 1; i < net->nodes && !tl_failed(network->error); i++) add_node(&p, i);
    }
    if (!tl_failed(network->error)) {
        place_slots(&p);
        resolve_all(&p);
        plan_arena(network);
    }
    free(p.of);
    free(p.slots);
    return network->error->status;
}
