/* archive.h: named arrays and texts in one file, in the safetensors format: the length of a header (64 bits, little-endian), the
 * header (JSON: shape, type and offsets of each array, and texts under "__metadata__"), and the arrays. docs/files.md has the
 * details.
 *
 * To write an archive, call tl_archive_text and tl_archive_add, then tl_archive_save. To read one, open it and call tl_archive_get
 * and tl_archive_take. Release it in any case. */
#ifndef TL_ARCHIVE_H
#define TL_ARCHIVE_H

#include <tapline/tensor.h>

#include <jansson.h>

enum { TL_ARRAY_NAME = 120 };

typedef struct tl_array {
    char name[TL_ARRAY_NAME];
    char type[12];  /* the type as written in the file, if the archive was opened */
    size_t element; /* bytes of an element; 0 for types that are not supported, whose shape is not read */
    size_t rank, shape[TL_MAX_RANK];
    const unsigned char *data; /* the caller's elements, or a part of the image, which need not be aligned */
    size_t first, bytes;       /* position in the arrays of the file */
    bool taken;
} tl_array;

/* Version of the format of model files and checkpoints. tapline reads only this version. */
#define TL_FILE_VERSION "1"

typedef struct tl_archive {
    const char *path;           /* or the name that messages use for the bytes */
    const unsigned char *bytes; /* used instead of a file: (size) */
    bool plain;                 /* without checksum and texts of tapline, as other programs write it; arrays may have any type */
    json_t *metadata;           /* the texts */
    tl_array *array;
    size_t arrays, room;
    tl_array **by_name;   /* (arrays) of an opened file, sorted by name */
    unsigned char *image; /* the contents of an opened file */
    size_t size, maximum; /* in bytes; limit of the file's size, 0: none */
    size_t element;       /* bytes of an element of every array, from "precision" */
    bool typed;           /* an opened file of kind "quantized", whose arrays have types of their own */
} tl_archive;

/* An array whose type does not depend on the precision. */
typedef struct tl_typed {
    const char *type; /* "I8", "I32" or "F64" */
    size_t rank, shape[TL_MAX_RANK];
    void *data;
} tl_typed;

void tl_archive_release(tl_archive *archive);

/* ---- writing ---- */

tl_status tl_archive_text(tl_archive *archive, const char *key, const char *text, tl_error *error);

/* Adds JSON as a text, and releases it. `value` NULL means that memory was short. */
tl_status tl_archive_json(tl_archive *archive, const char *key, json_t *value, tl_error *error);

/* Adds the array `prefix` + `layer`.`name`. Its elements are read when the archive is saved. */
tl_status tl_archive_add(tl_archive *archive, const char *prefix, const char *layer, const char *name, const tl_tensor *value,
                         tl_error *error);

/* The same for an array of any of these types. */
tl_status tl_archive_add_typed(tl_archive *archive, const char *layer, const char *name, const tl_typed *value, tl_error *error);

/* Adds a checksum (unless the archive is plain) and writes the file (tl_file_write). */
tl_status tl_archive_save(tl_archive *archive, const char *path, tl_error *error);

/* Writes the same bytes to memory: *size bytes, which the caller frees with free(). Returns NULL on failure. */
void *tl_archive_write(tl_archive *archive, size_t *size, tl_error *error);

/* Fails in the same cases (tl_file_may_write), if `more` bytes of arrays will be added. */
tl_status tl_archive_may_save(const tl_archive *archive, const char *path, size_t more, tl_error *error);

/* ---- reading ---- */

/* Reads a file, whose texts must have "format" = "tapline". The arrays must be contiguous from the header to the end of the file,
 * the file must have at most `maximum` bytes (0: any number), and the checksum must be right. The header is checked before the rest
 * is read, the version first. Messages begin with the path, and say what was expected and found. */
tl_status tl_archive_open(tl_archive *archive, const char *path, size_t maximum, tl_error *error);

/* The same for the bytes of a file. The bytes are copied. */
tl_status tl_archive_open_bytes(tl_archive *archive, const void *bytes, size_t size, size_t maximum, tl_error *error);

/* The same for the header only: arrays and checksum are not read. */
tl_status tl_archive_open_header(tl_archive *archive, const char *path, tl_error *error);

/* The same as tl_archive_open for a file of another program: a plain archive; a file of tapline is refused. */
tl_status tl_archive_open_plain(tl_archive *archive, const char *path, size_t maximum, tl_error *error);

/* Returns the text under a key; NULL, and fails, if there is none. */
const char *tl_archive_get(const tl_archive *archive, const char *key, tl_error *error);

/* Returns the same text as JSON, which the caller releases. */
json_t *tl_archive_parse(const tl_archive *archive, const char *key, tl_error *error);

/* Copies the array of that name, whose shape must be that of `to`. F32 is converted to F64 exactly; F64 is rounded to F32, and
 * fails if that overflows. If to->data is NULL, nothing is copied. */
tl_status tl_archive_take(tl_archive *archive, const char *prefix, const char *layer, const char *name, tl_tensor *to,
                          tl_error *error);

/* The same for an array whose type must be that of `to`. */
tl_status tl_archive_take_typed(tl_archive *archive, const char *layer, const char *name, const tl_typed *to, tl_error *error);

/* Fails if an array was not taken. */
tl_status tl_archive_end(const tl_archive *archive, tl_error *error);

/* Returns an element of an F32 or F64 array. */
double tl_array_element(const tl_array *array, size_t index);

#endif
