/* headings.h: the headings of a table compared with those of the table that a model was trained on. */
#ifndef TL_HEADINGS_H
#define TL_HEADINGS_H

#include "read/columns.h"

/* Compares the headings of the columns of values and target values with cfg->value_names and cfg->target_names, and copies them to
 * cfg->names; does nothing without a header. Fails if they are the same in another order, or if there is an unknown column. */
tl_status tl_headings_check(const tl_columns *columns, const char *path, const tl_read_cfg *cfg, tl_error *error);

/* For data in several files: columns of values only. Of the first file, it warns of headings that are probably not values, checks
 * the others as above, and copies all to *names, which must be NULL. Of the next ones, it compares them with these; `first`: the
 * path of the first file. */
tl_status tl_headings_first(const tl_columns *columns, const char *path, char **names, const tl_read_cfg *cfg, tl_error *error);
tl_status tl_headings_next(const tl_columns *columns, const char *path, const char *names, const char *first,
                           const tl_read_cfg *cfg, tl_error *error);

/* Returns whether a heading suggests that the column is not a value. */
bool tl_headings_doubtful(const char *name);

/* Returns whether `name` is one of the names, each on a line; NULL: there are none. */
bool tl_headings_have(const char *names, const char *name);

#endif
