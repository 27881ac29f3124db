/* archive.h: named arrays and texts in one file, in the safetensors format: the length of a header (64 bits, little-endian), the
 * header (JSON: shape, type and place of each array, and texts under "__metadata__"), the arrays. docs/files.md has the details.
 *
 * One is built by tl_archive_text and tl_archive_add, then saved; or it is opened, then emptied by tl_archive_get and
 * tl_archive_take. Release it in any case. */
#ifndef TL_ARCHIVE_H
#define TL_ARCHIVE_H

#include <tapline/tensor.h>

#include <jansson.h>

enum { TL_ARRAY_NAME = 120 };

typedef struct tl_array {
    char name[TL_ARRAY_NAME];
    char type[12];  /* as the file calls it, of an archive that was opened */
    size_t element; /* bytes: 4 of F32, 8 of F64; 0 of other types, whose shape is not read */
    size_t rank, shape[TL_MAX_RANK];
    const unsigned char *data; /* the caller's, or part of the image; not aligned there */
    size_t first, bytes;       /* where in the file's data */
    bool taken;
} tl_array;

/* Of the format of model files and checkpoints: what tapline reads has this one. */
#define TL_FILE_VERSION "1"

typedef struct tl_archive {
    const char *path;           /* or what messages call the bytes */
    const unsigned char *bytes; /* in place of a file: (size) */
    bool plain;                 /* as any program writes it: without checksum and texts of our own; arrays may be of any type */
    json_t *metadata;           /* of texts */
    tl_array *array;
    size_t arrays, room;
    tl_array **by_name;   /* (arrays) of a file that was opened, sorted */
    unsigned char *image; /* of the file that was opened */
    size_t size, maximum; /* bytes; that the file may have, 0: any number */
    size_t element;       /* of every array of that file, by its "precision" */
} tl_archive;

void tl_archive_release(tl_archive *archive);

/* ---- writing ---- */

tl_status tl_archive_text(tl_archive *archive, const char *key, const char *text, tl_error *error);

/* Adds JSON as a text, and releases it. `value` NULL: memory was short. */
tl_status tl_archive_json(tl_archive *archive, const char *key, json_t *value, tl_error *error);

/* Adds `prefix` + `layer`.`name`. The elements are read when the archive is saved. */
tl_status tl_archive_add(tl_archive *archive, const char *prefix, const char *layer, const char *name, const tl_tensor *value,
                         tl_error *error);

/* Adds a checksum, but to a plain one, and writes the file (tl_file_write). */
tl_status tl_archive_save(tl_archive *archive, const char *path, tl_error *error);

/* The same bytes in memory, *size of them, to be freed with free(). NULL on failure. */
void *tl_archive_write(tl_archive *archive, size_t *size, tl_error *error);

/* Fails where that would (tl_file_may_write), with `more` bytes of arrays that are still to be added. */
tl_status tl_archive_may_save(const tl_archive *archive, const char *path, size_t more, tl_error *error);

/* ---- reading ---- */

/* Reads a file, whose texts have "format" = "tapline". Every byte is accounted for: the arrays lie one behind the other from the
 * header to the end of the file, which has no more than `maximum` bytes (0: any number), and the checksum is right. The header is
 * judged before the rest is read, and its version before all else. Messages begin with the path, and say what was expected and
 * found.
 */
tl_status tl_archive_open(tl_archive *archive, const char *path, size_t maximum, tl_error *error);

/* The same with the bytes of a file, which are copied. */
tl_status tl_archive_open_bytes(tl_archive *archive, const void *bytes, size_t size, size_t maximum, tl_error *error);

/* The same with the header alone: neither the arrays nor the checksum are looked at. */
tl_status tl_archive_open_header(tl_archive *archive, const char *path, tl_error *error);

/* The same with a file of another program: plain, and refused where it is of ours. */
tl_status tl_archive_open_plain(tl_archive *archive, const char *path, tl_error *error);

/* The text under a key; NULL, failing, where there is none. */
const char *tl_archive_get(const tl_archive *archive, const char *key, tl_error *error);

/* The same text as JSON, to be released. */
json_t *tl_archive_parse(const tl_archive *archive, const char *key, tl_error *error);

/* Copies the array of that name, whose shape must be that of `to`. F32 is widened to F64; F64 is rounded to F32, and fails where
 * that overflows. Where to->data is NULL nothing is copied. */
tl_status tl_archive_take(tl_archive *archive, const char *prefix, const char *layer, const char *name, tl_tensor *to,
                          tl_error *error);

/* Fails where an array has not been taken. */
tl_status tl_archive_end(const tl_archive *archive, tl_error *error);

/* One element of an array of F32 or F64. */
double tl_array_element(const tl_array *array, size_t index);

#endif
