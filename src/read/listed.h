/* listed.h: tables whose lines name files, each of which is a series (tl_read_cfg.file). */
#ifndef TL_LISTED_H
#define TL_LISTED_H

#include "read/columns.h"

/* Reads all remaining lines; `columns`: the roles of the columns. */
tl_status tl_listed_read(tl_samples *samples, tl_text *text, const tl_columns *columns, char separator, tl_error *error);

#endif
