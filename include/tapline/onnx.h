/* tapline/onnx.h: writes and reads networks as ONNX files, for other runtimes and from other frameworks. docs/onnx.md lists the
 * ONNX operators of each layer.
 */
#ifndef TAPLINE_ONNX_H
#define TAPLINE_ONNX_H

#include <tapline/file.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- export ---- */

/* The order of axes of the input and of an output with steps. */
typedef enum tl_onnx_layout {
    TL_ONNX_LAYOUT_NLC = 0, /* (batch, length, channels), as in tapline and Keras */
    TL_ONNX_LAYOUT_NCL      /* (batch, channels, length), as in PyTorch */
} tl_onnx_layout;

/* Returns "nlc" or "ncl"; NULL if `layout` is no enumerator. */
TL_API const char *tl_onnx_layout_name(tl_onnx_layout layout);

/* Sets *layout [OUT] to the layout with this name. Fails with TL_ERROR_ARGUMENT and a list of the names if there is none. */
TL_API tl_status tl_onnx_layout_by_name(const char *name, tl_onnx_layout *layout, tl_error *error);

/* A field that is zero has the default value in brackets. */
typedef struct tl_onnx_export_cfg {
    const tl_dataset *data;     /* (none) gives the names of the classes, and the scaling of series if the model does not know it */
    tl_normalization normalize; /* (that of the model or `data`) scaling of series, as in tl_save_cfg */
    tl_onnx_layout layout;
    bool logits;          /* omit the softmax or sigmoid that tl_predict applies to the outputs */
    bool fold_batch_norm; /* fold each batch norm into the convolution or dense layer before it, in double precision */
    char reserved[6];
    /* (none) The headings of the training set, as in tl_read_cfg: they are kept in the file. */
    const char *value_names, *target_names;
} tl_onnx_export_cfg;

/* Writes a compiled model as an ONNX file with one input and one output. The graph computes the same as tl_predict.
 *
 * The input "series" expects series before scaling; scaling is part of the graph, relative to the first step of each series.
 * `layout` gives the order of its axes. The batch size is symbolic; the length is symbolic too if no layer needs a fixed length.
 * The output is (batch, outputs), or has an axis of steps at the same place as the input. Its name is "probabilities" for
 * cross-entropy losses, "logits" with `logits`, and "values" otherwise; values are in the units of the targets. Elements are FLOAT,
 * or DOUBLE in the double-precision library.
 *
 * The operator set is 17 (IR version 8), or 19 for circular padding. metadata_props contain "classes" (a JSON list), "normalise",
 * "scale", "targets", "loss", "architecture" (JSON) and "tapline", and "reading" (JSON) if there are headings, as in model
 * files (docs/files.md).
 *
 * The file is replaced as by tl_model_save: completely, or not at all. Fails with TL_ERROR_ARGUMENT for a layer of your own or a
 * tl_rocket without biases (the message names it), if series have different lengths, and for `logits` of a model without softmax or
 * sigmoid; with TL_ERROR_FILE if the file cannot be written. `cfg` may be NULL. Several threads may export one model at once. */
static inline tl_status tl_onnx_export(const tl_model *model, const char *path, const tl_onnx_export_cfg *cfg, tl_error *error);

/* ---- import ---- */

/* A field that is zero has the default value in brackets. */
typedef struct tl_onnx_import_cfg {
    int threads;            /* (the number of processors) */
    tl_engine engine;       /* (auto) the engine of convolutions */
    size_t length;          /* (that of the file or of `data`) steps of series, if the file allows any length */
    const tl_dataset *data; /* (none) gives the shape of series, and whether they have labels */
    const char *loss;       /* (see below) name of the loss, such as "cross-entropy" */
    tl_compile_cfg compile; /* as for tl_model_compile; its loss is not used */
    size_t max_memory; /* (tl_memory_limit) maximum bytes of the file, of its constants in double precision, and of the model */
} tl_onnx_import_cfg;

/* Reads the network of an ONNX file as a compiled model. It gives the same predictions as the file, and can be trained further.
 * Free it with tl_model_free. `info` [OUT] may be NULL; else release it with tl_model_info_release. For a file that tapline wrote,
 * it has the names of the classes and the scaling.
 *
 * It reads the operators that the exporters of PyTorch and tf2onnx use for 1-D networks (docs/onnx.md lists them), in single,
 * double and half precision. Values may be (batch, channels, length) or (batch, length, channels); the operators that read them
 * show which. Two-dimensional operators are allowed if one dimension has size 1.
 *
 * The loss is the first of these that exists: `loss`; the loss in the metadata of the file; cross-entropy if the graph ends with a
 * softmax, and binary cross-entropy if it ends with a sigmoid (tl_predict then applies these functions); cross-entropy if `data`
 * has labels. Otherwise it is squared-error, with which tl_predict returns the outputs without change.
 *
 * Returns NULL on failure: TL_ERROR_FILE if the file cannot be read; TL_ERROR_FORMAT if it is damaged, or if an operator has no
 * counterpart (the message names the node and its operator); TL_ERROR_ARGUMENT if the file allows any length and neither `length`
 * nor `data` gives one; TL_ERROR_SHAPE if `data` has another shape; TL_ERROR_MEMORY for more than max_memory; TL_ERROR_NUMERIC if a
 * number is not finite (the message names the array). */
static inline tl_model *tl_onnx_import(const char *path, const tl_onnx_import_cfg *cfg, tl_model_info *info, tl_error *error);

/* ---- how structs may grow (see tapline/base.h) ---- */

TL_API tl_model *tl_onnx_import_sized(const char *path, const tl_onnx_import_cfg *cfg, tl_model_info *info,
                                      const tl_load_sizes *sizes, tl_error *error);

TL_API tl_status tl_onnx_export_sized(const tl_model *model, const char *path, const tl_onnx_export_cfg *cfg, size_t size,
                                      tl_error *error);

static inline tl_status tl_onnx_export(const tl_model *model, const char *path, const tl_onnx_export_cfg *cfg, tl_error *error) {
    return tl_onnx_export_sized(model, path, cfg, sizeof *cfg, error);
}

static inline tl_model *tl_onnx_import(const char *path, const tl_onnx_import_cfg *cfg, tl_model_info *info, tl_error *error) {
    const tl_load_sizes sizes = {sizeof(tl_onnx_import_cfg), sizeof(tl_compile_cfg), sizeof(tl_optimizer_cfg),
                                 sizeof(tl_model_info), sizeof(tl_read_cfg)};
    return tl_onnx_import_sized(path, cfg, info, &sizes, error);
}

#ifdef __cplusplus
}
#endif
#endif
