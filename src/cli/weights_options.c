/* `tapline import` and `tapline export`: weights of PyTorch networks. */
#include "cli/model.h"
#include "cli/train.h"

#define FIELD(name) offsetof(weights_settings, name)
#define MAP                                                                                                                        \
    {                                                                                                                              \
        "map", "FILE.json", OPTION_TEXT, FIELD(map), 0, 0, NULL,                                                                   \
            "which module of the PyTorch network is which layer:\n{\"conv1\": \"conv1d_1\", …} (by names and shapes)"            \
    }

static weights_settings importing = {.model = {.common = {.precision = "f32"}, .engine = "auto", .missing = "refuse"},
                                     .architecture = "fcn"};
static weights_settings exporting = {.model = {.engine = "auto"}};

static const option_spec import_options[] = {
    {"arch", "NAME", OPTION_CHOICE_OR_JSON, FIELD(architecture), 0, 0, architecture_name_f32,
     "the network (fcn), or a file NAME.json that describes one"},
    MAP,
    {"out", "FILE", OPTION_TEXT, FIELD(out), 0, 0, NULL, "write the model to this file (only say what belongs together)"},
    {"loss", "NAME", OPTION_CHOICE, FIELD(loss), 0, 0, loss_name, "(cross-entropy for labels, squared-error for target values)"},
    {"normalize", "NAME", OPTION_CHOICE, FIELD(normalize), 0, 0, normalization_name,
     "how the network takes values: each channel scaled to mean 0\nand standard deviation 1, of each series by itself or by those "
     "of\n"
     "DATA (series)"},
    {"raw", NULL, OPTION_FLAG, FIELD(raw), 0, 0, NULL, "it takes values as they are: --normalize none"},
    {"missing", "NAME", OPTION_CHOICE, FIELD(model.missing), 0, 0, missing_name, "what becomes of missing values (refuse)"},
    {"unequal", NULL, OPTION_FLAG, FIELD(unequal), 0, 0, NULL, "series in a folder may differ in length"},
    READING_OPTIONS(weights_settings),
    {"segment", "N", OPTION_INTEGER, FIELD(segment), 1, INT32_MAX, NULL, "samples around each beat of a .hea record (256)"},
    MAX_MEMORY_OPTION,
    {0},
};

static const option_spec export_options[] = {
    MAP,
    {"out", "FILE", OPTION_TEXT, FIELD(out), 0, 0, NULL, "write the weights to this file; it must be given"},
    MAX_MEMORY_OPTION,
    {0},
};

static const char *exported_precision(void) { return model_precision(&exporting.model); }

const command import_command = {
    .name = "import",
    .operands = "WEIGHTS DATA",
    .min_operands = 2,
    .max_operands = 2,
    .summary = "Make a model of the weights of a PyTorch network.",
    .details = "WEIGHTS is a safetensors file of a state dict. DATA is as for `tapline train`: it says how long and wide series\n"
               "are and what the classes are called.",
    .options = import_options,
    .settings = &importing,
    .writes_files = true,
    .run_f32 = import_f32,
    .run_f64 = import_f64,
};

const command export_command = {
    .name = "export",
    .operands = "MODEL",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "Write the weights of a saved model for PyTorch.",
    .details =
        "MODEL is a file that `tapline train --out` or `tapline import --out` wrote. The weights are a safetensors file, in\n"
        "PyTorch's order of axes and with its names; without a map modules are called as the layers are.",
    .options = export_options,
    .settings = &exporting,
    .writes_files = true,
    .choose_precision = exported_precision,
    .run_f32 = export_f32,
    .run_f64 = export_f64,
};
