/* zip.h: members of zip archives (PKWARE APPNOTE 6.3), stored or deflated, read from front to back. */
#ifndef TL_ZIP_H
#define TL_ZIP_H

#include "io/source.h"

/* Whether a file that was just opened has a member of one of the `count` names. */
bool tl_zip_has(tl_source *archive, const char *const *names, size_t count, tl_error *error);

/* Turns a file that was just opened into its member of the first of the `count` names that it has; the source is then the member,
 * whose size is checked against the archive's. Fails where there is none, or several of one name. */
tl_status tl_zip_enter(tl_source *archive, const char *const *names, size_t count, tl_error *error);

#endif
