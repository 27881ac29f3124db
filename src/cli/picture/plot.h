/* plot.h: the curves of trainings as charts, for `tapline plot` and for pages. */
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include "cli/picture/log.h"
#include "picture/chart.h"

/* A training whose curves are drawn. */
typedef struct plot_run {
    const char *name;
    training_log log;
} plot_run;

/* A quantity, with a curve of the training set and one of the validation set. */
typedef enum plot_quantity { PLOT_LOSS = 0, PLOT_ACCURACY, PLOT_RATE, PLOT_QUANTITIES } plot_quantity;

/* Returns "loss", "accuracy" or "rate"; NULL for any other number. */
const char *plot_name(size_t index);

/* Makes the chart of a quantity over the epochs, or over seconds. With several runs, each has a colour, and curves of the
 * validation set are dashed; `apart`: each curve has a colour. chart->count is 0 if no run has this quantity. Fails if memory is
 * short. Free it with plot_free in any case. */
void plot_make(chart *to, const plot_run *runs, size_t count, plot_quantity quantity, bool over_seconds, bool apart,
               tl_error *error);
void plot_free(chart *self);

#endif
