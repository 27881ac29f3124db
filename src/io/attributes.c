#include "io/attributes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Returns the names, one after the other, which the caller frees; *size [OUT]: bytes. NULL if there are none. */
static char *list_names(const char *path, ssize_t *size) {
    *size = listxattr(path, NULL, 0);
    char *names = *size > 0 ? malloc((size_t)*size) : NULL;
    if (names) *size = listxattr(path, names, (size_t)*size);
    return names;
}

static void copy_extended(const char *from, const char *name, int to) {
    const ssize_t size = getxattr(from, name, NULL, 0);
    char *value = size > 0 ? malloc((size_t)size) : NULL;
    if (value && getxattr(from, name, value, (size_t)size) == size) fsetxattr(to, name, value, (size_t)size, 0);
    free(value);
}

void tl_attributes_copy(const char *from, const struct stat *about, int to) {
    mode_t mode = about->st_mode & 07777;
    const bool owner = fchown(to, about->st_uid, (gid_t)-1) == 0, group = fchown(to, (uid_t)-1, about->st_gid) == 0;
    if (!owner || !group) mode &= 0777; /* no setuid or setgid bit for another owner */
    if (!group) mode &= ~070U | (mode & 07) << 3;
    ssize_t size;
    char *names = list_names(from, &size);
    for (const char *name = names; name && name < names + size; name += strlen(name) + 1) copy_extended(from, name, to);
    free(names);
    fchmod(to, mode); /* last, because an access control list may change it */
}
