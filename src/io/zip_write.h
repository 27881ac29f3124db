/* zip_write.h: writes zip archives (PKWARE APPNOTE 6.3) whose members are stored without compression, piece by piece. */
#ifndef TL_ZIP_WRITE_H
#define TL_ZIP_WRITE_H

#include "io/write.h"

/* An archive that replaces a file as a whole (write.h). Free it in any case; before tl_zip_writer_end, that leaves the old file. */
typedef struct tl_zip_writer tl_zip_writer;
tl_zip_writer *tl_zip_writer_new(const char *path, tl_error *error);

/* Begins the next member. `name`: of at most TL_ZIP_NAME bytes, which must not occur twice. */
enum { TL_ZIP_NAME = 31, TL_ZIP_MEMBERS = 8 };
tl_status tl_zip_writer_begin(tl_zip_writer *self, const char *name, tl_error *error);

/* Adds bytes to that member. */
tl_status tl_zip_writer_add(tl_zip_writer *self, const void *data, size_t size, tl_error *error);

tl_status tl_zip_writer_end(tl_zip_writer *self, tl_error *error);
void tl_zip_writer_free(tl_zip_writer *self);

#endif
