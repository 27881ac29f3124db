#include "cli/picture/log.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_FIELDS = 64 };

static const char *const names[LOG_COLUMNS] = {"epoch",   "learning_rate",   "train_loss",         "train_accuracy",
                                               "seconds", "validation_loss", "validation_accuracy"};

bool log_add(training_log *self, const double row[LOG_COLUMNS]) {
    if (self->epochs == self->room) {
        const size_t room = 2 * self->room + 64;
        for (size_t c = 0; c < LOG_COLUMNS; c++) {
            double *column = realloc(self->column[c], room * sizeof *column);
            if (!column) return false;
            self->column[c] = column;
        }
        self->room = room;
    }
    for (size_t c = 0; c < LOG_COLUMNS; c++) self->column[c][self->epochs] = row[c];
    self->epochs++;
    return true;
}

void log_free(training_log *self) {
    for (size_t c = 0; c < LOG_COLUMNS; c++) free(self->column[c]);
    *self = (training_log){0};
}

bool log_has(const training_log *self, log_column column) {
    for (size_t i = 0; i < self->epochs; i++)
        if (isfinite(self->column[column][i])) return true;
    return false;
}

size_t log_lowest(const training_log *self, log_column column) {
    const double *values = self->column[column];
    size_t lowest = 0;
    for (size_t i = 1; i < self->epochs; i++)
        if (isfinite(values[i]) && !(values[lowest] <= values[i])) lowest = i;
    return lowest;
}

/* ---- reading ---- */

/* A table that is read. */
typedef struct table {
    const char *path;
    size_t line;                   /* from 1 */
    size_t fields;                 /* in the header */
    log_column column[MAX_FIELDS]; /* of each field; LOG_COLUMNS: not known */
    tl_error *error;
} table;

/* Cuts the line at its commas; returns the number of fields. Those after MAX_FIELDS stay in the last one. */
static size_t cut(char *line, char *field[MAX_FIELDS]) {
    size_t count = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *at = line; at && count < MAX_FIELDS;) {
        field[count++] = at;
        at = strchr(at, ',');
        if (at) *at++ = '\0';
    }
    return count;
}

static tl_status refuse(const table *self, const char *expected, const char *got) {
    return tl_fail(self->error, TL_ERROR_FORMAT, "%.200s:%zu: expected %s, got \"%.60s\"", self->path, self->line, expected, got);
}

static tl_status read_header(table *self, char *line) {
    char *field[MAX_FIELDS];
    bool found = false;
    self->fields = cut(line, field);
    for (size_t i = 0; i < self->fields; i++) {
        size_t c = 0;
        while (c < LOG_COLUMNS && strcmp(names[c], field[i]) != 0) c++;
        self->column[i] = (log_column)c;
        found = found || c == LOG_EPOCH;
    }
    return found ? TL_OK : refuse(self, "a log of `tapline train --log`, whose first line has the column epoch", line);
}

/* An empty field is a number that is not known. */
static tl_status read_row(table *self, char *line, training_log *to) {
    char *field[MAX_FIELDS], *end;
    double row[LOG_COLUMNS];
    const size_t fields = cut(line, field);
    if (fields == 1 && !*field[0]) return TL_OK;
    for (size_t c = 0; c < LOG_COLUMNS; c++) row[c] = NAN;
    if (fields != self->fields)
        return tl_fail(self->error, TL_ERROR_FORMAT, "%.200s:%zu: expected %zu fields as in the first line, got %zu", self->path,
                       self->line, self->fields, fields);
    for (size_t i = 0; i < fields; i++) {
        const log_column c = self->column[i];
        if (c == LOG_COLUMNS || !*field[i]) continue;
        row[c] = strtod(field[i], &end);
        if (end == field[i] || *end) return refuse(self, "a number", field[i]);
    }
    return log_add(to, row) ? TL_OK : tl_fail(self->error, TL_ERROR_MEMORY, "%.200s: out of memory", self->path);
}

static tl_status read_lines(table *self, FILE *file, training_log *to) {
    char *line = NULL;
    size_t room = 0;
    tl_status status = TL_OK;
    while (status == TL_OK && getline(&line, &room, file) >= 0)
        status = ++self->line == 1 ? read_header(self, line) : read_row(self, line, to);
    free(line);
    if (status != TL_OK) return status;
    if (ferror(file)) return tl_fail(self->error, TL_ERROR_FILE, "%.200s: %s", self->path, strerror(errno));
    if (to->epochs == 0) return tl_fail(self->error, TL_ERROR_FORMAT, "%.200s: has no epoch yet", self->path);
    return TL_OK;
}

tl_status log_read(training_log *self, const char *path, tl_error *error) {
    struct stat about;
    if (tl_failed(error)) return error->status;
    FILE *file = fopen(path, "r");
    if (!file) return tl_fail(error, TL_ERROR_FILE, "%.200s: %s", path, strerror(errno));
    tl_status status = fstat(fileno(file), &about) == 0 && S_ISDIR(about.st_mode)
                           ? tl_fail(error, TL_ERROR_FILE, "%.200s: is a folder; name a log of `tapline train --log`", path)
                           : TL_OK;
    if (status == TL_OK) status = read_lines(&(table){.path = path, .error = error}, file, self);
    fclose(file);
    return status;
}
