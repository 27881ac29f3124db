/* network.h: tapline/architecture.h for parsed JSON, for files that contain more than an architecture. */
#ifndef TL_NETWORK_H
#define TL_NETWORK_H

#include <tapline/architecture.h>

#include <jansson.h>

/* Does the same as tl_architecture_from_json; messages begin with `file`. */
tl_node tl_network_build(tl_model *model, tl_node x, json_t *root, const char *file, const tl_architecture_cfg *cfg);

/* Returns the shape under "input"; fails if there is none. */
tl_shape tl_network_input(const json_t *root, const char *file, tl_error *error);

/* Returns a compiled model as JSON, which the caller releases; NULL if memory is short. */
json_t *tl_network_describe(const tl_model *model);

#endif
