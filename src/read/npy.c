#include "read/npy.h"

#include "base/math.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX = 8, MAX_HEADER = 65535 };

/* ---- the header: a Python dictionary as text ---- */

typedef struct header {
    tl_source *source;
    tl_field rest; /* the part that is not read yet; it ends with the header */
    bool seen[3];  /* keys that were found, in the order of their table */
    tl_npy *array;
} header;

static bool is_blank(char c) { return c == ' ' || c == '\n'; }

static tl_field word_at(const header *h, size_t length) {
    const size_t left = (size_t)(h->rest.end - h->rest.begin);
    return (tl_field){h->rest.begin, h->rest.begin + tl_min(length, left)};
}

/* A message shows the text up to the end of the header. */
static tl_status expected(const header *h, tl_field got, const char *what, tl_error *error) {
    tl_text where = h->source->where;
    where.offset -= (uint64_t)(h->rest.end - got.begin);
    while (got.end > got.begin && is_blank(got.end[-1])) got.end--;
    return tl_text_expected(&where, got, error, "%s", what);
}

static void skip_blanks(header *h) {
    while (h->rest.begin < h->rest.end && is_blank(*h->rest.begin)) h->rest.begin++;
}

static bool take(header *h, char c) {
    skip_blanks(h);
    const bool there = h->rest.begin < h->rest.end && *h->rest.begin == c;
    if (there) h->rest.begin++;
    return there;
}

static tl_status demand(header *h, char c, tl_error *error) {
    if (tl_failed(error) || take(h, c)) return error->status;
    return expected(h, word_at(h, 12), (const char[]){'a', ' ', c, '\0'}, error);
}

/* Reads a text in quotes. */
static tl_status read_quoted(header *h, tl_field *word, tl_error *error) {
    skip_blanks(h);
    const bool quoted = h->rest.begin < h->rest.end && (*h->rest.begin == '\'' || *h->rest.begin == '"');
    const char *begin = h->rest.begin + 1;
    const char *end = quoted ? memchr(begin, *h->rest.begin, (size_t)(h->rest.end - begin)) : NULL;
    if (!end) return expected(h, word_at(h, 24), "a word in quotes", error);
    *word = (tl_field){begin, end};
    h->rest.begin = end + 1;
    return TL_OK;
}

/* ---- its entries ---- */

static const char *const known = "a float ('<f2', '<f4', '<f8'), whole number ('<i1' to '<u8'), '|b1' or text ('<U', '|S')";

static bool digits(tl_field field, size_t maximum, size_t *value) {
    *value = 0;
    if (field.begin == field.end || (size_t)(field.end - field.begin) > 18) return false;
    for (const char *c = field.begin; c < field.end; c++) {
        if (*c < '0' || *c > '9') return false;
        *value = *value * 10 + (size_t)(*c - '0');
    }
    return *value <= maximum;
}

/* Such as <f4: byte order, kind, size. */
static bool is_known(tl_field word, tl_npy *array) {
    size_t size;
    if (word.end - word.begin < 3 || !digits((tl_field){word.begin + 2, word.end}, 1000000, &size)) return false;
    const char order = word.begin[0], kind = word.begin[1];
    array->type = (tl_number_type){.kind = kind == 'f'   ? TL_FLOAT
                                           : kind == 'i' ? TL_SIGNED
                                                         : TL_UNSIGNED,
                                   .size = size,
                                   .scale = 1,
                                   .big = order == '>'};
    const bool text = kind == 'U' || kind == 'S',
               bytes = kind == 'S' || (kind != 'U' && size == 1); /* types without a byte order */
    if (text) {
        array->type.size = 0;
        array->characters = size;
        array->character = kind == 'U' ? 4 : 1;
    }
    if (order != '<' && order != '>' && (order != '|' || !bytes)) return false;
    if (text) return size > 0;
    if (kind == 'f') return size == 2 || size == 4 || size == 8;
    if (kind == 'b') return size == 1;
    return (kind == 'i' || kind == 'u') && (size == 1 || size == 2 || size == 4 || size == 8);
}

