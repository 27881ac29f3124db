/* json.h: JSON from text and to text. */
#ifndef TL_JSON_H
#define TL_JSON_H

#include <tapline/base.h>

#include <jansson.h>

/* Returns whether a text has at most so many values: each takes up to 100 bytes when parsed. */
enum { TL_JSON_VALUES = 1 << 18 };
bool tl_json_bounded(const char *text, size_t size);

/* Parses JSON. Returns NULL, and fails with `file:line:column: …`, if the text is not JSON or has more than TL_JSON_VALUES
 * values. */
json_t *tl_json_parse(const char *text, size_t size, const char *file, tl_error *error);

/* Returns JSON as text, which the caller frees; NULL if memory is short. (json_dumps would silently leave out a key then.) `flags`:
 * those of Jansson. */
char *tl_json_text(const json_t *value, size_t flags);

#endif
