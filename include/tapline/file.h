/* tapline/file.h: models in files.
 *
 * A model is one safetensors file: parameters and running statistics as arrays, everything else as texts under "__metadata__".
 * docs/files.md says what is in it. A file is replaced as a whole or not at all: what was there before stays until the new one is
 * on the disk. A file that is damaged, by a bit or by its end, is refused.
 */
#ifndef TAPLINE_FILE_H
#define TAPLINE_FILE_H

#include <tapline/dataset.h>
#include <tapline/layer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a file says beside the model. Zero means none. How series were scaled the model knows that tl_fit trained or tl_model_load
 * made; of others `data` says it, and without `data` they go into the model as they are. */
typedef struct tl_save_cfg {
    const tl_dataset *data;           /* the data set that the model was trained on: the names of its classes are saved */
    tl_normalization normalize;       /* (what is known) how series are scaled; fails where that is known to be otherwise */
    tl_missing_policy missing_policy; /* what became of missing values (tl_read_cfg.missing_policy) */
    const tl_read_cfg
        *read; /* how the data was read: which columns are what, which windows it was cut into; so that others are read alike */
} tl_save_cfg;

/* Writes a compiled model. Fails with TL_ERROR_FILE, naming path and reason, where the operating system refuses: a file that was
 * there before is then unchanged. Where nothing but the last step failed, by which the new file gets its name, the message says
 * under which name it is kept. A link is followed; mode, owner and extended attributes of the file that is replaced stay. Fails
 * with TL_ERROR_NUMERIC, naming the array, where one is not finite. `cfg` may be NULL. */
static inline tl_status tl_model_save(const tl_model *model, const char *path, const tl_save_cfg *cfg, tl_error *error);

/* Fails as tl_model_save would, without writing: to be asked before hours of training. Found out are a folder that is missing or
 * may not be written to; a name that is too long; a file that may not be replaced, since it is immutable, mounted by itself, or
 * another user's in a sticky folder; what is no regular file; a link to a file that is not there. */
TL_API tl_status tl_save_check(const char *path, tl_error *error);

/* The same for a compiled model, and whether there is room for its bytes and its classes have names that can be saved. */
static inline tl_status tl_model_save_check(const tl_model *model, const char *path, const tl_save_cfg *cfg, tl_error *error);

/* Zero means the default in brackets. */
typedef struct tl_load_cfg {
    int threads;                       /* (as many as the machine offers) */
    tl_engine engine;                  /* (auto) of convolutions that do not name their own */
    size_t length;                     /* (the file's) steps of the longest series, for layers that take any length */
    tl_compile_cfg compile;            /* as for tl_model_compile; the loss and its settings are the file's (own_loss yours) */
    const tl_layer_ops *const *layers; /* (none) layers of your own that the model has, ending with NULL */
    size_t max_memory; /* (tl_memory_limit) bytes that the file may have, and that the model may take: a small file may describe a
                          network of any size. SIZE_MAX: no limit */
} tl_load_cfg;

/* What tl_save_cfg said, and who wrote the file. */
typedef struct tl_model_info {
    tl_dataset
        data; /* for tl_read_cfg.reference; it has no series. It has their shape (x.shape[1], x.shape[2]), the shape of targets,
                 the classes and the scaling. `lengths` is not NULL where lengths differed; do not read through it. */
    tl_normalization normalize;       /* data.scaling.kind, for tl_read_cfg.normalize */
    tl_missing_policy missing_policy; /* for tl_read_cfg.missing_policy */
    tl_read_cfg read;                 /* what tl_save_cfg.read said of columns and windows, for data that is to be read alike */
    const char *precision;            /* "f32" or "f64": of the file's arrays */
    char version[24];                 /* of the tapline that wrote it */
    size_t bytes;                     /* of the file */
} tl_model_info;

/* The model of a file, compiled, as it was when it was saved; the optimizer begins anew. Free it with tl_model_free. `info` may be
 * NULL; else release it with tl_model_info_release. A file of the other precision is converted: exactly from single to double,
 * rounded from double to single. NULL on failure: TL_ERROR_FILE where the file cannot be read, TL_ERROR_FORMAT where it is not
 * such a file or its network is wrong, TL_ERROR_SHAPE for a layer that does not fit, TL_ERROR_MEMORY for more than max_memory,
 * TL_ERROR_NUMERIC, naming the array, for one that is not finite. */
