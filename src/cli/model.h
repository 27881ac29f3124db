/* model.h: what the commands that use a model file have in common: `tapline eval`, `predict`, `info`,
 * `import` and `export`. */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include "commands.h"

#include <tapline/dataset.h>
#include <tapline/file.h>

typedef struct model_settings {
    common_settings common;       /* operand 0: the model, operand 1: the data */
    const char *engine, *missing; /* missing NULL: as when it was trained */
    int64_t batch;                /* 0: the library's */
} model_settings;

typedef struct weights_settings {
    model_settings model;            /* operand 0: the weights to import, operand 1: the data; or the model to export */
    const char *map, *out;           /* NULL: none */
    const char *architecture, *loss; /* of what is imported; loss NULL: as the data asks */
    int64_t segment;                 /* of records of PhysioNet; 0: the library's default */
    bool raw;
} weights_settings;

/* A model from its file, with data to use it on. */
typedef struct loaded {
    const model_settings *settings;
    tl_model *model;
    tl_model_info info;
    tl_dataset *data; /* NULL: none was named */
} loaded;

/* Reads both. Free with loaded_free, in any case. */
void IN_PRECISION(loaded_read)(loaded *self, const model_settings *settings, tl_error *error);
void IN_PRECISION(loaded_free)(loaded *self);

/* The exit code after an error, with its message. */
int model_failed(const model_settings *settings, const tl_error *error);

/* The precision of the model that operand 0 names; NULL, having said why, where there is none. */
const char *model_precision(const model_settings *settings);

int eval_f32(const void *settings);
int eval_f64(const void *settings);
int predict_f32(const void *settings);
int predict_f64(const void *settings);
int info_f32(const void *settings);
int info_f64(const void *settings);
int import_f32(const void *settings);
int import_f64(const void *settings);
int export_f32(const void *settings);
int export_f64(const void *settings);

#endif
