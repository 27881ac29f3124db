/* report.h: prints results to stdout (metrics, JSON), and checks that they were written. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <tapline/train.h>

#include <jansson.h>

/* Returns a JSON number; null if the value is not finite, which JSON cannot represent. */
json_t *report_number(double value);

/* Returns a whole number, as an integer if JSON can hold it. */
json_t *report_whole(double value);

void report_count(json_t *object, const char *key, size_t value);

/* Adds a text, such as a file name; bytes that are not UTF-8 become U+FFFD, since JSON must be UTF-8. NULL: null. */
json_t *report_string(const char *text);
void report_text(json_t *object, const char *key, const char *text);

/* Adds the shapes of series and targets. */
void report_shape(json_t *object, const tl_dataset *data);

/* What a network predicts: a class, target values, or several labels at a time. */
typedef enum report_targets { REPORT_CLASSES, REPORT_VALUES, REPORT_LABELS } report_targets;

/* `classes`: of the data. */
report_targets report_targets_of(size_t classes, tl_loss_kind loss);

/* The metrics in the order of tl_metrics: their names, and whether they apply to each report_targets. */
typedef struct report_metric {
    const char *name;
    bool of[REPORT_LABELS + 1];
} report_metric;

enum { REPORT_METRICS = sizeof(tl_metrics) / sizeof(double) };
extern const report_metric report_metric_of[REPORT_METRICS];

/* Adds the metrics of a set ("train", "test") to a JSON object: those for these targets. */
void report_metrics(json_t *object, const char *set, const tl_metrics *metrics, report_targets targets);

/* The metrics if nothing was evaluated. */
extern const tl_metrics report_no_metrics;

/* The most important ones as a table: its head, and a line for each set; a metric that is NaN is "undefined". */
void report_metrics_head(report_targets targets);
void report_metrics_line(const char *set, size_t series, const tl_metrics *metrics, report_targets targets);

/* One of several networks whose outputs are averaged. */
typedef struct report_member {
    size_t number;     /* from 1 */
    const char *model; /* NULL if it is not from a file; the next three are 0 if it is */
    int epochs, best_epoch;
    double seconds;
    uint64_t steps, seed;
    tl_metrics test; /* its own metrics */
} report_member;

/* Adds the list "members" to a JSON object; prints their lines of the table. */
void report_members(json_t *object, const report_member *member, size_t count, report_targets targets);
void report_members_lines(const report_member *member, size_t count, size_t series, report_targets targets);

enum { REPORT_NUMBER = 32 };

/* Writes a number with three digits, k, M, G … and the unit: "1.23 MB"; numbers below 1000 leave room for the letter: "512  B". */
const char *report_scaled(char text[REPORT_NUMBER], double value, const char *unit);

/* "1 epoch", "2 epochs". */
const char *report_counted(char text[REPORT_NUMBER], size_t count, const char *noun);

/* Writes all digits of a number: "1,234,567". */
const char *report_grouped(char text[REPORT_NUMBER], size_t value);

/* Prints the object as one line and frees it. */
void report_json(json_t *object);

/* Prints any JSON value, with so many digits for its numbers, and frees it; the line is not ended. */
void report_json_part(json_t *value, size_t digits);

/* Flushes stdout. Returns the exit code: EXIT_FAILED, after a message, if some output could not be written. `told`: also report
 * that nobody reads the output any more. */
int report_finish(const char *name, bool told);

/* Returns the maximum of the process's resident memory so far, in MiB. */
double report_peak_rss_mb(void);

#endif
