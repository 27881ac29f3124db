#include "data/text.h"

#include "data/file.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#ifdef TAPLINE_F64
static const double largest = DBL_MAX;
#else
static const double largest = FLT_MAX;
#endif

/* ---- errors ---- */

enum { SHOWN = 24 }; /* characters of a field in a message */

/* What a message shows of a field: its beginning, in quotes, on one line. */
static const char *quote(tl_field field, char out[SHOWN + 8]) {
    size_t length = (size_t)(field.end - field.begin);
    const bool cut = length > SHOWN;
    if (length == 0) return "nothing";
    if (cut) length = SHOWN;
    out[0] = '"';
    for (size_t i = 0; i < length; i++) out[1 + i] = (char)((unsigned char)field.begin[i] < ' ' ? '?' : field.begin[i]);
    const char *end = cut ? "…\"" : "\"";
    memcpy(out + 1 + length, end, strlen(end) + 1);
    return out;
}

static tl_status fail_at(const tl_text *text, const char *at, tl_error *error, const char *message) {
    if (!text->start)
        return tl_fail(error, TL_ERROR_FORMAT, "%s%s%s: offset %" PRIu64 ": %s", text->path, text->member ? ": " : "",
                       text->member ? text->member : "", text->offset, message);
    if (at < text->start || at > text->end) at = text->start; /* of the file as a whole */
    size_t line = 1;
    const char *begin = text->start;
    for (const char *c = text->start; c < at; c++) {
        if (*c != '\n') continue;
        line++;
        begin = c + 1;
    }
    return tl_fail(error, TL_ERROR_FORMAT, "%s:%zu:%td: %s", text->path, line, at - begin + 1, message);
}

tl_status tl_text_fail(const tl_text *text, const char *at, tl_error *error, const char *format, ...) {
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return fail_at(text, at, error, message);
}

tl_status tl_text_expected(const tl_text *text, tl_field got, tl_error *error, const char *format, ...) {
    char expected[300], field[SHOWN + 8], message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    snprintf(message, sizeof message, "expected %s, got %s", expected, quote(got, field));
    return fail_at(text, got.begin, error, message);
}

/* ---- reading ---- */

/* Up to the end, even if the file has grown since its size was asked. */
static tl_status read_all(FILE *file, size_t size, tl_text *text, tl_error *error) {
    size_t count = 0, room = size + 2;
    for (;;) {
        char *larger = realloc(text->begin, room);
        if (!larger) return tl_fail(error, TL_ERROR_MEMORY, "%s: no memory for %zu bytes", text->path, room);
        text->begin = larger;
        count += fread(text->begin + count, 1, room - count - 1, file);
        if (ferror(file)) return tl_fail(error, TL_ERROR_FILE, "%s: %s", text->path, strerror(errno));
        if (feof(file)) break;
        room += room / 2;
    }
    text->start = text->begin;
    text->end = text->begin + count;
    *text->end = '\0';
    return TL_OK;
}

/* What is not text, or not data, has telling first bytes. */
static tl_status check_text(tl_text *text, tl_error *error) {
    const size_t count = (size_t)(text->end - text->begin);
    if (count == 0) return tl_fail(error, TL_ERROR_FORMAT, "%s: the file is empty", text->path);
    if (count >= 2 && (memcmp(text->begin, "\xff\xfe", 2) == 0 || memcmp(text->begin, "\xfe\xff", 2) == 0))
        return tl_fail(error, TL_ERROR_FORMAT, "%s:1:1: expected plain text, got UTF-16; save the file as UTF-8", text->path);
    if (count >= 3 && memcmp(text->begin, "\xef\xbb\xbf", 3) == 0) text->start += 3;
    const char *nul = memchr(text->start, '\0', (size_t)(text->end - text->start));
    if (nul) return tl_text_fail(text, nul, error, "expected text, got a NUL character; is this a binary file?");
    const char *first = text->start;
    while (isspace((unsigned char)*first)) first++;
    if (*first == '<')
        return tl_text_fail(text, first, error, "expected data, got HTML or XML; was a web page saved instead of the file?");
    return TL_OK;
}

tl_status tl_text_begin(tl_text *text, const char *path, tl_error *error) {
    *text = (tl_text){.path = path};
    if (tl_failed(error)) return error->status;
    text->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return text->locale ? TL_OK : tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
}

tl_status tl_text_read(tl_text *text, const char *path, tl_error *error) {
    size_t size = 0;
    if (tl_text_begin(text, path, error) != TL_OK) return error->status;
    FILE *file = tl_file_open(path, &size, error);
    if (!file) return error->status;
    if (read_all(file, size, text, error) == TL_OK) check_text(text, error);
    fclose(file);
    return error->status;
}

