#include "cli/predict/stream.h"

#define FIELD(name) offsetof(stream_settings, name)

static const char *const formats[] = {"raw", "csv", NULL};

const char *stream_format_name(size_t index) { return index < sizeof formats / sizeof *formats ? formats[index] : NULL; }

static stream_settings settings = {.model = {.engine = "direct", .batch = 1}, .format = "raw", .block = 64};

static const char *choose_precision(void) { return model_precision(&settings.model); }

static const option_spec stream_options[] = {
    {"format", "NAME", OPTION_CHOICE, FIELD(format), 0, 0, stream_format_name,
     "format of stdin and stdout: binary numbers of the model's precision (raw), or one step in each line (csv) (raw)"},
    {"block", "N", OPTION_INTEGER, FIELD(block), 1, 65536, NULL, "maximum number of steps that are computed together (64)"},
    {"window", "N", OPTION_INTEGER, FIELD(window), 1, INT32_MAX, NULL, "steps over which global pooling reduces (all so far)"},
    {"hop", "N", OPTION_INTEGER, FIELD(hop), 1, INT32_MAX, NULL, "steps between two outputs of global pooling (1)"},
    MAX_MEMORY_OPTION,
    {0},
};

const command stream_command = {
    .name = "stream",
    .operands = "MODEL",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "Run a saved model on steps from stdin; print each output as soon as it is known.",
    .example = "tapline stream mine.safetensors --format csv < steps.csv",
    .details = "MODEL is a file from `tapline train --normalize set --out`, or with --normalize none: the default scaling takes "
               "the mean of "
               "each series, which is known only at its end. At the end of stdin, the outputs that were waiting for later steps "
               "follow. With --format raw, outputs are those of the network; with csv, they are those of `tapline predict`: the "
               "class and all probabilities, or the values.",
    .options = stream_options,
    .settings = &settings,
    .choose_precision = choose_precision,
    .run_f32 = stream_f32,
    .run_f64 = stream_f64,
};
