/* wfdb.h: the header of a record in the format of PhysioNet (WFDB Applications Guide, header(5) and signal(5)). */
#ifndef TL_WFDB_H
#define TL_WFDB_H

#include "io/text.h"

enum { TL_WFDB_SIGNALS = 64, TL_WFDB_NAME = 256 };

typedef struct tl_wfdb {
    char file[TL_WFDB_NAME]; /* of the samples, in the header's folder */
    unsigned format;         /* 16 or 212 */
    size_t offset;           /* bytes before the first sample */
    size_t frames;           /* samples of each signal; 0: as many as there are */
    size_t signals;
    struct {
        double gain, baseline; /* a sample means (sample - baseline) / gain */
    } signal[TL_WFDB_SIGNALS];
} tl_wfdb;

/* Reads the header. Fails where the record has several segments, or several files of samples, or another format. */
tl_status tl_wfdb_header(tl_text *text, tl_wfdb *record, tl_error *error);

#endif
