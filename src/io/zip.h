/* zip.h: members of zip archives (PKWARE APPNOTE 6.3), stored or deflated, read from front to back. */
#ifndef TL_ZIP_H
#define TL_ZIP_H

#include "io/source.h"

/* What a member that is being read needs: where its compressed bytes are, and its checksum. */
typedef struct tl_inflate tl_inflate;

/* Turns a file that was just opened into its member of the first of the `count` names that it has; the source is then the member,
 * whose size is checked against the archive's. Fails where there is none, or several of one name. */
tl_status tl_zip_enter(tl_source *archive, const char *const *names, size_t count, tl_error *error);

/* Used by tl_source_read. At the member's end its checksum is compared. */
tl_status tl_inflate_read(tl_source *source, void *to, size_t count, tl_error *error);

/* NULL is fine. */
void tl_inflate_free(tl_inflate *self);

#endif
