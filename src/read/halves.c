#include "read/halves.h"

#include "base/argument.h"
#include "read/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *tl_half_cut(const char *path, tl_half *half, tl_error *error) {
    static const char *const ends[] = {[TL_HALF_TRAIN] = "/train", [TL_HALF_TEST] = "/test"};
    size_t length = strlen(path);
    *half = TL_HALF_ANY;
    for (tl_half h = TL_HALF_TRAIN; h <= TL_HALF_TEST && access(path, F_OK) != 0; h++) {
        const size_t own = strlen(ends[h]);
        if (length <= own || strcmp(path + length - own, ends[h]) != 0) continue;
        *half = h;
        length -= own;
        break;
    }
    char *whole = strndup(path, length);
    if (!whole) tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
    return whole;
}

/* Returns FOLDER/NAME_HALF.ENDING, where NAME is the last part of the folder's path, if that file exists; else NULL. */
static char *find_file(const char *folder, const char *half, const char *ending, tl_error *error) {
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/') length--;
    size_t begin = length;
    while (begin > 0 && folder[begin - 1] != '/') begin--;
    const size_t size = length + (length - begin) + strlen(half) + strlen(ending) + 2;
    char *path = malloc(size);
    if (!path) {
        tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", folder);
        return NULL;
    }
    snprintf(path, size, "%.*s/%.*s%s%s", (int)length, folder, (int)(length - begin), folder + begin, half, ending);
    if (access(path, F_OK) == 0) return path;
    free(path);
    return NULL;
}

char *tl_half_file(const char *folder, tl_half half, tl_error *error) {
    static const char *const endings[] = {".ts", ".tsv", ".arff", ".txt", ".csv"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char *train = find_file(folder, "_TRAIN", endings[i], error), *test = find_file(folder, "_TEST", endings[i], error);
        char *wanted = train && test ? strdup(half == TL_HALF_TEST ? test : train) : NULL;
        free(train);
        free(test);
        if (wanted || tl_failed(error)) return wanted;
    }
    return NULL;
}
