/* write.h: replaces files as a whole or not at all. */
#ifndef TL_WRITE_H
#define TL_WRITE_H

#include <tapline/base.h>

#include <sys/stat.h>

typedef struct tl_piece {
    const void *data;
    size_t size;
} tl_piece;

/* Replaces the contents of a file by the pieces, one after the other. They are written to a temporary file in the same folder
 * (temporary.h), flushed to the disk, and renamed: in any case the file has either its old contents or all of the new ones.
 * Symbolic links are followed; mode, owner and extended attributes are kept. If only the renaming fails, the message says under
 * which name the new file is kept. Also removes temporary files of the same name that nobody writes any more. */
tl_status tl_file_write(const char *path, const tl_piece *pieces, size_t count, tl_error *error);

/* The same for a file that is written piece by piece. Free the writer in any case; before tl_writer_end, that leaves the old file.
 */
typedef struct tl_writer tl_writer;
tl_writer *tl_writer_new(const char *path, tl_error *error);
tl_status tl_writer_add(tl_writer *self, const void *data, size_t size, tl_error *error);

/* Replaces bytes that were added before, from the byte `offset` of the file on. */
tl_status tl_writer_replace(tl_writer *self, uint64_t offset, const void *data, size_t size, tl_error *error);
tl_status tl_writer_end(tl_writer *self, tl_error *error);
void tl_writer_free(tl_writer *self);

/* Fails if tl_file_write would fail, as far as can be known: the folder does not exist, is not writable, or the file may not be
 * replaced or is not regular, or there is no room for `size` bytes. Changes nothing. */
tl_status tl_file_may_write(const char *path, size_t size, tl_error *error);

/* Finds the file at a path after following links: *there [OUT] whether it exists, and its status. Fails if that cannot be known, if
 * the path is a link to a file that does not exist, and if it is not a regular file. */
tl_status tl_file_find(const char *path, struct stat *about, bool *there, tl_error *error);

#endif
