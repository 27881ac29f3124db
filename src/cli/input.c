#include "cli/input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A file without a name, since data is read twice. It stays open until the command ends. */
static FILE *copy;
static char copy_path[40];

static tl_status wrong(const char *what, tl_error *error) {
    return tl_fail(error, TL_ERROR_FILE, "standard input: %s: %s", what, strerror(errno));
}

static tl_status copy_input(size_t maximum, tl_error *error) {
    char buffer[1 << 16];
    size_t count, all = 0;
    copy = tmpfile();
    if (!copy) return wrong("cannot create a temporary file", error);
    while ((count = fread(buffer, 1, sizeof buffer, stdin)) > 0) {
        if (count > maximum - all)
            return tl_fail(
                error, TL_ERROR_MEMORY,
                "standard input: has more than %.4g MB, the limit (--max-memory); a file that is named has no such limit",
                (double)maximum / 1e6);
        if (fwrite(buffer, 1, count, copy) != count) return wrong("cannot write the temporary file", error);
        all += count;
    }
    if (ferror(stdin)) return wrong("cannot be read", error);
    if (fflush(copy) != 0) return wrong("cannot write the temporary file", error);
    snprintf(copy_path, sizeof copy_path, "/dev/fd/%d", fileno(copy));
    return TL_OK;
}

const char *input_open(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    if (tl_failed(error) || !path || strcmp(path, "-") != 0) return path;
    if (!cfg->format)
        tl_fail(error, TL_ERROR_ARGUMENT, "-: standard input needs a format: add --format NAME, such as --format csv");
    else if (cfg->file)
        tl_fail(error, TL_ERROR_ARGUMENT,
                "-: --file %s names files in the folder of the table, but standard input has no folder; give the name of the table",
                cfg->file);
    else if (copy)
        tl_fail(error, TL_ERROR_ARGUMENT, "-: standard input can be read only once");
    else if (copy_input(2 * cfg->max_memory, error) == TL_OK)
        return copy_path;
    return path;
}

void input_name(tl_error *error) {
    char text[sizeof error->text];
    const size_t length = strlen(copy_path);
    if (length == 0 || strncmp(error->text, copy_path, length) != 0) return;
    snprintf(text, sizeof text, "standard input%s", error->text + length);
    memcpy(error->text, text, sizeof text);
}
