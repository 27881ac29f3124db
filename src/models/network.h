/* network.h: tapline/architecture.h in terms of parsed JSON, for files that hold more than an architecture. */
#ifndef TL_NETWORK_H
#define TL_NETWORK_H

#include <tapline/architecture.h>

#include <jansson.h>

/* What tl_architecture_from_json does; messages begin with `file`. */
tl_node tl_network_build(tl_model *model, tl_node x, const json_t *root, const char *file, const tl_architecture_cfg *cfg);

/* The shape under "input"; fails where there is none. */
tl_shape tl_network_input(const json_t *root, const char *file, tl_error *error);

/* A compiled model as JSON, to be released by the caller; NULL where memory is short. */
json_t *tl_network_describe(const tl_model *model);

/* JSON from text of that size; NULL, with `file:line:column: …`, where it is none. */
json_t *tl_json_parse(const char *text, size_t size, const char *file, tl_error *error);

/* The text of JSON, to be freed; NULL where memory is short. (json_dumps loses a key, and says nothing, where it is short just
 * then.) `flags`: Jansson's. */
char *tl_json_text(const json_t *value, size_t flags);

#endif
