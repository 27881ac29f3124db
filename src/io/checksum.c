#include "io/checksum.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static const char key[] = "\"checksum\":\"";

const char *tl_checksum_in(const char *header, size_t length) {
    const char *found = memmem(header, length, key, sizeof key - 1);
    if (!found) return NULL;
    found += sizeof key - 1;
    return (size_t)(header + length - found) > TL_CHECKSUM_DIGITS && found[TL_CHECKSUM_DIGITS] == '"' ? found : NULL;
}

void tl_checksum_of(const tl_piece *pieces, size_t count, const char *digits, char text[TL_CHECKSUM_DIGITS + 1]) {
    static const char zeros[TL_CHECKSUM_DIGITS + 1] = "0000000000000000";
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size == 0) continue; /* then the data may be NULL */
        const char *data = pieces[i].data, *end = data + pieces[i].size;
        if (digits >= data && digits < end) {
            XXH3_64bits_update(&state, data, (size_t)(digits - data));
            XXH3_64bits_update(&state, zeros, TL_CHECKSUM_DIGITS);
            data = digits + TL_CHECKSUM_DIGITS;
        }
        XXH3_64bits_update(&state, data, (size_t)(end - data));
    }
    snprintf(text, TL_CHECKSUM_DIGITS + 1, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(&state));
}
