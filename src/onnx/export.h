/* export.h: a network that is being written as an ONNX graph.
 *
 * Values in the graph are "series" (batch, channels, length). A value with one step may also be a "matrix" (batch, channels). A
 * form of a value is written when it is first needed.
 */
#ifndef TL_ONNX_EXPORT_H
#define TL_ONNX_EXPORT_H

#include <tapline/dataset.h>

#include "export/export.h"
#include "onnx/pattern.h"
#include "onnx/write.h"

/* The names of a node's output in each form; "": this form was not written. */
typedef struct tl_onnx_forms {
    char series[TL_ONNX_NAME], matrix[TL_ONNX_NAME];
} tl_onnx_forms;

typedef struct tl_onnx_graph {
    tl_export net;
    tl_scaling scaling;   /* scaling of series, from the model, its file or the data set */
    tl_onnx_forms *forms; /* (net.nodes) */
    tl_pb_writer out;     /* the whole file */
} tl_onnx_graph;

/* How a kind of layer is written. */
typedef struct tl_onnx_row {
    const tl_layer_ops *ops;
    void (*write)(tl_onnx_graph *graph, const tl_export_node *node);
    bool (*fixes_length)(const tl_export_node *node); /* whether the graph needs series of a fixed length (NULL: no) */
    int (*opset)(const tl_export_node *node);         /* the operator set that is needed (NULL: 17) */
} tl_onnx_row;

/* The row of a kind; NULL if there is none. */
const tl_onnx_row *tl_onnx_row_of(const tl_layer_ops *ops);

/* Returns the name of a node's output in this form; writes the form if it does not exist yet. */
const char *tl_onnx_series(tl_onnx_graph *graph, size_t node);
const char *tl_onnx_matrix(tl_onnx_graph *graph, size_t node);

/* Writes the nodes of a chain from `input` to `output`. `name` is the prefix of the names of its constants and steps.
 * `free_constant` replaces the constant NAN. */
void tl_onnx_put_pattern(tl_pb_writer *out, tl_pattern_kind kind, const char *name, const char *input, const char *output,
                         double free_constant);

/* Writes the nodes of a layer rocket: from `series` (batch, channels, length) to `output` (batch, features). rocket.c */
void tl_onnx_put_rocket(tl_onnx_graph *graph, const tl_export_node *node, const char *series, const char *output);

#endif
