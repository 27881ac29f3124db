#include "cli/report.h"

#include "cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

json_t *report_number(double value) { return isfinite(value) ? json_real(value) : json_null(); }
json_t *report_whole(double value) { return value < 9e15 ? json_integer((json_int_t)value) : json_real(value); }

/* Returns the bytes of the character at the beginning of the text; 0 if they are not UTF-8. */
static size_t character(const char *text) {
    for (size_t count = 1; count <= 4 && text[count - 1]; count++) {
        json_t *valid = json_stringn(text, count);
        json_decref(valid);
        if (valid) return count;
    }
    return 0;
}

/* Replaces each byte that is not UTF-8 by U+FFFD. */
static json_t *repaired(const char *text) {
    json_t *string = NULL;
    char *copy = malloc(3 * strlen(text) + 1), *to = copy;
    while (copy && *text) {
        const size_t count = character(text);
        memcpy(to, count ? text : "\xEF\xBF\xBD", count ? count : 3);
        to += count ? count : 3;
        text += count ? count : 1;
    }
    if (copy) string = json_stringn(copy, (size_t)(to - copy));
    free(copy);
    return string;
}

json_t *report_string(const char *text) {
    json_t *string = text ? json_string(text) : json_null();
    return string ? string : repaired(text);
}

void report_text(json_t *object, const char *key, const char *text) { json_object_set_new(object, key, report_string(text)); }

void report_count(json_t *object, const char *key, size_t value) {
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

void report_shape(json_t *object, const tl_dataset *data) {
    report_count(object, "length", data->x.shape[1]);
    report_count(object, "channels", data->x.shape[2]);
    report_count(object, "classes", data->classes);
    report_count(object, "target_length", data->target_length ? data->target_length : 1);
    report_count(object, "target_channels", data->target_channels ? data->target_channels : 1);
}

/* ---- metrics ---- */

const tl_metrics report_no_metrics = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, {NAN, NAN, NAN, NAN, NAN}};

const report_metric report_metric_of[REPORT_METRICS] = {{"loss", {true, true, true}},
                                                        {"accuracy", {true, true, true}},
                                                        {"rmse", {false, true, true}},
                                                        {"mae", {false, true, true}},
                                                        {"balanced_accuracy", {true, false, false}},
                                                        {"f1", {true, false, false}},
                                                        {"auroc", {true, false, false}},
                                                        {"r2", {false, true, true}},
                                                        {"subset_accuracy", {false, false, true}},
                                                        {"micro_f1", {false, false, true}},
                                                        {"macro_f1", {false, false, true}}};

report_targets report_targets_of(size_t classes, tl_loss_kind loss) {
    if (classes > 0) return REPORT_CLASSES;
    return loss == TL_LOSS_BINARY_CROSS_ENTROPY ? REPORT_LABELS : REPORT_VALUES;
}

void report_metrics(json_t *object, const char *set, const tl_metrics *metrics, report_targets targets) {
    double values[REPORT_METRICS];
    memcpy(values, metrics, sizeof values);
    for (size_t i = 0; i < REPORT_METRICS; i++) {
        const report_metric *metric = &report_metric_of[i];
        char key[32];
        snprintf(key, sizeof key, "%s_%s", set, metric->name);
        if (metric->of[targets]) json_object_set_new(object, key, report_number(values[i]));
    }
}

/* The metrics of a line after the loss. */
static const struct {
    const char *title;
    size_t metric;
    bool share; /* from 0 to 1 */
} columns[][3] = {
    [REPORT_CLASSES] = {{"accuracy", 1, true}, {"balanced", 4, true}, {"f1", 5, true}},
    [REPORT_VALUES] = {{"rmse", 2, false}, {"mae", 3, false}, {"r2", 7, false}},
    [REPORT_LABELS] = {{"subset", 8, true}, {"micro f1", 9, true}, {"macro f1", 10, true}},
};

