#include "cli/stream.h"

#define FIELD(name) offsetof(stream_settings, name)

static const char *const formats[] = {"raw", "csv", NULL};

const char *stream_format_name(size_t index) { return index < sizeof formats / sizeof *formats ? formats[index] : NULL; }

static stream_settings settings = {.model = {.engine = "direct", .batch = 1}, .format = "raw", .block = 64};

static const char *choose_precision(void) { return model_precision(&settings.model); }

static const option_spec stream_options[] = {
    {"format", "NAME", OPTION_CHOICE, FIELD(format), 0, 0, stream_format_name,
     "of stdin and stdout: raw, numbers of the model's precision; or csv, a line\na step (raw)"},
    {"block", "N", OPTION_INTEGER, FIELD(block), 1, 65536, NULL, "most steps that are computed at a time (64)"},
    {"window", "N", OPTION_INTEGER, FIELD(window), 1, INT32_MAX, NULL,
     "steps that pooling over all of time goes over (all since the beginning)"},
    {"hop", "N", OPTION_INTEGER, FIELD(hop), 1, INT32_MAX, NULL, "steps from one such output to the next (1)"},
    {0},
};

const command stream_command = {
    .name = "stream",
    .operands = "MODEL",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "Run a saved model on steps from stdin as they come; each output is written as soon as it is known.",
    .example = "tapline stream mine.safetensors --format csv < steps.csv",
    .details = "MODEL is a file that `tapline train --raw --out` wrote: series that are scaled one by one are not known\n"
               "before they end. At the end of stdin the outputs that wait for later steps follow.\n"
               "Raw outputs are those of the network; csv has them as `tapline predict` does: the class with all\n"
               "probabilities, or the values.",
    .options = stream_options,
    .settings = &settings,
    .choose_precision = choose_precision,
    .run_f32 = stream_f32,
    .run_f64 = stream_f64,
};
