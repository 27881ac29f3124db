/* weights.h: the arrays of a model in PyTorch's order, and the assignment of PyTorch modules to layers. */
#ifndef TL_WEIGHTS_H
#define TL_WEIGHTS_H

#include "io/archive.h"

#include <tapline/file.h>

/* An array of a layer. PyTorch has its axes in reverse order, such as (filters, channels, kernel), except for a table. Channels
 * after a flatten are (length, channels) here and (channels, length) in PyTorch. */
typedef struct tl_weight {
    const char *name; /* in PyTorch, such as "running_mean" */
    tl_tensor value;  /* the array of the model */
    size_t rank, shape[TL_MAX_RANK];
    size_t axes, axis[TL_MAX_RANK + 1]; /* the axes of `value`, with (length, channels) separated */
    bool table;
} tl_weight;

/* A layer with arrays. */
typedef struct tl_weights_layer {
    const char *name; /* such as "conv1d_1" */
    const tl_layer_ops *ops;
    const tl_weight *weight;
    size_t weights;
    const char *module; /* its name in PyTorch; NULL: not known yet */
    size_t index;       /* index of that module in a file */
} tl_weights_layer;

typedef struct tl_weights {
    tl_weight *weight;
    tl_weights_layer *layer;
    size_t layers;
} tl_weights;

/* Lists the arrays of a compiled model, layer by layer. Fails if what a layer reads has no counterpart in PyTorch. Release the list
 * in any case. */
tl_status tl_weights_list(tl_weights *weights, const tl_model *model, tl_error *error);
void tl_weights_release(tl_weights *weights);

/* Returns the position in PyTorch of the element with that index. */
size_t tl_weight_place(const tl_weight *weight, size_t index);

/* ---- assignment of modules to layers ---- */

/* A module of a PyTorch network: the common part of its tensors' names, before the last dot. */
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

/* Lists the modules of a file, without the counters of batches in batch norms. Release the list in any case. */
tl_status tl_modules_list(tl_modules *modules, const tl_archive *archive, tl_error *error);
void tl_modules_release(tl_modules *modules);

/* Returns the tensor with that name; NULL if there is none. */
const tl_array *tl_module_array(const tl_module *module, const char *name);

/* Reads a map of names from a file: {module: layer}, which the caller releases. NULL on failure. */
json_t *tl_weights_map(const char *path, tl_error *error);

/* Assigns modules to layers by a map. `modules` NULL: any names; else the modules of a file, which must exist. Fails unless all
 * layers and modules are assigned. */
tl_status tl_weights_by_map(tl_weights *weights, tl_modules *modules, const char *path, json_t *map, tl_error *error);

/* The same without a map: by name if modules have the names of layers; else by shape, and modules and layers with the same shapes
 * in the order of the numbers in the modules' names. Fails if the assignment is ambiguous. */
tl_status tl_weights_by_shape(tl_weights *weights, tl_modules *modules, tl_error *error);

#endif
