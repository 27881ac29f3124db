#include "io/temporary.h"

#include "io/system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ATTEMPTS = 100 };

/* ---- a temporary file ---- */

/* A different number for each process, time and attempt, so that names rarely collide. */
static uint32_t draw(unsigned attempt) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const uint64_t seed = (uint64_t)now.tv_nsec + ((uint64_t)getpid() << 32) + attempt;
    return (uint32_t)(seed * 0x9E3779B97F4A7C15U >> 32);
}

/* Returns false if another process removed the new file as an orphan before it was locked. If files cannot be locked at all, nobody
 * removes orphans. */
static bool lock_new(tl_temporary *self) {
    struct stat about;
    self->lock = fcntl(self->file, F_DUPFD_CLOEXEC, 0); /* a lock is held as long as one of the two descriptors is open */
    if (self->lock < 0) return false;
    if (flock(self->file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
    return fstat(self->file, &about) == 0 && about.st_nlink > 0;
}

static void close_both(tl_temporary *self) {
    if (self->file >= 0) tl_system_close(self->file);
    if (self->lock >= 0) tl_system_close(self->lock);
    self->file = self->lock = -1;
}

/* Never opens an existing file. */
bool tl_temporary_open(tl_temporary *self, const char *folder, const char *name, mode_t mode) {
    *self = (tl_temporary){.file = -1, .lock = -1};
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        snprintf(self->path, sizeof self->path, "%s.%.*s.tapline-%08x.tmp", folder, TL_TEMPORARY_NAME, name, draw(attempt));
        self->file = tl_system_open(self->path, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (self->file >= 0 && lock_new(self)) return true;
        if (self->file < 0 && errno != EEXIST) break;
        close_both(self);
    }
    *self->path = '\0';
    return false;
}

bool tl_temporary_close(tl_temporary *self) {
    const bool closed = tl_system_close(self->file);
    self->file = -1;
    return closed;
}

void tl_temporary_discard(tl_temporary *self) {
    if (*self->path) unlink(self->path);
    close_both(self);
    *self->path = '\0';
}

/* ---- orphans ---- */

static bool is_of(const char *name, const char *file) {
    char begin[TL_TEMPORARY_NAME + 20];
    const int length = snprintf(begin, sizeof begin, ".%.*s.tapline-", TL_TEMPORARY_NAME, name);
    const size_t whole = strlen(file);
    return strncmp(file, begin, (size_t)length) == 0 && whole >= (size_t)length + 4 && strcmp(file + whole - 4, ".tmp") == 0;
}

/* The lock is held until the file is removed, so that a process that has just created it notices. */
static void remove_orphan(int folder, const char *name) {
    const int file = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return;
    if (flock(file, LOCK_EX | LOCK_NB) == 0) unlinkat(folder, name, 0);
    close(file);
}

void tl_temporary_clean(const char *folder, const char *name) {
    DIR *opened = opendir(folder);
    if (!opened) return;
    for (const struct dirent *entry; (entry = readdir(opened));)
        if (is_of(name, entry->d_name)) remove_orphan(dirfd(opened), entry->d_name);
    closedir(opened);
}
