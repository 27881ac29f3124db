/* temporary.h: files that are written beside the one whose place they will take, and those of them that nobody writes any more. */
#ifndef TL_TEMPORARY_H
#define TL_TEMPORARY_H

#include <tapline/base.h>

#include <limits.h>
#include <sys/types.h>

enum { TL_TEMPORARY_NAME = 200, TL_TEMPORARY_PATH = PATH_MAX + TL_TEMPORARY_NAME + 60 };

/* A new file `.NAME.tapline-XXXXXXXX.tmp`, NAME being cut to 200 bytes. It is locked (flock) as long as it is open: that says that
 * somebody writes it, be it on another machine or in a container where other processes are not seen. */
typedef struct tl_temporary {
    char path[TL_TEMPORARY_PATH]; /* "": not there */
    int file, lock;               /* below 0: closed */
} tl_temporary;

/* Makes one in `folder`, which ends with a slash. False, with errno. */
bool tl_temporary_open(tl_temporary *self, const char *folder, const char *name, mode_t mode);

/* Closes the file, which stays locked. False, with errno, where not all of it was written. */
bool tl_temporary_close(tl_temporary *self);

/* Closes it where it is open, gives up the lock, and removes the file unless its path was set to "". */
void tl_temporary_discard(tl_temporary *self);

/* Removes the temporary files of NAME that nobody has locked. What cannot be locked or removed stays: it does no harm. */
void tl_temporary_clean(const char *folder, const char *name);

#endif
