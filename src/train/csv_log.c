/* The table of tl_csv_log_epoch. Each line is written immediately, so that it can be read during training. */
#include <tapline/csv_log.h>

#include "base/argument.h"
#include "io/system.h"
#include "io/write.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tl_csv_log {
    char *path;
    int file; /* below 0: closed */
    tl_error error;
};

static void fail(tl_csv_log *self) {
    tl_fail(&self->error, TL_ERROR_FILE, "%.200s: cannot be written: %s", self->path, strerror(errno));
}

static void write_text(tl_csv_log *self, const char *text) {
    if (!tl_failed(&self->error) && !tl_system_write(self->file, text, strlen(text))) fail(self);
}

static void open_file(tl_csv_log *self, bool append) {
    struct stat about;
    bool there;
    if (tl_file_find(self->path, &about, &there, &self->error) != TL_OK) return;
    const bool begun = append && there && about.st_size > 0;
    self->file = tl_system_open(self->path, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), 0666);
    if (self->file < 0)
        fail(self);
    else if (!begun)
        write_text(self, "epoch,learning_rate,train_loss,train_accuracy,seconds,validation_loss,validation_accuracy\n");
}

tl_csv_log *tl_csv_log_new(const char *path, bool append, tl_error *error) {
    if (tl_failed(error) || !tl_given(path, "log: the path", error)) return NULL;
    tl_csv_log *self = calloc(1, sizeof *self);
    char *copy = self ? strdup(path) : NULL;
    if (!copy) {
        tl_fail(error, TL_ERROR_MEMORY, "%.200s: out of memory", path);
        free(self);
        return NULL;
    }
    self->path = copy;
    self->file = -1;
    open_file(self, append);
    if (!tl_failed(&self->error)) return self;
    tl_csv_log_close(self, error);
    return NULL;
}

tl_status tl_csv_log_check(const char *path, tl_error *error) {
    struct stat about;
    bool there;
    if (tl_failed(error)) return error->status;
    if (!tl_given(path, "log: the path", error)) return TL_ERROR_ARGUMENT;
    if (tl_file_find(path, &about, &there, error) != TL_OK) return TL_ERROR_FILE;
    const int file = tl_system_open(path, O_WRONLY | O_APPEND | O_CREAT, 0666);
    if (file < 0) return tl_fail(error, TL_ERROR_FILE, "%.200s: cannot be written: %s", path, strerror(errno));
    tl_system_close(file);
    if (!there) unlink(path);
    return TL_OK;
}

/* A number, and the text after it. */
static int put(char *text, size_t size, double value, const char *end) {
    return isfinite(value) ? snprintf(text, size, "%.9g%s", value, end) : snprintf(text, size, "%s", end);
}

bool tl_csv_log_epoch(const tl_progress *at, void *log) {
    enum { COLUMNS = 7, LINE = 300 };
    tl_csv_log *self = log;
    if (!self || !at->epoch_end) return true;
    const double values[COLUMNS] = {at->epoch,   at->learning_rate,   at->train.loss,         at->train.accuracy,
                                    at->seconds, at->validation.loss, at->validation.accuracy};
    char line[LINE];
    size_t used = 0;
    for (size_t i = 0; i < COLUMNS; i++) used += (size_t)put(line + used, LINE - used, values[i], i + 1 < COLUMNS ? "," : "\n");
    write_text(self, line);
    return true;
}

const tl_error *tl_csv_log_error(const tl_csv_log *log) {
    static const tl_error none;
    return log ? &log->error : &none;
}

tl_status tl_csv_log_close(tl_csv_log *log, tl_error *error) {
    if (!log) return TL_OK;
    if (log->file >= 0 && !tl_system_close(log->file)) fail(log);
    const tl_status status = log->error.status;
    if (status != TL_OK) tl_fail(error, status, "%s", log->error.text);
    free(log->path);
    free(log);
    return status;
}
