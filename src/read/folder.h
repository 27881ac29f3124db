/* folder.h: what is in a folder. */
#ifndef TL_FOLDER_H
#define TL_FOLDER_H

#include <tapline/base.h>

typedef struct tl_names {
    char **names;
    size_t count, room;
} tl_names;

bool tl_is_folder(const char *path);

/* The names in a folder, sorted by their bytes, without those that begin with a dot: of the folders in it, or of all else. Free
 * them in any case. */
tl_status tl_folder_list(const char *path, bool folders, tl_names *names, tl_error *error);
void tl_names_free(tl_names *names);

/* "folder/name"; free it. NULL on failure. */
char *tl_folder_join(const char *folder, const char *name, tl_error *error);

/* Whether a name ends so, in upper or lower case. */
bool tl_has_ending(const char *path, const char *ending);

#endif
