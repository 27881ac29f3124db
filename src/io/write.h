/* write.h: files that are replaced as a whole or not at all. */
#ifndef TL_WRITE_H
#define TL_WRITE_H

#include <tapline/base.h>

typedef struct tl_piece {
    const void *data;
    size_t size;
} tl_piece;

/* Makes the pieces, one behind the other, the contents of the file. They are written to `.NAME.tapline-PID-XXXX.tmp` in the same
 * folder, put on the disk, and renamed: whatever happens, the file holds either what it held before or all of the new. Temporary
 * files of the same NAME whose process has ended are removed. */
tl_status tl_file_write(const char *path, const tl_piece *pieces, size_t count, tl_error *error);

/* Fails where tl_file_write would before its first byte: no such folder, no right to write there, not a regular file. */
tl_status tl_file_may_write(const char *path, tl_error *error);

#endif
