/* stream.h: shared by the sources of `tapline stream`. */
#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include "cli/predict/model.h"

typedef struct stream_settings {
    model_settings model; /* operand 0: the model */
    const char *format;   /* "raw" or "csv" */
    int64_t block, window, hop;
} stream_settings;

const char *stream_format_name(size_t index);

int stream_f32(const void *settings);
int stream_f64(const void *settings);

#endif
