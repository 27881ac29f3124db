#include "cli/predict/model.h"

#include <tapline/model.h>

#define FIELD(name) offsetof(model_settings, name)

int model_failed(const model_settings *settings, const tl_error *error) { return exit_code(settings->common.command, error); }

const char *model_precision(const model_settings *settings) {
    tl_error error = {0};
    const char *precision = tl_file_precision(settings->common.operand[0], &error);
    if (!precision) model_failed(settings, &error);
    return precision;
}

static model_settings settings = {.engine = "auto", .batch = 32};

/* The default precision is that of the file, so that nothing is converted. */
static const char *choose_precision(void) { return model_precision(&settings); }

#define RUN_OPTIONS                                                                                                                \
    {"batch", "N", OPTION_INTEGER, FIELD(batch), 1, INT32_MAX, NULL, "series in a pass (32)"},                                     \
        {"engine", "NAME", OPTION_CHOICE, FIELD(engine), 0, 0, engine_name, "how convolutions are computed (auto)"},               \
        {"missing", "NAME", OPTION_CHOICE, FIELD(missing),                                                                         \
         0,         0,      missing_name,  "how missing values are replaced (as in the model's training)"},                        \
        MAX_MEMORY_OPTION

static const option_spec eval_options[] = {
    OPTIONS("Results", "tapline eval mine.safetensors other.csv --confusion --per-class"),
    {"confusion", NULL, OPTION_FLAG, FIELD(confusion), 0, 0, NULL,
     "print the confusion matrix: rows are classes, columns are predicted classes"},
    {"report", "FILE.html", OPTION_TEXT, FIELD(report), 0, 0, NULL, "write a page with data, results and layers to this file"},
    {"per-class", NULL, OPTION_FLAG, FIELD(per_class), 0, 0, NULL, "print precision, recall and F1 of each class"},
    OPTIONS("Running", "tapline eval mine.safetensors other.csv --batch 64"),
    RUN_OPTIONS,
    OPTIONS("Columns and windows", "tapline eval mine.safetensors other.csv --label last"),
    READING_OPTIONS(model_settings),
    {0},
};

static const option_spec predict_options[] = {
    OPTIONS("Results", "tapline predict mine.safetensors new.csv --top 3"),
    {"top", "K", OPTION_INTEGER, FIELD(top), 1, INT32_MAX, NULL,
     "print only the K most probable classes with their probabilities (all)"},
    {"output", "LAYER", OPTION_TEXT, FIELD(output), 0, 0, NULL,
     "print the output of this layer instead of the predictions: features of each series (`tapline info MODEL` lists the layers)"},
    OPTIONS("Running", "tapline predict mine.safetensors new.csv --batch 64"),
    RUN_OPTIONS,
    {"no-fold-batch-norm", NULL, OPTION_FLAG, FIELD(no_fold), 0, 0, NULL,
     "do not fold batch norms into the weights of the layers before them: slower, with exactly the outputs that eval and train "
     "use"},
    OPTIONS("Columns and windows", "tapline predict mine.safetensors new.csv --ignore id"),
    READING_OPTIONS(model_settings),
    {0},
};

#define ABOUT(labels)                                                                                                              \
    "MODEL is a file from `tapline train --out`; it contains the scaling of series and the names of the classes. "                 \
    "DATA is as for `tapline train`, " labels ". With several models, the probabilities or values are averaged."

const command eval_command = {
    .name = "eval",
    .operands = "MODEL... DATA",
    .min_operands = 2,
    .max_operands = MAX_OPERANDS,
    .summary = "Evaluate a saved model on data, or several averaged.",
    .example = "tapline eval mine.safetensors other.csv",
    .details = ABOUT("with labels or target values"),
    .options = eval_options,
    .settings = &settings,
    .choose_precision = choose_precision,
    .run_f32 = eval_f32,
    .run_f64 = eval_f64,
};

const command predict_command = {
    .name = "predict",
    .operands = "MODEL... DATA",
    .min_operands = 2,
    .max_operands = MAX_OPERANDS,
    .summary = "Print the predictions of a saved model for each series as CSV or JSON: the class and all probabilities, or the "
               "value; also the label or target value, if the data has it.",
    .example = "tapline predict mine.safetensors new.csv > predicted.csv",
    .details = ABOUT("with or without labels or target values"),
    .options = predict_options,
    .settings = &settings,
    .choose_precision = choose_precision,
    .run_f32 = predict_f32,
    .run_f64 = predict_f64,
};
