/* `tapline import` for ONNX files, compiled once for each precision (commands.h). weights.c imports safetensors files. */
#include "cli/convert/weights.h"
#include "cli/files.h"
#include "cli/input.h"
#include "cli/report.h"

#include <tapline/onnx.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The imported model, with its settings and data. */
typedef struct imported {
    const weights_settings *settings;
    tl_read_cfg read;
    const char *path; /* of the data; NULL: not given */
    char *names[2];   /* its headings */
    tl_dataset *data;
    tl_model *model;
    tl_model_info info;
} imported;

/* Fails for options for data, which was not given. --normalize and --missing also say what the model does with series. */
static void check_no_data(const weights_settings *settings, tl_error *error) {
    const char *columns = IN_PRECISION(reading_given)(&settings->reading);
    const char *option = columns ? columns : settings->unequal ? "--unequal" : settings->segment ? "--segment" : NULL;
    if (option) tl_fail(error, TL_ERROR_ARGUMENT, "%s says how DATA is read; name DATA behind the .onnx file", option);
}

static void check(const weights_settings *settings, const tl_read_cfg *read, tl_error *error) {
    const char *const *operand = settings->model.common.operand;
    const used_file files[] = {
        {"FILE", operand[0], FILE_READ, 0}, {"DATA", operand[1], FILE_DATA, 0}, {"--out", settings->out, FILE_REPLACED, 0}};
    if (settings->architecture || settings->map)
        tl_fail(error, TL_ERROR_ARGUMENT, "--%s cannot be combined with %.200s: the file describes the network",
                settings->architecture ? "arch" : "map", operand[0]);
    if (!operand[1]) check_no_data(settings, error);
    files_check_read(files, sizeof files / sizeof *files, read, error);
}

/* The scaling of series: that of a file of tapline; for other files that of the options. */
static tl_normalization find_scaling(const imported *self, tl_error *error) {
    const weights_settings *settings = self->settings;
    const tl_normalization asked = options_normalization(settings->normalize, settings->raw, error), found = self->info.normalize;
    const bool given = settings->normalize || settings->raw;
    if (found == TL_NORMALIZE_DEFAULT) return given ? asked : TL_NORMALIZE_NONE;
    if (given && asked != found)
        tl_fail(error, TL_ERROR_ARGUMENT, "--normalize %s: the network expects %s", tl_normalization_name(asked),
                tl_normalization_name(found));
    return found;
}

static bool same(const char *a, const char *b) { return !a || !b || strcmp(a, b) == 0; }

/* The file says which headings the training set had. The data was read before them, for its shape; if its headings are different,
 * reading it again says whether that is an error. */
static void compare_headings(const imported *self, tl_error *error) {
    tl_read_cfg again = self->read;
    const tl_read_cfg *before = &self->info.read;
    if (!self->data || tl_failed(error) ||
        (same(self->names[0], before->value_names) && same(self->names[1], before->target_names)))
        return;
    again.names = NULL;
    again.reference = self->data;
    again.value_names = before->value_names;
    again.target_names = before->target_names;
    tl_dataset_free(IN_PRECISION(import_data)(self->path, &again, error));
}

static bool has_class(const tl_dataset *data, const char *name) {
    size_t c = 0;
    while (c < data->classes && strcmp(data->class_names[c], name) != 0) c++;
    return c < data->classes;
}

/* The outputs are classes of the file, if it names them, and must not get the names of other ones. */
static void compare_classes(const imported *self, tl_error *error) {
    const tl_dataset *file = &self->info.data, *data = self->data;
    if (tl_failed(error) || !data || !file->class_names || !data->class_names || file->classes != data->classes) return;
    size_t c = 0;
    while (c < data->classes && has_class(file, data->class_names[c])) c++;
    if (c < data->classes)
        tl_fail(error, TL_ERROR_ARGUMENT, "%.120s: \"%.60s\" is not one of the classes of %.120s, such as \"%.60s\"", self->path,
                data->class_names[c], self->settings->model.common.operand[0], file->class_names[0]);
}

