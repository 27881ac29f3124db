/* columns.h: the roles of the columns of a table: from the caller (tl_read_cfg.label …), else from a header line, else the label is
 * first and all other columns are values. */
#ifndef TL_COLUMNS_H
#define TL_COLUMNS_H

#include <tapline/dataset.h>

#include "read/samples.h"

typedef enum tl_role {
    TL_ROLE_VALUE = 0,
    TL_ROLE_LABEL,
    TL_ROLE_TARGET,
    TL_ROLE_IGNORE,
    TL_ROLE_SERIES, /* the series of a line, if each line is one step */
    TL_ROLE_TIME,   /* the time of that step */
    TL_ROLE_GROUP,
    TL_ROLE_FILE,  /* the name of a file, which is the series */
    TL_ROLE_INDEX, /* the number of the line, which is ignored */
    TL_ROLES
} tl_role;

typedef struct tl_columns {
    size_t count;
    tl_role *role;       /* (count) */
    char **name;         /* (count) from the header; NULL: no header */
    size_t of[TL_ROLES]; /* number of columns with each role */
    bool titled;         /* the header names the column of the labels */
    bool asked;          /* the caller names the column of labels or of target values: they may look like anything */
    bool steps;          /* each line is one step of a series */
    bool number_first;   /* the first line is a series, and its first field is a number */
    bool counts;         /* the headings of the column of labels and of the next one count, as t0 and t1: a number is a value */
} tl_columns;

/* Returns whether a first line is a header: all its fields are names, or they count from 0 or 1 beside names, or the caller names
 * one of them. */
bool tl_columns_header(const tl_text *text, tl_field line, char separator, const tl_read_cfg *cfg, tl_error *error);

/* Returns whether rows of a table have different lengths, so that their length does not tell whether they begin with a label. */
bool tl_columns_vary(const tl_read_cfg *cfg);

/* Finds the roles of the `count` columns. `line`: the first line, which has their names if `header`; begin NULL: none. Fails if the
 * caller names a column that does not exist, is ambiguous, or has two roles; and if a column of values has a heading that is
 * probably not a value. Release the columns in any case. */
tl_status tl_columns_find(tl_columns *self, const tl_text *text, tl_field line, bool header, char separator, size_t count,
                          const tl_read_cfg *cfg, tl_error *error);

/* Fails if labels that the caller did not name do not look like classes: numbers with fractions, or more than half of them
 * different. `archive`: a table as in the UCR archive, whose first column is the label by definition, may have any whole
 * numbers. */
tl_status tl_columns_check_labels(const tl_columns *self, const tl_samples *samples, bool archive, tl_error *error);

/* Reads the headings of self->count columns. */
tl_status tl_columns_name(tl_columns *self, const tl_text *text, tl_field header, char separator, tl_error *error);

void tl_columns_release(tl_columns *self);

#endif
