/* export.h: `tapline export`. A table lists the formats; the ending of --out selects one. */
#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

#include "cli/predict/model.h"

#include <jansson.h>

typedef struct export_settings {
    model_settings model;  /* operand 0: the model */
    const char *out, *map; /* NULL: none */
    const char *header, *name;
    bool stream, no_libm;
    int64_t window, hop; /* of a stream; 0: the library's */
    const char *layout;
    bool logits, fold_batch_norm;
} export_settings;

/* A format of --out. */
typedef struct export_format {
    const char *ending;  /* NULL: any other ending */
    const char *options; /* the options of the format besides --out: " map " */
    /* Writes the file, and adds keys to the report, a JSON object that already has "model" and "precision". */
    void (*write)(const export_settings *settings, const loaded *self, json_t *report, tl_error *error);
    void (*print)(const json_t *report); /* prints the report as text */
} export_format;

int export_f32(const void *settings);
int export_f64(const void *settings);

#endif
