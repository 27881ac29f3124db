/* markup.h: a growing text of SVG or HTML. */
#ifndef PICTURE_MARKUP_H
#define PICTURE_MARKUP_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: empty. Release it with markup_release. If memory is short, nothing more is added and `short_of_memory` is true. */
typedef struct markup {
    char *text; /* ends with a zero; NULL: empty */
    size_t count, room;
    bool short_of_memory;
} markup;

/* Adds a text, as printf. The arguments must be safe: texts of the user go through markup_escaped. */
void markup_add(markup *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a text of the user, for example a class name. If it has more than `characters` (0: any number), "…" replaces its middle,
 * since names often differ at their ends. The characters & < > " ' are escaped. Control characters become \x1b and the like; bytes
 * that are not UTF-8, and characters that XML forbids or that change the direction of writing, become U+FFFD. */
void markup_escaped(markup *self, const char *plain, size_t characters);

void markup_release(markup *self);

/* Returns the bytes of the character at the beginning of a text: 1 … 4; 0 if they are not UTF-8. *code [OUT]: the character. */
size_t markup_character(const char *text, unsigned long *code);

/* Returns the number of characters of a text; a byte that is not UTF-8 counts as one. */
size_t markup_length(const char *text);

#endif
