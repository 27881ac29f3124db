#include "cli/model.h"

#include <tapline/model.h>

#define FIELD(name) offsetof(model_settings, name)

int model_failed(const model_settings *settings, const tl_error *error) {
    complain(settings->common.command, "%s", error->text);
    return error->status == TL_ERROR_ARGUMENT ? EXIT_USAGE : EXIT_FAILED;
}

const char *model_precision(const model_settings *settings) {
    tl_error error = {0};
    const char *precision = tl_file_precision(settings->common.operand[0], &error);
    if (!precision) model_failed(settings, &error);
    return precision;
}

static model_settings settings = {.engine = "auto", .batch = 32};

/* The file's own, so that nothing is converted where nothing else is asked for. */
static const char *choose_precision(void) { return model_precision(&settings); }

static const option_spec run_options[] = {
    {"batch", "N", OPTION_INTEGER, FIELD(batch), 1, INT32_MAX, NULL, "series in a pass (32)"},
    {"engine", "NAME", OPTION_CHOICE, FIELD(engine), 0, 0, engine_name, "how convolutions are evaluated (auto)"},
    {"missing", "NAME", OPTION_CHOICE, FIELD(missing), 0, 0, missing_name,
     "what becomes of missing values (as when it was trained)"},
    MAX_MEMORY_OPTION,
    READING_OPTIONS(model_settings),
    {0},
};

#define ABOUT(labels)                                                                                                              \
    "MODEL is a file that `tapline train --out` wrote; it says how series are scaled and what the classes are\n"                   \
    "called. DATA is as for `tapline train`, " labels ".\nOf several models, the probabilities or values are averaged."

const command eval_command = {
    .name = "eval",
    .operands = "MODEL... DATA",
    .min_operands = 2,
    .max_operands = MAX_OPERANDS,
    .summary = "Evaluate a saved model on data, or the mean of several.",
    .details = ABOUT("with labels or target values"),
    .options = run_options,
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
    .summary = "Print what a saved model predicts for each series, as CSV: the class and all probabilities, or the value.",
    .details = ABOUT("with or without labels or target values"),
    .options = run_options,
    .settings = &settings,
    .choose_precision = choose_precision,
    .run_f32 = predict_f32,
    .run_f64 = predict_f64,
};