static inline tl_model *tl_model_load(const char *path, const tl_load_cfg *cfg, tl_model_info *info, tl_error *error);

/* Frees what tl_model_load put into `info`. NULL and zeroed are fine. */
TL_API void tl_model_info_release(tl_model_info *info);

/* ---- weights of PyTorch networks ---- */

/* Zero means the default in brackets. */
typedef struct tl_weights_cfg {
    const char *map; /* (none) a JSON file that says which module is which layer: {"conv1": "conv1d_1", "bn1": "batch_norm_1", …} */
    void (*matched)(const char *module, const char *layer, void *user); /* (none) called with each pair, once all is done */
    void *user;                                                         /* handed to it */
} tl_weights_cfg;

/* Gives a compiled model the weights of a PyTorch network of the same layers: those of a safetensors file of its state dict, F32 or
 * F64, whose axes are brought into our order (docs/files.md). All layers and all tensors must be matched: by the map; without one
 * by names, where modules are called as layers are, else by shapes, and where several have the same shapes, by the numbers in their
 * names. Fails with TL_ERROR_FILE where a file cannot be read, TL_ERROR_FORMAT where it is not such a file, TL_ERROR_SHAPE naming
 * tensors and layers that do not fit, TL_ERROR_ARGUMENT for a map that names what is not there; the model is then unchanged.
 * `cfg` may be NULL. */
static inline tl_status tl_weights_import(tl_model *model, const char *path, const tl_weights_cfg *cfg, tl_error *error);

/* Writes the weights of a compiled model as such a file, with the modules that the map says, else called as the layers are. Fails
 * as tl_model_save does, and as above for the map. `cfg` may be NULL. */
static inline tl_status tl_weights_export(const tl_model *model, const char *path, const tl_weights_cfg *cfg, tl_error *error);

/* "f32" or "f64": which of the two libraries loads this file without conversion. NULL on failure. */
TL_API const char *tl_file_precision(const char *path, tl_error *error);

/* ---- how structs may grow (see tapline/base.h) ---- */

typedef struct tl_load_sizes {
    size_t cfg, compile, optimizer, info;
} tl_load_sizes;

TL_API tl_status tl_model_save_sized(const tl_model *model, const char *path, const tl_save_cfg *cfg, size_t size, tl_error *error);
TL_API tl_status tl_model_save_check_sized(const tl_model *model, const char *path, const tl_save_cfg *cfg, size_t size,
                                           tl_error *error);
TL_API tl_model *tl_model_load_sized(const char *path, const tl_load_cfg *cfg, tl_model_info *info, const tl_load_sizes *sizes,
                                     tl_error *error);
TL_API tl_status tl_weights_import_sized(tl_model *model, const char *path, const tl_weights_cfg *cfg, size_t size,
                                         tl_error *error);
TL_API tl_status tl_weights_export_sized(const tl_model *model, const char *path, const tl_weights_cfg *cfg, size_t size,
                                         tl_error *error);

static inline tl_status tl_model_save(const tl_model *model, const char *path, const tl_save_cfg *cfg, tl_error *error) {
    return tl_model_save_sized(model, path, cfg, sizeof *cfg, error);
}
static inline tl_status tl_model_save_check(const tl_model *model, const char *path, const tl_save_cfg *cfg, tl_error *error) {
    return tl_model_save_check_sized(model, path, cfg, sizeof *cfg, error);
}
static inline tl_model *tl_model_load(const char *path, const tl_load_cfg *cfg, tl_model_info *info, tl_error *error) {
    const tl_load_sizes sizes = {sizeof(tl_load_cfg), sizeof(tl_compile_cfg), sizeof(tl_optimizer_cfg), sizeof(tl_model_info)};
    return tl_model_load_sized(path, cfg, info, &sizes, error);
}
static inline tl_status tl_weights_import(tl_model *model, const char *path, const tl_weights_cfg *cfg, tl_error *error) {
    return tl_weights_import_sized(model, path, cfg, sizeof *cfg, error);
}
static inline tl_status tl_weights_export(const tl_model *model, const char *path, const tl_weights_cfg *cfg, tl_error *error) {
    return tl_weights_export_sized(model, path, cfg, sizeof *cfg, error);
}

#ifdef __cplusplus
}
#endif
#endif
