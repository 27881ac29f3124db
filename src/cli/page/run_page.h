/* run_page.h: the page of HTML about a training or an evaluation (--report). Functions with IN_PRECISION are compiled once for each
 * precision (commands.h). */
#ifndef CLI_RUN_PAGE_H
#define CLI_RUN_PAGE_H

#include "cli/commands.h"
#include "cli/picture/plot.h"

#include <tapline/train.h>

/* What is written about. Zero means none. */
typedef struct run_page_about {
    const common_settings *settings; /* also the command that made the page */
    const char *path;                /* of the page */
    const char *model, *data;        /* for the title: the network, and the data that is trained or evaluated on */
    size_t more;                     /* models that are averaged with this one */
    const char *part;                /* such as "fold 2: " */
} run_page_about;

/* A page. Free it with run_page_free. */
typedef struct run_page {
    run_page_about about;
    markup data, layers, results; /* parts that do not change, or are known at the end */
    size_t beside;                /* where the curve of the loss is put into the results */
    plot_run run;                 /* the curves */
    int epochs;                   /* that are planned; 0: nothing is trained */
    tl_progress last;             /* the state of the training; `model` NULL: not begun */
    size_t parameters;
    double written, cost; /* when the page was written (seconds of tl_progress), and how long it took */
    bool failed;          /* it cannot be written, which was reported */
} run_page;

/* Predictions of a network for a data set. Free with judged_free. */
typedef struct judged {
    const char *set; /* "test", "validation" or "training" */
    const tl_dataset *data;
    tl_loss_kind loss;
    tl_tensor y; /* (count, out_length, outputs) as tl_predict */
    tl_metrics metrics;
} judged;

/* Evaluates a network on data, as tl_evaluate, and keeps its predictions. */
void IN_PRECISION(judge)(judged *to, tl_model *model, const tl_dataset *data, const char *set, tl_error *error);
void judged_free(judged *self);

/* Describes the data at a glance, and the layers of the network; `model` NULL: no layers. */
void IN_PRECISION(run_page_begin)(run_page *self, const run_page_about *about, const tl_dataset *data, const tl_model *model,
                                  tl_error *error);

/* For tl_fit_cfg.callbacks, with the page as `user`: keeps the curves. Writes the page after the first batch, so that a training
 * that cannot begin leaves the previous file; then at most every 2 s, and so that this takes at most 2 % of the time. */
bool run_page_step(const tl_progress *at, void *user);

/* Describes the predictions. model: for class activation maps, if its end is a global average pool and a dense layer; NULL: none.
 */
void IN_PRECISION(run_page_judge)(run_page *self, const judged *of, const tl_model *model, tl_error *error);

/* Writes the page for the last time, unless the training could not begin; it then no longer reloads itself. `ended`: a sentence on
 * how the training ended; "": none. Returns false, after a message, if it could not be written. */
bool run_page_end(run_page *self, const char *ended);
void run_page_free(run_page *self);

/* The answer to "has it converged?": a short one, and the reason. */
void run_page_convergence(const training_log *log, markup *to);

#endif
