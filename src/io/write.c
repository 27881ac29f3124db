#include "io/write.h"

#include "base/argument.h"
#include "io/system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME = 200 }; /* bytes of a file's name that its temporary file repeats */

/* A file that is about to take the place of another. */
typedef struct replacement {
    const char *path;                      /* as the caller calls it */
    char target[PATH_MAX];                 /* the same behind symbolic links */
    char folder[PATH_MAX];                 /* where it is */
    const char *name;                      /* its last part */
    char temporary[PATH_MAX + NAME + 100]; /* "": not there */
    bool previous;                         /* there is a file to be replaced */
    int file;
} replacement;

static tl_status fail(const replacement *self, const char *what, int reason, tl_error *error) {
    return tl_fail(error, TL_ERROR_FILE, "%.200s: %s: %s; %s", self->path, what, strerror(reason),
                   self->previous ? "the previous file is kept" : "nothing was written");
}

/* ---- where ---- */

static tl_status find_target(replacement *self, const char *path, tl_error *error) {
    struct stat about;
    self->path = path;
    self->file = -1;
    self->previous = stat(path, &about) == 0;
    if (self->previous && !S_ISREG(about.st_mode))
        return tl_fail(error, TL_ERROR_FILE, "%.200s: is %s, not a file", path, S_ISDIR(about.st_mode) ? "a folder" : "a device");
    if (strlen(path) >= sizeof self->target) return fail(self, "cannot be written", ENAMETOOLONG, error);
    if (!self->previous || !realpath(path, self->target)) snprintf(self->target, sizeof self->target, "%s", path);
    const char *slash = strrchr(self->target, '/');
    self->name = slash ? slash + 1 : self->target;
    if (!*self->name) return tl_fail(error, TL_ERROR_FILE, "%.200s: names no file", path);
    snprintf(self->folder, sizeof self->folder, "%.*s", (int)(self->name - self->target), self->target);
    if (!slash) snprintf(self->folder, sizeof self->folder, "./");
    return TL_OK;
}

/* ---- temporary files ---- */

/* The process that left a temporary file of this name: 0 where it is none of this target. */
static pid_t owner_of(const replacement *self, const char *file) {
    char begin[NAME + 20];
    const int length = snprintf(begin, sizeof begin, ".%.*s.tapline-", NAME, self->name);
    const size_t whole = strlen(file);
    if (strncmp(file, begin, (size_t)length) != 0 || whole < 4 || strcmp(file + whole - 4, ".tmp") != 0) return 0;
    char *end;
    const long owner = strtol(file + length, &end, 10);
    return *end == '-' && owner > 0 && owner <= INT_MAX ? (pid_t)owner : 0;
}

/* A process that was killed cannot have removed its own. What cannot be removed stays: it does no harm. */
static void remove_orphans(const replacement *self) {
    DIR *folder = opendir(self->folder);
    if (!folder) return;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        const pid_t owner = owner_of(self, entry->d_name);
        if (owner > 0 && kill(owner, 0) != 0 && errno == ESRCH) unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
}

enum { ATTEMPTS = 100 };

/* Two threads may write at once; so each attempt takes another name, and no file is opened that was there. */
static bool open_temporary(replacement *self) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        const unsigned any = ((unsigned)now.tv_nsec / 64 + attempt * 7919U) & 0xFFFF;
        snprintf(self->temporary, sizeof self->temporary, "%s.%.*s.tapline-%ld-%04x.tmp", self->folder, NAME, self->name,
                 (long)getpid(), any);
        self->file = tl_system_open(self->temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (self->file >= 0 || errno != EEXIST) break;
    }
    if (self->file < 0) *self->temporary = '\0';
    return self->file >= 0;
}

static void discard(replacement *self) {
    if (self->file >= 0) tl_system_close(self->file);
    if (*self->temporary) unlink(self->temporary);
    self->file = -1;
    *self->temporary = '\0';
}

/* ---- writing ---- */

static bool write_pieces(const replacement *self, const tl_piece *pieces, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!tl_system_write(self->file, pieces[i].data, pieces[i].size)) return false;
    return true;
}

static bool close_temporary(replacement *self) {
    const bool closed = tl_system_close(self->file);
    self->file = -1;
    return closed;
}

/* The new name is on the disk once its folder is. Some file systems do not offer that (EINVAL), and need not. */
static tl_status sync_folder(const replacement *self, tl_error *error) {
    const int folder = tl_system_open(self->folder, O_RDONLY | O_DIRECTORY, 0);
    bool done = folder >= 0 && (tl_system_sync(folder) || errno == EINVAL);
    const int reason = errno;
    if (folder >= 0) tl_system_close(folder);
    return done ? TL_OK
                : tl_fail(error, TL_ERROR_FILE, "%.200s: written, but its folder cannot be put on the disk: %s", self->path,
                          strerror(reason));
}

static tl_status replace(replacement *self, const tl_piece *pieces, size_t count, tl_error *error) {
    if (!write_pieces(self, pieces, count)) return fail(self, "cannot be written", errno, error);
    if (!tl_system_sync(self->file)) return fail(self, "cannot be put on the disk", errno, error);
    if (!close_temporary(self)) return fail(self, "cannot be closed", errno, error);
    if (!tl_system_rename(self->temporary, self->target)) return fail(self, "cannot be renamed", errno, error);
    *self->temporary = '\0';
    return sync_folder(self, error);
}

static tl_status begin(replacement *self, const char *path, tl_error *error) {
    if (tl_failed(error)) return error->status;
    if (!tl_given(path, "save: the path", error)) return TL_ERROR_ARGUMENT;
    if (find_target(self, path, error) != TL_OK) return TL_ERROR_FILE;
    remove_orphans(self);
    return open_temporary(self) ? TL_OK : fail(self, "cannot be written", errno, error);
}

tl_status tl_file_write(const char *path, const tl_piece *pieces, size_t count, tl_error *error) {
    replacement self = {0};
    tl_status status = begin(&self, path, error);
    if (status == TL_OK) status = replace(&self, pieces, count, error);
    discard(&self);
    return status;
}

tl_status tl_file_may_write(const char *path, tl_error *error) {
    replacement self = {0};
    const tl_status status = begin(&self, path, error);
    discard(&self);
    return status;
}
