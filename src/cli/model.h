/* model.h: what the commands that use models on data, or their weights, have in common: `tapline eval`, `predict`, `import` and
 * `export`. */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include "cli/reading.h"

#include <tapline/ensemble.h>
#include <tapline/file.h>

typedef struct model_settings {
    common_settings common;       /* operands: models, and the data behind them */
    const char *engine, *missing; /* missing NULL: as when it was trained */
    int64_t batch;                /* 0: the library's */
    const char *output;           /* predict: a layer; NULL: the model's outputs */
    int64_t top;                  /* predict: so many classes; 0: all */
    bool confusion, per_class;    /* eval */
    reading_settings reading;     /* in place of what the model says */
} model_settings;

typedef struct weights_settings {
    model_settings model;            /* operand 0: the weights to import, operand 1: the data */
    const char *map, *out;           /* NULL: none */
    const char *architecture, *loss; /* of what is imported; NULL: fcn, as the data asks */
    int64_t length;                  /* of series, where a .onnx file takes any; 0: not given */
    int64_t segment;                 /* of records of PhysioNet; 0: the library's default */
    const char *normalize;           /* NULL: the library's default */
    reading_settings reading;
    bool raw, unequal;
} weights_settings;

/* A row for a table of options; `type`: of the settings of the command, which has the map as `map`. */
#define MAP_OPTION(type)                                                                                                           \
    {                                                                                                                              \
        "map", "FILE.json", OPTION_TEXT, offsetof(type, map), 0, 0, NULL,                                                          \
            "assigns modules of the PyTorch network to layers: {\"conv1\": \"conv1d_1\", …} (by names and shapes)"               \
    }

/* Data, with one after the other of the models to use on it. */
typedef struct loaded {
    const model_settings *settings;
    size_t models;
    tl_model *model;    /* that is there now: at first the first */
    tl_model_info info; /* of the first */
    size_t length;      /* that models are compiled for; 0: their own */
    tl_dataset *data;   /* NULL: none was named */
} loaded;

static inline const char *loaded_data(const loaded *self) { return self->settings->common.operand[self->models]; }

/* Reads the first model, and the data where it is named; `unlabelled`: what they are is needed by nobody, and read where it is
 * there. Free with loaded_free, in any case.
 */
void IN_PRECISION(loaded_read)(loaded *self, const model_settings *settings, bool unlabelled, tl_error *error);
void IN_PRECISION(loaded_free)(loaded *self);

/* Fails where what is predicted for all series at once, as the mean of several models is, takes more memory than there may be. */
void IN_PRECISION(loaded_check_outputs)(const loaded *self, tl_error *error);

/* Reads the model of that index, from 0 on and in this order, which must be for the same series and classes as the first, and has
 * it join the ensemble. */
void IN_PRECISION(loaded_join)(loaded *self, tl_ensemble *ensemble, size_t index, tl_error *error);

/* The exit code after an error, with its message. */
int model_failed(const model_settings *settings, const tl_error *error);

/* The precision of the model that operand 0 names; NULL, having said why, where there is none. */
const char *model_precision(const model_settings *settings);

int eval_f32(const void *settings);
int eval_f64(const void *settings);
int predict_f32(const void *settings);
int predict_f64(const void *settings);
int import_f32(const void *settings);
int import_f64(const void *settings);

#endif
