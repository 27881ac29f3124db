/* convert.h: `tapline convert`. */
#ifndef CLI_CONVERT_H
#define CLI_CONVERT_H

#include "cli/reading.h"

typedef struct convert_settings {
    common_settings common; /* operand 0: the data */
    const char *out, *missing;
    reading_settings reading;
    int64_t segment; /* for PhysioNet records; 0: the library's default */
    bool unequal, unlabelled, single;
} convert_settings;

int convert_f32(const void *given);
int convert_f64(const void *given);

#endif
