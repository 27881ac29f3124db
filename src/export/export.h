/* export.h: what every export of a model needs.
 *
 * A tl_export is a copy of a compiled network for those who write it in another format: its layers in the order of their
 * computation, with their settings, shapes and arrays. Numbers are doubles, whatever the precision of the library is: a format
 * rounds them once, when it writes them. Steps such as tl_export_fold_batch_norm change the copy; the model stays as it is.
 *
 *     tl_export net;
 *     tl_export_begin(&net, model, "onnx", &error);
 *     tl_export_fold_batch_norm(&net, &error);
 *     for (size_t i = 0; i < net.nodes && !tl_failed(&error); i++) write(&net.node[i]);
 *     tl_export_release(&net);
 *
 * Each format has one table that says for each kind of layer how it is written. A kind that is not in the table is refused by
 * tl_export_refuse.
 */
#ifndef TL_EXPORT_H
#define TL_EXPORT_H

#include <tapline/layer.h>

enum { TL_EXPORT_ARRAYS = 2 * TL_MAX_PARAMETERS };

/* An array of a layer, row-major: parameters and states under the names and in the order of axes that the layer has declared, such
 * as "weight" (kernel, channels, filters). */
typedef struct tl_export_array {
    const char *name;
    size_t rank, shape[TL_MAX_RANK];
    double *value; /* the export's own */
} tl_export_array;

/* A layer. */
typedef struct tl_export_node {
    const tl_layer_ops *kind; /* of the registry, such as &tl_conv1d_layer_ops; of a layer of the user's own: that one's */
    const tl_layer *layer;    /* of the model; for its settings see tl_export_number */
    const char *name;         /* of the model; such as "conv1d_2", unique in a network */
    size_t vertex;            /* its number in messages: "layer 2 (conv1d)" */
    size_t inputs;
    size_t input[TL_MAX_INPUTS]; /* numbers of nodes before this one */
    size_t readers;              /* inputs of other nodes that are this one, and one more for the output of the network */
    tl_shape in, out;            /* of the first input, and of the output, of one sample: (length, channels) */
    size_t arrays;
    tl_export_array array[TL_EXPORT_ARRAYS];
} tl_export_node;

/* A network. Node 0 is the input, the last one the output. Layers that do nothing in inference (dropout) are left out. */
typedef struct tl_export {
    const tl_model *model;
    const char *format; /* for messages: "onnx" */
    size_t nodes;
    tl_export_node *node;
    tl_loss_kind loss; /* what becomes of the outputs: softmax for the cross-entropy, sigmoid for the binary one, nothing else */
    /* How series are scaled before they go in, and values after they come out (tl_unscaled): the model's own, never NULL. Where
     * nothing is known of series the kind is TL_NORMALIZE_DEFAULT: they go in as they are. */
    const struct tl_scaling *scaling, *targets;
} tl_export;

/* Copies a compiled model. `format`: begins messages; it has to stay. Fails where the model is not compiled, or has a number that
 * is not finite, or memory is short. Release it in any case. */
tl_status tl_export_begin(tl_export *self, const tl_model *model, const char *format, tl_error *error);
void tl_export_release(tl_export *self);

/* ---- what a node has ---- */

/* The array of that name; NULL where there is none. A bias is there or not whatever the setting "bias" says: see
 * tl_export_fold_batch_norm. */
const tl_export_array *tl_export_find(const tl_export_node *node, const char *name);

/* The elements of an array. */
size_t tl_export_count(const tl_export_array *array);

/* A setting of the node's layer as a number, by the key that architecture files have for it: flags are 0 or 1, choices the number
 * of the enumerator. A setting that is 0 has its default: `otherwise`. */
double tl_export_number(const tl_export_node *node, const char *key, double otherwise);

/* The windows of a conv1d, fixed_filters, max_pool or average_pool, for the length that the model was compiled for: output t reads
 * inputs t·stride + j·dilation - pad_left for j in 0 … taps-1. */
typedef struct tl_export_window {
    size_t taps, stride, dilation;
    size_t pad_left, pad_right;
} tl_export_window;
tl_export_window tl_export_window_of(const tl_export_node *node);

/* Fails with "onnx: layer 2 (conv1d_2): " and the text. */
tl_status tl_export_fail(const tl_export *self, const tl_export_node *node, tl_error *error, const char *format, ...)
    TL_PRINTF(4, 5);

/* The same for a layer that the format's table has no row for: says whether it is one of the user's own. */
tl_status tl_export_refuse(const tl_export *self, const tl_export_node *node, tl_error *error);

/* ---- steps ---- */

/* Folds each batch norm into the conv1d, conv1d_transpose, dense or fixed_filters before it, where nothing else reads that, and
 * takes its node away. With s = scale / sqrt(variance + epsilon), the weights of a filter become s·weight and its bias becomes
 * s·(bias - mean) + shift, all in double. A node that has no bias gets one. Other batch norms stay. */
tl_status tl_export_fold_batch_norm(tl_export *self, tl_error *error);

#endif
