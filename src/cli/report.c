#include "report.h"

#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

json_t *report_number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

/* 15 digits: what a decimal fraction needs to print as it was written. */
void report_json(json_t *object) {
    char *text = json_dumps(object, JSON_REAL_PRECISION(15));
    if (text) puts(text);
    free(text);
    json_decref(object);
}

int report_finish(const char *name) {
    const bool failed = ferror(stdout);
    if (fflush(stdout) == 0 && !failed) return EXIT_DONE;
    complain(name, "stdout: cannot write the result: %s", errno ? strerror(errno) : "output error");
    return EXIT_FAILED;
}

/* From /proc, where it counts from exec on: ru_maxrss also covers the parent that this process was forked from. */
double report_peak_rss_mb(void) {
    double kib = 0;
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmHWM: %lf", &kib) == 1) break; // NOLINT(cert-err34-c): the kernel writes numbers that fit
    if (status) fclose(status);
    if (kib > 0) return kib / 1024;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}
