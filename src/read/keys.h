/* keys.h: numbers texts in the order of their first occurrence. */
#ifndef TL_KEYS_H
#define TL_KEYS_H

#include "io/text.h"

typedef struct tl_keys {
    char **text; /* (count) */
    size_t count, room;
    uint32_t *slot; /* (slots) a hash table of 1 + number of a text; 0: free */
    size_t slots;   /* a power of two */
} tl_keys;

/* Returns the number of a text; adds it if it is new, so that tl_keys.count grows by one. SIZE_MAX on failure. A zeroed struct is
 * empty. */
size_t tl_keys_number(tl_keys *keys, tl_field text, tl_error *error);
void tl_keys_release(tl_keys *keys);

#endif
