/* files.h: the files that a command is told to read and to write. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <tapline/base.h>

typedef enum file_use {
    FILE_READ,
    FILE_DATA,     /* a data set, which may be several files or a folder of them */
    FILE_REPLACED, /* written as a whole: a model, a checkpoint, weights */
    FILE_LOGGED    /* written line by line */
} file_use;

typedef struct used_file {
    const char *name, *path; /* name for messages, such as "--out"; path NULL: not given */
    file_use use;
    size_t training; /* not 0: the checkpoint and the resumed file of this training, which may be one file */
} used_file;

/* Fails where a file would be written in place of one that is read or written too, whatever the two are called: links, numbers and
 * parts of data sets are seen through. Then fails where a file cannot be written (tl_save_check, tl_csv_log_check). */
tl_status files_check(const used_file *files, size_t count, tl_error *error);

/* "model.3.safetensors" of "model.safetensors" and 3, "model.3" of "model"; to be freed. NULL for NULL, and where memory is short.
 */
char *files_number(const char *path, size_t number, tl_error *error);

#endif