/* The file is read with the shape of the data. Then the scaling is known, and the data is scaled. */
static void take(imported *self, tl_error *error) {
    const weights_settings *settings = self->settings;
    const tl_onnx_import_cfg cfg = {.threads = (int)settings->model.common.threads,
                                    .length = (size_t)settings->length,
                                    .loss = settings->loss,
                                    .data = self->data,
                                    .compile = {.batch = 1, .inference_only = true},
                                    .max_memory = max_memory(&settings->model.common)};
    if (self->data && settings->length > 0 && (size_t)settings->length != self->data->x.shape[1])
        tl_fail(error, TL_ERROR_ARGUMENT, "--length %lld contradicts DATA, whose series have %zu steps",
                (long long)settings->length, self->data->x.shape[1]);
    if (tl_failed(error)) return;
    self->model = tl_onnx_import(settings->model.common.operand[0], &cfg, &self->info, error);
    const tl_normalization how = find_scaling(self, error);
    compare_headings(self, error);
    compare_classes(self, error);
    self->read.names = NULL;
    self->read.value_names = self->names[0];
    self->read.target_names = self->names[1];
    if (self->data)
        tl_dataset_scale(self->data, how, how == TL_NORMALIZE_SET && self->info.data.scaling.mean ? &self->info.data : NULL, error);
    if (self->data) tl_model_takes(self->model, self->data, error);
    const bool named = self->info.data.class_names || !self->data;
    const tl_save_cfg save = {.data = named ? &self->info.data : self->data,
                              .normalize = how == TL_NORMALIZE_SET ? TL_NORMALIZE_DEFAULT : how,
                              .missing_policy = self->read.missing_policy,
                              .read = self->data ? &self->read : &self->info.read};
    if (settings->out) tl_model_save(self->model, settings->out, &save, error);
}

static void print(const json_t *report) {
    const char *model = json_string_value(json_object_get(report, "model"));
    printf("model      ");
    print_shown(stdout, model ? model : "not written");
    printf(", %lld parameters, %s, for %s\nonnx       ", (long long)json_integer_value(json_object_get(report, "parameters")),
           json_string_value(json_object_get(report, "precision")), json_string_value(json_object_get(report, "loss")));
    print_shown(stdout, json_string_value(json_object_get(report, "onnx")));
    const long long length = (long long)json_integer_value(json_object_get(report, "length")),
                    channels = (long long)json_integer_value(json_object_get(report, "channels"));
    printf(", series of %lld step%s and %lld channel%s\n", length, length == 1 ? "" : "s", channels, channels == 1 ? "" : "s");
}

static void tell(const imported *self) {
    const tl_shape in = tl_input_shape(self->model);
    json_t *report = json_object();
    report_text(report, "model", self->settings->out);
    report_text(report, "onnx", self->settings->model.common.operand[0]);
    report_text(report, "precision", tl_precision());
    report_count(report, "parameters", tl_parameter_count(self->model));
    report_count(report, "length", in.length);
    report_count(report, "channels", in.channels);
    report_text(report, "loss", tl_loss_name(tl_model_loss(self->model)));
    if (!self->settings->model.common.json) print(report);
    if (self->settings->model.common.json)
        report_json(report);
    else
        json_decref(report);
}

static int import_onnx(const weights_settings *settings) {
    tl_error error = {0};
    imported self = {.settings = settings, .read = {.normalize = TL_NORMALIZE_NONE}};
    self.read.names = self.names;
    IN_PRECISION(import_reading)(settings, &self.read, &error);
    check(settings, &self.read, &error);
    self.path = input_open(settings->model.common.operand[1], &self.read, &error);
    if (self.path && !tl_failed(&error)) self.data = IN_PRECISION(import_data)(self.path, &self.read, &error);
    take(&self, &error);
    if (!tl_failed(&error)) tell(&self);
    tl_model_free(self.model);
    tl_model_info_release(&self.info);
    tl_dataset_free(self.data);
    free(self.names[0]);
    free(self.names[1]);
    return tl_failed(&error) ? model_failed(&settings->model, &error) : EXIT_DONE;
}

int IN_PRECISION(import)(const void *settings) {
    const weights_settings *asked = settings;
    return has_ending(asked->model.common.operand[0], ".onnx") ? import_onnx(asked) : IN_PRECISION(import_weights)(asked);
}
