/* model.h: what the commands that use models on data have in common: `tapline eval` and `predict`. */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include "commands.h"

#include <tapline/dataset.h>
#include <tapline/file.h>

typedef struct model_settings {
    common_settings common; /* operand 0: the model, operand 1: the data */
    const char *engine;
    int64_t batch; /* 0: the library's */
} model_settings;

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

int eval_f32(const void *settings);
int eval_f64(const void *settings);
int predict_f32(const void *settings);
int predict_f64(const void *settings);

#endif
