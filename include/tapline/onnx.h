/* tapline/onnx.h: networks as ONNX files, for other runtimes and from other frameworks. docs/onnx.md says what becomes of each
 * layer.
 */
#ifndef TAPLINE_ONNX_H
#define TAPLINE_ONNX_H

#include <tapline/file.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- out ---- */

/* The order of axes of the input and of an output with steps. */
typedef enum tl_onnx_layout {
    TL_ONNX_LAYOUT_NLC = 0, /* (batch, length, channels): as tapline and Keras */
    TL_ONNX_LAYOUT_NCL      /* (batch, channels, length): as PyTorch */
} tl_onnx_layout;

/* "nlc" or "ncl"; NULL for another number. */
TL_API const char *tl_onnx_layout_name(tl_onnx_layout layout);

/* Sets *layout to the layout of that name; fails naming those there are. */
TL_API tl_status tl_onnx_layout_by_name(const char *name, tl_onnx_layout *layout, tl_error *error);

/* Zero means the default in brackets. */
typedef struct tl_onnx_export_cfg {
    const tl_dataset *data;     /* (none) the names of classes; and how series are scaled, where the model does not know it */
    tl_normalization normalize; /* (what is known) how series are scaled, as tl_save_cfg.normalize */
    tl_onnx_layout layout;
    bool logits;          /* leave out the softmax or sigmoid that tl_predict applies to the outputs */
    bool fold_batch_norm; /* fold each batch norm into the convolution or dense layer before it, in double */
    char reserved[6];
} tl_onnx_export_cfg;

/* Writes a compiled model as an ONNX file with one input and one output, which computes what tl_predict does.
 *
 * The input "series" takes series as they are before they are scaled: scaling is part of the graph, in single precision relative to
 * the first step of each series. Its axes are (batch, length, channels) or as `layout` says; the batch is symbolic, and the length
 * is where no layer fixes it. The output is (batch, outputs), or has one more axis of steps as the input has; it is called
 * "probabilities" for the cross-entropies, "logits" with `logits`, and else "values", which are in their own units. Numbers are
 * FLOAT, or DOUBLE in the double build.
 *
 * The operator set is 17 (IR version 8), or 19 for circular padding. metadata_props hold "classes" (a JSON list), "normalise",
 * "scale", "targets", "loss", "architecture" (JSON) and "tapline", as model files do (docs/files.md).
 *
 * The file is replaced whole, as by tl_model_save. Fails with TL_ERROR_ARGUMENT, naming the layer, for layers of your own; for data
 * whose series have lengths of their own; for logits of a model that has none; with TL_ERROR_FILE where the file cannot be written.
 * `cfg` may be NULL. Several threads may export one model at a time. */
static inline tl_status tl_onnx_export(const tl_model *model, const char *path, const tl_onnx_export_cfg *cfg, tl_error *error);

/* ---- in ---- */

/* Zero means the default in brackets. */
typedef struct tl_onnx_import_cfg {
    int threads;            /* (as many as the machine offers) */
    tl_engine engine;       /* (auto) of convolutions */
    size_t length;          /* (the file's, or that of data) steps of series, where the file takes any number */
    const tl_dataset *data; /* (none) how long and wide series are, and whether they have labels */
    const char *loss;       /* (see below) what the network is trained for, such as "cross-entropy" */
    tl_compile_cfg compile; /* as for tl_model_compile, but for the loss */
    size_t max_memory;      /* (tl_memory_limit) bytes that the file may have, and that the model may take */
} tl_onnx_import_cfg;

/* The network of an ONNX file as a compiled model, which predicts what the file does and can be trained on. Free it with
 * tl_model_free. `info` may be NULL; else release it with tl_model_info_release: it has the names of classes and the scaling, where
 * the file is one of tapline's.
 *
 * Understood is what PyTorch's exporters and tf2onnx write for networks along time (docs/onnx.md lists the operators), in single,
 * double and half precision. Values may be (batch, channels, length) or (batch, length, channels); which they are is found by the
 * operators that read them. Operators of two dimensions are understood where one of them has size 1.
 *
 * The loss is `loss`; else that of the file's metadata; else cross-entropy after a final softmax, or binary cross-entropy after a
 * final sigmoid, which tl_predict then applies; else cross-entropy where `data` has labels; else squared-error, with which
 * tl_predict gives the outputs as they are.
 *
 * NULL on failure: TL_ERROR_FILE where the file cannot be read; TL_ERROR_FORMAT where it is damaged, or naming the node and its
 * operator where that has no counterpart; TL_ERROR_ARGUMENT where series may have any length and neither `length` nor `data` says
 * it; TL_ERROR_SHAPE where `data` has another shape; TL_ERROR_MEMORY for more than max_memory; TL_ERROR_NUMERIC, naming the array,
 * for a number that is not finite. */
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
