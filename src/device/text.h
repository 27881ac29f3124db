/* text.h: growing buffers for C source. */
#ifndef TL_C_TEXT_H
#define TL_C_TEXT_H

#include <tapline/base.h>

/* A growing text. If memory is short, it sets its error and ignores all later additions. Free it with tl_c_text_free. */
typedef struct tl_c_text {
    char *start; /* ends with '\0'; NULL: the text is empty */
    size_t used, room;
    tl_error *error;
} tl_c_text;

void tl_c_text_free(tl_c_text *text);

/* Adds text, formatted as by printf. Floating-point numbers go through tl_c_number, which does not depend on the locale. */
void tl_c_print(tl_c_text *text, const char *format, ...) TL_PRINTF(2, 3);

/* Adds bytes without change. */
void tl_c_add(tl_c_text *text, const char *bytes, size_t count);

/* Adds a number as the shortest decimal literal that single precision reads back exactly, such as 0.1f. */
void tl_c_number(tl_c_text *text, double number);

/* Adds text as a string literal in quotes. */
void tl_c_string(tl_c_text *text, const char *string);

#endif
