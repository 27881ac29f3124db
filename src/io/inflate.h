/* inflate.h: reads a member of an archive, stored or compressed by deflate. */
#ifndef TL_INFLATE_H
#define TL_INFLATE_H

#include "io/text.h"

typedef struct tl_inflate tl_inflate;

/* For the next `packed` bytes of the file; `checksum`: the CRC-32 of the result. NULL if memory is short. */
tl_inflate *tl_inflate_new(FILE *file, uint64_t packed, bool deflated, uint32_t checksum);

/* Reads the next `count` bytes. `last`: the member ends with them, and its checksum is compared. Messages are about `where`. */
tl_status tl_inflate_read(tl_inflate *self, void *to, size_t count, bool last, const tl_text *where, tl_error *error);

/* NULL is allowed. */
void tl_inflate_free(tl_inflate *self);

#endif
