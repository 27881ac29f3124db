/* tapline/csv_log.h: a ready-made callback that writes a table of the epochs to a file. */
#ifndef TAPLINE_CSV_LOG_H
#define TAPLINE_CSV_LOG_H

#include <tapline/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Used by one thread at a time. */
typedef struct tl_csv_log tl_csv_log;

/* Opens the file; free the log with tl_csv_log_close. `append` keeps the existing lines, for a training that is resumed; otherwise
 * the file is overwritten. The first line is
 * `epoch,learning_rate,train_loss,train_accuracy,seconds,validation_loss,validation_accuracy`. Returns NULL, and fails with
 * TL_ERROR_FILE, if the file cannot be written, if it is not a regular file (a pipe, a device), and if it is a link to a file that
 * does not exist. */
TL_API tl_csv_log *tl_csv_log_new(const char *path, bool append, tl_error *error);

/* Fails in the same cases as tl_csv_log_new, without changing the file: call it before hours of training. */
TL_API tl_status tl_csv_log_check(const char *path, tl_error *error);

/* For tl_fit_cfg.callbacks, with the log as `user` (NULL: writes nothing). Writes a line immediately after each epoch. A value that
 * does not apply or is not finite stays empty. Always returns true: training continues even if the log cannot be written. */
TL_API bool tl_csv_log_epoch(const tl_progress *progress, void *log);

/* Returns the first error in writing, after which nothing more is written; never NULL. `log` NULL: no error. */
TL_API const tl_error *tl_csv_log_error(const tl_csv_log *log);

/* Closes the file and frees the log. Fails if not everything could be written. NULL is allowed. */
TL_API tl_status tl_csv_log_close(tl_csv_log *log, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
