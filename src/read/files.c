/* The files of a data set (tl_dataset_files). */
#include <tapline/dataset.h>

#include "base/argument.h"
#include "read/folder.h"
#include "read/halves.h"
#include "read/wfdb.h"

#include <stdlib.h>
#include <string.h>

typedef struct walk {
    void (*visit)(const char *file, void *user);
    void *user;
    tl_error *error;
} walk;

/* ---- records ---- */

static void visit_beside(const walk *self, const char *header, const char *name) {
    char *path = name ? tl_wfdb_beside(header, name, self->error) : tl_wfdb_annotations(header, NULL, self->error);
    if (path) self->visit(path, self->user);
    free(path);
}

/* If the header cannot be read, only the annotations. */
static void visit_record(const walk *self, const char *path) {
    tl_text text;
    tl_wfdb record = {0};
    tl_error wrong = {0};
    if (tl_text_open(&text, path, &wrong) == TL_OK && tl_wfdb_header(&text, &record, &wrong) == TL_OK)
        for (size_t i = 0; i < record.files; i++) visit_beside(self, path, record.file[i].name);
    tl_text_release(&text);
    visit_beside(self, path, NULL);
}

/* ---- folders ---- */

/* The files in a folder, or in each folder in it: readers go no deeper. */
static void visit_inside(const walk *self, const char *path, bool folders) {
    tl_names names;
    tl_folder_list(path, folders, &names, self->error);
    for (size_t i = 0; i < names.count && !tl_failed(self->error); i++) {
        char *inside = tl_folder_join(path, names.names[i], self->error);
        if (inside) self->visit(inside, self->user);
        free(inside);
    }
    tl_names_free(&names);
}

static void visit_files(const char *path, void *walk_of_all) { visit_inside(walk_of_all, path, false); }

static void visit_folder(walk *self, const char *path) {
    const walk of_folders = {.visit = visit_files, .user = self, .error = self->error};
    visit_inside(self, path, false);
    visit_inside(&of_folders, path, true);
}

tl_status tl_dataset_files(const char *path, void (*visit)(const char *file, void *user), void *user, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error)) return error->status;
    if (!tl_given(path, "data: the path", error)) return TL_ERROR_ARGUMENT;
    if (!visit) return tl_fail(error, TL_ERROR_ARGUMENT, "data: the function `visit` is NULL");
    walk self = {.visit = visit, .user = user, .error = error};
    if (strncmp(path, "builtin:", 8) == 0) return TL_OK;
    tl_half half;
    char *whole = tl_half_cut(path, &half, error);
    if (!whole) return error->status;
    if (tl_is_folder(whole))
        visit_folder(&self, whole);
    else
        visit(whole, user);
    free(whole);
    if (!tl_is_folder(path) && tl_has_ending(path, ".hea")) visit_record(&self, path);
    return error->status;
}
