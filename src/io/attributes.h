/* attributes.h: what a file has beside its bytes. */
#ifndef TL_ATTRIBUTES_H
#define TL_ATTRIBUTES_H

#include <tapline/base.h>

#include <sys/stat.h>

/* Gives an open file the owner, the mode and the extended attributes (access control lists among them) of the file `from`, of which
 * `about` was asked. What may not be set, such as another owner by a user who is not root, stays: then nobody gets rights that
 * `from` did not give. */
void tl_attributes_copy(const char *from, const struct stat *about, int to);

#endif
