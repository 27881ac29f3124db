/* foreign.h: formats that are not read, and how to convert them. */
#ifndef TL_FOREIGN_H
#define TL_FOREIGN_H

#include <tapline/base.h>

/* Fails if the file has the ending of a well-known format that is not read; the message says how to convert it. */
tl_status tl_foreign_check(const char *path, tl_error *error);

#endif
