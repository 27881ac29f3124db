/* text.h: a text file that is read line by line, the fields of its lines, and errors that say where: "file:line:column: expected …,
 * got …". Readers of binary files say it with the same functions: "file: offset N: expected …, got …". */
#ifndef TL_TEXT_H
#define TL_TEXT_H

#include <tapline/base.h>

#include <locale.h>
#include <stdio.h>

typedef struct tl_text {
    const char *path;
    FILE *file;         /* NULL: it is binary */
    char *window;       /* what of the file is in memory: whole lines from one on, or all of it */
    size_t room;        /* of the window */
    const char *start;  /* the first character in it; NULL: the file is binary */
    const char *end;    /* behind the last one: '\0', as no character before it */
    const char *next;   /* the line that tl_text_filled_line looks at next */
    size_t line;        /* the number of the line at `start` */
    bool whole;         /* the window ends with the file */
    const char *member; /* of a binary file that is an archive: the name of what is read; else NULL */
    uint64_t offset;    /* the bytes before `start`, or of a binary file before what is being read */
    locale_t locale;    /* "C", whatever the program has set */
    char point;         /* of numbers: '.', or ',' where they have a decimal comma */
} tl_text;

/* A line of a text, to go back to. */
typedef struct tl_place {
    uint64_t offset;
    size_t line;
} tl_place;

/* Part of a line. */
typedef struct tl_field {
    const char *begin, *end;
} tl_field;

/* The path and the locale alone, for a file that is not read as text. Release it in any case. */
tl_status tl_text_begin(tl_text *text, const char *path, tl_error *error);

/* Opens a file, with its first lines in the window. Fails where it is not a regular file of text: a directory, NUL characters,
 * UTF-16, HTML. Release it in any case. */
tl_status tl_text_open(tl_text *text, const char *path, tl_error *error);

/* The same with all of it in the window. */
tl_status tl_text_read(tl_text *text, const char *path, tl_error *error);
void tl_text_release(tl_text *text);

/* The next line, without its end and blanks around it, passing over empty lines and those that begin with one of `comments`
 * ("": there are none); what pointed to lines before is then void. False at the end of the text and on failure. */
bool tl_text_filled_line(tl_text *text, const char *comments, tl_field *line, tl_error *error);

/* Where the next line is; and makes that one the next again. */
tl_place tl_text_place(const tl_text *text);
tl_status tl_text_back(tl_text *text, tl_place place, tl_error *error);

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

/* The field without the characters `escape` in it, of each of which the character behind it is kept; in place, once it has been
 * cut off. */
tl_field tl_text_unescape(const tl_text *text, tl_field field, char escape);

/* How many fields tl_text_cut takes off a line. */
size_t tl_text_fields(const tl_text *text, tl_field line, char separator, tl_error *error);

/* What messages add to the number that was expected, where it is missing. */
#define TL_MISSING_HINT " (--missing, tl_read_cfg.missing_policy, says how to treat missing values)"

/* Whether a value is missing here: nothing, `?`, `NaN` or `NA`, in upper or lower case. */
bool tl_field_missing(tl_field field);

/* Whether the field is a name: neither a number nor what is written where one is missing. */
bool tl_field_name(const tl_text *text, tl_field field);

/* Reads all of the field as a finite number. */
bool tl_field_number(const tl_text *text, tl_field field, double *value);

/* Whether it is a number, but no whole one. */
bool tl_field_fraction(const tl_text *text, tl_field field);

/* Reads it; fails saying what is there instead of a number. */
tl_status tl_text_number(const tl_text *text, tl_field field, double *value, tl_error *error);

/* Fails with "path:line:column: expected …, got "field"", or "path: offset N: …" where the file is binary; the field may then be
 * anywhere. */
tl_status tl_text_expected(const tl_text *text, tl_field got, tl_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with any message. */
tl_status tl_text_fail(const tl_text *text, const char *at, tl_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
