/* train.h: `tapline train` between its sources. */
#ifndef CLI_TRAIN_H
#define CLI_TRAIN_H

#include "architecture.h"

#include <tapline/train.h>

#include <stdio.h>

typedef struct train_settings {
    common_settings common; /* operand 0: the data */
    const char *test, *architecture, *optimizer, *schedule, *engine, *log;
    const char *out, *checkpoint, *resume;                /* NULL: none */
    double checkpoint_every;                              /* 0: the library's default */
    const char *loss;                                     /* NULL: as the data asks */
    int64_t epochs, batch, accumulate, seed;              /* epochs and batch 0: the architecture's */
    int64_t members;                                      /* 0: the architecture's */
    int64_t folds, fold, give_up;                         /* 0: no validation, the first, never */
    double crop, scale, jitter;                           /* 0: none */
    int64_t segment;                                      /* of records of PhysioNet; 0: the library's default */
    int64_t warmup, patience, period;                     /* of the schedule; 0: the library's defaults */
    double factor, least_rate;                            /* likewise */
    double learning_rate, momentum, l1, clip, clip_value; /* 0: the library's defaults */
    double weight_decay;                                  /* NAN: the library's default */
    double label_smoothing;
    bool nesterov, balance, raw, quiet;
} train_settings;

int train_f32(const void *settings);
int train_f64(const void *settings);

/* What tl_fit's callback does: progress on stderr, the log, and stopping at a signal. It knows no tl_real. */
typedef struct progress {
    const char *command;
    size_t series, batch; /* in the training set, in a batch */
    bool quiet, terminal;
    double drawn;     /* the seconds at which the bar was drawn last */
    FILE *log;        /* NULL: none */
    const char *path; /* the log's */
    int log_error;    /* errno of a failed write to the log */
    bool regression;
    size_t member, members; /* which of how many networks, from 1; 0: there is one */
} progress;

/* Opens the log where there is to be one, and takes over SIGINT and SIGTERM until the first of them comes. False, after a
 * message, when the log cannot be written. */
bool progress_begin(progress *self, const train_settings *settings, const tl_dataset *data, size_t batch);

/* For tl_fit_cfg; `user` is the progress. */
bool progress_step(const tl_progress *at, void *user);

/* Clears the bar, closes the log. False, after a message, when the log could not be written completely. */
bool progress_end(progress *self);

/* Whether a signal asked to stop. */
bool progress_interrupted(void);

#endif