static tl_status read_descr(header *h, tl_error *error) {
    tl_field word;
    skip_blanks(h);
    if (h->rest.begin < h->rest.end && *h->rest.begin == '[') return expected(h, word_at(h, 25), known, error);
    const char *begin = h->rest.begin;
    if (read_quoted(h, &word, error) != TL_OK || is_known(word, h->array)) return error->status;
    return expected(h, (tl_field){begin, h->rest.begin}, known, error);
}

static tl_status read_order(header *h, tl_error *error) {
    skip_blanks(h);
    const tl_field word = word_at(h, 5);
    if (!tl_field_is(word, "False"))
        return expected(h, word_at(h, 4), "False (C order; numpy.ascontiguousarray converts to it)", error);
    h->rest.begin = word.end;
    return TL_OK;
}

static tl_status read_shape(header *h, tl_error *error) {
    tl_npy *array = h->array;
    skip_blanks(h);
    const tl_field shape = word_at(h, 24);
    if (demand(h, '(', error) != TL_OK) return error->status;
    while (!take(h, ')')) {
        tl_field number = {h->rest.begin, h->rest.begin};
        while (number.end < h->rest.end && *number.end >= '0' && *number.end <= '9') number.end++;
        if (array->rank == TL_NPY_RANK) return expected(h, shape, "a shape of at most 3 axes", error);
        if (!digits(number, SIZE_MAX, &array->shape[array->rank]))
            return expected(h, word_at(h, 24), "the length of an axis", error);
        h->rest.begin = number.end;
        array->rank++;
        if (!take(h, ',')) return demand(h, ')', error);
    }
    return TL_OK;
}

