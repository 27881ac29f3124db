/* quantize.h: `tapline quantize`. */
#ifndef CLI_QUANTIZE_H
#define CLI_QUANTIZE_H

#include "cli/predict/model.h"

typedef struct quantize_settings {
    model_settings model;                               /* operand 0: the model */
    const char *calibrate, *test, *out, *header, *name; /* NULL: none */
    const char *calibration;                            /* "range" or "percentile:P" */
    bool no_libm;
} quantize_settings;

int quantize_f32(const void *settings);
int quantize_f64(const void *settings);

#endif
