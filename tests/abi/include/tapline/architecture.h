/* tapline/architecture.h: ready-made networks by name, with their defaults; networks as JSON, in files that people write and in
 * model files.
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
#include <tapline/optimizer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- ready-made networks by name ---- */

/* A ready-made network and its defaults: the training settings that were published with it, or our own if there are none. `tapline
 * train` and the Python package train with them. The optimizer of all is Adam with its own defaults. */
typedef struct tl_architecture {
    const char *name;                                             /* "fcn" …; NULL: the defaults of networks in files */
    tl_node (*build)(tl_model *model, tl_node x, size_t outputs); /* its builder in tapline/layers.h; NULL with `name` */
    size_t batch;                                                 /* series in a batch; see tl_architecture_batch */
    int epochs;
    tl_schedule_kind schedule;
    int members; /* number of networks, with different seeds, whose outputs are averaged */
    bool tenth;  /* the batch is a tenth of the series, from 2 to `batch` */
    bool ridge;  /* tl_fit_ridge (tapline/ridge.h) computes the last layer, without epochs, and series are not scaled */
} tl_architecture;

/* Returns the name of a ready-made network, index = 0, 1 …; NULL after the last one. */
TL_API const char *tl_architecture_name(size_t index);

/* Returns the ready-made network with that name. For any other name, also NULL, returns the entry of networks in files, whose
 * `name` is NULL. The library owns the entry, and any thread may read it. */
TL_API const tl_architecture *tl_architecture_find(const char *name);

/* Returns the default batch for a data set with this number of series: `batch` or a tenth of the series, and at most the number of
 * series. 0 if `architecture` is NULL. */
TL_API size_t tl_architecture_batch(const tl_architecture *architecture, size_t series);

/* ---- networks as JSON ---- */

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
