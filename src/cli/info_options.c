#include "cli/info.h"

#include "cli/architecture.h"

#include <tapline/file.h>

#define FIELD(name) offsetof(info_settings, name)

static const option_spec options[] = {
    {"arch", "NAME", OPTION_CHOICE_OR_JSON, FIELD(architecture), 0, 0, architecture_name_f32,
     "describe this network, which needs no training, in place of a\nMODEL; or that of a file NAME.json"},
    {"input", "LxC", OPTION_SHAPE, FIELD(input), 0, 0, NULL, "its series: length and channels, such as 150x1"},
    {"outputs", "N", OPTION_INTEGER, FIELD(outputs), 1, INT32_MAX, NULL, "its outputs: the classes to tell, or 1 for a value (2)"},
    {"batch", "N", OPTION_INTEGER, FIELD(batch), 1, INT32_MAX, NULL,
     "series in the batch that memory is stated for (of a\nMODEL 32, of a network the largest of its defaults)"},
    MAX_MEMORY_OPTION,
    {0},
};

static info_settings settings;

/* A file's own. */
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
        complain(name, "%s and --arch %s: one of them", model, network);
    else if (!model && !network)
        complain(name, "needs a MODEL, or --arch NAME and --input LxC; `tapline help info` says more");
    else if (network && !self->input.length)
        complain(name, "--arch %s: needs --input LxC, the length and the channels of the series, such as 150x1", network);
    else if (model && self->input.length)
        complain(name, "--input %zux%zu: goes with --arch; %s has its own", self->input.length, self->input.channels, model);
    else if (model && self->outputs)
        complain(name, "--outputs %lld: goes with --arch; %s has its own", (long long)self->outputs, model);
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
    .details = "MODEL is a file that `tapline train --out` wrote. FLOPs are operations of a forward pass of one series, a\n"
               "multiplication and an addition being two. The kernel column has taps, /stride, d for dilation, g for\n"
               "groups; a layer reads the one above it where no other is named.",
    .options = options,
    .settings = &settings,
    .choose_precision = choose_precision,
    .run_f32 = info_f32,
    .run_f64 = info_f64,
};
