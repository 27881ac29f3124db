#include "io/write.h"

#include "base/argument.h"
#include "io/attributes.h"
#include "io/system.h"
#include "io/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The replacement of a file by a new one. */
typedef struct replacement {
    const char *path;      /* the path that the caller gave */
    char target[PATH_MAX]; /* the same after following symbolic links */
    char folder[PATH_MAX]; /* its folder, with a slash at the end */
    const char *name;      /* its last part */
    bool previous;         /* there is a file to replace */
    struct stat about;     /* status of that file */
    tl_temporary fresh;
} replacement;

static tl_status fail(const replacement *self, const char *what, int reason, tl_error *error) {
    return tl_fail(error, TL_ERROR_FILE, "%.200s: %s: %s; %s", self->path, what, strerror(reason),
                   self->previous ? "the previous file is kept" : "nothing was written");
}

/* ---- where ---- */

tl_status tl_file_find(const char *path, struct stat *about, bool *there, tl_error *error) {
    struct stat link;
    *there = stat(path, about) == 0;
    if (*there && !S_ISREG(about->st_mode))
        return tl_fail(error, TL_ERROR_FILE, "%.200s: is %s, not a file", path, tl_system_kind(about->st_mode));
    if (*there) return TL_OK;
    if (errno != ENOENT) return tl_fail(error, TL_ERROR_FILE, "%.200s: cannot be written: %s", path, strerror(errno));
    if (lstat(path, &link) == 0)
        return tl_fail(error, TL_ERROR_FILE, "%.200s: is a link to a file that does not exist; name that file, or remove the link",
                       path);
    return TL_OK;
}

static tl_status find_target(replacement *self, const char *path, tl_error *error) {
    self->path = path;
    if (!*path) return tl_fail(error, TL_ERROR_FILE, "%s: is not the name of a file", path);
    if (tl_file_find(path, &self->about, &self->previous, error) != TL_OK) return TL_ERROR_FILE;
    if (!self->previous || !realpath(path, self->target)) snprintf(self->target, sizeof self->target, "%s", path);
    const char *slash = strrchr(self->target, '/');
    self->name = slash ? slash + 1 : self->target;
    if (!*self->name) return tl_fail(error, TL_ERROR_FILE, "%.200s: is not the name of a file", path);
    snprintf(self->folder, sizeof self->folder, "%.*s", (int)(self->name - self->target), self->target);
    if (!slash) snprintf(self->folder, sizeof self->folder, "./");
    return TL_OK;
}

/* A file that is a mount point cannot be replaced by rename. */
static bool is_mounted(const char *path) {
    struct statx about;
    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &about) == 0 && (about.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* Checks that the file may be replaced: it is not immutable, and not another user's in a sticky folder. Removing it as a folder
 * needs the same rights, and fails because it is a file. */
static tl_status check_replaceable(const replacement *self, tl_error *error) {
    if (!self->previous) return TL_OK;
    if (is_mounted(self->target))
        return tl_fail(error, TL_ERROR_FILE, "%.200s: cannot be replaced, because it is a mount point; mount its folder instead",
                       self->path);
    if (rmdir(self->target) == 0 || errno == ENOTDIR) return TL_OK;
    return tl_fail(error, TL_ERROR_FILE, "%.200s: cannot be replaced: %s", self->path, strerror(errno));
}

/* ---- writing ---- */

static bool write_pieces(int file, const tl_piece *pieces, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!tl_system_write(file, pieces[i].data, pieces[i].size)) return false;
    return true;
}

/* The new name is on the disk once the folder is flushed. Some file systems do not support this (EINVAL) and do not need it. */
static tl_status sync_folder(const replacement *self, tl_error *error) {
    const int folder = tl_system_open(self->folder, O_RDONLY | O_DIRECTORY, 0);
    bool done = folder >= 0 && (tl_system_sync(folder) || errno == EINVAL);
    const int reason = errno;
    if (folder >= 0) tl_system_close(folder);
    return done ? TL_OK
                : tl_fail(error, TL_ERROR_FILE, "%.200s: written, but its folder cannot be flushed to the disk: %s", self->path,
                          strerror(reason));
}

