/* `tapline export`. */
#include "cli/convert/export.h"

#include <tapline/onnx.h>

#define FIELD(name) offsetof(export_settings, name)

static export_settings exporting = {.model = {.engine = "auto"}};

static const char *layout_name(size_t index) { return tl_onnx_layout_name((tl_onnx_layout)index); }

static const option_spec export_options[] = {
    {"out", "FILE", OPTION_TEXT, FIELD(out), 0, 0, NULL, "the file to write (required)"},
    MAP_OPTION(export_settings),
    {"header", "FILE.h", OPTION_TEXT, FIELD(header), 0, 0, NULL, "only .c: also write the declarations to this file"},
    {"name", "NAME", OPTION_TEXT, FIELD(name), 0, 0, NULL, "only .c: prefix of the function names (name of the file)"},
    {"no-libm", NULL, OPTION_FLAG, FIELD(no_libm), 0, 0, NULL, "only .c: call no function of the C library"},
    {"stream", NULL, OPTION_FLAG, FIELD(stream), 0, 0, NULL, "only .c: read a series step by step, with NAME_reset and NAME_step"},
    {"window", "N", OPTION_INTEGER, FIELD(window), 1, INT32_MAX, NULL,
     "with --stream: window of pools over all of time, in steps (all\nsteps since the start)"},
    {"hop", "N", OPTION_INTEGER, FIELD(hop), 1, INT32_MAX, NULL, "with --stream: steps between outputs of these pools (1)"},
    {"layout", "NAME", OPTION_CHOICE, FIELD(layout), 0, 0, layout_name,
     "only .onnx: order of the axes: batch, length, channels (nlc), or\nbatch, channels, length as in PyTorch (ncl)"},
    {"logits", NULL, OPTION_FLAG, FIELD(logits), 0, 0, NULL, "only .onnx: omit the softmax or sigmoid at the end"},
    {"fold-batch-norm", NULL, OPTION_FLAG, FIELD(fold_batch_norm), 0, 0, NULL,
     "only .onnx: fold each batch norm into the convolution or dense\nlayer before it"},
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
        "MODEL is a file from `tapline train --out` or `tapline import --out`. The ending of --out gives the format:\n"
        ".onnx: the network for ONNX runtimes; it includes the scaling of series and gives the results of `tapline predict`;\n"
        ".c: the network as one C file that needs no library;\n"
        "any other: weights for PyTorch, a safetensors file with PyTorch's order of axes and names; without a map, modules\n"
        "have the names of the layers.",
    .options = export_options,
    .settings = &exporting,
    .writes_files = true,
    .choose_precision = exported_precision,
    .run_f32 = export_f32,
    .run_f64 = export_f64,
};
