#include "cli/input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A file without a name, since data is read twice. It stays open until the command ends. */
static FILE *copy;
static char copy_path[40];

static tl_status copy_input(tl_error *error) {
    char buffer[1 << 16];
    size_t count;
    copy = tmpfile();
    if (!copy) return tl_fail(error, TL_ERROR_FILE, "standard input: cannot create a temporary file: %s", strerror(errno));
    while ((count = fread(buffer, 1, sizeof buffer, stdin)) > 0)
        if (fwrite(buffer, 1, count, copy) != count)
            return tl_fail(error, TL_ERROR_FILE, "standard input: cannot write the temporary file: %s", strerror(errno));
    if (ferror(stdin)) return tl_fail(error, TL_ERROR_FILE, "standard input: %s", strerror(errno));
    if (fflush(copy) != 0)
        return tl_fail(error, TL_ERROR_FILE, "standard input: cannot write the temporary file: %s", strerror(errno));
    snprintf(copy_path, sizeof copy_path, "/dev/fd/%d", fileno(copy));
    return TL_OK;
}

const char *input_open(const char *path, const char *format, tl_error *error) {
    if (tl_failed(error) || !path || strcmp(path, "-") != 0) return path;
    if (!format) {
        tl_fail(error, TL_ERROR_ARGUMENT, "-: standard input needs a format: add --format NAME, such as --format csv");
        return path;
    }
    if (copy) {
        tl_fail(error, TL_ERROR_ARGUMENT, "-: standard input can be read only once");
        return path;
    }
    return copy_input(error) == TL_OK ? copy_path : path;
}

void input_name(tl_error *error) {
    char text[sizeof error->text];
    const size_t length = strlen(copy_path);
    if (length == 0 || strncmp(error->text, copy_path, length) != 0) return;
    snprintf(text, sizeof text, "standard input%s", error->text + length);
    memcpy(error->text, text, sizeof text);
}
