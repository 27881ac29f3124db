/* reader.h: the formats, one file each, behind one table. */
#ifndef TL_READER_H
#define TL_READER_H

#include "data/samples.h"

typedef struct tl_reader {
    const char *name;
    const char *const *endings; /* of file names, with the dot; NULL ends them */
    /* Adds every series of samples->text. */
    tl_status (*read)(tl_samples *samples, tl_error *error);
} tl_reader;

extern const tl_reader tl_ts_reader;
extern const tl_reader tl_table_reader;

#endif
