/* `tapline info`; compiled once for each precision (commands.h). */
#include "cli/predict/info.h"

#include "cli/architecture.h"
#include "cli/picture/layers.h"
#include "cli/report.h"

#include <tapline/file.h>
#include <tapline/quantize.h>
#include <tapline/stream.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A network that is planned for training and for inference, without memory. */
typedef struct network {
    const info_settings *settings;
    tl_model *training, *inference;
    tl_quantized *quantized; /* of a file in integers; `training` and `inference` are then its model */
    tl_model_info info;      /* of a file */
    json_t *layers;
    size_t bytes; /* of all outputs for one series */
    double flops; /* of all layers */
    double field; /* the largest receptive field that is shorter than the series, and the first layer that has it */
    const char *widest;
} network;

/* For a network by name, the default is the largest of its default batches. */
static size_t batch_of(const info_settings *settings) {
    if (settings->batch) return (size_t)settings->batch;
    return settings->architecture ? tl_architecture_find(settings->architecture)->batch : 32;
}

/* A network whose memory exceeds the limit of eval and predict is refused; the memory for training is only printed. */
static tl_model *plan(const info_settings *settings, bool inference_only, tl_model_info *info, tl_error *error) {
    const tl_load_cfg cfg = {.threads = (int)settings->common.threads,
                             .compile = {.batch = batch_of(settings), .inference_only = inference_only, .plan_only = true},
                             .max_memory = inference_only ? max_memory(&settings->common) : SIZE_MAX};
    if (!settings->architecture) return tl_model_load(settings->common.operand[0], &cfg, info, error);
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = cfg.threads});
    const tl_shape shape = {.length = settings->input.length, .channels = settings->input.channels};
    const size_t outputs = settings->outputs ? (size_t)settings->outputs : 2;
    const tl_node x = tl_input(model, shape);
    tl_model_compile(model, IN_PRECISION(architecture_build)(settings->architecture, model, x, outputs), &cfg.compile, error);
    return model;
}

static void plan_all(network *self, tl_error *error) {
    const info_settings *settings = self->settings;
    const char *path = settings->common.operand[0];
    if (!settings->architecture && tl_quantized_is_file(path)) {
        const tl_load_cfg cfg = {.threads = (int)settings->common.threads,
                                 .compile = {.batch = 1, .inference_only = true},
                                 .max_memory = max_memory(&settings->common)};
        self->quantized = tl_quantized_load(path, &cfg, &self->info, error);
        self->training = self->inference = tl_quantized_model(self->quantized);
        return;
    }
    self->training = plan(settings, false, &self->info, error);
    if (!tl_failed(error)) self->inference = plan(settings, true, NULL, error);
}

static void release_all(network *self) {
    json_decref(self->layers);
    tl_model_info_release(&self->info);
    if (self->quantized) {
        tl_quantized_free(self->quantized);
        return;
    }
    tl_model_free(self->training);
    tl_model_free(self->inference);
}

/* ---- layers ---- */

/* Describes the layers; finds the largest receptive field that is not the whole series, and its layer. */
static void describe(network *self, tl_error *error) {
    size_t i;
    const json_t *layer;
    self->layers = IN_PRECISION(layers_of)(self->training, error);
    json_array_foreach(self->layers, i, layer) {
        const double field = json_number_value(json_object_get(layer, "receptive_field"));
        self->flops += json_number_value(json_object_get(layer, "flops"));
        self->bytes += layer_count(layer, "activation_bytes");
        if (field > self->field) self->widest = layer_text(layer, "name");
        self->field = fmax(self->field, field);
    }
}

/* ---- JSON ---- */

static json_t *list_classes(const tl_dataset *data) {
    json_t *list = json_array();
    for (size_t c = 0; data->class_names && c < data->classes; c++)
        json_array_append_new(list, report_string(data->class_names[c]));
    return list;
}

static json_t *describe_scale(const tl_dataset *data) {
    json_t *mean = json_array(), *deviation = json_array();
    for (size_t c = 0; c < data->x.shape[2]; c++) {
        json_array_append_new(mean, json_real(data->scaling.mean[c]));
        json_array_append_new(deviation, json_real(data->scaling.deviation[c]));
    }
    return json_pack("{s:o, s:o}", "mean", mean, "deviation", deviation);
}

static void add_file(const network *self, json_t *object) {
    report_count(object, "bytes", self->info.bytes);
    report_text(object, "tapline", self->info.version);
    report_text(object, "loss", tl_loss_name(tl_model_loss(self->training)));
    report_text(object, "normalise", tl_normalization_name(self->info.data.scaling.kind));
    if (self->info.data.scaling.kind == TL_NORMALIZE_SET) json_object_set_new(object, "scale", describe_scale(&self->info.data));
    report_text(object, "missing", tl_missing_policy_name(self->info.missing_policy));
    report_count(object, "seed", tl_model_seed(self->training));
    report_count(object, "classes", self->info.data.classes);
    json_object_set_new(object, "class_names", list_classes(&self->info.data));
}

