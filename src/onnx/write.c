#include "onnx/write.h"

#include "onnx/onnx.h"

#include <string.h>

int tl_onnx_element(void) { return sizeof(tl_real) == sizeof(float) ? TL_ONNX_FLOAT : TL_ONNX_DOUBLE; }

/* ---- attributes ---- */

tl_onnx_attribute tl_onnx_int(const char *name, size_t value) {
    return (tl_onnx_attribute){.name = name, .type = TL_ONNX_TYPE_INT, .whole = {(int64_t)value}};
}

tl_onnx_attribute tl_onnx_ints(const char *name, size_t value) {
    return (tl_onnx_attribute){.name = name, .type = TL_ONNX_TYPE_INTS, .count = 1, .whole = {(int64_t)value}};
}

tl_onnx_attribute tl_onnx_pair(const char *name, size_t first, size_t second) {
    return (tl_onnx_attribute){.name = name, .type = TL_ONNX_TYPE_INTS, .count = 2, .whole = {(int64_t)first, (int64_t)second}};
}

tl_onnx_attribute tl_onnx_triple(const char *name, size_t first, size_t second, size_t third) {
    return (tl_onnx_attribute){
        .name = name, .type = TL_ONNX_TYPE_INTS, .count = 3, .whole = {(int64_t)first, (int64_t)second, (int64_t)third}};
}

tl_onnx_attribute tl_onnx_number(const char *name, double value) {
    return (tl_onnx_attribute){.name = name, .type = TL_ONNX_TYPE_FLOAT, .number = value};
}

tl_onnx_attribute tl_onnx_string(const char *name, const char *value) {
    return (tl_onnx_attribute){.name = name, .type = TL_ONNX_TYPE_STRING, .text = value};
}

static void put_attribute(tl_pb_writer *graph, const tl_onnx_attribute *attribute) {
    const size_t opened = tl_pb_open(graph, TL_ONNX_ATTRIBUTE);
    tl_pb_text(graph, TL_ONNX_ATTRIBUTE_NAME, attribute->name);
    if (attribute->type == TL_ONNX_TYPE_FLOAT) tl_pb_float(graph, TL_ONNX_F, (float)attribute->number);
    if (attribute->type == TL_ONNX_TYPE_INT) tl_pb_integer(graph, TL_ONNX_I, attribute->whole[0]);
    if (attribute->type == TL_ONNX_TYPE_STRING) tl_pb_text(graph, TL_ONNX_S, attribute->text);
    for (size_t i = 0; i < attribute->count; i++) tl_pb_integer(graph, TL_ONNX_INTS, attribute->whole[i]);
    tl_pb_integer(graph, TL_ONNX_ATTRIBUTE_TYPE, attribute->type);
    tl_pb_close(graph, opened);
}

/* ---- parts of a graph ---- */

void tl_onnx_put_node(tl_pb_writer *graph, const tl_onnx_node *node) {
    const size_t opened = tl_pb_open(graph, TL_ONNX_NODE);
    for (size_t i = 0; i < TL_ONNX_INPUTS && node->input[i]; i++) tl_pb_text(graph, TL_ONNX_NODE_INPUT, node->input[i]);
    tl_pb_text(graph, TL_ONNX_NODE_OUTPUT, node->output);
    tl_pb_text(graph, TL_ONNX_NODE_NAME, node->output);
    tl_pb_text(graph, TL_ONNX_NODE_OPERATOR, node->operator_type);
    for (size_t i = 0; i < TL_ONNX_ATTRIBUTES && node->attribute[i].name; i++) put_attribute(graph, &node->attribute[i]);
    tl_pb_close(graph, opened);
}

