/* headings.h: the headings of a table compared with those of the table that a model was trained on. */
#ifndef TL_HEADINGS_H
#define TL_HEADINGS_H

#include "read/columns.h"

/* Compares the headings of the columns of values and target values with cfg->value_names and cfg->target_names, and copies them to
 * cfg->names; does nothing without a header. Fails if they are the same in another order, or if there is an unknown column. */
tl_status tl_headings_check(const tl_columns *columns, const char *path, const tl_read_cfg *cfg, tl_error *error);

/* Returns whether `name` is one of the names, each on a line; NULL: there are none. */
bool tl_headings_have(const char *names, const char *name);

#endif
