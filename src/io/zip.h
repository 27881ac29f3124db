/* zip.h: reads members of zip archives (PKWARE APPNOTE 6.3), stored or compressed by deflate, from beginning to end. */
#ifndef TL_ZIP_H
#define TL_ZIP_H

#include "io/source.h"

/* Returns whether a file that was just opened has a member with one of the `count` names. */
bool tl_zip_has(tl_source *archive, const char *const *names, size_t count, tl_error *error);

/* Makes the source, a file that was just opened, read the member with the first of the `count` names that exists. Its size is
 * compared with that of the archive. Fails if there is no such member, or several with the same name. */
tl_status tl_zip_enter(tl_source *archive, const char *const *names, size_t count, tl_error *error);

#endif