/* Describes it as a stream, or why it cannot be one. */
static json_t *describe_stream(const network *self) {
    tl_error error = {0};
    json_t *object = json_object();
    if (self->quantized) tl_fail(&error, TL_ERROR_ARGUMENT, "a network in integers cannot run on a stream");
    tl_stream *stream = tl_stream_new(self->inference, NULL, &error);
    if (stream) {
        report_count(object, "delay", tl_stream_delay(stream));
        report_count(object, "receptive_field", tl_stream_receptive_field(stream));
        report_count(object, "outputs", tl_stream_rate_of(stream).outputs);
        report_count(object, "steps", tl_stream_rate_of(stream).steps);
        report_count(object, "bytes", tl_stream_memory(stream));
    } else
        report_text(object, "refused", error.text);
    tl_stream_free(stream);
    return object;
}

static void add_memory(const network *self, json_t *object) {
    report_count(object, "batch", batch_of(self->settings));
    report_count(object, "training_bytes", tl_model_memory(self->training));
    report_count(object, "inference_bytes", tl_model_memory(self->inference));
}

static void add_integers(const network *self, json_t *object) {
    json_t *layers = json_array();
    for (size_t i = 0; tl_quantized_layer_at(self->quantized, i).name; i++) {
        const tl_quantized_layer layer = tl_quantized_layer_at(self->quantized, i);
        json_array_append_new(
            layers, json_pack("{s:s, s:o, s:i}", "name", layer.name, "scale", report_number(layer.scale), "zero", layer.zero));
    }
    report_count(object, "integer_bytes", tl_quantized_bytes(self->quantized));
    json_object_set_new(object, "integers", layers);
}

static void report_as_json(const network *self) {
    const tl_shape in = tl_input_shape(self->training), out = tl_output_shape(self->training);
    const info_settings *settings = self->settings;
    const char *name = settings->architecture ? settings->architecture : settings->common.operand[0];
    json_t *object = json_object();
    report_text(object, "model", name);
    report_text(object, "precision", settings->architecture ? tl_precision() : self->info.precision);
    if (!settings->architecture) add_file(self, object);
    report_count(object, "length", in.length);
    report_count(object, "channels", in.channels);
    report_count(object, "output_length", out.length);
    report_count(object, "outputs", out.channels);
    report_count(object, "parameters", tl_parameter_count(self->training));
    json_object_set_new(object, "flops", report_whole(self->flops));
    report_count(object, "activation_bytes", self->bytes);
    if (self->quantized)
        add_integers(self, object);
    else
        add_memory(self, object);
    json_object_set_new(object, "receptive_field", report_whole(self->field));
    json_object_set_new(object, "stream", describe_stream(self));
    json_object_set(object, "layers", self->layers);
    report_json(object);
}

/* ---- the table ---- */

/* The names of inputs, without the kind if it is the same as in the name before: "conv1d_2 _3 _4". Nothing if the input is the
 * layer `before`. */
static void print_inputs(const json_t *layer, const char *before) {
    const json_t *inputs = json_object_get(layer, "inputs");
    if (json_array_size(inputs) == 1 && strcmp(json_string_value(json_array_get(inputs, 0)), before) == 0) return;
    const char *last = "";
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        const char *name = json_string_value(json_array_get(inputs, i)), *number = strrchr(name, '_'), *shown = name;
        if (i > 0 && number && strncmp(name, last, (size_t)(number + 1 - name)) == 0) shown = number;
        printf("%s%s", i == 0 ? "  " : " ", shown);
        last = name;
    }
}

/* Prints a row with the width of the others; empty fields are blank. */
static void print_row(const char *name, const char *shape, const char *kernel, size_t parameters, double flops, double all,
                      double bytes) {
    char text[3][REPORT_NUMBER], share[16] = "";
    const double percent = all > 0 ? 100 * flops / all : 0;
    if (flops > 0) snprintf(share, sizeof share, percent < 0.5 ? "<1%%" : "%.0f%%", percent);
    printf("%-21s %12s %10s %10s %7s %4s %7s", name, shape, kernel, parameters ? report_grouped(text[0], parameters) : "",
           flops > 0 ? report_scaled(text[1], flops, "") : "", share, report_scaled(text[2], bytes, "B"));
}

