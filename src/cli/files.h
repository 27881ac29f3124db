/* files.h: the files that a command reads and writes. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <tapline/dataset.h>

typedef enum file_use {
    FILE_READ,
    FILE_DATA,     /* a data set, which may be several files or a folder */
    FILE_REPLACED, /* replaced as a whole: a model, a checkpoint, weights */
    FILE_LOGGED    /* written line by line */
} file_use;

typedef struct used_file {
    const char *name, *path; /* name: for messages, such as "--out"; path NULL: not given */
    file_use use;
    size_t training; /* not 0: the checkpoint and the resumed file of this training, which may be the same file */
} used_file;

/* Fails if a file would be written over one that is also read or written, under any name: it recognises links, numbers and parts of
 * data sets. Also fails if a file cannot be written (tl_save_check, tl_csv_log_check). */
tl_status files_check(const used_file *files, size_t count, tl_error *error);

/* The same for data sets that are read as `read` says: it may name a column of files. */
tl_status files_check_read(const used_file *files, size_t count, const tl_read_cfg *read, tl_error *error);

/* Returns "model.3.safetensors" for "model.safetensors" and 3, "model.3" for "model"; the caller frees it. NULL for NULL, and if
 * memory is short.
 */
char *files_number(const char *path, size_t number, tl_error *error);

#endif
