/* export.h: shared by all exports of models.
 *
 * A tl_export is a copy of a compiled network, for code that writes the network in another format. It has the layers in the order
 * of their computation, with their settings, shapes and arrays. Numbers are doubles in both precisions of the library; a format
 * rounds them once, when it writes them. Functions such as tl_export_fold_batch_norm change the copy, not the model.
 *
 *     tl_export net;
 *     tl_export_begin(&net, model, "onnx", &error);
 *     tl_export_fold_batch_norm(&net, &error);
 *     for (size_t i = 0; i < net.nodes && !tl_failed(&error); i++) write(&net.node[i]);
 *     tl_export_release(&net);
 *
 * Each format has one table with a row for each kind of layer that it can write. tl_export_refuse reports a layer whose kind is not
 * in the table.
 */
#ifndef TL_EXPORT_H
#define TL_EXPORT_H

#include <tapline/layer.h>

enum { TL_EXPORT_ARRAYS = 2 * TL_MAX_PARAMETERS };

/* An array of a layer (a parameter or a state), row-major. Name and order of axes are those that the layer declared, such as
 * "weight" (kernel, channels, filters). */
typedef struct tl_export_array {
    const char *name;
    size_t rank, shape[TL_MAX_RANK];
    double *value; /* owned by the export */
} tl_export_array;

/* A layer. */
typedef struct tl_export_node {
    const tl_layer_ops *kind; /* of the registry, such as &tl_conv1d_layer_ops, or the table of a user's own layer */
    const tl_layer *layer;    /* of the model; tl_export_number reads its settings */
    const char *name;         /* such as "conv1d_2"; unique in the network */
    size_t vertex;            /* index of the vertex in the model, as in messages: "layer 2 (conv1d)" */
    size_t inputs;
    size_t input[TL_MAX_INPUTS]; /* indices of nodes before this one */
    size_t readers;   /* number of inputs of other nodes that read this node, plus 1 if it is the output of the network */
    tl_shape in, out; /* (length, channels) of the first input and of the output, for one sample */
    size_t arrays;
    tl_export_array array[TL_EXPORT_ARRAYS];
} tl_export_node;

/* A network. Node 0 is the input, and the last node is the output. Layers that do nothing in inference (dropout) have no node. */
typedef struct tl_export {
    const tl_model *model;
    const char *format; /* for messages: "onnx" */
    size_t nodes;
    tl_export_node *node;
    tl_loss_kind loss; /* outputs go through softmax for cross-entropy, sigmoid for binary cross-entropy, nothing for others */
    /* How input series are scaled, and how outputs are scaled back to values (tl_unscaled). Both are those of the model and never
     * NULL. If the scaling of series is unknown, its kind is TL_NORMALIZE_DEFAULT, and series are used as they are. */
    const struct tl_scaling *scaling, *targets;
} tl_export;

/* Copies a compiled model. Messages begin with `format`, which must live as long as the export. Fails if the model is not compiled
 * or has a number that is not finite, and if memory is short. Release the export in any case. */
tl_status tl_export_begin(tl_export *self, const tl_model *model, const char *format, tl_error *error);
void tl_export_release(tl_export *self);

/* ---- arrays and settings of a node ---- */

/* Returns the array of that name; NULL if there is none. Do not use the setting "bias" to find out whether there is a bias:
 * tl_export_fold_batch_norm adds one to layers without. */
const tl_export_array *tl_export_find(const tl_export_node *node, const char *name);

/* Returns the number of elements of an array. */
size_t tl_export_count(const tl_export_array *array);

/* Returns a setting of the node's layer as a number; `key` is its name in architecture files. Flags are 0 or 1, choices the value
 * of the enumerator. Returns `otherwise` if the setting is 0, which means the default. */
double tl_export_number(const tl_export_node *node, const char *key, double otherwise);

/* The windows of a conv1d, fixed_filters, max_pool or average_pool, for the length for which the model was compiled. Output t reads
 * the inputs t·stride + j·dilation - pad_left for j in 0 … taps-1. */
typedef struct tl_export_window {
    size_t taps, stride, dilation;
    size_t pad_left, pad_right;
} tl_export_window;
tl_export_window tl_export_window_of(const tl_export_node *node);

/* Fails with a message such as "onnx: layer 2 (conv1d_2): TEXT". */
tl_status tl_export_fail(const tl_export *self, const tl_export_node *node, tl_error *error, const char *format, ...)
    TL_PRINTF(4, 5);

/* The same for a layer that has no row in the table of the format. The message says whether it is the user's own layer. */
tl_status tl_export_refuse(const tl_export *self, const tl_export_node *node, tl_error *error);

/* ---- changes of the copy ---- */

/* Folds each batch norm into the conv1d, conv1d_transpose, dense or fixed_filters before it, if no other node reads that layer, and
 * removes the node of the batch norm. With s = scale / sqrt(variance + epsilon), the weights of a filter become s·weight, and its
 * bias becomes s·(bias - mean) + shift, all in double. A layer without a bias gets one. All other batch norms stay. */
tl_status tl_export_fold_batch_norm(tl_export *self, tl_error *error);

#endif
