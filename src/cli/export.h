/* export.h: `tapline export`, whose formats are one table: the ending of --out says which. */
#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

#include "cli/model.h"

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

/* What --out may be. */
typedef struct export_format {
    const char *ending;  /* NULL: any other one */
    const char *options; /* the options that it takes beside --out: " map " */
    /* Writes the file, and adds to the report, a JSON object that has "model" and "precision". */
    void (*write)(const export_settings *settings, const loaded *self, json_t *report, tl_error *error);
    void (*print)(const json_t *report); /* the same as text */
} export_format;

int export_f32(const void *settings);
int export_f64(const void *settings);

#endif
