/* attributes.h: owner, mode and extended attributes of a file. */
#ifndef TL_ATTRIBUTES_H
#define TL_ATTRIBUTES_H

#include <tapline/base.h>

#include <sys/stat.h>

/* Gives an open file the owner, mode and extended attributes (including access control lists) of the file `from`, with status
 * `about`. What cannot be set, such as another owner without being root, stays as it is, and nobody gets rights that `from` did not
 * give. */
void tl_attributes_copy(const char *from, const struct stat *about, int to);

#endif
