/* wfdb.h: the header and the samples of a record in the format of PhysioNet (WFDB Applications Guide, header(5) and signal(5)). */
#ifndef TL_WFDB_H
#define TL_WFDB_H

#include "io/source.h"

enum { TL_WFDB_SIGNALS = 64, TL_WFDB_NAME = 256 };

/* How samples are stored. */
typedef struct tl_wfdb_format {
    unsigned number;     /* as in the header */
    int missing;         /* the number that means an invalid sample */
    tl_number_type type; /* size 0 for format 212, where two samples share three bytes */
} tl_wfdb_format;

/* A file of samples, in the folder of the header: frame after frame, each with one sample of every signal. */
typedef struct tl_wfdb_file {
    char name[TL_WFDB_NAME];
    const tl_wfdb_format *format;
    size_t offset;         /* bytes before the first sample */
    size_t first, signals; /* its first signal in the record, and their number */
} tl_wfdb_file;

typedef struct tl_wfdb {
    double rate;   /* frames per second */
    size_t frames; /* samples of each signal; 0: as many as the file has */
    size_t signals, files;
    tl_wfdb_file file[TL_WFDB_SIGNALS]; /* (files) */
    struct {
        double gain, baseline; /* physical value = (sample - baseline) / gain */
    } signal[TL_WFDB_SIGNALS];
} tl_wfdb;

/* Reads the header. Fails if the record has several segments, or another format than 16, 24, 32, 61, 80, 160 and 212. */
tl_status tl_wfdb_header(tl_text *text, tl_wfdb *record, tl_error *error);

/* A record with open files. */
typedef struct tl_record {
    tl_wfdb header; /* its `frames` are known */
    tl_source file[TL_WFDB_SIGNALS];
    char *path[TL_WFDB_SIGNALS];
    unsigned char *block; /* samples as stored in a file */
} tl_record;

/* Opens the record of a `.hea`. Close it in any case. */
tl_status tl_record_open(tl_record *self, const char *path, tl_error *error);
void tl_record_close(tl_record *self);

/* Reads `count` frames from frame `start` on, which must exist, as physical values: row, (count, signals) [OUT]. An invalid sample
 * is NaN, or an error, as `policy` says. */
tl_status tl_record_read(tl_record *self, size_t start, size_t count, tl_missing_policy policy, double *row, tl_error *error);

/* Returns the path of the file `name` in the folder of a header; and of the header's annotations: PATH/NAME.ANNOTATOR for
 * PATH/NAME.hea
 * (`annotator` NULL: "atr"). The caller frees it. NULL if memory is short. */
char *tl_wfdb_beside(const char *header, const char *name, tl_error *error);
char *tl_wfdb_annotations(const char *header, const char *annotator, tl_error *error);

#endif
