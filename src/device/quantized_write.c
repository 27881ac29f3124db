/* Writes the operations of a network in integers as C: the constants and one call for each operation. */
#include "device/quantized.h"

#include <stdio.h>
#include <string.h>

/* ---- constants ---- */

static int byte_at(const void *values, size_t index) { return ((const int8_t *)values)[index]; }
static int shift_at(const void *values, size_t index) { return ((const uint8_t *)values)[index]; }
static int word_at(const void *values, size_t index) { return ((const int32_t *)values)[index]; }

static void write_factors(tl_c_network *network, const tl_q_op *op) {
    tl_c_write_integers(network, op->name, "multiplier", "int", 4, op->factors, word_at, op->multiplier);
    tl_c_write_integers(network, op->name, "shift", "unsigned char", 1, op->factors, shift_at, op->shift);
}

static void write_window(tl_c_network *network, const tl_q_op *op) {
    tl_c_print(&network->constants, "{%d, %d, %d, %d, %d, %d}", op->over.length, op->over.out_length, op->over.taps,
               op->over.stride, op->over.dilation, op->over.pad_left);
}

/* ---- operations ---- */

static void write_convolution(tl_c_network *network, const tl_q_op *op) {
    tl_c_text *constants = &network->constants;
    const bool depthwise = op->kind == TL_Q_DEPTHWISE;
    tl_c_use(&network->helpers, depthwise ? TL_C_Q_CONVOLVE_DEPTHWISE : TL_C_Q_CONVOLVE);
    tl_c_print(constants, "static const struct q_convolution %s = {", op->name);
    write_window(network, op);
    tl_c_print(constants, ", %d, %d, %d, %d, %d, %d};\n", op->channels, op->filters, op->groups, op->x_zero[0], op->y_zero,
               op->low);
    tl_c_write_integers(network, op->name, "weight", "signed char", 1, op->weights, byte_at, op->weight);
    tl_c_write_integers(network, op->name, "bias", "int", 4, op->factors, word_at, op->bias);
    write_factors(network, op);
    tl_c_print(constants, "static const struct q_filters %s_filters = {%s_bias, %s_multiplier, %s_shift};\n", op->name, op->name,
               op->name, op->name);
    tl_c_print(&network->body, "    q_convolve%s(&%s, %s, %s_weight, &%s_filters, %s);\n", depthwise ? "_depthwise" : "", op->name,
               tl_c_place_of(network, op->x[0]).text, op->name, op->name, tl_c_place_of(network, op->y).text);
}

static void write_pool(tl_c_network *network, const tl_q_op *op) {
    const bool maximum = op->kind == TL_Q_POOL_MAX;
    tl_c_use(&network->helpers, maximum ? TL_C_Q_POOL_MAX : TL_C_Q_POOL_AVERAGE);
    tl_c_print(&network->constants, "static const struct window %s = ", op->name);
    write_window(network, op);
    tl_c_print(&network->constants, ";\n");
    if (!maximum) write_factors(network, op);
    tl_c_print(&network->body, "    q_pool_%s(&%s, %d, ", maximum ? "max" : "average", op->name, op->channels);
    if (!maximum) tl_c_print(&network->body, "%d, %d, %s_multiplier, %s_shift, ", op->x_zero[0], op->y_zero, op->name, op->name);
    tl_c_print(&network->body, "%s, %s);\n", tl_c_place_of(network, op->x[0]).text, tl_c_place_of(network, op->y).text);
}

/* Returns the first operation with the same table. Equal tables are written once. */
static const tl_q_op *first_with_table(const tl_quantized *quantized, const tl_q_op *op) {
    const tl_q_op *first = quantized->op;
    while (first->kind != TL_Q_TABLE || first->idle || memcmp(first->table, op->table, TL_Q_TABLE_SIZE) != 0) first++;
    return first;
}

static void write_table(tl_c_network *network, const tl_quantized *quantized, const tl_q_op *op) {
    const tl_q_op *first = first_with_table(quantized, op);
    char suffix[40];
    snprintf(suffix, sizeof suffix, "table%zu", first->part);
    tl_c_use(&network->helpers, TL_C_Q_TABLE);
    if (first == op) tl_c_write_integers(network, op->name, suffix, "signed char", 1, TL_Q_TABLE_SIZE, byte_at, op->table);
    tl_c_print(&network->body, "    q_table(%s, %d, %d, %d, %s_%s, %s);\n", tl_c_place_of(network, op->x[0]).text, op->rows,
               op->channels, op->filters, first->name, suffix, tl_c_place_of(network, op->y).text);
}

static void write_add(tl_c_network *network, const tl_q_op *op) {
    tl_c_text *constants = &network->constants;
    tl_c_use(&network->helpers, TL_C_Q_ADD);
    tl_c_print(constants, "static const signed char *const %s_terms[%d] = {", op->name, op->inputs);
    for (int e = 0; e < op->inputs; e++) tl_c_print(constants, "%s%s", e ? ", " : "", tl_c_place_of(network, op->x[e]).text);
    tl_c_print(constants, "};\nstatic const int %s_zero[%d] = {", op->name, op->inputs);
    for (int e = 0; e < op->inputs; e++) tl_c_print(constants, "%s%d", e ? ", " : "", op->x_zero[e]);
    tl_c_print(constants, "};\n");
    tl_c_write_integers(network, op->name, "multiplier", "int", 4, (size_t)op->inputs, word_at, op->multiplier);
    tl_c_print(&network->body, "    q_add(%s_terms, %d, %d, %s_zero, %s_multiplier, %d, %d, %s);\n", op->name, op->inputs,
               op->rows * op->channels, op->name, op->name, op->y_zero, op->low, tl_c_place_of(network, op->y).text);
}

size_t tl_quantized_bytes(const tl_quantized *self) {
    const size_t of_factor = sizeof(int32_t) + sizeof(uint8_t);
    size_t bytes = 0;
    for (size_t i = 0; self && i < self->ops; i++) {
        const tl_q_op *op = &self->op[i];
        bytes += op->weights + (op->bias ? op->factors * sizeof(int32_t) : 0);
        bytes += op->kind == TL_Q_ADD ? op->factors * sizeof(int32_t) : op->factors * of_factor;
        if (op->table && !op->idle && first_with_table(self, op) == op) bytes += TL_Q_TABLE_SIZE;
    }
    return bytes;
}

void tl_q_write(tl_c_network *network, const tl_quantized *quantized, const tl_q_op *op) {
    if (op->idle) return;
    switch (op->kind) {
    case TL_Q_CONVOLVE:
    case TL_Q_DEPTHWISE:
        write_convolution(network, op);
        break;
    case TL_Q_POOL_MAX:
    case TL_Q_POOL_AVERAGE:
        write_pool(network, op);
        break;
    case TL_Q_TABLE:
        write_table(network, quantized, op);
        break;
    case TL_Q_ADD:
        write_add(network, op);
        break;
    }
}
