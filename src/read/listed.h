/* listed.h: tables whose lines name files, each of which is a series (tl_read_cfg.file). */
#ifndef TL_LISTED_H
#define TL_LISTED_H

#include "read/columns.h"

/* Reads all remaining lines; `columns`: the roles of the columns. */
tl_status tl_listed_read(tl_samples *samples, tl_text *text, const tl_columns *columns, char separator, tl_error *error);

/* Calls `visit`(file, user) for the file of each remaining line, up to a line that cannot be read. */
void tl_listed_visit(tl_samples *samples, tl_text *text, const tl_columns *columns, char separator,
                     void (*visit)(const char *file, void *user), void *user);

#endif
