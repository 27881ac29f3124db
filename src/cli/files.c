#include "cli/files.h"

#include <tapline/csv_log.h>
#include <tapline/dataset.h>
#include <tapline/file.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The file that a path leads to; if it does not exist, the folder where it would be. */
typedef struct identity {
    bool there, known;
    dev_t device;
    ino_t inode;
    const char *name; /* its name in the folder; "": the file exists */
} identity;

static identity identify(const char *path) {
    struct stat about;
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    const bool there = stat(path, &about) == 0;
    if (slash) snprintf(folder, sizeof folder, "%.*s", (int)(slash - path + 1), path);
    if (!there && stat(folder, &about) != 0) return (identity){0};
    return (identity){.there = there,
                      .known = !there || S_ISREG(about.st_mode), /* a device may be given twice */
                      .device = about.st_dev,
                      .inode = about.st_ino,
                      .name = there   ? ""
                              : slash ? slash + 1
                                      : path};
}

static bool is_same(const identity *a, const identity *b) {
    return a->known && b->known && a->there == b->there && a->device == b->device && a->inode == b->inode &&
           strcmp(a->name, b->name) == 0;
}

static bool is_written(const used_file *file) { return file->path && (file->use == FILE_REPLACED || file->use == FILE_LOGGED); }

static void refuse(const used_file *written, const used_file *other, tl_error *error) {
    tl_fail(error, TL_ERROR_ARGUMENT, "%s %.200s: this file is also %s, and would be overwritten", written->name, written->path,
            other->name);
}

static void compare_all(const used_file *files, const identity *of, size_t count, tl_error *error) {
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; is_written(&files[i]) && j < count; j++) {
            const bool before = j < i || !is_written(&files[j]), one = files[i].training && files[i].training == files[j].training;
            if (i != j && before && !one && files[j].path && is_same(&of[i], &of[j])) refuse(&files[i], &files[j], error);
        }
}

/* ---- data sets ---- */

/* A data set, and the files that will be written. */
typedef struct search {
    const used_file *files, *data;
    const identity *of;
    size_t count;
    tl_error *error;
} search;

static void compare_part(const char *path, void *user) {
    const search *self = user;
    const identity part = identify(path);
    for (size_t i = 0; part.there && i < self->count; i++) {
        if (!is_written(&self->files[i]) || !is_same(&self->of[i], &part)) continue;
        tl_fail(self->error, TL_ERROR_ARGUMENT, "%s %.120s: this is the file %.120s of %s %.120s, and would be overwritten",
                self->files[i].name, self->files[i].path, path, self->data->name, self->data->path);
    }
}

/* A folder that cannot be listed is reported when it is read. */
static void compare_parts(const used_file *files, const identity *of, size_t count, const tl_read_cfg *read, tl_error *error) {
    for (size_t i = 0; i < count; i++) {
        tl_error unread = {0};
        search self = {.files = files, .data = &files[i], .of = of, .count = count, .error = error};
        if (files[i].path && files[i].use == FILE_DATA) tl_dataset_files(files[i].path, read, compare_part, &self, &unread);
    }
}

/* ---- check ---- */

tl_status files_check(const used_file *files, size_t count, tl_error *error) { return files_check_read(files, count, NULL, error); }

tl_status files_check_read(const used_file *files, size_t count, const tl_read_cfg *read, tl_error *error) {
    if (tl_failed(error)) return error->status;
    identity *of = calloc(count, sizeof *of);
    if (!of) return tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        if (files[i].path) of[i] = identify(files[i].path);
    compare_all(files, of, count, error);
    compare_parts(files, of, count, read, error);
    free(of);
    for (size_t i = 0; i < count && !tl_failed(error); i++) {
        tl_error wrong = {0};
        if (!is_written(&files[i])) continue;
        if (strcmp(files[i].path, "-") == 0)
            return tl_fail(error, TL_ERROR_ARGUMENT,
                           "%s -: standard output is not supported here; for a file of this name write ./-", files[i].name);
        (files[i].use == FILE_LOGGED ? tl_csv_log_check : tl_save_check)(files[i].path, &wrong);
        if (tl_failed(&wrong)) tl_fail(error, wrong.status, "%s %s", files[i].name, wrong.text);
    }
    return error->status;
}

char *files_number(const char *path, size_t number, tl_error *error) {
    if (!path || tl_failed(error)) return NULL;
    const char *name = strrchr(path, '/'), *ending = strrchr(name ? name + 1 : path, '.');
    const size_t stem = ending && ending > (name ? name + 1 : path) ? (size_t)(ending - path) : strlen(path);
    const size_t size = strlen(path) + 24;
    char *numbered = malloc(size);
    if (numbered)
        snprintf(numbered, size, "%.*s.%zu%s", (int)stem, path, number, path + stem);
    else
        tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    return numbered;
}
