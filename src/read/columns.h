/* columns.h: which column of a table is what: as the caller says (tl_read_cfg.label …), else as a header line says, else the label
 * is first and all others are values. */
#ifndef TL_COLUMNS_H
#define TL_COLUMNS_H

#include <tapline/dataset.h>

#include "read/samples.h"

typedef enum tl_role {
    TL_ROLE_VALUE = 0,
    TL_ROLE_LABEL,
    TL_ROLE_TARGET,
    TL_ROLE_IGNORE,
    TL_ROLE_SERIES, /* which series a line belongs to, where a line is a step */
    TL_ROLE_TIME,   /* likewise: when it is */
    TL_ROLE_GROUP,
    TL_ROLE_FILE,  /* the name of a file, which is the series */
    TL_ROLE_INDEX, /* the number of the line, which is passed over */
    TL_ROLES
} tl_role;

typedef struct tl_columns {
    size_t count;
    tl_role *role;       /* (count) */
    char **name;         /* (count) as the header has them; NULL: there is no header */
    size_t of[TL_ROLES]; /* how many columns have each role */
    bool titled;         /* the header says which one has the labels */
    bool asked;          /* the caller says it, or where target values are: what they look like raises no doubt */
    bool steps;          /* a line is a step of a series */
} tl_columns;

/* Whether a first line is a header: all its fields are names, or count up from 0 or 1 beside names, or the caller names one of
 * them. */
bool tl_columns_header(const tl_text *text, tl_field line, char separator, const tl_read_cfg *cfg, tl_error *error);

/* Says what the `count` columns are; `header`: the line with their names, begin NULL: there is none. Fails where the caller names a
 * column that is not in the table, several, or one for two purposes; and where a header has what is hardly a value among the
 * values. Release the columns in any case. */
tl_status tl_columns_find(tl_columns *self, const tl_text *text, tl_field header, char separator, size_t count,
                          const tl_read_cfg *cfg, tl_error *error);

/* Fails where labels that nobody has asked for do not look like classes: they are numbers with fractions, or more than half of them
 * are different. `archive`: a table as in the UCR archive, whose label is first by its definition, may have whole numbers of any
 * kind. */
tl_status tl_columns_check_labels(const tl_columns *self, const tl_samples *samples, bool archive, tl_error *error);

void tl_columns_release(tl_columns *self);

#endif
