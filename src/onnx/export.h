/* export.h: a network on its way into an ONNX graph.
 *
 * Within the graph values are (batch, channels, length), called "series" here; what has one step may be (batch, channels) too, a
 * "matrix". A node has the forms that were asked for.
 */
#ifndef TL_ONNX_EXPORT_H
#define TL_ONNX_EXPORT_H

#include <tapline/dataset.h>

#include "export/export.h"
#include "onnx/pattern.h"
#include "onnx/write.h"

/* The names of a node's output in its forms; "": it does not have that form. */
typedef struct tl_onnx_forms {
    char series[TL_ONNX_NAME], matrix[TL_ONNX_NAME];
} tl_onnx_forms;

typedef struct tl_onnx_graph {
    tl_export net;
    tl_scaling scaling;   /* of series, as the model, its file or the data set says it */
    tl_onnx_forms *forms; /* (net.nodes) */
    tl_pb_writer out;     /* of the whole file */
} tl_onnx_graph;

/* What becomes of a kind of layer. */
typedef struct tl_onnx_row {
    const tl_layer_ops *ops;
    void (*write)(tl_onnx_graph *graph, const tl_export_node *node);
    bool (*fixes_length)(const tl_export_node *node); /* whether the graph is for series of one length (NULL: it is not) */
    int (*opset)(const tl_export_node *node);         /* the operator set that it needs (NULL: 17) */
} tl_onnx_row;

/* The row of a kind; NULL where there is none. */
const tl_onnx_row *tl_onnx_row_of(const tl_layer_ops *ops);

/* The name of a node's output in that form, which is written where it is not there yet. */
const char *tl_onnx_series(tl_onnx_graph *graph, size_t node);
const char *tl_onnx_matrix(tl_onnx_graph *graph, size_t node);

/* The nodes of a chain from `input` to `output`. name: begins those of its constants and steps. free_constant: takes the place of
 * the constant that is NAN. */
void tl_onnx_put_pattern(tl_pb_writer *out, tl_pattern_kind kind, const char *name, const char *input, const char *output,
                         double free_constant);

/* A scalar constant, called `name`. */
void tl_onnx_put_scalar(tl_pb_writer *out, const char *name, double value);

#endif
