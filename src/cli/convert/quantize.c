/* `tapline quantize`, compiled once for each precision (commands.h). */
#include "cli/convert/quantize.h"

#include "cli/files.h"
#include "cli/report.h"

#include <tapline/quantize.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A model, the same network in integers, and the data that both are evaluated on. */
typedef struct quantizing {
    const quantize_settings *settings;
    model_settings reading; /* settings of the data set that is read at the moment */
    loaded calibration, test;
    tl_quantized *quantized;
    tl_c_export_result size;
    tl_metrics before, after;
} quantizing;

/* Reads the model, and a data set for it. */
static void read_data(quantizing *self, const char *data, bool unlabelled, loaded *to, tl_error *error) {
    self->reading = self->settings->model;
    self->reading.common.operand[1] = data;
    IN_PRECISION(loaded_read)(to, &self->reading, unlabelled, error);
}

static bool is_c(const quantize_settings *asked) { return asked->out && has_ending(asked->out, ".c"); }

static void write_c(quantizing *self, tl_error *error) {
    const quantize_settings *asked = self->settings;
    const tl_c_export_cfg cfg = {
        .name = asked->name, .header = asked->header, .no_libm = asked->no_libm, .data = &self->calibration.info.data};
    tl_quantized_export(self->quantized, asked->out, &cfg, &self->size, error);
}

/* The model file says the same about the data as that of the model. */
static void write_model(const quantizing *self, tl_error *error) {
    const tl_model_info *info = &self->calibration.info;
    const tl_save_cfg cfg = {
        .data = &info->data, .normalize = info->normalize, .missing_policy = info->missing_policy, .read = &info->read};
    tl_quantized_save(self->quantized, self->settings->out, &cfg, error);
}

static void write_file(quantizing *self, tl_error *error) {
    if (is_c(self->settings))
        write_c(self, error);
    else if (self->settings->out)
        write_model(self, error);
}

/* ---- calibration ---- */

/* The smallest and the largest value of a channel. */
typedef struct range {
    double minimum, maximum;
} range;

/* of: (channels) [OUT]. */
static void measure_channels(const tl_dataset *data, range *of, tl_error *error) {
    const size_t length = data->x.shape[1], channels = data->x.shape[2];
    tl_real *x = calloc(length * channels, sizeof *x);
    if (!x) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t c = 0; c < channels; c++) of[c] = (range){INFINITY, -INFINITY};
    for (uint32_t i = 0; i < data->x.shape[0] && !tl_failed(error); i++) {
        if (tl_dataset_series(data, &i, 1, x, error) != TL_OK) break;
        const size_t steps = data->lengths ? data->lengths[i] : length;
        for (size_t k = 0; k < steps * channels; k++) {
            of[k % channels].minimum = fmin(of[k % channels].minimum, (double)x[k]);
            of[k % channels].maximum = fmax(of[k % channels].maximum, (double)x[k]);
        }
    }
    free(x);
}

/* Returns whether all values are equal but for rounding, or nearly so where a deviation of 1 is usual. */
static bool is_constant(const range *of, tl_normalization kind) {
    const double size = fmax(fabs(of->minimum), fabs(of->maximum)), spread = of->maximum - of->minimum;
    return spread <= 1e-6 * size || (kind != TL_NORMALIZE_NONE && spread < 0.01);
}

/* The integers of each layer can only hold what it puts out for the calibration data. */
static void warn_of_calibration(const quantizing *self, tl_error *error) {
    const tl_dataset *data = self->calibration.data;
    const size_t channels = tl_failed(error) ? 0 : data->x.shape[2];
    size_t constant = 0, first = 0;
    range *of = calloc(channels + 1, sizeof *of);
    if (!of) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    if (of && channels > 0) measure_channels(data, of, error);
    for (size_t c = channels; of && c > 0; c--)
        if (is_constant(&of[c - 1], data->scaling.kind)) constant++, first = c - 1;
    char which[60] = "all values";
    if (constant < channels) snprintf(which, sizeof which, "all values of channel %zu", first);
    if (constant > 0 && !tl_failed(error))
        complain(self->settings->model.common.command,
                 "warning: --calibrate %s: %s are nearly the same (%g): the ranges of the layers will not fit other series; "
                 "calibrate with series of the training set",
                 self->settings->calibrate, which, of[first].minimum);
    free(of);
}

static void evaluate(quantizing *self, tl_error *error) {
    const quantize_settings *asked = self->settings;
    if (!asked->test || tl_failed(error)) return;
    read_data(self, asked->test, false, &self->test, error);
    if (tl_failed(error)) return;
    tl_evaluate(self->calibration.model, self->test.data, &self->before, error);
    tl_quantized_evaluate(self->quantized, self->test.data, &self->after, error);
}

/* ---- report ---- */

static void report_as_json(const quantizing *self) {
    json_t *object = json_object(), *layers = json_array();
    const report_targets targets = report_targets_of(self->calibration.info.data.classes, tl_model_loss(self->calibration.model));
    report_text(object, "model", self->settings->model.common.operand[0]);
    report_text(object, "precision", tl_precision());
    report_text(object, "out", self->settings->out);
    report_count(object, "parameters", tl_parameter_count(self->calibration.model));
    report_text(object, "calibration", self->settings->calibration);
    report_count(object, "float_bytes", tl_parameter_count(self->calibration.model) * sizeof(float));
    report_count(object, "integer_bytes", tl_quantized_bytes(self->quantized));
    report_count(object, "constant_bytes", self->size.constant_bytes);
    report_count(object, "memory_bytes", self->size.memory_bytes);
    for (size_t i = 0; tl_quantized_layer_at(self->quantized, i).name; i++) {
        const tl_quantized_layer layer = tl_quantized_layer_at(self->quantized, i);
        json_array_append_new(layers,
                              json_pack("{s:s, s:o, s:o, s:o, s:i, s:o}", "name", layer.name, "minimum",
                                        report_number(layer.minimum), "maximum", report_number(layer.maximum), "scale",
                                        report_number(layer.scale), "zero", layer.zero, "decibels", report_number(layer.decibels)));
    }
    json_object_set_new(object, "layers", layers);
    if (self->settings->test) {
        report_metrics(object, "before", &self->before, targets);
        report_metrics(object, "after", &self->after, targets);
    }
    report_json(object);
}

