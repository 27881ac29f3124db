/* The `.arff` format of Weka, as used in the UCR and UEA archives: `@attribute` lines, `@data`, then one series in each line. The
 * last attribute is the class (nominal) or the target value. Series with several channels are one relational attribute: in quotes,
 * with channels separated by a backslash and an n. Lines that start with % are comments; keywords may be in upper or lower case. */
#include "read/reader.h"

#include <string.h>

/* What the header says. */
typedef struct header {
    size_t columns;  /* numeric attributes: values of a series, or of each of its channels */
    bool relational; /* the values belong to a relational attribute */
    bool inside;     /* between a relational attribute and its @end */
    bool has_labels, has_target;
} header;

static bool is_quoted(tl_field field) { return field.begin < field.end && (*field.begin == '\'' || *field.begin == '"'); }

/* Removes a text in quotes from *rest; a quote in it follows a backslash. */
static tl_status cut_quoted(const tl_samples *s, tl_field *rest, tl_field *name, tl_error *error) {
    const char *end = rest->begin + 1;
    while (end < rest->end && *end != *rest->begin) end += *end == '\\' ? 2 : 1;
    if (end >= rest->end) return tl_text_expected(s->text, *rest, error, "a closing quote in the line");
    *name = (tl_field){rest->begin + 1, end};
    *rest = tl_field_trim((tl_field){end + 1, rest->end});
    return TL_OK;
}

/* The same, or a word. */
static tl_status cut_name(const tl_samples *s, tl_field *rest, tl_field *name, tl_error *error) {
    *rest = tl_field_trim(*rest);
    if (is_quoted(*rest)) return cut_quoted(s, rest, name, error);
    *name = tl_field_word(rest);
    return TL_OK;
}

/* Removes a label from *rest, up to a comma or the end; *more [OUT]: there was a comma. */
static tl_status cut_label(const tl_samples *s, tl_field *rest, tl_field *label, bool *more, tl_error *error) {
    tl_field tail;
    *rest = tl_field_trim(*rest);
    const bool quoted = is_quoted(*rest);
    if (quoted && cut_quoted(s, rest, label, error) != TL_OK) return error->status;
    *more = tl_field_cut(rest, ',', &tail);
    tail = tl_field_trim(tail);
    if (quoted && tail.begin < tail.end) return tl_text_expected(s->text, tail, error, "a comma after the closing quote");
    *label = quoted ? tl_field_trim(tl_text_unescape(s->text, *label, '\\')) : tail;
    return TL_OK;
}

/* {a, 'b, c', d} */
static tl_status read_labels(tl_samples *s, tl_field type, tl_error *error) {
    if (type.end[-1] != '}') return tl_text_expected(s->text, type, error, "labels in braces");
    tl_field rest = {type.begin + 1, type.end - 1}, part;
    for (bool more = true; more;) {
        if (cut_label(s, &rest, &part, &more, error) != TL_OK) return error->status;
        if (part.begin == part.end) return tl_text_expected(s->text, part, error, "a label");
        if (tl_samples_declare(s, part, error) != TL_OK) return error->status;
    }
    return TL_OK;
}

static bool is_numeric(tl_field type) {
    return tl_field_is(type, "numeric") || tl_field_is(type, "real") || tl_field_is(type, "integer");
}

/* `rest`: what follows @attribute. */
static tl_status read_attribute(tl_samples *s, tl_field rest, header *h, tl_error *error) {
    tl_field name, type = rest;
    if (cut_name(s, &type, &name, error) != TL_OK) return error->status;
    if (h->has_labels || h->has_target)
        return tl_text_expected(s->text, name, error, "@data after the attribute of the class or target value");
    if (type.begin < type.end && *type.begin == '{' && !h->inside) {
        h->has_labels = true;
        return read_labels(s, type, error);
    }
    if (tl_field_is(type, "relational") && h->columns == 0 && !h->relational) {
        h->relational = h->inside = true;
        return TL_OK;
    }
    if (!is_numeric(type)) return tl_text_expected(s->text, type, error, "numeric, or the labels in braces last");
    if (h->relational && !h->inside)
        h->has_target = true;
    else
        h->columns++;
    return TL_OK;
}

