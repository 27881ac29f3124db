/* files.h: files of a reader's test, in a folder of its own. */
#ifndef FILES_H
#define FILES_H

#include "check.h"

/* For cmocka_run_group_tests: create the folder; remove it, when it must be empty. */
int files_setup(void **unused);
int files_teardown(void **unused);

/* Returns the path of a file there. Static storage, for four paths at a time. */
const char *files_path(const char *name);

void files_write(const char *name, const void *content, size_t count);

/* Writes the file, reads it as a data set and removes it. */
tl_dataset *files_read(const char *name, const void *content, size_t count, const tl_read_cfg *cfg, tl_error *error);

/* The same with text, without scaling. */
tl_dataset *files_read_text(const char *name, const char *text, tl_error *error);

/* Reading must fail with "PATH:message". */
void files_check_refused(const char *name, const void *content, size_t count, const char *message);

/* Reads the file `rounds` times with bytes that are changed, removed, doubled or cut off at random. Each reading must give either a
 * data set with finite numbers and named labels, or a message; at least `minimum` data sets and at least one message. Bytes become
 * one of `likely`; NULL: any. */
void files_check_damage(const char *name, const void *content, size_t count, const void *likely, size_t likely_count, int rounds,
                        int minimum);

/* An archive of x, (1, 2), compressed, and y, (1,): both of bytes. */
enum { FILES_ARCHIVE = 332 };
extern const unsigned char files_archive[FILES_ARCHIVE];

/* Bytes that a test composes, little-endian. */
typedef struct bytes {
    unsigned char data[8192];
    size_t count;
} bytes;

void put(bytes *to, const void *from, size_t count);
void put_text(bytes *to, const char *text);
void put_integer(bytes *to, uint64_t value, size_t size);
void put_float(bytes *to, float value);
void put_double(bytes *to, double value);

/* The header of a .npy file with this dictionary, padded to a multiple of 64 bytes as NumPy does. */
void put_npy_header(bytes *to, int version, const char *dictionary);

/* That of an array of this type, such as '<f4' with its quotes, and shape, such as (2, 3). */
bytes npy_header(const char *descr, const char *shape);

/* An archive, such as a .npz file, of at most four members. */
typedef struct zip_member {
    const char *name;
    const bytes *array;
} zip_member;
bytes zip_of(bool deflate, const zip_member *members, size_t count);

#endif
