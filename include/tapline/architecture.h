/* tapline/architecture.h: networks as JSON, in files that people write and in model files.
 *
 *     {"layers": [
 *         {"type": "conv1d", "filters": 64, "kernel": 8, "padding": "same", "name": "wide"},
 *         {"type": "conv1d", "filters": 64, "kernel": 3, "padding": "same"},
 *         {"type": "add", "inputs": ["wide", "-"]},
 *         {"type": "dense", "units": "outputs"}]}
 *
 * "layers" lists the layers in the order of computation. "type" is the kind of the layer (tl_layer_ops.name). Its settings have the
 * names of the fields of its configuration struct, except "bias": false for no_bias; choices are lower-case words. "inputs" lists
 * the layers that it reads: the "name" of an earlier layer, "input" for the input of the network, "-" for the layer before; without
 * "inputs" it reads the layer before. "outputs" in place of a number is the number of classes of the data. The last layer is the
 * output, unless "output" names another one. "description" may hold any text. docs/architectures.md has examples.
 */
#ifndef TAPLINE_ARCHITECTURE_H
#define TAPLINE_ARCHITECTURE_H

#include <tapline/layer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means none. */
typedef struct tl_architecture_cfg {
    size_t outputs;                    /* the value of "outputs" */
    const tl_layer_ops *const *layers; /* layers of your own, besides those of the library; NULL ends the list */
} tl_architecture_cfg;

/* Adds the layers that `text` describes to the model, starting from the input node x, and returns the output node. `cfg` NULL: no
 * outputs, no other layers. As with any builder, tl_model_compile reports errors: "architecture: layers[2] (conv1d): key "filtres"
 * is unknown; did you mean "filters"?". */
static inline tl_node tl_architecture_from_json(tl_model *model, tl_node x, const char *text, const tl_architecture_cfg *cfg);

/* The same for the text in a file; messages name the file. */
static inline tl_node tl_architecture_from_file(tl_model *model, tl_node x, const char *path, const tl_architecture_cfg *cfg);

/* Returns a compiled model as such a text, complete: with "input": {"length", "channels"} and the name of every layer. Free it with
 * free(). NULL on failure. */
TL_API char *tl_architecture_to_json(const tl_model *model, tl_error *error);

/* ---- how structs may grow (see tapline/base.h) ---- */

TL_API tl_node tl_architecture_from_json_sized(tl_model *model, tl_node x, const char *text, const tl_architecture_cfg *cfg,
                                               size_t size);
TL_API tl_node tl_architecture_from_file_sized(tl_model *model, tl_node x, const char *path, const tl_architecture_cfg *cfg,
                                               size_t size);

static inline tl_node tl_architecture_from_json(tl_model *model, tl_node x, const char *text, const tl_architecture_cfg *cfg) {
    return tl_architecture_from_json_sized(model, x, text, cfg, sizeof *cfg);
}
static inline tl_node tl_architecture_from_file(tl_model *model, tl_node x, const char *path, const tl_architecture_cfg *cfg) {
    return tl_architecture_from_file_sized(model, x, path, cfg, sizeof *cfg);
}

#ifdef __cplusplus
}
#endif
#endif
