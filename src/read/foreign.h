/* foreign.h: formats that are not read, and what makes others of them. */
#ifndef TL_FOREIGN_H
#define TL_FOREIGN_H

#include <tapline/base.h>

/* Fails, saying how to convert the file, where its ending is that of a well-known format which is not read. */
tl_status tl_foreign_check(const char *path, tl_error *error);

#endif