static tl_status read_entry(header *h, tl_error *error) {
    static const struct {
        const char *key;
        tl_status (*read)(header *h, tl_error *error);
    } entries[] = {{"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_shape}};
    tl_field key = {NULL, NULL};
    size_t i = 0;
    if (read_quoted(h, &key, error) != TL_OK || demand(h, ':', error) != TL_OK) return error->status;
    while (i < 3 && !tl_field_is(key, entries[i].key)) i++;
    if (i == 3 || h->seen[i]) return expected(h, key, "descr, fortran_order and shape, each once", error);
    h->seen[i] = true;
    return entries[i].read(h, error);
}

static tl_status read_dictionary(header *h, tl_error *error) {
    if (demand(h, '{', error) != TL_OK) return error->status;
    while (!take(h, '}')) {
        if (read_entry(h, error) != TL_OK) return error->status;
        if (!take(h, ',')) {
            if (demand(h, '}', error) != TL_OK) return error->status;
            break;
        }
    }
    skip_blanks(h);
    if (h->rest.begin < h->rest.end || !h->seen[0] || !h->seen[1] || !h->seen[2])
        return expected(h, h->rest, "descr, fortran_order and shape, each once", error);
    return TL_OK;
}

/* ---- the array ---- */

static tl_status read_prefix(tl_source *source, size_t *length, tl_error *error) {
    unsigned char prefix[PREFIX] = {0}, size[4] = {0};
    if (tl_source_read(source, prefix, sizeof prefix, "a .npy header", error) != TL_OK) return error->status;
    if (memcmp(prefix, "\x93NUMPY", 6) != 0)
        return tl_source_expected(source, PREFIX, "other bytes", error, "a NumPy array (\\x93NUMPY)");
    char got[40];
    snprintf(got, sizeof got, "%d.%d", prefix[6], prefix[7]);
    if (prefix[6] < 1 || prefix[6] > 3 || prefix[7] != 0)
        return tl_source_expected(source, 2, got, error, "version 1.0, 2.0 or 3.0 of the format");
    const tl_number_type type = {.size = prefix[6] == 1 ? 2 : 4};
    if (tl_source_read(source, size, type.size, "a .npy header", error) != TL_OK) return error->status;
    const uint64_t value = tl_integer_of(size, &type);
    snprintf(got, sizeof got, "%" PRIu64, value);
    if (value > MAX_HEADER) return tl_source_expected(source, type.size, got, error, "a header of at most %d bytes", MAX_HEADER);
    *length = (size_t)value;
    return TL_OK;
}

void tl_npy_shape(const tl_npy *array, char text[80]) {
    int at = snprintf(text, 80, "(");
    for (size_t i = 0; i < array->rank; i++) at += snprintf(text + at, 80 - (size_t)at, "%s%zu", i ? ", " : "", array->shape[i]);
    snprintf(text + at, 80 - (size_t)at, array->rank == 1 ? ",)" : ")");
}

/* Compares the size of the shape with the size of the data, before anything is allocated. */
static tl_status check_size(const tl_source *source, const tl_npy *array, tl_error *error) {
    size_t bytes = array->type.size ? array->type.size : array->character * array->characters;
    char shape[80], got[40];
    bool whole = true;
    tl_npy_shape(array, shape);
    for (size_t i = 0; i < array->rank; i++) {
        if (array->shape[i] == 0) return tl_source_expected(source, 0, shape, error, "an array with elements");
        whole = whole && tl_multiply_sizes(bytes, array->shape[i], &bytes);
    }
    if (whole && bytes == source->left) return TL_OK;
    snprintf(got, sizeof got, "%" PRIu64 " bytes", source->left);
    if (!whole)
        return tl_source_expected(source, 0, got, error, "an array of shape %s, which is larger than memory can address", shape);
    return tl_source_expected(source, 0, got, error, "%zu bytes for the shape %s", bytes, shape);
}

tl_status tl_npy_header(tl_source *source, tl_npy *array, tl_error *error) {
    size_t length = 0;
    *array = (tl_npy){0};
    if (tl_failed(error) || read_prefix(source, &length, error) != TL_OK) return error->status;
    char *text = malloc(length + 1);
    if (!text) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", source->where.path);
    if (tl_source_read(source, text, length, "a .npy header", error) == TL_OK) {
        header h = {.source = source, .rest = {text, text + length}, .array = array};
        if (read_dictionary(&h, error) == TL_OK) check_size(source, array, error);
    }
    free(text);
    return error->status;
}

/* ---- labels ---- */

/* Writes a code point as UTF-8, or a byte as it is. Returns 0 if it is not a valid character. */
static size_t encode(uint32_t code, size_t width, char *to) {
    to[0] = (char)code;
    if (width == 1) return code != 0;
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return 0;
    const size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned first[] = {0, 0xC0, 0xE0, 0xF0};
    to[0] = (char)(first[more] | code >> 6 * more);
    for (size_t i = 1; i <= more; i++) to[i] = (char)(0x80 | (code >> 6 * (more - i) & 0x3F));
    return more + 1;
}

/* Reads bytes or UTF-32, padded with zeros. */
static tl_status read_text(tl_source *source, const tl_npy *array, char *to, tl_field *label, tl_error *error) {
    const tl_number_type type = {.size = array->character, .big = array->type.big};
    unsigned char bytes[4 * TL_NPY_CHARACTERS];
    char got[40];
    const size_t room = array->characters;
    size_t characters = room;
    if (room > TL_NPY_CHARACTERS) {
        snprintf(got, sizeof got, "%zu", room);
        return tl_source_expected(source, 0, got, error, "labels of at most %d characters", TL_NPY_CHARACTERS);
    }
    if (tl_source_read(source, bytes, type.size * room, "a label", error) != TL_OK) return error->status;
    while (characters > 0 && tl_integer_of(bytes + type.size * (characters - 1), &type) == 0) characters--;
    *label = (tl_field){to, to};
    for (size_t i = 0; i < characters; i++) {
        const uint32_t code = (uint32_t)tl_integer_of(bytes + type.size * i, &type);
        const size_t size = encode(code, type.size, to + (label->end - label->begin));
        label->end += size;
        if (size > 0) continue;
        snprintf(got, sizeof got, "U+%04" PRIX32, code);
        return tl_source_expected(source, type.size * (room - i), got, error, "a character");
    }
    return TL_OK;
}

tl_status tl_npy_label(tl_source *source, const tl_npy *array, char bytes[TL_NPY_LABEL], tl_field *label, tl_error *error) {
    unsigned char number[8] = {0};
    if (array->type.size == 0) return read_text(source, array, bytes, label, error);
    if (tl_source_read(source, number, array->type.size, "a label", error) != TL_OK) return error->status;
    const uint64_t value = tl_integer_of(number, &array->type);
    const int length = snprintf(bytes, TL_NPY_LABEL, array->type.kind == TL_SIGNED ? "%" PRId64 : "%" PRIu64, value);
    *label = (tl_field){bytes, bytes + length};
    return TL_OK;
}
