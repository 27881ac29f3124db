/* keys.h: texts, numbered in the order in which each comes first. */
#ifndef TL_KEYS_H
#define TL_KEYS_H

#include "io/text.h"

typedef struct tl_keys {
    char **text; /* (count) */
    size_t count, room;
    uint32_t *slot; /* (slots) a hash table of 1 + the number of a text; 0: free */
    size_t slots;   /* a power of two */
} tl_keys;

/* The number of a text, which is added where it is new; tl_keys.count is then one more. SIZE_MAX on failure. Zeroed, there are
 * none. */
size_t tl_keys_number(tl_keys *keys, tl_field text, tl_error *error);
void tl_keys_release(tl_keys *keys);

#endif
