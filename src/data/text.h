/* text.h: a text file in memory, the fields of its lines, and errors that say where: "file:line:column: expected …, got …". Readers
 * of binary files say it with the same functions: "file: offset N: expected …, got …". */
#ifndef TL_TEXT_H
#define TL_TEXT_H

#include <tapline/base.h>

#include <locale.h>

typedef struct tl_text {
    const char *path;
    char *begin, *end;  /* *end is '\0', and no character before it */
    const char *start;  /* begin, or behind a byte order mark; NULL: the file is binary */
    const char *member; /* of a binary file that is an archive: the name of what is read; else NULL */
    uint64_t offset;    /* of a binary file: the bytes before what is being read */
    locale_t locale;    /* "C", whatever the program has set */
} tl_text;

/* Part of a line. */
typedef struct tl_field {
    const char *begin, *end;
} tl_field;

/* The path and the locale alone, for a file that is not read as text. Release it in any case. */
tl_status tl_text_begin(tl_text *text, const char *path, tl_error *error);

/* Reads a file. Fails where it is not a regular file of text: a directory, NUL characters, UTF-16, HTML. Release it in any case. */
tl_status tl_text_read(tl_text *text, const char *path, tl_error *error);
void tl_text_release(tl_text *text);

/* How many lines there are. */
size_t tl_text_lines(const tl_text *text);

/* The line that begins at *at, without its end and blanks around it; moves *at to the next. False at the end of the text. */
bool tl_text_line(const tl_text *text, const char **at, tl_field *line);

/* Without the blanks on both sides. */
tl_field tl_field_trim(tl_field field);

/* Whether the field is this word, in upper or lower case. */
bool tl_field_is(tl_field field, const char *word);

/* Takes the part before `separator` off *rest, and says whether the separator was there; else the part is all of *rest. */
bool tl_field_cut(tl_field *rest, char separator, tl_field *part);

/* Whether the value is finite as a tl_real. */
bool tl_number_fits(double value);

/* Takes the first word off *rest, and the blanks around it. */
tl_field tl_field_word(tl_field *rest);

/* Takes the next field off *rest, as tl_field_cut, or by any blanks where the separator is ' '. A field may be in double quotes, in
 * which a double quote is written twice. Fails where a quote is not closed. */
bool tl_text_cut(const tl_text *text, tl_field *rest, char separator, tl_field *part, tl_error *error);

/* Reads all of the field as a finite number. */
bool tl_field_number(const tl_text *text, tl_field field, double *value);

/* The same; fails saying what is there instead of a number. */
tl_status tl_text_number(const tl_text *text, tl_field field, double *value, tl_error *error);

/* Fails with "path:line:column: expected …, got "field"", or "path: offset N: …" where the file is binary; the field may then be
 * anywhere. */
tl_status tl_text_expected(const tl_text *text, tl_field got, tl_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with any message. */
tl_status tl_text_fail(const tl_text *text, const char *at, tl_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
