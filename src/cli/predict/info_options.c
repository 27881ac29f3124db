#include "cli/predict/info.h"

#include "cli/architecture.h"

#include <tapline/file.h>

#define FIELD(name) offsetof(info_settings, name)

static const option_spec options[] = {
    {"arch", "NAME", OPTION_CHOICE_OR_JSON, FIELD(architecture), 0, 0, tl_architecture_name,
     "describe this network, which need not be trained, instead of a MODEL; or the network in a file NAME.json"},
    {"input", "LxC", OPTION_SHAPE, FIELD(input), 0, 0, NULL, "with --arch: length and channels of the series, such as 150x1"},
    {"outputs", "N", OPTION_INTEGER, FIELD(outputs), 1, INT32_MAX, NULL, "with --arch: number of classes, or 1 for a value (2)"},
    {"batch", "N", OPTION_INTEGER, FIELD(batch), 1, INT32_MAX, NULL,
     "the batch for which memory is computed (for a MODEL 32, with --arch the largest default batch)"},
    MAX_MEMORY_OPTION,
    {0},
};

static info_settings settings;

/* The default precision is that of the file. */
static const char *choose_precision(void) {
    tl_error error = {0};
    if (settings.architecture || !settings.common.operand[0]) return "f32";
    const char *precision = tl_file_precision(settings.common.operand[0], &error);
    if (!precision) complain(settings.common.command, "%s", error.text);
    return precision;
}

bool info_check(const info_settings *self) {
    const char *name = self->common.command, *model = self->common.operand[0], *network = self->architecture;
    if (model && network)
        complain(name, "give either %s or --arch %s, not both", model, network);
    else if (!model && !network)
        complain(name, "needs a MODEL, or --arch NAME and --input LxC; see `tapline help info`");
    else if (network && !self->input.length)
        complain(name, "--arch %s: needs --input LxC, the length and channels of the series, such as 150x1", network);
    else if (model && self->input.length)
        complain(name, "--input %zux%zu: only with --arch; %s has an input shape", self->input.length, self->input.channels, model);
    else if (model && self->outputs)
        complain(name, "--outputs %lld: only with --arch; %s has a number of outputs", (long long)self->outputs, model);
    else
        return true;
    return false;
}

const command info_command = {
    .name = "info",
    .operands = "[MODEL]",
    .max_operands = 1,
    .summary = "Describe a network: its layers, shapes, parameters, operations and memory.",
    .example = "tapline info --arch fcn --input 150x1 --outputs 3",
    .details = "MODEL is a file from `tapline train --out`. FLOPs are the operations of a forward pass of one series; a "
               "multiplication and an addition are two operations. The kernel column shows the number of taps, then /stride, d for "
               "dilation and g for groups. A layer reads the layer above it, unless others are named.",
    .options = options,
    .settings = &settings,
    .choose_precision = choose_precision,
    .run_f32 = info_f32,
    .run_f64 = info_f64,
};
