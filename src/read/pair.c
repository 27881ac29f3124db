#include "read/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_end(char c) { return c == '\0' || strchr("_-./", c) != NULL; }

/* Returns the last x that stands alone in the name of the file; NULL: there is none. */
static char *find_x(char *path) {
    const size_t length = strlen(path);
    for (size_t i = length; i-- > 0 && path[i] != '/';)
        if ((path[i] == 'x' || path[i] == 'X') && is_end(path[i + 1]) && (i == 0 || is_end(path[i - 1]))) return path + i;
    return NULL;
}

char *tl_pair_find(const char *path, tl_error *error) {
    char *other = strdup(path), *x = other ? find_x(other) : NULL;
    if (!other) tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
    for (const char *y = "yY"; x && *y; y++) {
        *x = *y;
        if (access(other, F_OK) == 0) return other;
    }
    free(other);
    return NULL;
}

char *tl_pair_name(const char *path, const char *name, tl_error *error) {
    char *copy = strdup(path), *x = copy ? find_x(copy) : NULL, *other = NULL;
    const size_t size = strlen(path) + strlen(name);
    if (copy && !x)
        tl_fail(
            error, TL_ERROR_ARGUMENT,
            "%s: the name of the file of series must contain x as a word, such as x.npy or train_x.npy; the targets get the same "
            "name with y",
            path);
    else if (!copy || !(other = malloc(size)))
        tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
    else
        snprintf(other, size, "%.*s%s%s", (int)(x - copy), copy, name, x + 1);
    free(copy);
    return other;
}
