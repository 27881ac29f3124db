#include "device/text.h"

#include "base/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tl_c_text_free(tl_c_text *text) {
    free(text->start);
    text->start = NULL;
    text->used = text->room = 0;
}

/* Makes room for `count` more characters and the '\0'. */
static bool reserve(tl_c_text *text, size_t count) {
    if (tl_failed(text->error)) return false;
    if (text->used + count < text->room) return true;
    const size_t room = tl_max(2 * text->room, text->used + count + 1);
    char *larger = realloc(text->start, room);
    if (!larger) {
        tl_fail(text->error, TL_ERROR_MEMORY, "export: out of memory");
        return false;
    }
    text->start = larger;
    text->room = room;
    return true;
}

void tl_c_add(tl_c_text *text, const char *bytes, size_t count) {
    if (!reserve(text, count)) return;
    memcpy(text->start + text->used, bytes, count);
    text->used += count;
    text->start[text->used] = '\0';
}

void tl_c_print(tl_c_text *text, const char *format, ...) {
    va_list values, again;
    va_start(values, format);
    va_copy(again, values);
    const int length = vsnprintf(NULL, 0, format, values);
    if (length >= 0 && reserve(text, (size_t)length)) {
        vsnprintf(text->start + text->used, (size_t)length + 1, format, again);
        text->used += (size_t)length;
    }
    va_end(again);
    va_end(values);
}

/* printf writes the locale's decimal point. */
static void write_point(char *literal) {
    for (; *literal; literal++)
        if (!strchr("+-.e0123456789", *literal)) *literal = '.';
}

/* Writes the value with this number of digits. Returns false if reading the text gives another value. */
static bool write_digits(float value, int digits, char literal[40]) {
    snprintf(literal, 40, "%.*g", digits, (double)value);
    return strtof(literal, NULL) == value;
}

void tl_c_number(tl_c_text *text, double number) {
    enum { FEW = 6, MOST = 9 }; /* nine are always enough */
    const float value = (float)number;
    char literal[40];
    if (!isfinite(value)) {
        tl_c_print(text, isnan(value) ? "NAN" : value > 0 ? "INFINITY" : "-INFINITY");
        return;
    }
    if (!write_digits(value, MOST - 1, literal))
        write_digits(value, MOST, literal);
    else if (!write_digits(value, FEW, literal))
        write_digits(value, MOST - 1, literal);
    write_point(literal);
    tl_c_print(text, "%s%sf", literal, strpbrk(literal, ".e") ? "" : ".0");
}

void tl_c_string(tl_c_text *text, const char *string) {
    tl_c_print(text, "\"");
    for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
        if (*c == '"' || *c == '\\' || *c == '?') /* "??/" would be a trigraph */
            tl_c_print(text, "\\%c", *c);
        else if (*c < ' ' || *c == 127)
            tl_c_print(text, "\\%03o", *c);
        else
            tl_c_add(text, (const char *)c, 1);
    }
    tl_c_print(text, "\"");
}
