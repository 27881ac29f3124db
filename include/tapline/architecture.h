/* tapline/architecture.h: networks as JSON, for those that people write in files and those that model files hold.
 *
 *     {"layers": [
 *         {"type": "conv1d", "filters": 64, "kernel": 8, "padding": "same", "name": "wide"},
 *         {"type": "conv1d", "filters": 64, "kernel": 3, "padding": "same"},
 *         {"type": "add", "inputs": ["wide", "-"]},
 *         {"type": "dense", "units": "outputs"}]}
 *
 * Layers stand in the order of their computation. "type" is the layer's kind (tl_layer_ops.name), its settings are the fields of
 * its configuration struct under the same names (but "bias": false for no_bias), choices are lower-case words. "inputs" names the
 * layers that it reads: a "name" given to an earlier one, "input" for the network's input, "-" for the layer before (which is
 * also what it reads where "inputs" is left out). Where a number stands for the classes to tell, "outputs" does for any data. The
 * last layer is the output, or the one that "output" names. "description" may hold any text. docs/architectures.md has examples.
 */
#ifndef TAPLINE_ARCHITECTURE_H
#define TAPLINE_ARCHITECTURE_H

#include <tapline/layer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means none. */
typedef struct tl_architecture_cfg {
    int outputs;                       /* what "outputs" stands for */
    const tl_layer_ops *const *layers; /* layers of your own beside the library's, ending with NULL */
} tl_architecture_cfg;

/* Adds the layers that the text describes to the model, from input node x; returns the output. As for any builder, what is wrong
 * waits in the model: "architecture: layers[2] (conv1d): key "filtres" is unknown; did you mean "filters"?". */
static inline tl_node tl_architecture_from_json(tl_model *model, tl_node x, const char *text, const tl_architecture_cfg *cfg);

/* The same from a file, which messages name. */
static inline tl_node tl_architecture_from_file(tl_model *model, tl_node x, const char *path, const tl_architecture_cfg *cfg);

/* A compiled model as such a text, complete: with "input": {"length", "channels"} and the name of every layer. Free it with free().
 * NULL on failure. */
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
