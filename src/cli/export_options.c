/* `tapline export`. */
#include "cli/export.h"

#define FIELD(name) offsetof(export_settings, name)

static export_settings exporting = {.model = {.engine = "auto"}};

static const option_spec export_options[] = {
    {"out", "FILE", OPTION_TEXT, FIELD(out), 0, 0, NULL, "write this file; it must be given"},
    MAP_OPTION(export_settings),
    MAX_MEMORY_OPTION,
    {0},
};

static const char *exported_precision(void) { return model_precision(&exporting.model); }

const command export_command = {
    .name = "export",
    .operands = "MODEL",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "Write a saved model for other programs.",
    .example = "tapline export mine.safetensors --out fcn.safetensors",
    .details =
        "MODEL is a file that `tapline train --out` or `tapline import --out` wrote. The ending of --out says what is written:\n"
        "weights for PyTorch, a safetensors file in PyTorch's order of axes and with its names; without a map modules are\n"
        "called as the layers are.",
    .options = export_options,
    .settings = &exporting,
    .writes_files = true,
    .choose_precision = exported_precision,
    .run_f32 = export_f32,
    .run_f64 = export_f64,
};
