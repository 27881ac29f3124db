/* One series as a table: a step a line, a channel a column. */
#include "data/table.h"

/* Whether no field is a number: a line of names. */
static bool has_names(const tl_text *text, tl_field line, char separator, tl_error *error) {
    tl_field part;
    double value;
    bool names = true;
    for (bool more = true; more && names && !tl_failed(error);) {
        more = tl_text_cut(text, &line, separator, &part, error);
        names = tl_field_trim(part).begin < tl_field_trim(part).end && !tl_field_number(text, part, &value);
    }
    return names;
}

static size_t count_fields(const tl_text *text, tl_field line, char separator, tl_error *error) {
    tl_field part;
    size_t count = 0;
    for (bool more = true; more && !tl_failed(error); count++) more = tl_text_cut(text, &line, separator, &part, error);
    return count;
}

tl_status tl_table_measure(const tl_text *text, tl_table_size *size, tl_error *error) {
    const char *at = text->start;
    tl_field line;
    *size = (tl_table_size){0};
    while (!tl_failed(error) && tl_text_line(text, &at, &line)) {
        if (line.begin == line.end) continue;
        const bool first = size->separator == '\0';
        if (first) size->separator = tl_table_separator(line);
        if (first && has_names(text, line, size->separator, error)) continue;
        const size_t count = count_fields(text, line, size->separator, error);
        if (size->lines++ == 0) size->begin = line.begin, size->columns = count;
        if (count != size->columns)
            return tl_text_fail(text, line.begin, error, "expected %zu fields, as in the first step, got %zu", size->columns,
                                count);
    }
    if (size->lines == 0) return tl_text_fail(text, text->end, error, "expected a series, got the end of the file");
    return error->status;
}

tl_status tl_table_values(const tl_text *text, const tl_table_size *size, tl_real *values, tl_error *error) {
    const char *at = size->begin;
    tl_field line, part;
    double value;
    for (size_t i = 0; i < size->lines && tl_text_line(text, &at, &line);) {
        if (line.begin == line.end) continue;
        for (size_t j = 0; j < size->columns; j++) {
            tl_text_cut(text, &line, size->separator, &part, error);
            if (tl_text_number(text, part, &value, error) != TL_OK) return error->status;
            values[j * size->lines + i] = (tl_real)value;
        }
        i++;
    }
    return error->status;
}
