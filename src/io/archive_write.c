/* Writes archives (archive.h). */
#include "io/archive.h"

#include "base/math.h"
#include "io/checksum.h"
#include "io/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays are little-endian in files and in memory");

enum { PREFIX = 8, ALIGNMENT = 64 }; /* in bytes: the length of the header; alignment of the arrays in the file */

void tl_archive_release(tl_archive *archive) {
    json_decref(archive->metadata);
    free(archive->array);
    free(archive->by_name);
    free(archive->image);
    *archive = (tl_archive){0};
}

static tl_status out_of_memory(tl_error *error) { return tl_fail(error, TL_ERROR_MEMORY, "file: out of memory"); }

tl_status tl_archive_text(tl_archive *archive, const char *key, const char *text, tl_error *error) {
    if (tl_failed(error)) return error->status;
    if (!archive->metadata) archive->metadata = json_object();
    return json_object_set_new(archive->metadata, key, json_string(text)) == 0 ? TL_OK : out_of_memory(error);
}

tl_status tl_archive_json(tl_archive *archive, const char *key, json_t *value, tl_error *error) {
    char *text = tl_json_text(value, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(value);
    tl_archive_text(archive, key, text, error);
    free(text);
    return error->status;
}

static bool grow(tl_archive *archive) {
    if (archive->arrays < archive->room) return true;
    const size_t room = archive->room ? 2 * archive->room : 32;
    tl_array *array = realloc(archive->array, room * sizeof *array);
    if (!array) return false;
    archive->array = array;
    archive->room = room;
    return true;
}

/* Adds an array; `element`: bytes of an element. */
static tl_status add(tl_archive *archive, const char *prefix, const char *layer, const char *name, const tl_typed *value,
                     size_t element, tl_error *error) {
    if (tl_failed(error)) return error->status;
    if (!grow(archive)) return out_of_memory(error);
    tl_array *array = &archive->array[archive->arrays];
    *array = (tl_array){.element = element, .rank = value->rank, .data = value->data, .bytes = element};
    snprintf(array->type, sizeof array->type, "%s", value->type);
    const int length = snprintf(array->name, sizeof array->name, "%s%s.%s", prefix, layer, name);
    if ((size_t)length >= sizeof array->name)
        return tl_fail(error, TL_ERROR_ARGUMENT, "file: array name %s… is longer than %zu bytes", array->name,
                       sizeof array->name - 1);
    memcpy(array->shape, value->shape, sizeof array->shape);
    for (size_t axis = 0; axis < value->rank; axis++) array->bytes *= value->shape[axis];
    array->first = archive->arrays ? array[-1].first + array[-1].bytes : 0;
    archive->arrays++;
    return TL_OK;
}

tl_status tl_archive_add(tl_archive *archive, const char *prefix, const char *layer, const char *name, const tl_tensor *value,
                         tl_error *error) {
    tl_typed typed = {.type = sizeof(tl_real) == sizeof(float) ? "F32" : "F64", .rank = value->rank, .data = value->data};
    memcpy(typed.shape, value->shape, sizeof typed.shape);
    return add(archive, prefix, layer, name, &typed, sizeof(tl_real), error);
}

tl_status tl_archive_add_typed(tl_archive *archive, const char *layer, const char *name, const tl_typed *value, tl_error *error) {
    const size_t element = strcmp(value->type, "I8") == 0    ? sizeof(int8_t)
                           : strcmp(value->type, "I32") == 0 ? sizeof(int32_t)
                                                             : sizeof(double);
    return add(archive, "", layer, name, value, element, error);
}

/* ---- the header ---- */

static json_t *describe(const tl_array *array) {
    json_t *shape = json_array();
    bool whole = shape != NULL;
    for (size_t axis = 0; whole && axis < array->rank; axis++)
        whole = json_array_append_new(shape, json_integer((json_int_t)array->shape[axis])) == 0;
    if (!whole) {
        json_decref(shape);
        return NULL;
    }
    const json_int_t first = (json_int_t)array->first, bytes = (json_int_t)array->bytes;
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", array->type, "shape", shape, "data_offsets", first, first + bytes);
}

/* Returns the header as text, which the caller frees; NULL if memory is short. */
static char *make_json(const tl_archive *archive) {
    json_t *root = json_object();
    bool whole = json_object_set(root, "__metadata__", archive->metadata) == 0;
    for (size_t i = 0; whole && i < archive->arrays; i++)
        whole = json_object_set_new(root, archive->array[i].name, describe(&archive->array[i])) == 0;
    char *text = whole ? tl_json_text(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return text;
}

/* The length of the header, the JSON, and blanks up to the first array. *size [OUT]: bytes of all of these. */
static char *make_header(const tl_archive *archive, size_t *size) {
    char *json = make_json(archive);
    if (!json) return NULL;
    const size_t length = strlen(json);
    *size = tl_round_up(PREFIX + length, ALIGNMENT);
    char *header = malloc(*size);
    if (header) {
        const uint64_t rest = *size - PREFIX;
        memset(header, ' ', *size);
        memcpy(header, &rest, PREFIX);
        memcpy(header + PREFIX, json, length); // NOLINT(bugprone-not-null-terminated-result): bytes of a file
    }
    free(json);
    return header;
}

/* `header` is the first piece. */
static void put_checksum(const tl_piece *pieces, size_t count, char *header, size_t size) {
    char sum[TL_CHECKSUM_DIGITS + 1];
    char *digits = header + (tl_checksum_in(header + PREFIX, size - PREFIX) - header);
    tl_checksum_of(pieces, count, digits, sum);
    memcpy(digits, sum, TL_CHECKSUM_DIGITS);
}

tl_status tl_archive_may_save(const tl_archive *archive, const char *path, size_t more, tl_error *error) {
    size_t size = 0;
    if (tl_failed(error)) return error->status;
    char *header = make_header(archive, &size);
    if (!header) return out_of_memory(error);
    free(header);
    for (size_t i = 0; i < archive->arrays; i++) size += archive->array[i].bytes;
    return tl_file_may_write(path, size + more, error);
}

/* The parts of the file: the header, and the arrays in place. */
typedef struct contents {
    char *header;
    tl_piece *pieces; /* (count) */
    size_t count;
} contents;

static void release(contents *self) {
    free(self->pieces);
    free(self->header);
}

static tl_status assemble(tl_archive *archive, contents *self, tl_error *error) {
    size_t size = 0;
    *self = (contents){.count = archive->arrays + 1};
    if (!archive->plain && tl_archive_text(archive, "checksum", "0000000000000000", error) != TL_OK) return error->status;
    if (tl_failed(error)) return error->status;
    self->header = make_header(archive, &size);
    self->pieces = calloc(self->count, sizeof *self->pieces);
    if (!self->header || !self->pieces) return out_of_memory(error);
    self->pieces[0] = (tl_piece){.data = self->header, .size = size};
    for (size_t i = 0; i < archive->arrays; i++)
        self->pieces[i + 1] = (tl_piece){.data = archive->array[i].data, .size = archive->array[i].bytes};
    if (!archive->plain) put_checksum(self->pieces, self->count, self->header, size);
    return TL_OK;
}

tl_status tl_archive_save(tl_archive *archive, const char *path, tl_error *error) {
    contents all;
    if (assemble(archive, &all, error) == TL_OK) tl_file_write(path, all.pieces, all.count, error);
    release(&all);
    return error->status;
}

void *tl_archive_write(tl_archive *archive, size_t *size, tl_error *error) {
    contents all;
    unsigned char *bytes = NULL;
    *size = 0;
    if (assemble(archive, &all, error) == TL_OK) {
        for (size_t i = 0; i < all.count; i++) *size += all.pieces[i].size;
        bytes = malloc(*size);
        if (!bytes) out_of_memory(error);
    }
    for (size_t i = 0, at = 0; bytes && i < all.count; at += all.pieces[i++].size)
        if (all.pieces[i].size > 0) memcpy(bytes + at, all.pieces[i].data, all.pieces[i].size);
    release(&all);
    return bytes;
}
