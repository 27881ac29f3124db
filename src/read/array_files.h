/* array_files.h: the arrays of a conversion, as files beside each other or as members of one archive. */
#ifndef TL_ARRAY_FILES_H
#define TL_ARRAY_FILES_H

#include "io/write.h"
#include "io/zip_write.h"

typedef enum tl_array_role { TL_ARRAY_SERIES, TL_ARRAY_TARGETS, TL_ARRAY_GROUPS, TL_ARRAY_ROLES } tl_array_role;

typedef struct tl_array_files {
    char *path[TL_ARRAY_ROLES];      /* of each file; of an archive only the first */
    tl_writer *file[TL_ARRAY_ROLES]; /* those that were begun */
    tl_zip_writer *archive;          /* NULL: files */
    tl_array_role current;           /* the array that bytes are added to */
} tl_array_files;

/* Finds the names of the files for `path`: of the series (.npy), or of the archive (.npz). Fails if it is neither. Release it
 * in any case; before tl_array_files_end, that leaves the old files. */
tl_status tl_array_files_prepare(tl_array_files *self, const char *path, tl_error *error);

/* Begins an array. `half`: "", or "_train" or "_test" in an archive. */
tl_status tl_array_files_begin(tl_array_files *self, tl_array_role role, const char *half, tl_error *error);
tl_status tl_array_files_add(tl_array_files *self, const void *data, size_t size, tl_error *error);

/* All files are complete before one of them replaces an old file; that of the series is the last one. */
tl_status tl_array_files_end(tl_array_files *self, tl_error *error);
void tl_array_files_release(tl_array_files *self);

#endif
