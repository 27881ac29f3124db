/* info.h: shared by the sources of `tapline info`. */
#ifndef CLI_INFO_H
#define CLI_INFO_H

#include "cli/options.h"

typedef struct info_settings {
    common_settings common;   /* operand 0: a model file, NULL: none */
    const char *architecture; /* NULL: none */
    option_shape input;
    int64_t outputs; /* 0: 2 */
    int64_t batch;   /* 0: the default of the architecture; for a file 32 */
} info_settings;

/* Checks that there is either a file or an architecture with its options; prints what is missing or not allowed. */
bool info_check(const info_settings *settings);

int info_f32(const void *settings);
int info_f64(const void *settings);

#endif
