/* write.h: files that are replaced as a whole or not at all. */
#ifndef TL_WRITE_H
#define TL_WRITE_H

#include <tapline/base.h>

#include <sys/stat.h>

typedef struct tl_piece {
    const void *data;
    size_t size;
} tl_piece;

/* Makes the pieces, one behind the other, the contents of the file. They are written to a temporary file in the same folder
 * (temporary.h), put on the disk, and renamed: whatever happens, the file holds either what it held before or all of the new. A
 * link is followed, and mode, owner and extended attributes of a file that is replaced stay. Where only the renaming fails, the new
 * file is kept under the name that the message says. Temporary files of the same name that nobody writes any more are removed. */
tl_status tl_file_write(const char *path, const tl_piece *pieces, size_t count, tl_error *error);

/* Fails where tl_file_write would before its first byte or, as far as can be known, after its last: no such folder, no right to
 * write there or to replace the file, not a regular file, no room for `size` bytes. Changes nothing. */
tl_status tl_file_may_write(const char *path, size_t size, tl_error *error);

/* Finds out what is at a path, behind links: *there, and about it. Fails where that cannot be known, and where it is a link that
 * leads to no file, or no regular file. */
tl_status tl_file_find(const char *path, struct stat *about, bool *there, tl_error *error);

#endif
