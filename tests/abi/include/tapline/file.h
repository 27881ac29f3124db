/* tapline/file.h: models in files.
 *
 * A model is one safetensors file (docs/files.md): parameters and running statistics are arrays, everything else is text under
 * "__metadata__". A file is replaced as a whole or not at all: the old file stays until the new one is on the disk. A damaged file
 * is refused, even if a single bit is wrong or bytes at the end are missing.
 */
#ifndef TAPLINE_FILE_H
#define TAPLINE_FILE_H

#include <tapline/dataset.h>
#include <tapline/layer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a model file says besides the model. Zero means none. A model from tl_fit or tl_model_load knows how its series were scaled.
 * For any other model the scaling is taken from `data`; without `data` it is "none". */
typedef struct tl_save_cfg {
    const tl_dataset *data;     /* the training set, whose class names are saved */
    tl_normalization normalize; /* (what the model or `data` says) how series are scaled; fails if it is known to be different */
    tl_missing_policy missing_policy; /* how missing values were treated (tl_read_cfg.missing_policy) */
    /* how the data was read (columns, windows), so that eval and predict read other data in the same way */
    const tl_read_cfg *read;
} tl_save_cfg;

/* Writes a compiled model; `cfg` NULL: nothing besides the model. Fails with TL_ERROR_FILE if the operating system reports an
 * error; the message has path and reason, and an existing file is unchanged. If only the last operation failed, which gives the new
 * file its name, the message says under which name the file was kept. Fails with TL_ERROR_NUMERIC if an array is not finite; the
 * message names it. A symbolic link is followed; mode, owner and extended attributes of a replaced file are kept. */
static inline tl_status tl_model_save(const tl_model *model, const char *path, const tl_save_cfg *cfg, tl_error *error);

/* Checks, without writing, whether tl_model_save could write this path: call it before hours of training. Fails if the folder is
 * missing or not writable, if the name is too long, if the file may not be replaced (immutable, a mount point, or another user's
 * file in a sticky folder), if it is not a regular file, and if it is a link to a file that does not exist. */
TL_API tl_status tl_save_check(const char *path, tl_error *error);

/* Replaces the contents of a file by `size` bytes in the way of tl_model_save, for example by those of tl_model_write: the old file
 * stays until the new one is on the disk. Fails with TL_ERROR_FILE if the operating system reports an error. */
TL_API tl_status tl_save_bytes(const char *path, const void *bytes, size_t size, tl_error *error);

/* As tl_save_check, for a compiled model: also checks that the disk has room for the file and that the names of the classes can be
 * saved. */
static inline tl_status tl_model_save_check(const tl_model *model, const char *path, const tl_save_cfg *cfg, tl_error *error);

/* Returns the bytes of such a file in memory, and their number in *size [OUT]. Free them with free(). NULL on failure. `cfg` NULL:
 * nothing besides the model. */
static inline void *tl_model_write(const tl_model *model, size_t *size, const tl_save_cfg *cfg, tl_error *error);

/* Zero means the default in brackets. */
typedef struct tl_load_cfg {
    int threads;            /* (as many as the machine offers) */
    tl_engine engine;       /* (auto) for convolutions that do not name an engine */
    size_t length;          /* (that of the file) steps of the longest series, for networks that work with any length */
    tl_compile_cfg compile; /* as for tl_model_compile; the loss and its settings come from the file (own_loss from you) */
    const tl_layer_ops *const *layers; /* (none) layers of your own that the model uses; NULL ends the list */
    size_t max_memory;  /* (tl_memory_limit) limit of the bytes of the file, and of the memory of the model, since a small file may
                           describe a network of any size. SIZE_MAX: no limit */
    const char *output; /* (that of the file) the name of a layer, such as "global_average_pool_1": its outputs become the outputs
                           of the model (features, embeddings). The layers behind it are left out, the loss is squared error, and
                           outputs are not scaled */
} tl_load_cfg;

/* What a model file says besides the model (tl_save_cfg), and who wrote it. */
typedef struct tl_model_info {
    tl_dataset data; /* for tl_read_cfg.reference: a data set without series. It has their shape (x.shape[1], x.shape[2]), the shape
                        of the targets, the classes and the scaling. If series had different lengths, `lengths` is not NULL; do not
                        read through it */
    tl_normalization normalize;       /* data.scaling.kind, for tl_read_cfg.normalize */
    tl_missing_policy missing_policy; /* for tl_read_cfg.missing_policy */
    tl_read_cfg read;                 /* tl_save_cfg.read: columns and windows, for reading other data in the same way */
    const char *precision;            /* "f32" or "f64": precision of the arrays in the file */
    char version[24];                 /* version of the tapline that wrote the file */
    size_t bytes;                     /* size of the file */
} tl_model_info;

