/* json.h: JSON to and from text. */
#ifndef TL_JSON_H
#define TL_JSON_H

#include <tapline/base.h>

#include <jansson.h>

/* Whether text of that size has few enough values: parsed, each takes up to 100 bytes. */
enum { TL_JSON_VALUES = 1 << 18 };
bool tl_json_bounded(const char *text, size_t size);

/* JSON from text of that size; NULL, with `file:line:column: …`, where it is none, or has more than TL_JSON_VALUES values. */
json_t *tl_json_parse(const char *text, size_t size, const char *file, tl_error *error);

/* The text of JSON, to be freed; NULL where memory is short. (json_dumps loses a key, and says nothing, where it is short just
 * then.) `flags`: Jansson's. */
char *tl_json_text(const json_t *value, size_t flags);

#endif
