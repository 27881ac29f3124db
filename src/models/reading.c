#include "models/reading.h"

#include "base/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 12, NAMES = 10, MAX_STEPS = INT_MAX };

/* The roles of columns, the label that means "no label", the annotator, and, from NAMES on, headings of the table. */
static const char *const keys[COLUMNS] = {"label", "target", "ignore",   "value",     "group",       "series",
                                          "time",  "file",   "no_label", "annotator", "value_names", "target_names"};

static const char **column_of(tl_read_cfg *cfg, size_t index) {
    const char **const columns[COLUMNS] = {&cfg->label,    &cfg->target,    &cfg->ignore,      &cfg->value,
                                           &cfg->group,    &cfg->series,    &cfg->time,        &cfg->file,
                                           &cfg->no_label, &cfg->annotator, &cfg->value_names, &cfg->target_names};
    return columns[index];
}

/* ---- writing ---- */

json_t *tl_reading_describe(const tl_read_cfg *cfg) {
    json_t *object = json_object();
    tl_read_cfg copy = *cfg;
    bool whole = object != NULL;
    for (size_t i = 0; whole && i < COLUMNS; i++) {
        json_t *text = *column_of(&copy, i) ? json_string(*column_of(&copy, i)) : NULL;
        if (!*column_of(&copy, i) || (!text && i >= NAMES)) continue; /* headings that are not UTF-8 are not kept */
        whole = json_object_set_new(object, keys[i], text) == 0;
    }
    if (whole && cfg->header != TL_HEADER_AUTO)
        whole = json_object_set_new(object, "header", json_string(tl_header_name(cfg->header))) == 0;
    if (whole && cfg->decimal_comma) whole = json_object_set_new(object, "decimal_comma", json_true()) == 0;
    if (whole && cfg->window > 0)
        whole = json_object_set_new(object, "window", json_integer((json_int_t)cfg->window)) == 0 &&
                json_object_set_new(object, "hop", json_integer((json_int_t)(cfg->hop ? cfg->hop : cfg->window))) == 0 &&
                json_object_set_new(object, "window_target", json_string(tl_window_target_name(cfg->window_target))) == 0;
    if (whole) return object;
    json_decref(object);
    return NULL;
}

/* ---- reading ---- */

static tl_status wrong(const char *path, const char *key, tl_error *error) {
    return tl_fail(error, TL_ERROR_FORMAT, "%.180s: metadata \"reading\": \"%s\" has an invalid value", path, key);
}

static tl_status parse_column(const json_t *object, const char *path, size_t index, tl_read_cfg *cfg, tl_error *error) {
    const json_t *value = json_object_get(object, keys[index]);
    if (!value) return TL_OK;
    if (!json_is_string(value)) return wrong(path, keys[index], error);
    *column_of(cfg, index) = strdup(json_string_value(value));
    return *column_of(cfg, index) ? TL_OK : tl_fail(error, TL_ERROR_MEMORY, "load: out of memory");
}

static tl_status parse_size(const json_t *object, const char *path, const char *key, size_t *size, tl_error *error) {
    const json_t *value = json_object_get(object, key);
    if (!value) return TL_OK;
    const json_int_t number = json_integer_value(value);
    if (number < 1 || number > MAX_STEPS) return wrong(path, key, error);
    *size = (size_t)number;
    return TL_OK;
}

tl_status tl_reading_parse(const json_t *object, const char *path, tl_read_cfg *cfg, tl_error *error) {
    const char *header = json_string_value(json_object_get(object, "header")),
               *target = json_string_value(json_object_get(object, "window_target"));
    tl_error unknown = {0};
    for (size_t i = 0; i < COLUMNS; i++)
        if (parse_column(object, path, i, cfg, error) != TL_OK) return error->status;
    cfg->decimal_comma = json_is_true(json_object_get(object, "decimal_comma"));
    if (header && tl_header_by_name(header, &cfg->header, &unknown) != TL_OK) return wrong(path, "header", error);
    if (target && tl_window_target_by_name(target, &cfg->window_target, &unknown) != TL_OK)
        return wrong(path, "window_target", error);
    if (parse_size(object, path, "window", &cfg->window, error) != TL_OK) return error->status;
    return parse_size(object, path, "hop", &cfg->hop, error);
}

void tl_reading_release(tl_read_cfg *cfg) {
    for (size_t i = 0; i < COLUMNS; i++) tl_free_text(*column_of(cfg, i));
    *cfg = (tl_read_cfg){0};
}
