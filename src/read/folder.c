#include "read/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

bool tl_is_folder(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

bool tl_has_ending(const char *path, const char *ending) {
    const size_t length = strlen(path), its = strlen(ending);
    return length > its && strcasecmp(path + length - its, ending) == 0;
}

char *tl_folder_join(const char *folder, const char *name, tl_error *error) {
    const size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    else
        tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", folder);
    return path;
}

static tl_status add_name(tl_names *names, const char *name, const char *path, tl_error *error) {
    if (names->count == names->room) {
        const size_t room = names->room ? 2 * names->room : 64;
        char **larger = realloc(names->names, room * sizeof *larger);
        if (!larger) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
        names->names = larger;
        names->room = room;
    }
    names->names[names->count] = strdup(name);
    if (!names->names[names->count]) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
    names->count++;
    return TL_OK;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

tl_status tl_folder_list(const char *path, bool folders, tl_names *names, tl_error *error) {
    *names = (tl_names){0};
    DIR *folder = opendir(path);
    if (!folder) return tl_fail(error, TL_ERROR_FILE, "%s: %s", path, strerror(errno));
    for (const struct dirent *entry; !tl_failed(error) && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        char *whole = tl_folder_join(path, entry->d_name, error);
        if (whole && tl_is_folder(whole) == folders) add_name(names, entry->d_name, path, error);
        free(whole);
    }
    closedir(folder);
    if (names->count > 1) qsort(names->names, names->count, sizeof *names->names, by_bytes);
    return error->status;
}

void tl_names_free(tl_names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->names[i]);
    free(names->names);
    *names = (tl_names){0};
}
