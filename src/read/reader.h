/* reader.h: the interface of a reader; each format is one file. */
#ifndef TL_READER_H
#define TL_READER_H

#include "read/samples.h"

typedef struct tl_reader {
    const char *const *endings; /* file name endings, with the dot; NULL ends the list */
    /* Returns the data set of a file. NULL on failure. */
    tl_dataset *(*read)(const char *path, const tl_read_cfg *cfg, tl_error *error);
} tl_reader;

extern const tl_reader tl_ts_reader;
extern const tl_reader tl_table_reader;
extern const tl_reader tl_arff_reader;
extern const tl_reader tl_npy_reader;
extern const tl_reader tl_npz_reader;
extern const tl_reader tl_wfdb_reader;

#endif
