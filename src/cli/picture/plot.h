/* plot.h: the curves of trainings as charts, for `tapline plot` and for pages. */
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include "cli/picture/log.h"
#include "picture/chart.h"

/* A training whose curves are drawn. */
typedef struct plot_run {
    const char *name;
    char *validation_name; /* NAME, validation; NULL: of a run that is drawn alone. The caller of plot_make frees it */
    training_log log;
} plot_run;

/* A quantity, with a curve of the training set and one of the validation set. */
typedef enum plot_quantity { PLOT_LOSS = 0, PLOT_ACCURACY, PLOT_RATE, PLOT_QUANTITIES } plot_quantity;

/* Returns "loss", "accuracy" or "rate"; NULL for any other number. */
const char *plot_name(size_t index);

/* Makes the chart of a quantity over the epochs, or over seconds. With several runs, each has a colour, and curves of the
 * validation set are dashed; `apart`: each curve has a colour. chart->count is 0 if no run has this quantity. Fails if memory is
 * short. Returns the curves of the chart, which the caller frees in any case. */
chart_curve *plot_make(chart *to, const plot_run *runs, size_t count, plot_quantity quantity, bool over_seconds, bool apart,
                       tl_error *error);

#endif
