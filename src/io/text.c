#include "io/text.h"

#include "io/file.h"
#include "io/number.h"

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

enum { SHOWN = 24 }; /* characters of a field that a message shows */

/* The beginning of a field for a message, in quotes, on one line. */
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
    const bool inside = at >= text->start && at <= text->end;
    size_t line = inside ? text->line : 1;
    const char *begin = inside ? text->start : at; /* otherwise the message is about the whole file */
    for (const char *c = begin; c < at; c++) {
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

enum { WINDOW = 1 << 16, MAX_LINE = 1 << 28 }; /* in bytes; a line of 20 million numbers */

/* Moves the remaining lines to the front. */
static void drop_lines(tl_text *text) {
    const size_t kept = (size_t)(text->end - text->next);
    for (const char *c = text->start; (c = memchr(c, '\n', (size_t)(text->next - c))); c++) text->line++;
    text->offset += (uint64_t)(text->next - text->start);
    memmove(text->window, text->next, kept);
    text->start = text->next = text->window;
    text->end = text->window + kept;
}

/* Reads more of the file after the remaining lines; enlarges the window if they fill it. */
static tl_status read_on(tl_text *text, tl_error *error) {
    drop_lines(text);
    size_t kept = (size_t)(text->end - text->start);
    if (kept + 1 >= text->room) {
        const size_t room = 2 * text->room;
        if (room > MAX_LINE)
            return tl_text_fail(text, text->start, error, "expected lines of less than %d MB, got a longer one", MAX_LINE >> 20);
        char *larger = realloc(text->window, room);
        if (!larger) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory for %zu bytes", text->path, room);
        text->window = larger;
        text->room = room;
        text->start = text->next = larger;
    }
    const size_t got = fread(text->window + kept, 1, text->room - kept - 1, text->file);
    if (ferror(text->file)) return tl_fail(error, TL_ERROR_FILE, "%s: %s", text->path, strerror(errno));
    text->whole = feof(text->file);
    text->window[kept + got] = '\0';
    text->end = text->window + kept + got;
    const char *nul = memchr(text->window + kept, '\0', got);
    return nul ? tl_text_fail(text, nul, error, "expected text, got a NUL character; is this a binary file?") : TL_OK;
}

/* Recognises other files than text or data by their first bytes. */
static tl_status check_begin(tl_text *text, tl_error *error) {
    const size_t count = (size_t)(text->end - text->start);
    if (count == 0) return tl_fail(error, TL_ERROR_FORMAT, "%s: the file is empty", text->path);
    if (count >= 3 && memcmp(text->start, "\xef\xbb\xbf", 3) == 0) {
        text->start = text->next = text->start + 3;
        text->offset = 3;
    }
    const char *first = text->start;
    while (isspace((unsigned char)*first)) first++;
    if (*first == '<')
        return tl_text_fail(text, first, error, "expected data, got HTML or XML; was a web page saved instead of the file?");
    return TL_OK;
}

/* Checked before NUL characters, which UTF-16 contains. */
static tl_status check_encoding(FILE *file, const char *path, tl_error *error) {
    unsigned char mark[2] = {0};
    const size_t count = fread(mark, 1, sizeof mark, file);
    rewind(file);
    if (count == 2 && (memcmp(mark, "\xff\xfe", 2) == 0 || memcmp(mark, "\xfe\xff", 2) == 0))
        return tl_fail(error, TL_ERROR_FORMAT, "%s:1:1: expected plain text, got UTF-16; save the file as UTF-8", path);
    return TL_OK;
}

tl_status tl_text_begin(tl_text *text, const char *path, tl_error *error) {
    *text = (tl_text){.path = path, .point = '.'};
    if (tl_failed(error)) return error->status;
    text->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return text->locale ? TL_OK : tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
}

tl_status tl_text_open(tl_text *text, const char *path, tl_error *error) {
    size_t size = 0;
    if (tl_text_begin(text, path, error) != TL_OK) return error->status;
    text->file = tl_file_open(path, &size, error);
    if (!text->file || check_encoding(text->file, path, error) != TL_OK) return error->status;
    text->window = malloc(WINDOW);
    if (!text->window) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
    text->room = WINDOW;
    text->start = text->end = text->next = text->window;
    text->line = 1;
    return read_on(text, error) == TL_OK ? check_begin(text, error) : error->status;
}

tl_status tl_text_read(tl_text *text, const char *path, tl_error *error) {
    tl_text_open(text, path, error);
    while (!tl_failed(error) && !text->whole) read_on(text, error);
    return error->status;
}

void tl_text_release(tl_text *text) {
    free(text->window);
    if (text->file) fclose(text->file);
    if (text->locale) freelocale(text->locale);
    *text = (tl_text){0};
}

tl_place tl_text_place(const tl_text *text) {
    tl_place place = {.offset = text->offset + (uint64_t)(text->next - text->start), .line = text->line};
    for (const char *c = text->start; (c = memchr(c, '\n', (size_t)(text->next - c))); c++) place.line++;
    return place;
}

tl_status tl_text_back(tl_text *text, tl_place place, tl_error *error) {
    if (tl_failed(error)) return error->status;
    if (fseeko(text->file, (off_t)place.offset, SEEK_SET) != 0)
        return tl_fail(error, TL_ERROR_FILE, "%s: %s", text->path, strerror(errno));
    text->offset = place.offset;
    text->line = place.line;
    text->start = text->end = text->next = text->window;
    text->whole = false;
    return TL_OK;
}

/* ---- fields ---- */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

tl_field tl_field_trim(tl_field field) {
    while (field.begin < field.end && is_blank(*field.begin)) field.begin++;
    while (field.begin < field.end && is_blank(field.end[-1])) field.end--;
    return field;
}

static bool next_line(tl_text *text, tl_field *line, tl_error *error) {
    const char *end = NULL;
    while (!tl_failed(error) && !(end = memchr(text->next, '\n', (size_t)(text->end - text->next))) && !text->whole)
        read_on(text, error);
    if (tl_failed(error) || text->next == text->end) return false;
    *line = tl_field_trim((tl_field){text->next, end ? end : text->end});
    text->next = end ? end + 1 : text->end;
    return true;
}

bool tl_text_filled_line(tl_text *text, const char *comments, tl_field *line, tl_error *error) {
    while (next_line(text, line, error))
        if (line->begin < line->end && !strchr(comments, *line->begin)) return true;
    return false;
}

bool tl_field_is(tl_field field, const char *word) {
    const size_t length = (size_t)(field.end - field.begin);
    return length == strlen(word) && strncasecmp(field.begin, word, length) == 0;
}

bool tl_field_cut(tl_field *rest, char separator, tl_field *part) {
    const size_t length = (size_t)(rest->end - rest->begin);
    const char *found = length > 0 ? memchr(rest->begin, separator, length) : NULL;
    *part = (tl_field){rest->begin, found ? found : rest->end};
    rest->begin = found ? found + 1 : rest->end;
    return found != NULL;
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

/* *rest begins with a quote. The part ends at the next quote that is not doubled. */
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
    if (quoted && tail.begin < tail.end) tl_text_expected(text, tail, error, "a separator after the closing quote");
    return more;
}

tl_field tl_text_unescape(const tl_text *text, tl_field field, char escape) {
    char *const begin = text->window + (field.begin - text->window), *to = begin;
    for (const char *from = begin; from < field.end; from++) {
        if (*from == escape && from + 1 < field.end) from++;
        *to++ = *from;
    }
    return (tl_field){begin, to};
}

tl_field tl_text_unquote(const tl_text *text, tl_field field) {
    return field.begin == text->window || field.begin[-1] != '"' ? field : tl_text_unescape(text, field, '"');
}

size_t tl_text_fields(const tl_text *text, tl_field line, char separator, tl_error *error) {
    tl_field part;
    size_t count = 0;
    for (bool more = true; more && !tl_failed(error); count++) more = tl_text_cut(text, &line, separator, &part, error);
    return count;
}

static bool is_one_of(tl_field field, const char *const *words) {
    while (*words && !tl_field_is(field, *words)) words++;
    return *words != NULL;
}

bool tl_field_missing(tl_field field) {
    static const char *const words[] = {"", "?", "nan", "na", NULL};
    return is_one_of(tl_field_trim(field), words);
}

bool tl_field_name(const tl_text *text, tl_field field) {
    static const char *const others[] = {"-", "n/a", "null", "none", "inf", "-inf", NULL};
    double value;
    return !tl_field_missing(field) && !is_one_of(tl_field_trim(field), others) && !tl_field_number(text, field, &value);
}

bool tl_number_fits(double value) { return isfinite(value) && fabs(value) <= largest; }

bool tl_field_number(const tl_text *text, tl_field field, double *value) {
    field = tl_field_trim(field);
    return tl_number_read(field.begin, field.end, text->point, text->locale, value) && tl_number_fits(*value);
}

bool tl_field_comma(const tl_text *text, tl_field field) {
    const tl_text other = {.locale = text->locale, .point = ','};
    double number;
    return text->point != ',' && field.begin < field.end && memchr(field.begin, ',', (size_t)(field.end - field.begin)) &&
           tl_field_number(&other, field, &number);
}

bool tl_field_fraction(const tl_text *text, tl_field field) {
    double number;
    return tl_field_number(text, field, &number) && number != floor(number);
}

tl_status tl_text_number(const tl_text *text, tl_field field, double *value, tl_error *error) {
    return tl_field_number(text, field, value) ? TL_OK : tl_text_expected(text, tl_field_trim(field), error, "a finite number");
}
