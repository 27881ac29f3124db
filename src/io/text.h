/* text.h: reads a text file line by line and the fields of its lines, and makes errors with the place: "file:line:column: expected
 * …, got …". Readers of binary files use the same functions: "file: offset N: expected …, got …". */
#ifndef TL_TEXT_H
#define TL_TEXT_H

#include <tapline/base.h>

#include <locale.h>
#include <stdio.h>

typedef struct tl_text {
    const char *path;
    FILE *file;         /* NULL: a binary file */
    char *window;       /* the part of the file that is in memory: whole lines, or the whole file */
    size_t room;        /* size of the window in bytes */
    const char *start;  /* its first character; NULL: a binary file */
    const char *end;    /* after its last character: '\0', which occurs nowhere else in it */
    const char *next;   /* the next line for tl_text_filled_line */
    size_t line;        /* number of the line at `start` */
    bool whole;         /* the window reaches the end of the file */
    const char *member; /* binary archives: the name of the member that is read; else NULL */
    uint64_t offset;    /* offset of `start` in the file; in a binary file, of what is being read */
    locale_t locale;    /* "C", whatever locale the program has set */
    char point;         /* decimal point: '.', or ',' */
} tl_text;

/* A line of a text, to return to it. */
typedef struct tl_place {
    uint64_t offset;
    size_t line;
} tl_place;

/* A part of a line. */
typedef struct tl_field {
    const char *begin, *end;
} tl_field;

/* Sets only the path and the locale, for a file that is not read as text. Release it in any case. */
tl_status tl_text_begin(tl_text *text, const char *path, tl_error *error);

/* Opens a file and reads its first lines. Fails if it is not a regular text file: a folder, NUL characters, UTF-16, HTML. Release
 * it in any case. */
tl_status tl_text_open(tl_text *text, const char *path, tl_error *error);

/* The same, with the whole file in the window. */
tl_status tl_text_read(tl_text *text, const char *path, tl_error *error);
void tl_text_release(tl_text *text);

/* Returns the next line, without its end and the blanks around it. Skips empty lines and lines that begin with one of `comments`
 * ("": none). Pointers to earlier lines are then invalid. Returns false at the end of the text and on failure. */
bool tl_text_filled_line(tl_text *text, const char *comments, tl_field *line, tl_error *error);

/* Returns the place of the next line; and goes back to that place. */
tl_place tl_text_place(const tl_text *text);
tl_status tl_text_back(tl_text *text, tl_place place, tl_error *error);

/* Returns the field without blanks on both sides. */
tl_field tl_field_trim(tl_field field);

/* Returns whether the field is this word, in upper or lower case. */
bool tl_field_is(tl_field field, const char *word);

/* Removes the part before `separator` from *rest. Returns whether there was a separator; otherwise the part is all of *rest. */
bool tl_field_cut(tl_field *rest, char separator, tl_field *part);

/* Returns whether the value is finite as tl_real. */
bool tl_number_fits(double value);

/* Removes the first word from *rest, and the blanks around it. */
tl_field tl_field_word(tl_field *rest);

/* Removes the next field from *rest, as tl_field_cut, or at any blanks if the separator is ' '. A field may be in double quotes, in
 * which a double quote is written twice. Fails if a quote is not closed. */
bool tl_text_cut(const tl_text *text, tl_field *rest, char separator, tl_field *part, tl_error *error);

/* Removes each escape character `escape` from a field, and keeps the character after it. Changes the text in place, after the field
 * was cut off. */
tl_field tl_text_unescape(const tl_text *text, tl_field field, char escape);

/* Returns a field that tl_text_cut has cut off; where it was in quotes, doubled quotes in it become single, once. */
tl_field tl_text_unquote(const tl_text *text, tl_field field);

/* Returns the number of fields that tl_text_cut finds in a line. */
size_t tl_text_fields(const tl_text *text, tl_field line, char separator, tl_error *error);

/* Added to a message about a number that is missing. */
#define TL_MISSING_HINT " (--missing, tl_read_cfg.missing_policy, says how to treat missing values)"

/* Added to a message about a number with a comma. */
#define TL_COMMA_HINT " (for numbers such as 0,5 use --decimal-comma, tl_read_cfg.decimal_comma)"

/* Returns whether the field is a number with a decimal comma, where the decimal point of the text is a point. */
bool tl_field_comma(const tl_text *text, tl_field field);

/* Returns whether a value is missing: an empty field, `?`, `NaN` or `NA`, in upper or lower case. */
bool tl_field_missing(tl_field field);

/* Returns whether the field is a name: neither a number nor a missing value. */
bool tl_field_name(const tl_text *text, tl_field field);

/* Reads the whole field as a finite number. */
bool tl_field_number(const tl_text *text, tl_field field, double *value);

/* Returns whether the field is a number with a fraction. */
bool tl_field_fraction(const tl_text *text, tl_field field);

/* Reads a number; fails with a message that shows what is there instead. */
tl_status tl_text_number(const tl_text *text, tl_field field, double *value, tl_error *error);

/* Fails with "path:line:column: expected …, got "field"", or "path: offset N: …" for a binary file, in which `got` may be
 * anywhere. */
tl_status tl_text_expected(const tl_text *text, tl_field got, tl_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with any message. */
tl_status tl_text_fail(const tl_text *text, const char *at, tl_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
