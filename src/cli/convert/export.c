/* `tapline export`; compiled once for each precision (commands.h). */
#include "cli/convert/export.h"

#include "cli/convert/weights.h"
#include "cli/files.h"
#include "cli/report.h"

#include <tapline/c_export.h>
#include <tapline/onnx.h>

#include <stdio.h>
#include <string.h>

/* ---- weights for PyTorch ---- */

static void write_weights(const export_settings *settings, const loaded *self, json_t *report, tl_error *error) {
    json_t *pairs = json_array();
    const tl_weights_cfg cfg = {.map = settings->map, .matched = weights_pair, .user = pairs};
    report_text(report, "weights", settings->out);
    report_count(report, "parameters", tl_parameter_count(self->model));
    tl_weights_export(self->model, settings->out, &cfg, error);
    json_object_set_new(report, "layers", pairs);
}

/* ---- a file of C ---- */

static void write_c(const export_settings *settings, const loaded *self, json_t *report, tl_error *error) {
    const tl_c_export_cfg cfg = {.name = settings->name,
                                 .header = settings->header,
                                 .no_libm = settings->no_libm,
                                 .stream = settings->stream,
                                 .window = (size_t)settings->window,
                                 .hop = (size_t)settings->hop,
                                 .data = &self->info.data};
    tl_c_export_result result = {0};
    if (self->info.data.lengths && !settings->stream)
        complain("export",
                 "warning: the network was trained on series of different lengths, but the C file accepts only series of %zu steps",
                 tl_input_shape(self->model).length);
    if (self->quantized)
        tl_quantized_export(self->quantized, settings->out, &cfg, &result, error);
    else
        tl_c_export(self->model, settings->out, &cfg, &result, error);
    report_text(report, "out", settings->out);
    report_text(report, "header", settings->header);
    report_count(report, "constant_bytes", result.constant_bytes);
    report_count(report, "memory_bytes", result.memory_bytes);
}

static void print_c(const json_t *report) {
    printf("C          ");
    print_shown(stdout, json_string_value(json_object_get(report, "out")));
    printf("\nflash      %lld bytes of constants\nRAM        %lld bytes in one static array\n",
           (long long)json_integer_value(json_object_get(report, "constant_bytes")),
           (long long)json_integer_value(json_object_get(report, "memory_bytes")));
}

/* ---- ONNX ---- */

static void write_onnx(const export_settings *settings, const loaded *self, json_t *report, tl_error *error) {
    tl_onnx_export_cfg cfg = {.data = &self->info.data,
                              .logits = settings->logits,
                              .fold_batch_norm = settings->fold_batch_norm,
                              .value_names = self->info.read.value_names,
                              .target_names = self->info.read.target_names};
    if (settings->layout) tl_onnx_layout_by_name(settings->layout, &cfg.layout, error);
    report_text(report, "onnx", settings->out);
    report_count(report, "parameters", tl_parameter_count(self->model));
    report_text(report, "layout", tl_onnx_layout_name(cfg.layout));
    tl_onnx_export(self->model, settings->out, &cfg, error);
}

static const char *text_of(const json_t *report, const char *key) { return json_string_value(json_object_get(report, key)); }

static void print_onnx(const json_t *report) {
    printf("model      ");
    print_shown(stdout, text_of(report, "model"));
    printf(", %lld parameters, %s\nonnx       ", (long long)json_integer_value(json_object_get(report, "parameters")),
           text_of(report, "precision"));
    print_shown(stdout, text_of(report, "onnx"));
    printf(", layout %s\n", text_of(report, "layout"));
}

/* ---- the table ---- */

static const export_format formats[] = {
    {".c", " header name no-libm stream window hop ", write_c, print_c},
    {".onnx", " layout logits fold-batch-norm ", write_onnx, print_onnx},
    {NULL, " map ", write_weights, weights_print},
};

static const export_format *format_of(const char *path) {
    const char *ending = strrchr(path, '.');
    const export_format *format = formats;
    while (format->ending && !(ending && strcmp(ending, format->ending) == 0)) format++;
    return format;
}

/* Fails for an option that the format does not have. */
static void check_options(const export_settings *settings, const export_format *format, tl_error *error) {
    const struct {
        const char *name;
        bool given;
    } options[] = {{"map", settings->map},         {"header", settings->header},
                   {"name", settings->name},       {"stream", settings->stream},
                   {"no-libm", settings->no_libm}, {"window", settings->window},
                   {"hop", settings->hop},         {"layout", settings->layout},
                   {"logits", settings->logits},   {"fold-batch-norm", settings->fold_batch_norm}};
    char quoted[40];
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        snprintf(quoted, sizeof quoted, " %s ", options[i].name);
        if (options[i].given && !strstr(format->options, quoted))
            tl_fail(error, TL_ERROR_ARGUMENT, "--%s cannot be combined with --out %.200s", options[i].name, settings->out);
    }
    if (!settings->stream && (settings->window > 0 || settings->hop > 0))
        tl_fail(error, TL_ERROR_ARGUMENT, "--%s requires --stream", settings->window > 0 ? "window" : "hop");
}

/* A network in integers has no numbers that other formats could have. */
static void check_integers(const export_settings *settings, const loaded *self, const export_format *format, tl_error *error) {
    if (self->quantized && format->write != write_c && !tl_failed(error))
        tl_fail(error, TL_ERROR_ARGUMENT,
                "--out %.200s: a network in 8-bit integers can only be exported as C, to a file that ends in .c", settings->out);
}

int IN_PRECISION(export)(const void *settings) {
    tl_error error = {0};
    const export_settings *asked = settings;
    const char *model = asked->model.common.operand[0];
    loaded self = {0};
    json_t *report = json_object();
    const used_file files[] = {{"MODEL", model, FILE_READ, 0},
                               {"--map", asked->map, FILE_READ, 0},
                               {"--out", asked->out, FILE_REPLACED, 0},
                               {"--header", asked->header, FILE_REPLACED, 0}};
    files_check(files, sizeof files / sizeof *files, &error);
    if (!asked->out) tl_fail(&error, TL_ERROR_ARGUMENT, "needs --out FILE; see `tapline help export`");
    const export_format *format = asked->out ? format_of(asked->out) : formats;
    check_options(asked, format, &error);
    if (!tl_failed(&error)) IN_PRECISION(loaded_read)(&self, &asked->model, false, &error);
    check_integers(asked, &self, format, &error);
    report_text(report, "model", model);
    report_text(report, "precision", tl_precision());
    if (!tl_failed(&error)) format->write(asked, &self, report, &error);
    if (!tl_failed(&error) && !asked->model.common.json) format->print(report);
    if (!tl_failed(&error) && asked->model.common.json) report_json(json_incref(report));
    IN_PRECISION(loaded_free)(&self);
    json_decref(report);
    return tl_failed(&error) ? model_failed(&asked->model, &error) : EXIT_DONE;
}
