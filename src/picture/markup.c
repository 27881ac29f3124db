#include "picture/markup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for `more` bytes and a zero. */
static bool grow(markup *self, size_t more) {
    if (self->short_of_memory) return false;
    if (self->count + more < self->room) return true;
    const size_t room = 2 * (self->count + more) + 256;
    char *text = realloc(self->text, room);
    self->short_of_memory = !text;
    if (!text) return false;
    self->text = text;
    self->room = room;
    return true;
}

void markup_add(markup *self, const char *format, ...) {
    va_list values, again;
    va_start(values, format);
    va_copy(again, values);
    const int length = vsnprintf(NULL, 0, format, values);
    if (length >= 0 && grow(self, (size_t)length)) {
        vsnprintf(self->text + self->count, (size_t)length + 1, format, again);
        self->count += (size_t)length;
    }
    va_end(again);
    va_end(values);
}

size_t markup_character(const char *text, unsigned long *code) {
    static const unsigned long smallest[] = {0, 0, 0x80, 0x800, 0x10000}; /* shorter forms exist below */
    const unsigned char first = (unsigned char)*text;
    const size_t bytes = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    *code = bytes == 1 ? first : first & (0x7Fu >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        const unsigned char next = (unsigned char)text[i];
        if (next >> 6 != 2) return 0; /* also the end of the text */
        *code = *code << 6 | (next & 0x3Fu);
    }
    if (bytes == 0 || *code < smallest[bytes] || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000)) return 0;
    return bytes;
}

size_t markup_length(const char *text) {
    size_t count = 0;
    unsigned long code;
    for (; *text; count++) {
        const size_t bytes = markup_character(text, &code);
        text += bytes ? bytes : 1;
    }
    return count;
}

static bool is_control(unsigned long code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

/* Characters that XML forbids, and those that change the direction of the text after them. */
static bool is_hidden(unsigned long code) {
    return (code & 0xFFFE) == 0xFFFE || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

/* Adds the character of `bytes` bytes at the beginning of `plain`. */
static void add_character(markup *self, const char *plain, size_t bytes, unsigned long code) {
    static const char special[] = "&<>\"'";
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    const char *found = bytes == 1 && code ? strchr(special, (int)code) : NULL;
    if (found)
        markup_add(self, "%s", names[found - special]);
    else if (bytes && is_control(code))
        markup_add(self, "\\x%02lx", code);
    else if (bytes == 0 || is_hidden(code))
        markup_add(self, "\xEF\xBF\xBD");
    else
        markup_add(self, "%.*s", (int)bytes, plain);
}

void markup_escaped(markup *self, const char *plain, size_t characters) {
    const size_t length = markup_length(plain), begin = characters / 2;
    const size_t cut = characters > 0 && length > characters ? length - characters + 1 : 0;
    for (size_t i = 0; *plain; i++) {
        unsigned long code;
        const size_t bytes = markup_character(plain, &code);
        if (cut > 0 && i == begin) markup_add(self, "…");
        if (i < begin || i >= begin + cut) add_character(self, plain, bytes, code);
        plain += bytes ? bytes : 1;
    }
}

void markup_release(markup *self) {
    free(self->text);
    *self = (markup){0};
}