/* Loads a model from a file. It is compiled and has the bits that were saved; the optimizer starts new. Free it with tl_model_free.
 * `cfg` NULL: all defaults. `info` [OUT] may be NULL; otherwise release it with tl_model_info_release. A file of the other
 * precision is converted: single to double exactly, double to single by rounding. Returns NULL on failure: TL_ERROR_FILE if the
 * file cannot be read, TL_ERROR_FORMAT if it is not a model file or describes an invalid network, TL_ERROR_SHAPE if a layer does
 * not fit, TL_ERROR_MEMORY if more than max_memory is needed, TL_ERROR_NUMERIC if an array is not finite (the message names it). */
static inline tl_model *tl_model_load(const char *path, const tl_load_cfg *cfg, tl_model_info *info, tl_error *error);

/* Loads a model from the bytes of a file, which may be freed afterwards. Otherwise as tl_model_load; messages call them "the
 * bytes". */
static inline tl_model *tl_model_parse(const void *bytes, size_t size, const tl_load_cfg *cfg, tl_model_info *info,
                                       tl_error *error);

/* Frees what tl_model_load stored in `info`. NULL and a zeroed struct are allowed. */
static inline void tl_model_info_release(tl_model_info *info);

/* ---- fine-tuning ---- */

/* Adds the network of a model file to a model, from the input node x, and returns its output. If `outputs` is neither 0 nor the
 * number of outputs of the file, the head gets `outputs` outputs. The head is the last layer with units or filters in the chain of
 * layers that ends at the output. As with any builder, tl_model_compile reports errors. */
TL_API tl_node tl_network_from_model(tl_model *model, tl_node x, const char *path, size_t outputs);

/* Zero means the default in brackets. */
typedef struct tl_start_cfg {
    /* (NULL: that of the file) the data that the model will learn. If it has other classes than the file, or another number of
     * values for each target, the head and the layers after it keep their initial values */
    const tl_dataset *data;
    bool freeze; /* freeze all other layers (tl_freeze), so that only the head is trained */
    char reserved[7];
} tl_start_cfg;

/* Copies what the layers of a model file have learnt into a compiled model: parameters, running statistics, and the scale of target
 * values. Layers are matched by name (tl_parameter.layer). Every layer, except a new head, must be in the file with arrays of the
 * same shapes, and the file must have no other layers; otherwise it fails, and the message names what differs. `new_head` [OUT] may
 * be NULL: whether the head keeps its initial values. `cfg` may be NULL. Also fails as tl_model_load does; the model may then be
 * partly changed. */
static inline tl_status tl_model_start_from(tl_model *model, const char *path, const tl_start_cfg *cfg, bool *new_head,
                                            tl_error *error);

/* ---- weights of PyTorch networks ---- */

/* Zero means the default in brackets. */
typedef struct tl_weights_cfg {
    /* (none) path of a JSON file that assigns modules to layers: {"conv1": "conv1d_1", "bn1": "batch_norm_1", …} */
    const char *map;
    void (*matched)(const char *module, const char *layer,
                    void *user); /* (none) called for each module and its layer after a successful import */
    void *user;                  /* passed to `matched` */
    size_t max_memory;           /* (tl_memory_limit) import: limit of the bytes of the file. SIZE_MAX: no limit */
} tl_weights_cfg;

/* Copies the weights of a PyTorch network into a compiled model with the same layers. The file is a safetensors file of its state
 * dict, F32 or F64; axes are converted to the order of tapline (docs/files.md). `cfg` NULL: all defaults. All layers and all
 * tensors must be matched: by the map; without a map by name, if modules have the names of layers; otherwise by shape, and modules
 * with the same shapes by the numbers in their names. Fails, with the model unchanged: TL_ERROR_FILE if a file cannot be read,
 * TL_ERROR_FORMAT if it is not such a file, TL_ERROR_MEMORY if it has more than max_memory, TL_ERROR_SHAPE if tensors and layers do
 * not fit (the message lists them), TL_ERROR_ARGUMENT if the map has a module or layer that does not exist. */
static inline tl_status tl_weights_import(tl_model *model, const char *path, const tl_weights_cfg *cfg, tl_error *error);

/* Writes the weights of a compiled model as such a file. Modules get the names of the map, or those of the layers. Fails as
 * tl_model_save does, and for a wrong map as tl_weights_import does. `cfg` NULL: all defaults. */
