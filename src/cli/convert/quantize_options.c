/* `tapline quantize`. */
#include "cli/convert/quantize.h"

#define FIELD(name) offsetof(quantize_settings, name)

static quantize_settings quantizing = {.model = {.engine = "auto", .batch = 32}, .calibration = "range"};

static const option_spec quantize_options[] = {
    {"calibrate", "DATA", OPTION_TEXT, FIELD(calibrate), 0, 0, NULL,
     "series that determine the scale of each layer: those of the\ntraining, or some of them (required; at most 500 are used)"},
    {"calibration", "METHOD", OPTION_TEXT, FIELD(calibration), 0, 0, NULL,
     "the range of a layer's integers: range (all numbers that occur), or\npercentile:P such as percentile:99.9 (without the most "
     "extreme ones)"},
    {"test", "DATA", OPTION_TEXT, FIELD(test), 0, 0, NULL, "also evaluate the model and the network in integers on it"},
    {"out", "FILE", OPTION_TEXT, FIELD(out), 0, 0, NULL,
     "write the network in integers: FILE.c as one C file, any other as a\nmodel file for eval, predict, info and export"},
    {"header", "FILE.h", OPTION_TEXT, FIELD(header), 0, 0, NULL, "only .c: also write the declarations to this file"},
    {"name", "NAME", OPTION_TEXT, FIELD(name), 0, 0, NULL, "only .c: prefix of the function names (name of the file)"},
    {"no-libm", NULL, OPTION_FLAG, FIELD(no_libm), 0, 0, NULL, "only .c: call no function of the C library"},
    MAX_MEMORY_OPTION,
    {0},
};

static const char *quantized_precision(void) { return model_precision(&quantizing.model); }

const command quantize_command = {
    .name = "quantize",
    .operands = "MODEL",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "Convert a saved model to 8-bit integers.",
    .details =
        "MODEL is a file from `tapline train --out`; DATA is as for `tapline train`. Weights get 8 bits and a scale for each\n"
        "filter; outputs of layers get 8 bits with a scale and a zero point. The report shows the range of each layer and the\n"
        "signal-to-noise ratio of its integers (at 20 dB, rounding is a tenth of the amplitude).",
    .example = "tapline quantize a.safetensors --calibrate a.csv --out a8.safetensors",
    .options = quantize_options,
    .settings = &quantizing,
    .writes_files = true,
    .choose_precision = quantized_precision,
    .run_f32 = quantize_f32,
    .run_f64 = quantize_f64,
};
