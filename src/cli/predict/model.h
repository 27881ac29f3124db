/* model.h: shared by the commands that use models with data, or their weights: `tapline eval`, `predict`, `import` and `export`. */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include "cli/reading.h"

#include <tapline/ensemble.h>
#include <tapline/file.h>
#include <tapline/quantize.h>

typedef struct model_settings {
    common_settings common;       /* operands: models, then the data */
    const char *engine, *missing; /* missing NULL: as in the model's training */
    int64_t batch;                /* 0: the library's */
    const char *output;           /* predict: a layer; NULL: the model's outputs */
    int64_t top;                  /* predict: number of classes; 0: all */
    const char *report;           /* eval; NULL: none */
    bool confusion, per_class;    /* eval */
    bool no_fold;                 /* predict: with the bits of training's evaluation */
    bool folds;                   /* batch norms are folded into the weights; set by predict */
    reading_settings reading;     /* replaces what the model says */
} model_settings;

typedef struct weights_settings {
    model_settings model;            /* operand 0: the weights to import, operand 1: the data */
    const char *map, *out;           /* NULL: none */
    const char *architecture, *loss; /* of the imported network; NULL: fcn, and the default loss for the data */
    int64_t length;                  /* of series, if an .onnx file accepts any; 0: not given */
    int64_t segment;                 /* for PhysioNet records; 0: the library's default */
    const char *normalize;           /* NULL: the library's default */
    reading_settings reading;
    bool raw, unequal;
} weights_settings;

/* A row of a table of options; `type`: the settings of the command, whose member `map` is the map. */
#define MAP_OPTION(type)                                                                                                           \
    {                                                                                                                              \
        "map", "FILE.json", OPTION_TEXT, offsetof(type, map), 0, 0, NULL,                                                          \
            "assigns modules of the PyTorch network to layers: {\"conv1\": \"conv1d_1\", …} (by names and shapes)"               \
    }

/* Data, and the models that are used on it, one after the other. */
typedef struct loaded {
    const model_settings *settings;
    size_t models;
    tl_model *model;         /* the current model, initially the first */
    tl_quantized *quantized; /* of a file in integers, whose model is `model`; NULL: the file is a model in floating point */
    tl_model_info info;      /* of the first */
    size_t length;           /* compiled length of the models; 0: their own */
    tl_dataset *data;        /* NULL: none was named */
} loaded;

static inline const char *loaded_data(const loaded *self) { return self->settings->common.operand[self->models]; }

/* Reads the first model, and the data if it is named; `unlabelled`: labels and targets are not needed, but read if they exist. Free
 * it with loaded_free in any case. */
void IN_PRECISION(loaded_read)(loaded *self, const model_settings *settings, bool unlabelled, tl_error *error);
void IN_PRECISION(loaded_free)(loaded *self);

/* As tl_predict, tl_evaluate and tl_confusion, by the integers if the file has them. */
void IN_PRECISION(loaded_predict)(const loaded *self, const tl_tensor *x, const size_t *lengths, tl_tensor *y, tl_error *error);
void IN_PRECISION(loaded_evaluate)(const loaded *self, tl_metrics *metrics, tl_error *error);
void IN_PRECISION(loaded_confusion)(const loaded *self, size_t *counts, tl_error *error);

/* Fails if predictions for all series at once, as needed for the mean of several models, take more memory than the limit. */
void IN_PRECISION(loaded_check_outputs)(const loaded *self, tl_error *error);

/* Reads the model with that index, in order from 0, and adds it to the ensemble. It must have the same series and classes as the
 * first. */
void IN_PRECISION(loaded_join)(loaded *self, tl_ensemble *ensemble, size_t index, tl_error *error);

/* Prints the message of an error and returns the exit code. */
int model_failed(const model_settings *settings, const tl_error *error);

/* Returns the precision of the model that operand 0 names. If that fails, it prints why and returns NULL. */
const char *model_precision(const model_settings *settings);

int eval_f32(const void *settings);
int eval_f64(const void *settings);
int predict_f32(const void *given);
int predict_f64(const void *given);
int import_f32(const void *settings);
int import_f64(const void *settings);

#endif