static inline tl_status tl_weights_export(const tl_model *model, const char *path, const tl_weights_cfg *cfg, tl_error *error);

/* Returns the precision of a model file: "f32" or "f64", the library that loads it without conversion. NULL on failure. */
TL_API const char *tl_file_precision(const char *path, tl_error *error);

/* ---- how structs may grow (see tapline/base.h) ---- */

typedef struct tl_save_sizes {
    size_t cfg, read;
} tl_save_sizes;

typedef struct tl_load_sizes {
    size_t cfg, compile, optimizer, info, read;
} tl_load_sizes;

TL_API tl_status tl_model_save_sized(const tl_model *model, const char *path, const tl_save_cfg *cfg, const tl_save_sizes *sizes,
                                     tl_error *error);
TL_API tl_status tl_model_save_check_sized(const tl_model *model, const char *path, const tl_save_cfg *cfg,
                                           const tl_save_sizes *sizes, tl_error *error);
TL_API void *tl_model_write_sized(const tl_model *model, size_t *size, const tl_save_cfg *cfg, const tl_save_sizes *sizes,
                                  tl_error *error);
TL_API tl_model *tl_model_parse_sized(const void *bytes, size_t size, const tl_load_cfg *cfg, tl_model_info *info,
                                      const tl_load_sizes *sizes, tl_error *error);
TL_API tl_model *tl_model_load_sized(const char *path, const tl_load_cfg *cfg, tl_model_info *info, const tl_load_sizes *sizes,
                                     tl_error *error);
TL_API tl_status tl_model_start_from_sized(tl_model *model, const char *path, const tl_start_cfg *cfg, size_t size, bool *new_head,
                                           tl_error *error);
TL_API void tl_model_info_release_sized(tl_model_info *info, const tl_load_sizes *sizes);
TL_API tl_status tl_weights_import_sized(tl_model *model, const char *path, const tl_weights_cfg *cfg, size_t size,
                                         tl_error *error);
TL_API tl_status tl_weights_export_sized(const tl_model *model, const char *path, const tl_weights_cfg *cfg, size_t size,
                                         tl_error *error);

static inline tl_status tl_model_save(const tl_model *model, const char *path, const tl_save_cfg *cfg, tl_error *error) {
    const tl_save_sizes sizes = {sizeof(tl_save_cfg), sizeof(tl_read_cfg)};
    return tl_model_save_sized(model, path, cfg, &sizes, error);
}
static inline tl_status tl_model_save_check(const tl_model *model, const char *path, const tl_save_cfg *cfg, tl_error *error) {
    const tl_save_sizes sizes = {sizeof(tl_save_cfg), sizeof(tl_read_cfg)};
    return tl_model_save_check_sized(model, path, cfg, &sizes, error);
}
static inline void *tl_model_write(const tl_model *model, size_t *size, const tl_save_cfg *cfg, tl_error *error) {
    const tl_save_sizes sizes = {sizeof(tl_save_cfg), sizeof(tl_read_cfg)};
    return tl_model_write_sized(model, size, cfg, &sizes, error);
}
static inline tl_model *tl_model_load(const char *path, const tl_load_cfg *cfg, tl_model_info *info, tl_error *error) {
    const tl_load_sizes sizes = {sizeof(tl_load_cfg), sizeof(tl_compile_cfg), sizeof(tl_optimizer_cfg), sizeof(tl_model_info),
                                 sizeof(tl_read_cfg)};
    return tl_model_load_sized(path, cfg, info, &sizes, error);
}
static inline void tl_model_info_release(tl_model_info *info) {
    const tl_load_sizes sizes = {0, 0, 0, sizeof(tl_model_info), sizeof(tl_read_cfg)};
    tl_model_info_release_sized(info, &sizes);
}
static inline tl_status tl_model_start_from(tl_model *model, const char *path, const tl_start_cfg *cfg, bool *new_head,
                                            tl_error *error) {
    return tl_model_start_from_sized(model, path, cfg, sizeof *cfg, new_head, error);
}
static inline tl_model *tl_model_parse(const void *bytes, size_t size, const tl_load_cfg *cfg, tl_model_info *info,
                                       tl_error *error) {
    const tl_load_sizes sizes = {sizeof(tl_load_cfg), sizeof(tl_compile_cfg), sizeof(tl_optimizer_cfg), sizeof(tl_model_info),
                                 sizeof(tl_read_cfg)};
    return tl_model_parse_sized(bytes, size, cfg, info, &sizes, error);
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
