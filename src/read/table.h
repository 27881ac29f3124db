/* table.h: tables of numbers in a text, line by line. */
#ifndef TL_TABLE_H
#define TL_TABLE_H

#include "io/text.h"

typedef struct tl_table_size {
    tl_place begin; /* the first line of numbers: a line of names before it is passed over */
    char separator;
    size_t lines, columns;
} tl_table_size;

/* What separates the fields of a line, outside of quotes; ' ': any blanks. No comma is, where numbers have one. */
char tl_table_separator(const tl_text *text, tl_field line);

/* Counts the lines that are not empty, whose numbers of fields must be the same. */
tl_status tl_table_measure(tl_text *text, tl_table_size *size, tl_error *error);

#endif
