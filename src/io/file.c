#include "io/file.h"

#include "io/system.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Checked before opening, since opening a pipe would block. */
static tl_status check_file(const char *path, size_t *size, tl_error *error) {
    struct stat about;
    if (stat(path, &about) != 0) return tl_fail(error, TL_ERROR_FILE, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return tl_fail(error, TL_ERROR_FILE, "%s: is %s, not a file%s", path, tl_system_kind(about.st_mode),
                       S_ISFIFO(about.st_mode) ? "; the command reads standard input as `-`" : "");
    *size = (size_t)about.st_size;
    return TL_OK;
}

FILE *tl_file_open(const char *path, size_t *size, tl_error *error) {
    if (tl_failed(error) || check_file(path, size, error) != TL_OK) return NULL;
    FILE *file = fopen(path, "rb");
    if (!file) tl_fail(error, TL_ERROR_FILE, "%s: %s", path, strerror(errno));
    return file;
}
