#include "io/json.h"

#include <stdlib.h>

/* Counts the characters that may begin a value. */
bool tl_json_bounded(const char *text, size_t size) {
    size_t count = 0;
    for (size_t i = 0; i < size; i++) count += text[i] == ',' || text[i] == ':' || text[i] == '[' || text[i] == '{';
    return count <= TL_JSON_VALUES;
}

json_t *tl_json_parse(const char *text, size_t size, const char *file, tl_error *error) {
    json_error_t wrong;
    if (tl_failed(error)) return NULL;
    if (!tl_json_bounded(text, size)) {
        tl_fail(error, TL_ERROR_FORMAT, "%.120s: has more than %d values", file, TL_JSON_VALUES);
        return NULL;
    }
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &wrong);
    if (!root) tl_fail(error, TL_ERROR_FORMAT, "%.120s:%d:%d: %s", file, wrong.line, wrong.column, wrong.text);
    return root;
}

char *tl_json_text(const json_t *value, size_t flags) {
    const size_t size = value ? json_dumpb(value, NULL, 0, flags) : 0;
    char *text = size > 0 ? malloc(size + 1) : NULL;
    if (!text) return NULL;
    text[size] = '\0';
    if (json_dumpb(value, text, size, flags) == size) return text;
    free(text);
    return NULL;
}
