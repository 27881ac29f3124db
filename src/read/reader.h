/* reader.h: the formats, one file each, behind one table. */
#ifndef TL_READER_H
#define TL_READER_H

#include "read/samples.h"

typedef struct tl_reader {
    const char *const *endings; /* of file names, with the dot; NULL ends them */
    /* The data set in the file, values as they are. NULL on failure. */
    tl_dataset *(*read)(const char *path, const tl_read_cfg *cfg, tl_error *error);
} tl_reader;

extern const tl_reader tl_ts_reader;
extern const tl_reader tl_table_reader;
extern const tl_reader tl_arff_reader;
extern const tl_reader tl_npy_reader;
extern const tl_reader tl_npz_reader;
extern const tl_reader tl_wfdb_reader;

#endif
