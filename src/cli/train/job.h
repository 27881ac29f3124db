/* job.h: the data of a run of `tapline train`, and its reports; compiled once for each precision (commands.h). */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include "cli/page/run_page.h"
#include "cli/train/members.h"

/* The data and results of a run of the command. */
typedef struct job {
    const train_settings *settings;
    const tl_architecture *architecture;
    train_settings own; /* those of the command, or of the current fold */
    const char *data_path, *test_path;
    tl_read_cfg read;                     /* how data is read */
    char *names[2];                       /* headings of the training set (tl_read_cfg.names) */
    tl_dataset *data, *test, *validation; /* test, validation NULL: none */
    tl_dataset *whole; /* the series that `data` and `validation` are parts of, if they are read by batch; else NULL */
    size_t batch;
    tl_model *model;
    tl_fit_result fit;
    tl_ridge_result head; /* features 0: the last layer was trained as the others */
    bool new_head;        /* of a network that starts from a file */
    tl_metrics train_metrics, validation_metrics, test_metrics;
    bool log_failed;
    bool spoilt;        /* training ended with an error, which was reported, but there are results */
    char part[32];      /* the current fold or member, for messages: "fold 2: "; "": a single network */
    fold_result *folds; /* NULL: no cross-validation */
    size_t folds_done;
    tl_rate_curve *rates; /* NULL: not needed */
    members members;      /* if there are several networks */
    bool introduced;      /* the introduction was printed */
    run_page page;        /* about.path NULL: none */
    judged judged;        /* y.data NULL: none */
} job;

static inline bool is_regression(const job *self) { return self->data->classes == 0; }
static inline size_t target_length(const job *self) { return self->data->target_length > 0 ? self->data->target_length : 1; }

/* Returns the number of networks to average. */
size_t IN_PRECISION(job_members)(const train_settings *settings);

/* Prints to stderr, once and unless --quiet, which network will be trained on which data, for how long, and whether it will be
 * saved. */
void IN_PRECISION(job_introduce)(job *self, const tl_fit_cfg *cfg);

/* Prints the results of the training to stdout. */
void IN_PRECISION(job_report)(const job *self);

/* ---- the page (--report) ---- */

/* Begins the page of the current network; epochs: of its training, 0: it is not trained by gradients. Returns false, after a
 * message, if the page cannot be written. */
bool IN_PRECISION(job_page_begin)(job *self, int epochs);

/* As tl_evaluate, and keeps the predictions if the page shows those of this data. `data` NULL: does nothing. */
void IN_PRECISION(job_evaluate)(job *self, const tl_dataset *data, tl_metrics *to, tl_error *error);

/* Writes the page for the last time. wrong: the error that ended the training. */
void IN_PRECISION(job_page_end)(job *self, const tl_error *wrong);

#endif
