/* show.h: shared by the sources of `tapline show`. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/reading.h"

typedef struct show_settings {
    common_settings common;          /* operand 0: data or a model */
    const char *out;                 /* NULL: the terminal */
    const char *missing, *normalize; /* NULL: refuse, none */
    int64_t channel;                 /* from 1; 0: the first ones */
    int64_t segment;                 /* for PhysioNet records; 0: the library's default */
    reading_settings reading;
    bool unequal, unlabelled;
} show_settings;

int show_f32(const void *settings);
int show_f64(const void *settings);

#endif
