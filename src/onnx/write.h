/* write.h: writes the nodes and initializers of an ONNX file. */
#ifndef TL_ONNX_WRITE_H
#define TL_ONNX_WRITE_H

#include "io/protobuf.h"

enum { TL_ONNX_NAME = 96, TL_ONNX_INPUTS = 64, TL_ONNX_ATTRIBUTES = 6 };

/* The type of the network's elements: TL_ONNX_FLOAT, or TL_ONNX_DOUBLE in the double-precision library. */
int tl_onnx_element(void);

/* An attribute of a node: an INT, one or two INTS, a FLOAT or a STRING. */
typedef struct tl_onnx_attribute {
    const char *name; /* NULL: none */
    int type;         /* TL_ONNX_TYPE_… */
    size_t count;     /* number of INTS */
    int64_t whole[3];
    double number;
    const char *text;
} tl_onnx_attribute;

tl_onnx_attribute tl_onnx_int(const char *name, size_t value);
tl_onnx_attribute tl_onnx_ints(const char *name, size_t value);
tl_onnx_attribute tl_onnx_pair(const char *name, size_t first, size_t second);
tl_onnx_attribute tl_onnx_triple(const char *name, size_t first, size_t second, size_t third);
tl_onnx_attribute tl_onnx_number(const char *name, double value);
tl_onnx_attribute tl_onnx_string(const char *name, const char *value);

/* Writes a node with one output. The node has the name of its output. The input "" is omitted. */
typedef struct tl_onnx_node {
    const char *operator_type, *output;
    const char *input[TL_ONNX_INPUTS]; /* ends before the first NULL */
    tl_onnx_attribute attribute[TL_ONNX_ATTRIBUTES];
} tl_onnx_node;

void tl_onnx_put_node(tl_pb_writer *graph, const tl_onnx_node *node);

/* Writes a tensor of the network's type, or of INT64; rank 0: a scalar. */
void tl_onnx_put_tensor(tl_pb_writer *graph, const char *name, size_t rank, const size_t *shape, const double *values);
void tl_onnx_put_scalar(tl_pb_writer *graph, const char *name, double value);
void tl_onnx_put_wholes(tl_pb_writer *graph, const char *name, size_t count, const int64_t *values);

/* Writes a tensor of FLOAT in both libraries; some operators require this type. */
void tl_onnx_put_floats(tl_pb_writer *graph, const char *name, size_t count, const float *values);

/* A dimension of an input or output: a number; 0: any size, with the symbolic name `name` (may be NULL). */
typedef struct tl_onnx_dim {
    size_t size;
    const char *name;
} tl_onnx_dim;

/* `field`: TL_ONNX_GRAPH_INPUT or TL_ONNX_GRAPH_OUTPUT. */
void tl_onnx_put_value(tl_pb_writer *graph, uint32_t field, const char *name, size_t rank, const tl_onnx_dim *dims);

#endif
