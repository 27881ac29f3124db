/* `tapline quantize`, compiled once for each precision (commands.h). */
#include "cli/quantize.h"

#include "cli/files.h"
#include "cli/report.h"

#include <tapline/quantize.h>

#include <stdio.h>
#include <string.h>

/* A network as it was and in integers, with data to evaluate both on. */
typedef struct quantizing {
    const quantize_settings *settings;
    model_settings reading; /* of the data that is read now */
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

static void write_file(quantizing *self, tl_error *error) {
    const quantize_settings *asked = self->settings;
    const tl_c_export_cfg cfg = {
        .name = asked->name, .header = asked->header, .no_libm = asked->no_libm, .data = &self->calibration.info.data};
    if (asked->out) tl_quantized_export(self->quantized, asked->out, &cfg, &self->size, error);
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
    const bool regression = self->calibration.data->classes == 0;
    report_text(object, "model", self->settings->model.common.operand[0]);
    report_text(object, "precision", tl_precision());
    report_text(object, "out", self->settings->out);
    report_count(object, "parameters", tl_parameter_count(self->calibration.model));
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
        report_metrics(object, "before", &self->before, regression);
        report_metrics(object, "after", &self->after, regression);
    }
    report_json(object);
}

static void report_as_text(const quantizing *self) {
    const bool regression = self->calibration.data->classes == 0;
    printf("model      ");
    print_shown(stdout, self->settings->model.common.operand[0]);
    printf(", %zu parameters\n", tl_parameter_count(self->calibration.model));
    if (self->settings->out) {
        printf("C          ");
        print_shown(stdout, self->settings->out);
        printf("\nflash      %zu bytes of constants\nRAM        %zu bytes in static arrays\n", self->size.constant_bytes,
               self->size.memory_bytes);
    }
    printf("\n%-24s %12s %12s %10s\n", "layer", "minimum", "maximum", "dB");
    for (size_t i = 0; tl_quantized_layer_at(self->quantized, i).name; i++) {
        const tl_quantized_layer layer = tl_quantized_layer_at(self->quantized, i);
        printf("%-24s %12.4g %12.4g %10.1f\n", layer.name, layer.minimum, layer.maximum, layer.decibels);
    }
    if (!self->settings->test) return;
    const size_t series = self->test.data->x.shape[0];
    printf("\n");
    report_metrics_head(regression);
    report_metrics_line("before", series, &self->before, regression);
    report_metrics_line("8 bits", series, &self->after, regression);
}

/* ---- the command ---- */

/* The options that describe the file of --out. */
static void check_options(const quantize_settings *asked, tl_error *error) {
    const char *option = asked->header ? "header" : asked->name ? "name" : asked->no_libm ? "no-libm" : NULL;
    if (!asked->out && option) tl_fail(error, TL_ERROR_ARGUMENT, "--%s requires --out FILE.c", option);
    if (asked->out && !has_ending(asked->out, ".c"))
        tl_fail(error, TL_ERROR_ARGUMENT, "--out %.200s: it is a file of C, whose name must end with .c", asked->out);
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
    if (!tl_failed(&error)) read_data(&self, self.settings->calibrate, true, &self.calibration, &error);
    if (!tl_failed(&error)) self.quantized = tl_quantize(self.calibration.model, self.calibration.data, &error);
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