static void report_as_text(const quantizing *self) {
    const report_targets targets = report_targets_of(self->calibration.info.data.classes, tl_model_loss(self->calibration.model));
    printf("model      ");
    print_shown(stdout, self->settings->model.common.operand[0]);
    printf(", %zu parameters\n", tl_parameter_count(self->calibration.model));
    printf("weights    %zu bytes; %zu in single precision\n", tl_quantized_bytes(self->quantized),
           tl_parameter_count(self->calibration.model) * sizeof(float));
    if (self->settings->out) {
        printf(is_c(self->settings) ? "C          " : "integers   ");
        print_shown(stdout, self->settings->out);
        printf("\n");
    }
    if (is_c(self->settings))
        printf("flash      %zu bytes of constants\nRAM        %zu bytes in static arrays\n", self->size.constant_bytes,
               self->size.memory_bytes);
    printf("\n%-24s %12s %12s %10s\n", "layer", "minimum", "maximum", "dB");
    for (size_t i = 0; tl_quantized_layer_at(self->quantized, i).name; i++) {
        const tl_quantized_layer layer = tl_quantized_layer_at(self->quantized, i);
        printf("%-24s %12.4g %12.4g %10.1f\n", layer.name, layer.minimum, layer.maximum, layer.decibels);
    }
    if (!self->settings->test) return;
    const size_t series = self->test.data->x.shape[0];
    printf("\n");
    report_metrics_head(targets);
    report_metrics_line("before", series, &self->before, targets);
    report_metrics_line("8 bits", series, &self->after, targets);
}

/* ---- the command ---- */

/* Refuses options of the C file without one, and a format that cannot hold the integers. */
static void check_options(const quantize_settings *asked, tl_error *error) {
    const char *option = asked->header ? "header" : asked->name ? "name" : asked->no_libm ? "no-libm" : NULL;
    if (asked->out && has_ending(asked->out, ".onnx"))
        tl_fail(error, TL_ERROR_ARGUMENT, "--out %.200s: must be a C file (.c) or a model file (.safetensors)", asked->out);
    if (!is_c(asked) && option) tl_fail(error, TL_ERROR_ARGUMENT, "--%s requires --out FILE.c", option);
}

/* Reads --calibration. */
static tl_quantize_cfg calibration_of(const quantize_settings *asked, tl_error *error) {
    static const char prefix[] = "percentile:";
    const char *text = asked->calibration, *number = text + sizeof prefix - 1;
    tl_quantize_cfg cfg = {0};
    char *end = NULL;
    if (strcmp(text, "range") == 0) return cfg;
    if (strncmp(text, prefix, sizeof prefix - 1) == 0) cfg.percentile = strtod(number, &end);
    if (!end || end == number || *end || !(cfg.percentile > 50 && cfg.percentile <= 100))
        tl_fail(error, TL_ERROR_ARGUMENT,
                "--calibration \"%.40s\" is unknown; use range, or percentile:P with P above 50 and at most 100", text);
    return cfg;
}

static void check(const quantize_settings *asked, const tl_read_cfg *read, tl_error *error) {
    const used_file files[] = {{"MODEL", asked->model.common.operand[0], FILE_READ, 0},
                               {"--calibrate", asked->calibrate, FILE_DATA, 0},
                               {"--test", asked->test, FILE_DATA, 0},
                               {"--out", asked->out, FILE_REPLACED, 0},
                               {"--header", asked->header, FILE_REPLACED, 0}};
    files_check_read(files, sizeof files / sizeof *files, read, error);
    check_options(asked, error);
    if (!asked->calibrate) tl_fail(error, TL_ERROR_ARGUMENT, "needs --calibrate DATA; `tapline help quantize` says more");
}

int IN_PRECISION(quantize)(const void *settings) {
    tl_error error = {0};
    quantizing self = {.settings = settings};
    check(self.settings, NULL, &error);
    const tl_quantize_cfg cfg = calibration_of(self.settings, &error);
    if (!tl_failed(&error)) read_data(&self, self.settings->calibrate, true, &self.calibration, &error);
    if (self.calibration.quantized)
        tl_fail(&error, TL_ERROR_ARGUMENT, "%.120s: is a network in 8-bit integers already",
                self.settings->model.common.operand[0]);
    warn_of_calibration(&self, &error);
    if (!tl_failed(&error)) self.quantized = tl_quantize(self.calibration.model, self.calibration.data, &cfg, &error);
    evaluate(&self, &error);
    if (!tl_failed(&error)) check(self.settings, &self.calibration.info.read, &error); /* the model may name a column of files */
    if (!tl_failed(&error)) write_file(&self, &error);
    if (!tl_failed(&error)) (self.settings->model.common.json ? report_as_json : report_as_text)(&self);
    const int code = tl_failed(&error) ? model_failed(&self.settings->model, &error) : EXIT_DONE;
    tl_quantized_free(self.quantized);
    IN_PRECISION(loaded_free)(&self.calibration);
    IN_PRECISION(loaded_free)(&self.test);
    return code;
}