/* A line of the header, without its @. */
static tl_status read_key(tl_samples *s, tl_field line, header *h, tl_error *error) {
    tl_field rest = line;
    const tl_field key = tl_field_word(&rest);
    if (tl_field_is(key, "attribute")) return read_attribute(s, rest, h, error);
    if (tl_field_is(key, "end") && h->inside) {
        h->inside = false;
        return TL_OK;
    }
    if (tl_field_is(key, "relation")) return TL_OK;
    return tl_text_expected(s->text, key, error, "@relation, @attribute or @data");
}

/* Up to @data. */
static tl_status read_header(tl_samples *s, tl_text *text, header *h, tl_error *error) {
    tl_field line;
    bool data = false;
    while (!data && tl_text_filled_line(text, "%", &line, error)) {
        if (*line.begin != '@') return tl_text_expected(s->text, line, error, "@data before the first series");
        line.begin++;
        data = tl_field_is(line, "data");
        if (!data) read_key(s, line, h, error);
    }
    if (tl_failed(error)) return error->status;
    if (!data) return tl_text_fail(text, text->end, error, "expected @data, got the end of the file");
    s->regression = !h->has_labels;
    if (s->regression && !h->relational && h->columns > 0) h->columns--; /* the last one is the target */
    if (h->columns == 0 || h->inside || (h->relational && !h->has_labels && !h->has_target))
        return tl_text_fail(s->text, line.begin, error, "expected attributes with values and with the class before @data");
    s->length = h->columns;
    return TL_OK;
}

/* ---- series ---- */

/* *rest: what follows the values. */
static tl_status read_values(tl_samples *s, tl_field *rest, size_t columns, tl_error *error) {
    const tl_field line = *rest;
    tl_field part;
    for (size_t i = 0; i < columns && !tl_failed(error); i++) {
        if (!tl_field_cut(rest, ',', &part))
            return tl_text_fail(s->text, line.begin, error, "expected %zu values and a label, got %zu fields", columns, i + 1);
        tl_samples_number(s, part, error);
    }
    return tl_failed(error) ? error->status : tl_samples_end_channel(s, line.begin, error);
}

static tl_status read_channels(tl_samples *s, tl_field *rest, tl_error *error) {
    tl_field whole = {NULL, NULL}, comma;
    if (!is_quoted(*rest)) return tl_text_expected(s->text, *rest, error, "channels in quotes");
    if (cut_name(s, rest, &whole, error) != TL_OK) return error->status;
    for (bool more = true; more && !tl_failed(error);) {
        const char *end = memmem(whole.begin, (size_t)(whole.end - whole.begin), "\\n", 2);
        more = end != NULL;
        tl_samples_channel(s, (tl_field){whole.begin, more ? end : whole.end}, ',', error);
        if (more) whole.begin = end + 2;
    }
    if (tl_failed(error)) return error->status;
    if (!tl_field_cut(rest, ',', &comma) || comma.begin < comma.end)
        return tl_text_expected(s->text, comma, error, "a comma and a label after the channels");
    return TL_OK;
}

/* Counts the commas: one between two values, and one before the label. */
static void count_series(tl_samples *s, tl_field line, const header *h) {
    size_t channels = 1, commas = 0;
    for (const char *c = line.begin; (c = memchr(c, ',', (size_t)(line.end - c))); c++) commas++;
    for (const char *c = line.begin; h->relational && (c = memmem(c, (size_t)(line.end - c), "\\n", 2)); c += 2) channels++;
    tl_samples_count(s, 1, h->columns, channels, commas + channels);
}

static tl_status read_series(tl_samples *s, tl_field line, void *format, tl_error *error) {
    const header *h = format;
    tl_field label = {0};
    bool more = false;
    if (s->counting) {
        count_series(s, line, h);
        return TL_OK;
    }
    if ((h->relational ? read_channels(s, &line, error) : read_values(s, &line, h->columns, error)) != TL_OK ||
        cut_label(s, &line, &label, &more, error) != TL_OK)
        return error->status;
    return more ? tl_text_expected(s->text, line, error, "the end of the line after the label") : tl_samples_end(s, label, error);
}

static tl_status fill(tl_samples *s, tl_text *text, tl_error *error) {
    static const tl_line_reader lines = {.comments = "%", .read = read_series};
    header h = {0};
    return read_header(s, text, &h, error) == TL_OK ? tl_samples_text(s, text, &lines, &h, error) : error->status;
}

static tl_dataset *read_arff(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    return tl_read_text(path, cfg, fill, error);
}

static const char *const endings[] = {".arff", NULL};

const tl_reader tl_arff_reader = {.endings = endings, .read = read_arff};
