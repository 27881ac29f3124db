/* wav.h: sound in WAVE files (Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0, and
 * WAVE_FORMAT_EXTENSIBLE; RF64 of EBU Tech 3306, whose sizes have 64 bits). */
#ifndef TL_WAV_H
#define TL_WAV_H

#include "io/source.h"

typedef struct tl_wav {
    tl_number_type type; /* whole numbers are scaled to -1 … 1 */
    size_t channels, frames;
    size_t rate; /* frames per second */
} tl_wav;

/* Reads up to the samples, (frames, channels), of which the source then has at least this many. Fails unless they are PCM of 8, 16,
 * 24 or 32 bits, or IEEE floats of 32 or 64. Bytes after the last whole frame are ignored. */
tl_status tl_wav_header(tl_source *source, tl_wav *wav, tl_error *error);

#endif
