#include "read/array_files.h"

#include "read/folder.h"
#include "read/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[TL_ARRAY_ROLES] = {"x", "y", "groups"};

tl_status tl_array_files_prepare(tl_array_files *self, const char *path, tl_error *error) {
    const bool files = tl_has_ending(path, ".npy");
    if (!files && !tl_has_ending(path, ".npz"))
        return tl_fail(error, TL_ERROR_ARGUMENT, "%s: the name of the file must end with .npy or .npz", path);
    self->path[0] = strdup(path);
    if (!self->path[0]) tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
    for (size_t i = 1; files && i < TL_ARRAY_ROLES && !tl_failed(error); i++) self->path[i] = tl_pair_name(path, names[i], error);
    return error->status;
}

static bool is_archive(const tl_array_files *self) { return !self->path[1]; }

tl_status tl_array_files_begin(tl_array_files *self, tl_array_role role, const char *half, tl_error *error) {
    char member[TL_ZIP_NAME + 1];
    self->current = role;
    if (!is_archive(self)) {
        self->file[role] = tl_writer_new(self->path[role], error);
        return error->status;
    }
    if (!self->archive) self->archive = tl_zip_writer_new(self->path[0], error);
    if (tl_failed(error)) return error->status;
    snprintf(member, sizeof member, "%s%s.npy", names[role], half);
    return tl_zip_writer_begin(self->archive, member, error);
}

tl_status tl_array_files_add(tl_array_files *self, const void *data, size_t size, tl_error *error) {
    if (tl_failed(error)) return error->status;
    return self->archive ? tl_zip_writer_add(self->archive, data, size, error)
                         : tl_writer_add(self->file[self->current], data, size, error);
}

tl_status tl_array_files_end(tl_array_files *self, tl_error *error) {
    if (self->archive) return tl_zip_writer_end(self->archive, error);
    for (size_t i = TL_ARRAY_ROLES; i-- > 0;)
        if (self->file[i]) tl_writer_end(self->file[i], error);
    return error->status;
}

void tl_array_files_release(tl_array_files *self) {
    tl_zip_writer_free(self->archive);
    for (size_t i = 0; i < TL_ARRAY_ROLES; i++) {
        tl_writer_free(self->file[i]);
        free(self->path[i]);
    }
}
