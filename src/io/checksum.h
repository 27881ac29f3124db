/* checksum.h: the checksum of a file that contains it: XXH3 (64 bits) of all bytes, with zeros in place of its digits. */
#ifndef TL_CHECKSUM_H
#define TL_CHECKSUM_H

#include "io/write.h"

enum { TL_CHECKSUM_DIGITS = 16 };

/* Returns the place of the digits in a header; NULL if there are none. Quotes in texts are escaped, so that only the key itself is
 * found. */
const char *tl_checksum_in(const char *header, size_t length);

/* The checksum of bytes that are added piece by piece. NULL if memory is short. */
typedef struct tl_checksum tl_checksum;
tl_checksum *tl_checksum_new(tl_error *error);
void tl_checksum_add(tl_checksum *self, const void *data, size_t size);

/* Writes its digits and frees it; NULL is allowed, and writes nothing. */
void tl_checksum_end(tl_checksum *self, char text[TL_CHECKSUM_DIGITS + 1]);

/* Computes the checksum of the pieces as lower-case hexadecimal digits; `digits` is in one of the pieces. */
void tl_checksum_of(const tl_piece *pieces, size_t count, const char *digits, char text[TL_CHECKSUM_DIGITS + 1]);

#endif
