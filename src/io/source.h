/* source.h: reads a binary file, or a member of an archive, from beginning to end, and the numbers in it. */
#ifndef TL_SOURCE_H
#define TL_SOURCE_H

#include <tapline/dataset.h>

#include "io/text.h"

#include <stdio.h>

struct tl_inflate;

typedef struct tl_source {
    tl_text where; /* for messages: the path and the offset of the next byte */
    FILE *file;
    char *buffer;               /* of the file */
    uint64_t left;              /* bytes that are not read yet */
    struct tl_inflate *inflate; /* NULL: bytes are those of the file (see zip.h) */
    uint64_t begin;             /* offset in the file of what is read: 0, or the begin of a member of an archive */
    bool compressed;            /* the bytes that are read are not in the file as they are */
} tl_source;

/* The type of numbers in a file. */
typedef enum tl_number_kind { TL_UNSIGNED = 0, TL_SIGNED, TL_FLOAT } tl_number_kind;
typedef struct tl_number_type {
    tl_number_kind kind;
    size_t size;  /* in bytes: 1, 2, 3, 4 or 8; for TL_FLOAT: 2, 4 or 8 */
    double zero;  /* is subtracted from the number */
    double scale; /* is then multiplied with it */
    bool big;     /* big-endian */
} tl_number_type;

/* Opens a file. Close the source in any case. */
tl_status tl_source_open(tl_source *source, const char *path, tl_error *error);
void tl_source_close(tl_source *source);

/* Reads `count` bytes of `what`; fails if there are fewer. */
tl_status tl_source_read(tl_source *source, void *to, size_t count, const char *what, tl_error *error);

/* Goes to a byte of a file that is not an archive. */
tl_status tl_source_seek(tl_source *source, uint64_t offset, tl_error *error);

/* Fails with "path: offset N: expected …, got text", where N is `back` bytes before the next byte. */
tl_status tl_source_expected(const tl_source *source, uint64_t back, const char *got, tl_error *error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Whole numbers: their bits, sign-extended. */
uint64_t tl_integer_of(const unsigned char *bytes, const tl_number_type *type);

/* As double: (number - zero) · scale of the type. */
double tl_number_of(const unsigned char *bytes, const tl_number_type *type);

/* Converts `count` numbers to double. Returns whether all are finite as tl_real. */
bool tl_numbers_of(const unsigned char *bytes, const tl_number_type *type, size_t count, double *to);

/* Returns whether numbers of this type are tl_real in the memory of this machine. */
bool tl_number_is_real(const tl_number_type *type);

/* Reads `count` numbers of such a type. Fails if one is not finite. */
tl_status tl_source_reals(tl_source *source, size_t count, tl_real *to, tl_error *error);

/* Reads `count` numbers. Fails if one is not finite, except NaN where missing values are allowed. */
tl_status tl_source_numbers(tl_source *source, const tl_number_type *type, size_t count, tl_missing_policy missing, double *to,
                            tl_error *error);

#endif
