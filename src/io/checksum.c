#include "io/checksum.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
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

struct tl_checksum {
    XXH3_state_t *state; /* has an alignment of its own */
};

tl_checksum *tl_checksum_new(tl_error *error) {
    tl_checksum *self = malloc(sizeof *self);
    XXH3_state_t *state = XXH3_createState();
    if (self && state) {
        self->state = state;
        XXH3_64bits_reset(state);
        return self;
    }
    free(self);
    XXH3_freeState(state);
    tl_fail(error, TL_ERROR_MEMORY, "checksum: out of memory");
    return NULL;
}

void tl_checksum_add(tl_checksum *self, const void *data, size_t size) {
    if (size > 0) XXH3_64bits_update(self->state, data, size);
}

static void write_digits(const XXH3_state_t *state, char text[TL_CHECKSUM_DIGITS + 1]) {
    snprintf(text, TL_CHECKSUM_DIGITS + 1, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(state));
}

void tl_checksum_end(tl_checksum *self, char text[TL_CHECKSUM_DIGITS + 1]) {
    if (!self) return;
    write_digits(self->state, text);
    XXH3_freeState(self->state);
    free(self);
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
    write_digits(&state, text);
}
