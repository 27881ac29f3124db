/* Writes the layer rocket as C: its random choices as constants, and a call of a helper function. */
#include "layers/rocket/rocket.h"
#include "base/math.h"
#include "base/memory.h"
#include "device/network.h"
#include "graph/graph.h"

#include <stdio.h>

static const tl_rocket_layer *layer_of(const tl_export_node *node) { return (const tl_rocket_layer *)node->layer; }

/* Kinds mini and multi: the series, what the kernels share, and the outputs of a kernel. Kind hydra: the input of a group. */
size_t tl_c_rocket_scratch(const tl_export_node *node) {
    const bool hydra = layer_of(node)->kind == TL_ROCKET_HYDRA;
    return node->in.length * (hydra ? 1 : 2 * node->in.channels + 1);
}

/* ---- channels ---- */

static int integer_at(const void *values, size_t index) { return ((const int *)values)[index]; }

/* Adds the array of channels of `rows` pairs or groups, each of which ends with -1 if it has room. If the series have one channel,
 * there is one row for all, with a 0. */
static void write_channels(tl_c_network *network, const tl_export_node *node, const char *name, size_t first, size_t rows) {
    const tl_rocket_layer *self = layer_of(node);
    const tl_real *state = network->net.model->vertex[node->vertex].state[TL_ROCKET_CHANNEL];
    const size_t count = tl_max(rows * self->chosen, 1);
    int *channel = tl_allocate(count, sizeof *channel, "export", network->error);
    for (size_t row = 0; channel && self->chosen > 0 && row < rows; row++) {
        size_t of[TL_ROCKET_MAX_CHANNELS];
        const size_t chosen = tl_rocket_channels(self, state, first + row, of);
        for (size_t c = 0; c < self->chosen; c++) channel[row * self->chosen + c] = c < chosen ? (int)of[c] : -1;
    }
    if (channel) tl_c_write_integers(network, name, "channel", "int", 4, count, integer_at, channel);
    tl_release(channel);
}

/* ---- kinds ---- */

static void write_dilations(tl_c_network *network, const tl_rocket_bank *bank, const char *name) {
    int dilation[2 * TL_ROCKET_MAX_DILATIONS];
    for (size_t d = 0; d < bank->dilations; d++) {
        dilation[2 * d] = (int)bank->dilation[d].step;
        dilation[2 * d + 1] = (int)bank->dilation[d].biases;
    }
    tl_c_write_integers(network, name, "dilation", "int", 4, 2 * bank->dilations, integer_at, dilation);
}

static void call(tl_c_network *network, const tl_c_step *step, const char *function, const char *name, size_t first) {
    const tl_c_value scratch = {.span = step->scratch}, y = {.span = step->y.span, .offset = step->y.offset + first};
    tl_c_print(&network->body, "    %s(&%s, %s, %s, %s);\n", function, name, tl_c_place_of(network, step->x[0]).text,
               tl_c_place_of(network, scratch).text, tl_c_place_of(network, y).text);
}

/* The kernels on the series, or on its differences. */
static void write_bank(tl_c_network *network, const tl_c_step *step, const tl_rocket_bank *bank) {
    const tl_export_node *node = step->node;
    const tl_rocket_layer *self = layer_of(node);
    char name[64];
    snprintf(name, sizeof name, "%s%s", node->name, bank->differences ? "_differences" : "");
    tl_c_use(&network->helpers, TL_C_ROCKET);
    write_dilations(network, bank, name);
    tl_c_write_array(network, name, "bias", tl_export_find(node, "bias")->value + bank->first_bias, bank->biases);
    write_channels(network, node, name, bank->first_pair, bank->dilations * TL_ROCKET_KERNELS);
    tl_c_print(&network->constants,
               "static const struct rocket %s = {%zu, %zu, %d, %zu, %zu, %zu, %zu, %s_dilation, %s_bias, %s_channel};\n", name,
               node->in.length, node->in.channels, bank->differences, self->chosen, bank->dilations, self->pooled, self->biases,
               name, name, name);
    call(network, step, "rocket", name, bank->first_bias);
}

static void write_hydra(tl_c_network *network, const tl_c_step *step) {
    const tl_export_node *node = step->node;
    const tl_rocket_layer *self = layer_of(node);
    const tl_export_array *weight = tl_export_find(node, "weight");
    tl_c_use(&network->helpers, TL_C_HYDRA);
    tl_c_write_array(network, node->name, "weight", weight->value, tl_export_count(weight));
    write_channels(network, node, node->name, 0, weight->shape[0]);
    tl_c_print(&network->constants, "static const struct hydra %s = {%zu, %zu, %zu, %zu, %zu, %s_weight, %s_channel};\n",
               node->name, node->in.length, node->in.channels, self->chosen, self->doublings, self->groups, node->name, node->name);
    call(network, step, "hydra", node->name, 0);
}

void tl_c_write_rocket(tl_c_network *network, const tl_c_step *step) {
    const tl_rocket_layer *self = layer_of(step->node);
    if (tl_export_find(step->node, "fitted")->value[0] == 0)
        tl_export_fail(&network->net, step->node, network->error,
                       "its biases were not drawn yet; tl_update_statistics draws them from training data");
    else if (self->kind == TL_ROCKET_HYDRA)
        write_hydra(network, step);
    else
        for (size_t b = 0; b < self->banks; b++) write_bank(network, step, &self->bank[b]);
}
