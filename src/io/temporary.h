/* temporary.h: temporary files beside the file that they will replace, and removal of those that nobody writes any more. */
#ifndef TL_TEMPORARY_H
#define TL_TEMPORARY_H

#include <tapline/base.h>

#include <limits.h>
#include <sys/types.h>

enum { TL_TEMPORARY_NAME = 200, TL_TEMPORARY_PATH = PATH_MAX + TL_TEMPORARY_NAME + 60 };

/* A new file `.NAME.tapline-XXXXXXXX.tmp`, where NAME is cut to 200 bytes. It is locked (flock) as long as it is open. The lock
 * tells other processes, also on other machines or in containers, that the file is being written. */
typedef struct tl_temporary {
    char path[TL_TEMPORARY_PATH]; /* "": no file */
    int file, lock;               /* below 0: closed */
} tl_temporary;

/* Creates a file in `folder`, which ends with a slash. Returns false and sets errno on failure. */
bool tl_temporary_open(tl_temporary *self, const char *folder, const char *name, mode_t mode);

/* Closes the file, which stays locked. Returns false and sets errno if not everything was written. */
bool tl_temporary_close(tl_temporary *self);

/* Closes the file if it is open, releases the lock, and removes the file unless its path is "". */
void tl_temporary_discard(tl_temporary *self);

/* Removes the temporary files of NAME that nobody has locked. A file that cannot be locked or removed stays. */
void tl_temporary_clean(const char *folder, const char *name);

#endif
