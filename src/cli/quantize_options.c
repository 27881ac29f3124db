/* `tapline quantize`. */
#include "cli/quantize.h"

#define FIELD(name) offsetof(quantize_settings, name)

static quantize_settings quantizing = {.model = {.engine = "auto", .batch = 32}};

static const option_spec quantize_options[] = {
    {"calibrate", "DATA", OPTION_TEXT, FIELD(calibrate), 0, 0, NULL,
     "series that say which range the numbers of each layer need: those\nof the training, or some of them; they must be given"},
    {"test", "DATA", OPTION_TEXT, FIELD(test), 0, 0, NULL, "also evaluate the network on it, as it was and in integers"},
    {"out", "FILE.c", OPTION_TEXT, FIELD(out), 0, 0, NULL, "write the network in integers as one file of C"},
    {"header", "FILE.h", OPTION_TEXT, FIELD(header), 0, 0, NULL, "also write its declarations to this file"},
    {"name", "NAME", OPTION_TEXT, FIELD(name), 0, 0, NULL, "what its names of functions begin with (that of the file)"},
    {"no-libm", NULL, OPTION_FLAG, FIELD(no_libm), 0, 0, NULL, "it calls no function of the C library"},
    MAX_MEMORY_OPTION,
    {0},
};

static const char *quantized_precision(void) { return model_precision(&quantizing.model); }

const command quantize_command = {
    .name = "quantize",
    .operands = "MODEL",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "Put a saved model into integers of 8 bits, and write it as C.",
    .details =
        "MODEL is a file that `tapline train --out` wrote; DATA is as for `tapline train`. Weights get 8 bits and a scale for "
        "each\n"
        "filter, outputs of layers 8 bits with a scale and a zero point. The report says how well the integers of each layer\n"
        "stand for its numbers (signal to noise; 20 dB: a tenth of the amplitude is rounding).",
    .example = "tapline quantize mine.safetensors --calibrate mine.csv --out net.c",
    .options = quantize_options,
    .settings = &quantizing,
    .writes_files = true,
    .choose_precision = quantized_precision,
    .run_f32 = quantize_f32,
    .run_f64 = quantize_f64,
};
