/* network.h: tapline/architecture.h in terms of parsed JSON, for files that hold more than an architecture. */
#ifndef TL_NETWORK_H
#define TL_NETWORK_H

#include <tapline/architecture.h>

#include <jansson.h>

/* What tl_architecture_from_json does; messages begin with `file`. */
tl_node tl_network_build(tl_model *model, tl_node x, json_t *root, const char *file, const tl_architecture_cfg *cfg);

/* The shape under "input"; fails where there is none. */
tl_shape tl_network_input(const json_t *root, const char *file, tl_error *error);

/* A compiled model as JSON, to be released by the caller; NULL where memory is short. */
json_t *tl_network_describe(const tl_model *model);

#endif