void report_metrics_head(report_targets targets) {
    printf("           %8s %12s", "series", "loss");
    for (size_t i = 0; i < 3; i++) printf(" %12s", columns[targets][i].title);
    printf("\n");
}

void report_metrics_line(const char *set, size_t series, const tl_metrics *metrics, report_targets targets) {
    double values[REPORT_METRICS];
    memcpy(values, metrics, sizeof values);
    printf("%-10s %8zu %12.6g", set, series, metrics->loss);
    for (size_t i = 0; i < 3; i++) {
        const double value = values[columns[targets][i].metric];
        char text[REPORT_NUMBER] = "undefined";
        if (!isnan(value)) snprintf(text, sizeof text, columns[targets][i].share ? "%.4f" : "%.6g", value);
        printf(" %12s", text);
    }
    printf("\n");
}

/* ---- members ---- */

void report_members(json_t *object, const report_member *member, size_t count, report_targets targets) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_object();
        if (member[i].model)
            report_text(one, "model", member[i].model);
        else {
            report_count(one, "epochs", (size_t)member[i].epochs);
            report_count(one, "steps", member[i].steps);
            report_count(one, "best_epoch", (size_t)member[i].best_epoch);
            json_object_set_new(one, "seconds", report_number(member[i].seconds));
        }
        report_count(one, "seed", member[i].seed);
        report_metrics(one, "test", &member[i].test, targets);
        json_array_append_new(list, one);
    }
    json_object_set_new(object, "members", list);
}

void report_members_lines(const report_member *member, size_t count, size_t series, report_targets targets) {
    for (size_t i = 0; i < count; i++) {
        char name[40];
        snprintf(name, sizeof name, "  member %zu", member[i].number);
        report_metrics_line(name, series, &member[i].test, targets);
    }
}

/* ---- numbers ---- */

const char *report_scaled(char text[REPORT_NUMBER], double value, const char *unit) {
    static const char letters[] = " kMGTPEZY";
    size_t scale = 0;
    for (; value >= 999.5 && letters[scale + 1]; scale++) value /= 1000;
    const int decimals = scale == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(text, REPORT_NUMBER, "%.*f %c%s", decimals, value, letters[scale], unit);
    return text;
}

const char *report_counted(char text[REPORT_NUMBER], size_t count, const char *noun) {
    snprintf(text, REPORT_NUMBER, "%zu %s%s", count, noun, count == 1 ? "" : "s");
    return text;
}

const char *report_grouped(char text[REPORT_NUMBER], size_t value) {
    char digits[REPORT_NUMBER];
    const int count = snprintf(digits, sizeof digits, "%zu", value);
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0) text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

/* ---- output ---- */

/* JSON need not escape DEL and U+0080 … U+009F, but a terminal may interpret them. They occur only in strings. */
static void print_escaped(const char *text) {
    for (; *text; text++) {
        const unsigned char byte = (unsigned char)*text;
        const bool two = byte == 0xC2 && (unsigned char)text[1] < 0xA0;
        if (two || byte == 0x7F)
            printf("\\u%04x", two ? (unsigned char)*++text : byte);
        else
            putchar(byte);
    }
}

void report_json_part(json_t *value, size_t digits) {
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
    if (text) print_escaped(text);
    free(text);
    json_decref(value);
}

/* 15 digits: enough to print a decimal fraction as it was written. */
void report_json(json_t *object) {
    report_json_part(object, 15);
    putchar('\n');
}

int report_finish(const char *name, bool told) {
    const bool failed = ferror(stdout);
    if (fflush(stdout) == 0 && !failed) return EXIT_DONE;
    if (errno == EPIPE && !told) return EXIT_FAILED;
    complain(name, "stdout: cannot write the result: %s", errno ? strerror(errno) : "output error");
    return EXIT_FAILED;
}

/* From /proc, which counts from exec on: ru_maxrss also includes the parent process before the fork. */
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