/* Writes the start of a tensor, up to its data. */
static size_t open_tensor(tl_pb_writer *graph, const char *name, int type, size_t rank, const size_t *shape) {
    const size_t opened = tl_pb_open(graph, TL_ONNX_INITIALIZER);
    for (size_t axis = 0; axis < rank; axis++) tl_pb_integer(graph, TL_ONNX_DIMS, (int64_t)shape[axis]);
    tl_pb_integer(graph, TL_ONNX_DATA_TYPE, type);
    tl_pb_text(graph, TL_ONNX_TENSOR_NAME, name);
    return opened;
}

/* Always little-endian. */
static void put_bits(unsigned char *at, uint64_t bits, size_t size) {
    for (size_t i = 0; i < size; i++) at[i] = (unsigned char)(bits >> 8 * i);
}

static void put_float(unsigned char *at, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_bits(at, bits, sizeof bits);
}

static void put_double(unsigned char *at, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_bits(at, bits, sizeof bits);
}

void tl_onnx_put_tensor(tl_pb_writer *graph, const char *name, size_t rank, const size_t *shape, const double *values) {
    size_t count = 1;
    for (size_t axis = 0; axis < rank; axis++) count *= shape[axis];
    const size_t opened = open_tensor(graph, name, tl_onnx_element(), rank, shape);
    unsigned char *at = tl_pb_space(graph, TL_ONNX_RAW_DATA, count * sizeof(tl_real));
    for (size_t i = 0; at && i < count; i++)
        if (tl_onnx_element() == TL_ONNX_FLOAT)
            put_float(at + i * sizeof(float), (float)values[i]);
        else
            put_double(at + i * sizeof(double), values[i]);
    tl_pb_close(graph, opened);
}

void tl_onnx_put_scalar(tl_pb_writer *graph, const char *name, double value) { tl_onnx_put_tensor(graph, name, 0, NULL, &value); }

void tl_onnx_put_floats(tl_pb_writer *graph, const char *name, size_t count, const float *values) {
    const size_t opened = open_tensor(graph, name, TL_ONNX_FLOAT, 1, &count);
    unsigned char *at = tl_pb_space(graph, TL_ONNX_RAW_DATA, count * sizeof *values);
    for (size_t i = 0; at && i < count; i++) put_float(at + i * sizeof *values, values[i]);
    tl_pb_close(graph, opened);
}

void tl_onnx_put_wholes(tl_pb_writer *graph, const char *name, size_t count, const int64_t *values) {
    const size_t opened = open_tensor(graph, name, TL_ONNX_INT64, 1, &count);
    unsigned char *at = tl_pb_space(graph, TL_ONNX_RAW_DATA, count * sizeof *values);
    for (size_t i = 0; at && i < count; i++) put_bits(at + i * sizeof *values, (uint64_t)values[i], sizeof *values);
    tl_pb_close(graph, opened);
}

void tl_onnx_put_value(tl_pb_writer *graph, uint32_t field, const char *name, size_t rank, const tl_onnx_dim *dims) {
    const size_t value = tl_pb_open(graph, field);
    tl_pb_text(graph, TL_ONNX_INFO_NAME, name);
    const size_t type = tl_pb_open(graph, TL_ONNX_INFO_TYPE), tensor = tl_pb_open(graph, TL_ONNX_TENSOR_TYPE);
    tl_pb_integer(graph, TL_ONNX_ELEMENT_TYPE, tl_onnx_element());
    const size_t shape = tl_pb_open(graph, TL_ONNX_SHAPE);
    for (size_t axis = 0; axis < rank; axis++) {
        const size_t dim = tl_pb_open(graph, TL_ONNX_DIM);
        if (dims[axis].size > 0) tl_pb_integer(graph, TL_ONNX_DIM_VALUE, (int64_t)dims[axis].size);
        if (dims[axis].size == 0 && dims[axis].name) tl_pb_text(graph, TL_ONNX_DIM_PARAM, dims[axis].name);
        tl_pb_close(graph, dim);
    }
    tl_pb_close(graph, shape);
    tl_pb_close(graph, tensor);
    tl_pb_close(graph, type);
    tl_pb_close(graph, value);
}
