/* The files of a data set (tl_dataset_files). */
#include <tapline/dataset.h>

#include "base/argument.h"
#include "read/folder.h"
#include "read/halves.h"
#include "read/pair.h"
#include "read/table.h"
#include "read/wfdb.h"

#include <stdlib.h>
#include <string.h>

typedef struct walk {
    void (*visit)(const char *file, void *user);
    void *user;
    tl_error *error;
} walk;

/* Visits a path that was allocated, and frees it. */
static void visit_path(const walk *self, char *path) {
    if (path) self->visit(path, self->user);
    free(path);
}

/* ---- records ---- */

/* The files of samples that a header names; none if it cannot be read. */
static void visit_record(const walk *self, const char *path) {
    tl_text text;
    tl_wfdb record = {0};
    tl_error wrong = {0};
    if (tl_text_open(&text, path, &wrong) == TL_OK && tl_wfdb_header(&text, &record, &wrong) == TL_OK)
        for (size_t i = 0; i < record.files; i++) visit_path(self, tl_wfdb_beside(path, record.file[i].name, self->error));
    tl_text_release(&text);
}

/* ---- lists ---- */

/* A file that a table names. */
static void visit_listed(const char *path, void *walk_of_all) {
    const walk *self = walk_of_all;
    self->visit(path, self->user);
    if (tl_has_ending(path, ".hea")) visit_record(self, path);
}

/* The targets and groups beside series. */
static void visit_pair(const walk *self, const char *path, const tl_read_cfg *cfg) {
    char *y = tl_has_ending(path, ".npy") ? tl_pair_find(path, self->error) : NULL;
    if (y && cfg->group) visit_path(self, tl_pair_name(path, "groups", self->error));
    visit_path(self, y);
}

/* ---- folders ---- */

/* The files in a folder, or in each folder in it: readers go no deeper. */
static void visit_inside(const walk *self, const char *path, bool folders) {
    tl_names names;
    tl_folder_list(path, folders, &names, self->error);
    for (size_t i = 0; i < names.count && !tl_failed(self->error); i++)
        visit_path(self, tl_folder_join(path, names.names[i], self->error));
    tl_names_free(&names);
}

static void visit_files(const char *path, void *walk_of_all) { visit_inside(walk_of_all, path, false); }

static void visit_folder(walk *self, const char *path) {
    const walk of_folders = {.visit = visit_files, .user = self, .error = self->error};
    visit_inside(self, path, false);
    visit_inside(&of_folders, path, true);
}

/* A file, or a folder. */
static void visit_whole(walk *self, const char *path) {
    tl_half half;
    char *whole = tl_half_cut(path, &half, self->error);
    if (whole && tl_is_folder(whole))
        visit_folder(self, whole);
    else if (whole)
        self->visit(whole, self->user);
    free(whole);
}

tl_status tl_dataset_files_sized(const char *path, const tl_read_cfg *given, size_t size,
                                 void (*visit)(const char *file, void *user), void *user, tl_error *error) {
    tl_read_cfg cfg;
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error)) return error->status;
    if (!tl_given(path, "data: the path", error)) return TL_ERROR_ARGUMENT;
    if (!visit) return tl_fail(error, TL_ERROR_ARGUMENT, "data: the function `visit` is NULL");
    tl_take(&cfg, sizeof cfg, given, size, "data", error);
    walk self = {.visit = visit, .user = user, .error = error};
    if (tl_failed(error) || strncmp(path, "builtin:", 8) == 0) return error->status;
    visit_whole(&self, path);
    visit_pair(&self, path, &cfg);
    if (!tl_is_folder(path) && tl_has_ending(path, ".hea")) {
        visit_record(&self, path);
        visit_path(&self, tl_wfdb_annotations(path, cfg.annotator, error));
    }
    if (cfg.file && tl_dataset_is_table(path, cfg.format)) tl_table_files(path, &cfg, visit_listed, &self);
    return error->status;
}
