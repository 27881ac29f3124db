/* tapline/csv_log.h: the history of a training as a table in a file: a ready-made callback. */
#ifndef TAPLINE_CSV_LOG_H
#define TAPLINE_CSV_LOG_H

#include <tapline/train.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_csv_log tl_csv_log;

/* Opens the file, anew or, where `append`, behind what is in it already, as for training that goes on. The first line is
 * `epoch,learning_rate,train_loss,train_accuracy,seconds,validation_loss,validation_accuracy`. NULL on failure: TL_ERROR_FILE where
 * the file cannot be written, is no regular file (a pipe, a device), or is a link to a file that is not there. */
TL_API tl_csv_log *tl_csv_log_new(const char *path, bool append, tl_error *error);

/* Fails as tl_csv_log_new would, and leaves the file as it is: to be asked before hours of training. */
TL_API tl_status tl_csv_log_check(const char *path, tl_error *error);

/* For tl_fit_cfg.callbacks, with the log as `user` (NULL: nothing is written): writes a line at the end of each epoch, at once.
 * What does not apply, or is not finite, stays empty. Always true: training goes on without a log that cannot be written, and keeps
 * what it has learnt. */
TL_API bool tl_csv_log_epoch(const tl_progress *progress, void *log);

/* The first failure to write, after which nothing more is written; never NULL. `log` NULL: no failure. */
TL_API const tl_error *tl_csv_log_error(const tl_csv_log *log);

/* Closes the file and frees the log. Fails where not all of it could be written. NULL is fine. */
TL_API tl_status tl_csv_log_close(tl_csv_log *log, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
