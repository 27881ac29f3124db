/* file.h: opening regular files. */
#ifndef TL_FILE_H
#define TL_FILE_H

#include <tapline/base.h>

#include <stdio.h>

/* Opens a file to read bytes; *size: how many it has. NULL, with the reason, where it is not a regular file, without waiting at a
 * pipe. */
FILE *tl_file_open(const char *path, size_t *size, tl_error *error);

#endif
