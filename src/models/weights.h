/* weights.h: the arrays of a model as PyTorch has them, and which module of a PyTorch network is which layer. */
#ifndef TL_WEIGHTS_H
#define TL_WEIGHTS_H

#include "io/archive.h"

#include <tapline/file.h>

/* An array of a layer. PyTorch has its axes in reverse order, such as (filters, channels, kernel), but for a table; what the layer
 * reads behind a flatten lies as (length, channels) here and as (channels, length) there. */
typedef struct tl_weight {
    const char *name; /* PyTorch's, such as "running_mean" */
    tl_tensor value;  /* the model's own */
    size_t rank, shape[TL_MAX_RANK];
    size_t axes, axis[TL_MAX_RANK + 1]; /* of `value`, (length, channels) taken apart */
    bool table;
} tl_weight;

/* A layer that has arrays. */
typedef struct tl_weights_layer {
    const char *name; /* such as "conv1d_1" */
    const tl_layer_ops *ops;
    const tl_weight *weight;
    size_t weights;
    const char *module; /* what PyTorch calls it; NULL: not known yet */
    size_t index;       /* of that module, among those of a file */
} tl_weights_layer;

typedef struct tl_weights {
    tl_weight *weight;
    tl_weights_layer *layer;
    size_t layers;
} tl_weights;

/* Lists the arrays of a compiled model, layer by layer. Fails where what a layer reads has no counterpart. To be released in any
 * case. */
tl_status tl_weights_list(tl_weights *weights, const tl_model *model, tl_error *error);
void tl_weights_release(tl_weights *weights);

/* Where PyTorch has the element of that index. */
size_t tl_weight_place(const tl_weight *weight, size_t index);

/* ---- which module is which layer ---- */

/* A module of a PyTorch network: what its tensors' names have before the last dot. */
typedef struct tl_module {
    char name[TL_ARRAY_NAME];
    const tl_array *const *array;
    size_t arrays;
    bool taken;
} tl_module;

typedef struct tl_modules {
    const char *path; /* of the file */
    const tl_array **array;
    tl_module *module; /* sorted by name, 2 before 10 */
    size_t modules;
} tl_modules;

/* Lists the modules of a file, but for the counts of batches that batch norm keeps. To be released in any case. */
tl_status tl_modules_list(tl_modules *modules, const tl_archive *archive, tl_error *error);
void tl_modules_release(tl_modules *modules);

/* The tensor of that name; NULL where there is none. */
const tl_array *tl_module_array(const tl_module *module, const char *name);

/* A map of names from a file: {module: layer}, to be released. NULL on failure. */
json_t *tl_weights_map(const char *path, tl_error *error);

/* Gives layers the modules that the map says, for `modules` NULL any, else those of a file, which must be there. Fails unless
 * all layers and modules have been told. */
tl_status tl_weights_by_map(tl_weights *weights, tl_modules *modules, const char *path, json_t *map, tl_error *error);

/* The same without a map: by names, where modules are called as layers are; else by shapes, and of modules and layers whose shapes
 * are the same, by the numbers in the modules' names. Fails where that leaves a choice. */
tl_status tl_weights_by_shape(tl_weights *weights, tl_modules *modules, tl_error *error);

#endif
