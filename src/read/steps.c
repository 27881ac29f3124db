/* One series as a table: one step in each line, one channel in each column. */
#include "read/table.h"

#include <string.h>

char tl_table_separator(const tl_text *text, tl_field line) {
    static const char separators[] = "\t,; ";
    const char *best = separators + 3;
    bool quoted = false;
    for (const char *c = line.begin; c < line.end; c++) {
        quoted = quoted != (*c == '"');
        const char *found = quoted || *c == text->point ? NULL : strchr(separators, *c);
        if (found && found < best) best = found;
    }
    return *best;
}

/* Returns whether all fields are names. */
static bool has_names(const tl_text *text, tl_field line, char separator, tl_error *error) {
    tl_field part;
    bool names = true;
    for (bool more = true; more && names && !tl_failed(error);) {
        more = tl_text_cut(text, &line, separator, &part, error);
        names = tl_field_name(text, part);
    }
    return names;
}

tl_status tl_table_measure(tl_text *text, tl_table_size *size, tl_error *error) {
    tl_field line;
    *size = (tl_table_size){.begin = tl_text_place(text)};
    while (tl_text_filled_line(text, "", &line, error)) {
        const bool first = size->separator == '\0';
        if (first) size->separator = tl_table_separator(text, line);
        if (first && has_names(text, line, size->separator, error)) {
            size->begin = tl_text_place(text);
            size->names = true;
            continue;
        }
        const size_t count = tl_text_fields(text, line, size->separator, error);
        if (size->lines++ == 0) size->columns = count;
        if (count != size->columns)
            return tl_text_fail(text, line.begin, error, "expected %zu fields, as in the first step, got %zu", size->columns,
                                count);
    }
    if (tl_failed(error) || size->lines > 0) return error->status;
    return tl_text_fail(text, text->end, error, "expected a series, got the end of the file");
}
