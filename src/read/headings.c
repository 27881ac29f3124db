#include "read/headings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 1 << 16 }; /* of names in a model file */

/* Returns the next column with this role, from `from` on; columns->count: none. */
static size_t next_column(const tl_columns *columns, tl_role role, size_t from) {
    while (from < columns->count && columns->role[from] != role) from++;
    return from;
}

/* ---- names of this table ---- */

static tl_status copy_names(const tl_columns *columns, tl_role role, const char *path, char **names, tl_error *error) {
    size_t bytes = 0, at = 0;
    for (size_t c = next_column(columns, role, 0); c < columns->count; c = next_column(columns, role, c + 1))
        bytes += strlen(columns->name[c]) + 1;
    free(*names);
    *names = NULL;
    if (bytes == 0 || bytes > MAX_BYTES) return TL_OK;
    *names = malloc(bytes + 1);
    if (!*names) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
    for (size_t c = next_column(columns, role, 0); c < columns->count; c = next_column(columns, role, c + 1))
        at += (size_t)sprintf(*names + at, "%s\n", columns->name[c]);
    return TL_OK;
}

/* ---- comparison ---- */

static bool is_name(tl_field field, const char *name) {
    const size_t length = strlen(name);
    return (size_t)(field.end - field.begin) == length && memcmp(field.begin, name, length) == 0;
}

bool tl_headings_have(const char *names, const char *name) {
    if (!names) return false;
    tl_field rest = {names, names + strlen(names)}, part;
    bool found = false;
    for (bool more = true; more && !found;) {
        more = tl_field_cut(&rest, '\n', &part);
        found = (more || part.end > part.begin) && is_name(part, name);
    }
    return found;
}

static bool is_present(const tl_columns *columns, tl_role role, tl_field name) {
    size_t c = next_column(columns, role, 0);
    while (c < columns->count && !is_name(name, columns->name[c])) c = next_column(columns, role, c + 1);
    return c < columns->count;
}

static tl_status differ(const tl_columns *columns, tl_role role, size_t column, tl_field expected, const char *path,
                        const char *names, const tl_read_cfg *cfg, tl_error *error) {
    const bool known = tl_headings_have(names, columns->name[column]);
    const int length = (int)(expected.end - expected.begin < 60 ? expected.end - expected.begin : 60);
    char text[400];
    if (known && is_present(columns, role, expected))
        return tl_fail(error, TL_ERROR_FORMAT,
                       "%s: the columns have another order than in the training set: column %zu has the heading \"%.60s\", but "
                       "\"%.*s\" was there; write them in the order of the training set",
                       path, column + 1, columns->name[column], length, expected.begin);
    snprintf(text, sizeof text,
             "%.120s: column %zu has the heading \"%.60s\", but in the training set its heading was \"%.*s\"; are these the same "
             "values?",
             path, column + 1, columns->name[column], length, expected.begin);
    if (cfg->warn) cfg->warn(text, cfg->user);
    return TL_OK;
}

/* names: the headings of the training set, each on a line. */
static tl_status compare(const tl_columns *columns, tl_role role, const char *path, const char *names, const tl_read_cfg *cfg,
                         tl_error *error) {
    tl_field rest = {names, names ? names + strlen(names) : NULL}, part;
    size_t expected = 0;
    for (const char *c = names; c && *c; c++) expected += *c == '\n';
    const bool more = columns->of[role] > expected;
    if (!names || columns->of[role] < expected) return TL_OK; /* other errors say what is missing */
    if (more && cfg->names) return TL_OK;                     /* a training that starts from another network */
    for (size_t c = next_column(columns, role, 0); c < columns->count; c = next_column(columns, role, c + 1)) {
        if (more && !tl_headings_have(names, columns->name[c]))
            return tl_fail(error, TL_ERROR_FORMAT,
                           "%s: column %zu has the heading \"%.60s\", which the training set does not have; leave it out with "
                           "--ignore (tl_read_cfg.ignore)",
                           path, c + 1, columns->name[c]);
        if (more) continue;
        tl_field_cut(&rest, '\n', &part);
        if (!is_name(part, columns->name[c])) return differ(columns, role, c, part, path, names, cfg, error);
    }
    return TL_OK;
}

tl_status tl_headings_check(const tl_columns *columns, const char *path, const tl_read_cfg *cfg, tl_error *error) {
    if (!columns->name) return TL_OK;
    if (cfg->names) {
        copy_names(columns, TL_ROLE_VALUE, path, &cfg->names[0], error);
        copy_names(columns, TL_ROLE_TARGET, path, &cfg->names[1], error);
    }
    if (tl_failed(error) || compare(columns, TL_ROLE_VALUE, path, cfg->value_names, cfg, error) != TL_OK) return error->status;
    return cfg->unlabelled ? TL_OK : compare(columns, TL_ROLE_TARGET, path, cfg->target_names, cfg, error);
}