static void print_table(const network *self) {
    const char *before = "input";
    printf("\n%-21s %12s %10s %10s %7s %4s %7s  %s\n", "layer", "output", "kernel", "parameters", "FLOPs", "", "memory", "reads");
    for (size_t i = 0; i < json_array_size(self->layers); i++) {
        const json_t *layer = json_array_get(self->layers, i);
        char shape[64], kernel[64];
        layer_shape(layer, shape, sizeof shape);
        layer_kernel(layer, kernel, sizeof kernel);
        print_row(layer_text(layer, "name"), shape, kernel, layer_count(layer, "parameters"),
                  json_number_value(json_object_get(layer, "flops")), self->flops, (double)layer_count(layer, "activation_bytes"));
        print_inputs(layer, before);
        printf("\n");
        before = layer_text(layer, "name");
    }
    print_row("all", "", "", tl_parameter_count(self->training), self->flops, self->flops, (double)self->bytes);
    printf("\n");
}

static const char *scaled_as(tl_normalization kind) {
    return kind == TL_NORMALIZE_SET      ? "each channel scaled by its mean and standard deviation over the training set"
           : kind == TL_NORMALIZE_SERIES ? "each channel of each series scaled to mean 0 and standard deviation 1"
                                         : "not scaled";
}

static void print_file(const network *self) {
    const tl_shape in = tl_input_shape(self->training);
    const tl_dataset *data = &self->info.data;
    printf("model      ");
    print_shown(stdout, self->settings->common.operand[0]);
    printf(", %zu bytes, %s, written by tapline ", self->info.bytes, self->info.precision);
    print_shown(stdout, self->info.version);
    printf("\n");
    printf("input      length %zu, channels %zu, %s, missing values: %s\n", in.length, in.channels, scaled_as(data->scaling.kind),
           tl_missing_policy_name(self->info.missing_policy));
    printf("loss       %s\n", tl_loss_name(tl_model_loss(self->training)));
    if (data->classes > 0) printf("classes    %zu%s", data->classes, data->class_names ? ":" : "\n");
    for (size_t c = 0; data->class_names && c < data->classes; c++) {
        printf(" ");
        print_shown(stdout, data->class_names[c]);
        printf(c + 1 < data->classes ? "," : "\n");
    }
}

static void print_architecture(const network *self) {
    const tl_shape in = tl_input_shape(self->training), out = tl_output_shape(self->training);
    const char *name = self->settings->architecture;
    const int members = tl_architecture_find(name)->members;
    printf("network    ");
    print_shown(stdout, name);
    printf(", %s%s", tl_precision(), members > 1 ? "" : "\n");
    if (members > 1) printf(", one of %d that are averaged\n", members);
    printf("input      length %zu, channels %zu\n", in.length, in.channels);
    printf("output     length %zu, channels %zu\n", out.length, out.channels);
}

static void print_stream(const network *self) {
    json_t *stream = describe_stream(self);
    const size_t field = layer_count(stream, "receptive_field"), outputs = layer_count(stream, "outputs");
    char memory[REPORT_NUMBER];
    if (json_object_get(stream, "refused")) {
        printf("stream     none: %s\n", layer_text(stream, "refused"));
    } else {
        printf("stream     delay %zu, ", layer_count(stream, "delay"));
        if (field)
            printf("receptive field %zu steps, ", field);
        else
            printf("outputs depend on all earlier steps, ");
        printf("%zu output%s for %zu, %s\n", outputs, outputs == 1 ? "" : "s", layer_count(stream, "steps"),
               report_scaled(memory, (double)layer_count(stream, "bytes"), "B"));
    }
    json_decref(stream);
}

static void print_field(const network *self) {
    if (!self->widest) return;
    printf("sees       receptive field %.0f step%s at ", self->field, self->field == 1 ? "" : "s");
    print_shown(stdout, self->widest);
    printf("%s\n", layer_count(json_array_get(self->layers, json_array_size(self->layers) - 1), "receptive_field") == 0
                       ? ", then all of the series"
                       : "");
}

static void report_as_text(const network *self) {
    char training[REPORT_NUMBER], inference[REPORT_NUMBER];
    if (self->settings->architecture)
        print_architecture(self);
    else
        print_file(self);
    if (self->quantized)
        printf("integers   8 bits, %zu bytes of weights, scales and tables\n", tl_quantized_bytes(self->quantized));
    else
        printf("memory     training %s with Adam, inference %s; batch %zu, threads %d\n",
               report_scaled(training, (double)tl_model_memory(self->training), "B"),
               report_scaled(inference, (double)tl_model_memory(self->inference), "B"), batch_of(self->settings),
               tl_model_threads(self->training));
    print_field(self);
    print_stream(self);
    print_table(self);
}

int IN_PRECISION(info)(const void *settings) {
    tl_error error = {0};
    network self = {.settings = settings};
    if (!info_check(settings)) return EXIT_USAGE;
    plan_all(&self, &error);
    if (!tl_failed(&error)) describe(&self, &error);
    if (tl_failed(&error))
        complain(self.settings->common.command, "%s", error.text);
    else if (self.settings->common.json)
        report_as_json(&self);
    else
        report_as_text(&self);
    release_all(&self);
    return tl_failed(&error) ? EXIT_FAILED : EXIT_DONE;
}
