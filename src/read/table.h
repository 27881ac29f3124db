/* table.h: tables of numbers in a text, line by line. */
#ifndef TL_TABLE_H
#define TL_TABLE_H

#include <tapline/dataset.h>

#include "io/text.h"

typedef struct tl_table_size {
    tl_place begin; /* the first line of numbers, after a line of names */
    char separator;
    size_t lines, columns;
    bool names; /* there is a line of names */
} tl_table_size;

/* Returns the separator of the fields of a line, outside of quotes; ' ': any blanks. A comma is not a separator if it is the
 * decimal point. */
char tl_table_separator(const tl_text *text, tl_field line);

/* Counts the lines that are not empty; they must have the same number of fields. */
tl_status tl_table_measure(tl_text *text, tl_table_size *size, tl_error *error);

/* Calls `visit`(file, user) for each file that a table names (cfg->file), as far as the table can be read. */
void tl_table_files(const char *path, const tl_read_cfg *cfg, void (*visit)(const char *file, void *user), void *user);

#endif
