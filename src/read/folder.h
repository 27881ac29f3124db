/* folder.h: lists folders. */
#ifndef TL_FOLDER_H
#define TL_FOLDER_H

#include <tapline/base.h>

typedef struct tl_names {
    char **names;
    size_t count, room;
} tl_names;

bool tl_is_folder(const char *path);

/* Lists the names in a folder, sorted by bytes, without those that begin with a dot: only folders, or all else. Free them in any
 * case. */
tl_status tl_folder_list(const char *path, bool folders, tl_names *names, tl_error *error);
void tl_names_free(tl_names *names);

/* Returns "folder/name", which the caller frees. NULL on failure. */
char *tl_folder_join(const char *folder, const char *name, tl_error *error);

/* Returns whether a name has this ending, in upper or lower case. */
bool tl_has_ending(const char *path, const char *ending);

#endif
