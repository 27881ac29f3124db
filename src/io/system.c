#include "io/system.h"

#include "base/math.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_AT_ONCE = 1 << 30 }; /* in one call, Linux transfers at most 2 GiB minus a page */

static size_t part(size_t size) { return tl_min(size, MAX_AT_ONCE); }

int tl_system_open(const char *path, int flags, unsigned mode) {
    int file;
    do file = open(path, flags | O_CLOEXEC, mode);
    while (file < 0 && errno == EINTR);
    return file;
}

bool tl_system_read(int file, void *data, size_t size) {
    for (char *to = data; size > 0;) {
        const ssize_t got = read(file, to, part(size));
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = 0;
        if (got <= 0) return false;
        to += got;
        size -= (size_t)got;
    }
    return true;
}

bool tl_system_read_at(int file, void *data, size_t size, uint64_t offset) {
    for (char *to = data; size > 0;) {
        const ssize_t got = pread(file, to, part(size), (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = 0;
        if (got <= 0) return false;
        to += got;
        size -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

bool tl_system_write(int file, const void *data, size_t size) {
    for (const char *from = data; size > 0;) {
        const ssize_t put = write(file, from, part(size));
        if (put < 0 && errno == EINTR) continue;
        if (put == 0) errno = ENOSPC; /* a device that takes no more bytes without an error */
        if (put <= 0) return false;
        from += put;
        size -= (size_t)put;
    }
    return true;
}

bool tl_system_write_at(int file, const void *data, size_t size, uint64_t offset) {
    for (const char *from = data; size > 0;) {
        const ssize_t put = pwrite(file, from, part(size), (off_t)offset);
        if (put < 0 && errno == EINTR) continue;
        if (put == 0) errno = ENOSPC; /* as above */
        if (put <= 0) return false;
        from += put;
        size -= (size_t)put;
        offset += (uint64_t)put;
    }
    return true;
}

int tl_system_duplicate(int file) { return fcntl(file, F_DUPFD_CLOEXEC, 0); }

bool tl_system_state(int file, tl_file_state *state) {
    struct stat about;
    if (fstat(file, &about) != 0) return false;
    *state = (tl_file_state){(uint64_t)about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec};
    return true;
}

bool tl_system_sync(int file) {
    int result;
    do result = fsync(file);
    while (result < 0 && errno == EINTR);
    return result == 0;
}

/* On Linux the file is closed even after EINTR. */
bool tl_system_close(int file) { return close(file) == 0 || errno == EINTR; }

bool tl_system_rename(const char *from, const char *to) {
    int result;
    do result = rename(from, to);
    while (result < 0 && errno == EINTR);
    return result == 0;
}

/* A file system without fallocate(2) returns EOPNOTSUPP, a kernel without it ENOSYS. */
bool tl_system_reserve(int file, size_t size) {
    int result;
    do result = fallocate(file, 0, 0, size > 0 ? (off_t)size : 1);
    while (result < 0 && errno == EINTR);
    return result == 0 || (errno != ENOSPC && errno != EDQUOT && errno != EFBIG);
}

const char *tl_system_kind(mode_t mode) {
    return S_ISREG(mode)    ? "a file"
           : S_ISDIR(mode)  ? "a folder"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}
