/* checksum.h: the checksum of a file that holds it: XXH3, 64 bits, of all its bytes with zeros for the checksum's own digits. */
#ifndef TL_CHECKSUM_H
#define TL_CHECKSUM_H

#include "io/write.h"

enum { TL_CHECKSUM_DIGITS = 16 };

/* The place of the digits in a header; NULL where there are none. Quotes within texts are escaped, so what is found is the key. */
const char *tl_checksum_in(const char *header, size_t length);

/* The checksum of the pieces, in lower-case hexadecimal digits; `digits` lies in one of the pieces. */
void tl_checksum_of(const tl_piece *pieces, size_t count, const char *digits, char text[TL_CHECKSUM_DIGITS + 1]);

#endif
