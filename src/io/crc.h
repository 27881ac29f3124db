/* crc.h: the CRC-32 of zip archives. */
#ifndef TL_CRC_H
#define TL_CRC_H

#include <tapline/base.h>

/* Continues the CRC-32 of bytes that follow others, whose CRC-32 is `before` (0 if there are none). */
uint32_t tl_crc_of(uint32_t before, const void *data, size_t size);

#endif