/* The new file is complete but could not get its name. It gets another one, if possible, which is not removed as an orphan. */
static tl_status keep(replacement *self, int reason, tl_error *error) {
    char kept[TL_TEMPORARY_PATH + 10];
    snprintf(kept, sizeof kept, "%.*s.kept", (int)strlen(self->fresh.path) - 4, self->fresh.path);
    const bool renamed = tl_system_rename(self->fresh.path, kept);
    tl_fail(error, TL_ERROR_FILE, "%.160s: cannot be renamed: %s; the new contents are in %.250s", self->path, strerror(reason),
            renamed ? kept : self->fresh.path);
    *self->fresh.path = '\0';
    return TL_ERROR_FILE;
}

/* After everything is written. */
static tl_status replace(replacement *self, tl_error *error) {
    const int file = self->fresh.file;
    if (self->previous) tl_attributes_copy(self->target, &self->about, file);
    if (!tl_system_sync(file)) return fail(self, "cannot be flushed to the disk", errno, error);
    if (!tl_temporary_close(&self->fresh)) return fail(self, "cannot be closed", errno, error);
    if (!tl_system_rename(self->fresh.path, self->target)) return keep(self, errno, error);
    *self->fresh.path = '\0';
    return sync_folder(self, error);
}

/* The file gets the previous file's mode before anything is written, so that nobody else can read it. */
static tl_status begin(replacement *self, const char *path, tl_error *error) {
    if (tl_failed(error)) return error->status;
    if (!tl_given(path, "save: the path", error)) return TL_ERROR_ARGUMENT;
    self->fresh = (tl_temporary){.file = -1, .lock = -1};
    if (find_target(self, path, error) != TL_OK) return TL_ERROR_FILE;
    tl_temporary_clean(self->folder, self->name);
    const mode_t mode = self->previous ? 0600 : 0666;
    return tl_temporary_open(&self->fresh, self->folder, self->name, mode) ? TL_OK : fail(self, "cannot be written", errno, error);
}

tl_status tl_file_write(const char *path, const tl_piece *pieces, size_t count, tl_error *error) {
    replacement self = {0};
    tl_status status = begin(&self, path, error);
    if (status != TL_OK) return status;
    status = write_pieces(self.fresh.file, pieces, count) ? replace(&self, error) : fail(&self, "cannot be written", errno, error);
    tl_temporary_discard(&self.fresh);
    return status;
}

struct tl_writer {
    replacement of;
};

tl_writer *tl_writer_new(const char *path, tl_error *error) {
    tl_writer *self = tl_failed(error) ? NULL : calloc(1, sizeof *self);
    if (self && begin(&self->of, path, error) == TL_OK) return self;
    tl_fail(error, TL_ERROR_MEMORY, "save: out of memory");
    free(self);
    return NULL;
}

tl_status tl_writer_add(tl_writer *self, const void *data, size_t size, tl_error *error) {
    if (tl_failed(error) || tl_system_write(self->of.fresh.file, data, size)) return error->status;
    return fail(&self->of, "cannot be written", errno, error);
}

tl_status tl_writer_replace(tl_writer *self, uint64_t offset, const void *data, size_t size, tl_error *error) {
    if (tl_failed(error) || tl_system_write_at(self->of.fresh.file, data, size, offset)) return error->status;
    return fail(&self->of, "cannot be written", errno, error);
}

tl_status tl_writer_end(tl_writer *self, tl_error *error) { return tl_failed(error) ? error->status : replace(&self->of, error); }

void tl_writer_free(tl_writer *self) {
    if (self) tl_temporary_discard(&self->of.fresh);
    free(self);
}

tl_status tl_file_may_write(const char *path, size_t size, tl_error *error) {
    replacement self = {0};
    tl_status status = begin(&self, path, error);
    if (status != TL_OK) return status;
    if (!tl_system_reserve(self.fresh.file, size))
        status = tl_fail(error, TL_ERROR_FILE, "%.200s: cannot be written: no room for %zu bytes: %s", path, size, strerror(errno));
    tl_temporary_discard(&self.fresh);
    return status == TL_OK ? check_replaceable(&self, error) : status;
}
