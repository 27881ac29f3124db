#include "read/headings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_BYTES = 1 << 16 }; /* of names in a model file */

/* Returns the next column with this role, from `from` on; columns->count: none. */
static size_t next_column(const tl_columns *columns, tl_role role, size_t from) {
    while (from < columns->count && columns->role[from] != role) from++;
    return from;
}

/* ---- doubtful names ---- */

bool tl_headings_doubtful(const char *name) {
    static const char *const names[] = {"id",        "index",     "time",       "timestamp",  "date",    "datetime",  "subject",
                                        "patient",   "user",      "group",      "series",     "label",   "class",     "target",
                                        "sample_id", "series_id", "patient_id", "subject_id", "user_id", "record",    "filename",
                                        "file",      "labels",    "classes",    "category",   "species", "diagnosis", "outcome"};
    size_t i = 0;
    while (i < sizeof names / sizeof *names && strcasecmp(name, names[i]) != 0) i++;
    return i < sizeof names / sizeof *names;
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

/* The headings of earlier data, each on a line, and which data that was. */
typedef struct earlier {
    const char *names, *of;
} earlier;

static tl_status differ(const tl_columns *columns, tl_role role, size_t column, tl_field expected, const char *path,
                        const earlier *before, const tl_read_cfg *cfg, tl_error *error) {
    const bool known = tl_headings_have(before->names, columns->name[column]);
    const int length = (int)(expected.end - expected.begin < 60 ? expected.end - expected.begin : 60);
    char text[400];
    if (known && is_present(columns, role, expected))
        return tl_fail(error, TL_ERROR_FORMAT,
                       "%s: the columns have another order than in %.120s: column %zu has the heading \"%.60s\", but \"%.*s\" was "
                       "there; write them in the order of %.120s",
                       path, before->of, column + 1, columns->name[column], length, expected.begin, before->of);
    snprintf(text, sizeof text,
             "%.120s: column %zu has the heading \"%.60s\", but in %.80s its heading was \"%.*s\"; are these the same values?",
             path, column + 1, columns->name[column], before->of, length, expected.begin);
    if (cfg->warn) cfg->warn(text, cfg->user);
    return TL_OK;
}

static tl_status compare(const tl_columns *columns, tl_role role, const char *path, const earlier *before, const tl_read_cfg *cfg,
                         tl_error *error) {
    const char *names = before->names;
    tl_field rest = {names, names ? names + strlen(names) : NULL}, part;
    size_t expected = 0;
    for (const char *c = names; c && *c; c++) expected += *c == '\n';
    const bool more = columns->of[role] > expected;
    if (!names || columns->of[role] < expected) return TL_OK; /* other errors say what is missing */
    if (more && cfg->names) return TL_OK;                     /* a training that starts from another network */
    for (size_t c = next_column(columns, role, 0); c < columns->count; c = next_column(columns, role, c + 1)) {
        if (more && !tl_headings_have(names, columns->name[c]))
            return tl_fail(error, TL_ERROR_FORMAT,
                           "%s: column %zu has the heading \"%.60s\", which %.120s does not have; leave it out with --ignore "
                           "(tl_read_cfg.ignore)",
                           path, c + 1, columns->name[c], before->of);
        if (more) continue;
        tl_field_cut(&rest, '\n', &part);
        if (!is_name(part, columns->name[c])) return differ(columns, role, c, part, path, before, cfg, error);
    }
    return TL_OK;
}

tl_status tl_headings_check(const tl_columns *columns, const char *path, const tl_read_cfg *cfg, tl_error *error) {
    const earlier values = {cfg->value_names, "the training set"}, targets = {cfg->target_names, "the training set"};
    if (!columns->name) return TL_OK;
    if (cfg->names) {
        copy_names(columns, TL_ROLE_VALUE, path, &cfg->names[0], error);
        copy_names(columns, TL_ROLE_TARGET, path, &cfg->names[1], error);
    }
    if (tl_failed(error) || compare(columns, TL_ROLE_VALUE, path, &values, cfg, error) != TL_OK) return error->status;
    return cfg->unlabelled ? TL_OK : compare(columns, TL_ROLE_TARGET, path, &targets, cfg, error);
}

/* ---- files of one data set ---- */

tl_status tl_headings_first(const tl_columns *columns, const char *path, char **names, const tl_read_cfg *cfg, tl_error *error) {
    char text[400];
    for (size_t c = 0; cfg->warn && c < columns->count; c++) {
        if (!tl_headings_doubtful(columns->name[c])) continue;
        snprintf(text, sizeof text, "%.120s: column %zu has the heading \"%.60s\", and is read as a channel; is it a value?", path,
                 c + 1, columns->name[c]);
        cfg->warn(text, cfg->user);
    }
    copy_names(columns, TL_ROLE_VALUE, path, names, error);
    return tl_failed(error) ? error->status : tl_headings_check(columns, path, cfg, error);
}

tl_status tl_headings_next(const tl_columns *columns, const char *path, const char *names, const char *first,
                           const tl_read_cfg *cfg, tl_error *error) {
    return compare(columns, TL_ROLE_VALUE, path, &(earlier){names, first}, cfg, error);
}
