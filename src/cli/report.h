/* report.h: results on stdout: JSON, and making sure that they arrived. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <jansson.h>

/* A JSON number; null where the value is not finite, which JSON cannot say. */
json_t *report_number(double value);

/* Prints the object as one line and frees it. */
void report_json(json_t *object);

/* Flushes stdout. Returns an exit code: EXIT_FAILED, after a message, when any of the output could not be written. */
int report_finish(const char *name);

/* The most memory that this process has had resident so far, in MiB. */
double report_peak_rss_mb(void);

#endif
