/* log.h: reads the tables that `tapline train --log` writes. */
#ifndef CLI_LOG_H
#define CLI_LOG_H

#include <tapline/base.h>

/* The columns, in the order of the file. */
typedef enum log_column {
    LOG_EPOCH = 0,
    LOG_RATE,
    LOG_TRAIN_LOSS,
    LOG_TRAIN_ACCURACY,
    LOG_SECONDS,
    LOG_VALIDATION_LOSS,
    LOG_VALIDATION_ACCURACY,
    LOG_COLUMNS
} log_column;

/* The curves of a training; all zero: no epochs. Free it with log_free. */
typedef struct training_log {
    double *column[LOG_COLUMNS]; /* (epochs) NaN: not known */
    size_t epochs, room;
} training_log;

/* Reads a table; columns that it does not know are left out. Fails if the file cannot be read, if it is not such a table (the
 * message names the line), and if it has no epoch. */
tl_status log_read(training_log *self, const char *path, tl_error *error);

/* Adds an epoch. Returns false if memory is short. */
bool log_add(training_log *self, const double row[LOG_COLUMNS]);

void log_free(training_log *self);

/* Returns whether a column has a finite number. */
bool log_has(const training_log *self, log_column column);

/* Returns the index of the epoch with the smallest value of a column that has a finite number. */
size_t log_lowest(const training_log *self, log_column column);

#endif
