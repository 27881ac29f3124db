/* `tapline import`: weights of PyTorch networks, and ONNX files. */
#include "cli/convert/weights.h"

#include "cli/convert/export.h"
#include "cli/predict/model.h"
#include "cli/train/train.h"

#include <stdio.h>

#define FIELD(name) offsetof(weights_settings, name)
static weights_settings importing = {.model = {.common = {.precision = "f32"}, .engine = "auto", .missing = "refuse"}};

static const option_spec import_options[] = {
    OPTIONS("Network", "tapline import fcn.safetensors mine.csv --arch fcn -o mine.safetensors"),
    {"arch", "NAME", OPTION_CHOICE_OR_JSON, FIELD(architecture), 0, 0, tl_architecture_name,
     "the network (fcn), or a file NAME.json that describes one"},
    MAP_OPTION(weights_settings),
    {"out", "FILE", OPTION_TEXT, FIELD(out), 0, 0, NULL, "write the model to this file (only print the assignment)"},
    {"loss", "NAME", OPTION_CHOICE, FIELD(loss), 0, 0, loss_name,
     "the loss (cross-entropy for labels, squared-error for target\nvalues; for .onnx: given by the last layer)"},
    {"length", "N", OPTION_INTEGER, FIELD(length), 1, INT32_MAX, NULL,
     "only .onnx: steps of the series, if the file accepts any number\n(of DATA)"},
    OPTIONS("Data", "tapline import fcn.safetensors mine.csv --normalize none"),
    {"normalize", "NAME", OPTION_CHOICE, FIELD(normalize), 0, 0, normalization_name,
     "how the network takes series: each channel scaled to mean 0 and standard deviation 1, by the statistics of each series or of "
     "DATA (series)"},
    {"raw", NULL, OPTION_FLAG, FIELD(raw), 0, 0, NULL, "the same as --normalize none"},
    {"missing", "NAME", OPTION_CHOICE, FIELD(model.missing), 0, 0, missing_name, "how missing values are replaced (refuse)"},
    {"unequal", NULL, OPTION_FLAG, FIELD(unequal), 0, 0, NULL, "series in a folder or table may have different lengths"},
    OPTIONS("Columns and windows", "tapline import fcn.safetensors mine.csv --label last"),
    READING_OPTIONS(weights_settings),
    {"segment", "N", OPTION_INTEGER, FIELD(segment), 1, INT32_MAX, NULL,
     ".hea records: samples of the series around each beat (256)"},
    MAX_MEMORY_OPTION,
    {0},
};

const command import_command = {
    .name = "import",
    .operands = "FILE [DATA]",
    .min_operands = 1,
    .max_operands = 2,
    .summary = "Create a model from a network of PyTorch or Keras.",
    .example = "tapline import net.onnx -o mine.safetensors",
    .details =
        "FILE is an .onnx file, or weights: a safetensors file with a state dict of PyTorch, for the network that --arch names.\n"
        "DATA is as for `tapline train`: it gives the length and channels of the series and the names of the classes. An .onnx\n"
        "file may contain these.",
    .options = import_options,
    .settings = &importing,
    .writes_files = true,
    .run_f32 = import_f32,
    .run_f64 = import_f64,
};

void weights_pair(const char *module, const char *layer, void *list) {
    json_array_append_new(list, json_pack("{s:s, s:s}", "name", layer, "module", module));
}

static const char *text_of(const json_t *report, const char *key) { return json_string_value(json_object_get(report, key)); }

void weights_print(const json_t *report) {
    const json_t *pairs = json_object_get(report, "layers");
    const char *model = text_of(report, "model");
    printf("model      ");
    print_shown(stdout, model ? model : "not written");
    printf(", %lld parameters, %s\nweights    ", (long long)json_integer_value(json_object_get(report, "parameters")),
           text_of(report, "precision"));
    print_shown(stdout, text_of(report, "weights"));
    printf("\n\n%-24s module\n", "layer");
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *pair = json_array_get(pairs, i);
        printf("%-24s ", text_of(pair, "name"));
        print_shown(stdout, text_of(pair, "module"));
        printf("\n");
    }
}
