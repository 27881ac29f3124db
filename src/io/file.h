/* file.h: opening regular files. */
#ifndef TL_FILE_H
#define TL_FILE_H

#include <tapline/base.h>

#include <stdio.h>

/* Opens a file for reading bytes; *size [OUT]: their number. Returns NULL, and fails, if it is not a regular file; a pipe does not
 * block. */
FILE *tl_file_open(const char *path, size_t *size, tl_error *error);

#endif