void tl_text_release(tl_text *text) {
    free(text->begin);
    if (text->locale) freelocale(text->locale);
    *text = (tl_text){0};
}

/* ---- fields ---- */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

tl_field tl_field_trim(tl_field field) {
    while (field.begin < field.end && is_blank(*field.begin)) field.begin++;
    while (field.begin < field.end && is_blank(field.end[-1])) field.end--;
    return field;
}

size_t tl_text_lines(const tl_text *text) {
    size_t lines = 1;
    for (const char *c = text->start; (c = memchr(c, '\n', (size_t)(text->end - c))); c++) lines++;
    return lines;
}

bool tl_text_line(const tl_text *text, const char **at, tl_field *line) {
    if (*at >= text->end) return false;
    const char *end = memchr(*at, '\n', (size_t)(text->end - *at));
    if (!end) end = text->end;
    *line = tl_field_trim((tl_field){*at, end});
    *at = end < text->end ? end + 1 : end;
    return true;
}

bool tl_field_is(tl_field field, const char *word) {
    const size_t length = (size_t)(field.end - field.begin);
    return length == strlen(word) && strncasecmp(field.begin, word, length) == 0;
}

bool tl_field_cut(tl_field *rest, char separator, tl_field *part) {
    const char *end = rest->begin;
    while (end < rest->end && *end != separator) end++;
    const bool found = end < rest->end;
    *part = (tl_field){rest->begin, end};
    rest->begin = found ? end + 1 : end;
    return found;
}

tl_field tl_field_word(tl_field *rest) {
    tl_field word;
    *rest = tl_field_trim(*rest);
    word.begin = rest->begin;
    while (rest->begin < rest->end && *rest->begin != ' ' && *rest->begin != '\t') rest->begin++;
    word.end = rest->begin;
    *rest = tl_field_trim(*rest);
    return word;
}

/* *rest begins with a quote. The part is what stands between it and the next one that is not doubled. */
static tl_status cut_quoted(const tl_text *text, tl_field *rest, tl_field *part, tl_error *error) {
    const char *end = rest->begin + 1;
    while (end < rest->end && (*end != '"' || (end + 1 < rest->end && end[1] == '"'))) end += *end == '"' ? 2 : 1;
    if (end >= rest->end) return tl_text_expected(text, *rest, error, "a closing quote in the line");
    *part = (tl_field){rest->begin + 1, end};
    rest->begin = end + 1;
    return TL_OK;
}

bool tl_text_cut(const tl_text *text, tl_field *rest, char separator, tl_field *part, tl_error *error) {
    while (rest->begin < rest->end && (*rest->begin == ' ' || (separator == ' ' && *rest->begin == '\t'))) rest->begin++;
    *part = (tl_field){rest->begin, rest->begin};
    const bool quoted = rest->begin < rest->end && *rest->begin == '"';
    tl_field tail;
    if (quoted && cut_quoted(text, rest, part, error) != TL_OK) return false;
    if (separator == ' ') {
        tail.begin = rest->begin;
        while (rest->begin < rest->end && *rest->begin != ' ' && *rest->begin != '\t') rest->begin++;
        tail.end = rest->begin;
        *rest = tl_field_trim(*rest);
    }
    const bool more = separator == ' ' ? rest->begin < rest->end : tl_field_cut(rest, separator, &tail);
    if (!quoted) *part = tail;
    tail = tl_field_trim(tail);
    if (quoted && tail.begin < tail.end) tl_text_expected(text, tail, error, "a separator behind the closing quote");
    return more;
}

bool tl_number_fits(double value) { return isfinite(value) && fabs(value) <= largest; }

bool tl_field_number(const tl_text *text, tl_field field, double *value) {
    field = tl_field_trim(field);
    const int first = field.begin < field.end ? (unsigned char)*field.begin : 0;
    if (!isdigit(first) && first != '-' && first != '+' && first != '.') return false;
    char *end;
    *value = strtod_l(field.begin, &end, text->locale);
    return end == field.end && tl_number_fits(*value);
}

tl_status tl_text_number(const tl_text *text, tl_field field, double *value, tl_error *error) {
    if (tl_field_number(text, field, value)) return TL_OK;
    field = tl_field_trim(field);
    if (tl_field_is(field, "?") || tl_field_is(field, "nan"))
        return tl_text_expected(text, field, error, "a number (missing values are not supported)");
    return tl_text_expected(text, field, error, "a finite number");
}
