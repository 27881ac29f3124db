#include "read/keys.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a (Fowler, Noll and Vo). */
static uint64_t hash_of(const char *text, size_t length) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

/* Returns the slot of this text, or the free slot where it belongs. */
static size_t slot_of(const tl_keys *keys, const char *text, size_t length) {
    size_t at = hash_of(text, length) & (keys->slots - 1);
    for (; keys->slot[at] > 0; at = (at + 1) & (keys->slots - 1)) {
        const char *other = keys->text[keys->slot[at] - 1];
        if (strncmp(other, text, length) == 0 && other[length] == '\0') break;
    }
    return at;
}

/* Doubles the table, which stays half empty. */
static bool grow(tl_keys *keys) {
    const size_t room = keys->room ? 2 * keys->room : 32;
    char **texts = room < UINT32_MAX / 2 ? realloc(keys->text, room * sizeof *texts) : NULL;
    if (!texts) return false;
    keys->text = texts;
    uint32_t *slots = calloc(2 * room, sizeof *slots);
    if (!slots) return false;
    free(keys->slot);
    keys->room = room;
    keys->slot = slots;
    keys->slots = 2 * room;
    for (size_t i = 0; i < keys->count; i++) slots[slot_of(keys, texts[i], strlen(texts[i]))] = (uint32_t)i + 1;
    return true;
}

size_t tl_keys_number(tl_keys *keys, tl_field text, tl_error *error) {
    const size_t length = (size_t)(text.end - text.begin);
    if (keys->count == keys->room && !grow(keys)) {
        tl_fail(error, TL_ERROR_MEMORY, "data: out of memory for %zu different texts", keys->count + 1);
        return SIZE_MAX;
    }
    const size_t at = slot_of(keys, text.begin, length);
    if (keys->slot[at] > 0) return keys->slot[at] - 1;
    char *copy = strndup(text.begin, length);
    if (!copy) {
        tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
        return SIZE_MAX;
    }
    keys->text[keys->count++] = copy;
    keys->slot[at] = (uint32_t)keys->count;
    return keys->count - 1;
}

void tl_keys_release(tl_keys *keys) {
    for (size_t i = 0; i < keys->count; i++) free(keys->text[i]);
    free(keys->text);
    free(keys->slot);
    *keys = (tl_keys){0};
}
