/* `tapline info`; compiled once for each precision (commands.h). */
#include "cli/info.h"

#include "cli/architecture.h"
#include "cli/report.h"

#include <tapline/architecture.h>
#include <tapline/file.h>
#include <tapline/stream.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A network that is planned for training and for inference, without memory. */
typedef struct network {
    const info_settings *settings;
    tl_model *training, *inference;
    tl_model_info info; /* of a file */
    json_t *layers;
    size_t bytes; /* of all outputs for one series */
    double flops; /* of all layers */
    double field; /* the largest receptive field that is shorter than the series, and the first layer that has it */
    const char *widest;
} network;

/* For a network by name, the default is the largest of its default batches. */
static size_t batch_of(const info_settings *settings) {
    if (settings->batch) return (size_t)settings->batch;
    return settings->architecture ? IN_PRECISION(architecture_find)(settings->architecture)->batch : 32;
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

/* ---- the receptive field ---- */

/* The receptive field of a layer's output: `steps` steps of the series (0: all); it moves by `jump` steps between neighbouring
 * outputs. */
typedef struct reach {
    double steps, jump;
} reach;

static double setting_or(const json_t *layer, const char *key, double otherwise) {
    const json_t *value = json_object_get(layer, key);
    return value ? json_number_value(value) : otherwise;
}

static bool sees_all(const char *type) {
    static const char *const kinds[] = {"global_average_pool", "global_max_pool", "last_step",    "flatten",
                                        "layer_norm",          "group_norm",      "fixed_filters"};
    size_t i = 0;
    while (i + 1 < sizeof kinds / sizeof *kinds && strcmp(kinds[i], type) != 0) i++;
    return i + 1 < sizeof kinds / sizeof *kinds;
}

/* How a layer changes the receptive field of its inputs. */
static reach reach_behind(const json_t *layer, reach before) {
    const char *type = json_string_value(json_object_get(layer, "type"));
    const double window = setting_or(layer, "window", 0), kernel = setting_or(layer, "kernel", window > 0 ? window : 1),
                 dilation = setting_or(layer, "dilation", 1), stride = setting_or(layer, "stride", window > 0 ? window : 1),
                 factor = setting_or(layer, "factor", 1);
    if (before.steps == 0 || sees_all(type)) return (reach){.jump = before.jump};
    if (strcmp(type, "conv1d_transpose") == 0)
        return (reach){before.steps + floor((kernel - 1) * dilation / stride) * before.jump, before.jump / stride};
    return (reach){before.steps + (kernel - 1) * dilation * before.jump, before.jump * stride / factor};
}

/* Adds "receptive_field" to each layer (0: all steps); finds the largest one that is not 0, and its layer. */
static double describe_fields(json_t *layers, const char **name) {
    const size_t count = json_array_size(layers);
    json_t *places = json_object(); /* name → index + 1 */
    reach *fields = calloc(count + 1, sizeof *fields);
    double largest = 0;
    if (fields) fields[0] = (reach){1, 1}; /* of the input */
    for (size_t i = 0; fields && i < count; i++) {
        json_t *layer = json_array_get(layers, i);
        reach before = {.steps = 1, .jump = 1};
        size_t e;
        const json_t *input;
        json_array_foreach(json_object_get(layer, "inputs"), e, input) {
            const reach one = fields[json_integer_value(json_object_get(places, json_string_value(input)))];
            const bool wider = e == 0 || one.steps == 0 || (before.steps > 0 && one.steps > before.steps);
            if (wider) before = one;
        }
        fields[i + 1] = reach_behind(layer, before);
        json_object_set_new(places, json_string_value(json_object_get(layer, "name")), json_integer((json_int_t)i + 1));
        json_object_set_new(layer, "receptive_field", json_integer((json_int_t)fields[i + 1].steps));
        if (fields[i + 1].steps > largest) *name = json_string_value(json_object_get(layer, "name"));
        largest = fmax(largest, fields[i + 1].steps);
    }
    free(fields);
    json_decref(places);
    return largest;
}

/* ---- layers ---- */

/* Whole, if a JSON integer can hold it. */
static json_t *whole_number(double value) { return value < 9e15 ? json_integer((json_int_t)value) : json_real(value); }

static void describe_layer(network *self, tl_node node, json_t *layer) {
    const tl_shape shape = tl_node_shape(self->training, node);
    const double flops = tl_node_flops(self->training, node);
    const size_t bytes = shape.length * shape.channels * sizeof(tl_real);
    report_count(layer, "length", shape.length);
    report_count(layer, "channels", shape.channels);
    report_count(layer, "parameters", tl_node_parameter_count(self->training, node));
    json_object_set_new(layer, "flops", whole_number(flops));
    report_count(layer, "activation_bytes", bytes);
    self->flops += flops;
    self->bytes += bytes;
}

/* Lists the layers that lead to the output, in the order of their nodes, without node 0, the input. */
static void describe(network *self, tl_error *error) {
    char *text = tl_architecture_to_json(self->training, error);
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    self->layers = json_incref(json_object_get(root, "layers"));
    for (size_t i = 0, id = 1; i < json_array_size(self->layers); i++, id++) {
        while (tl_node_shape(self->training, (tl_node){.id = (int)id}).length == 0) id++;
        describe_layer(self, (tl_node){.id = (int)id}, json_array_get(self->layers, i));
    }
    self->field = describe_fields(self->layers, &self->widest);
    json_decref(root);
    free(text);
}

/* ---- JSON ---- */

static json_t *list_classes(const tl_dataset *data) {
    json_t *list = json_array();
    for (size_t c = 0; data->class_names && c < data->classes; c++) json_array_append_new(list, json_string(data->class_names[c]));
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
    json_object_set_new(object, "flops", whole_number(self->flops));
    report_count(object, "activation_bytes", self->bytes);
    report_count(object, "batch", batch_of(settings));
    report_count(object, "training_bytes", tl_model_memory(self->training));
    report_count(object, "inference_bytes", tl_model_memory(self->inference));
    json_object_set_new(object, "receptive_field", whole_number(self->field));
    json_object_set_new(object, "stream", describe_stream(self));
    json_object_set(object, "layers", self->layers);
    report_json(object);
}

/* ---- the table ---- */

static const char *text_of(const json_t *layer, const char *key) {
    const char *text = json_string_value(json_object_get(layer, key));
    return text ? text : "";
}

static size_t number_of(const json_t *layer, const char *key) { return (size_t)json_integer_value(json_object_get(layer, key)); }

/* "20 /2 d4 g8": the taps of a window; stride, dilation and groups if they are not 1. */
static void write_kernel(char *text, size_t size, const json_t *layer) {
    static const char *const keys[][2] = {{"kernel", ""}, {"window", ""}, {"stride", " /"}, {"dilation", " d"}, {"groups", " g"}};
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const size_t value = number_of(layer, keys[i][0]);
        if (value <= (i < 2 ? 0 : 1) || used >= size) continue;
        used += (size_t)snprintf(text + used, size - used, "%s%zu", used ? keys[i][1] : keys[i][1] + (i >= 2), value);
    }
}

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
        snprintf(shape, sizeof shape, "(%zu, %zu)", number_of(layer, "length"), number_of(layer, "channels"));
        write_kernel(kernel, sizeof kernel, layer);
        print_row(text_of(layer, "name"), shape, kernel, number_of(layer, "parameters"),
                  json_number_value(json_object_get(layer, "flops")), self->flops, (double)number_of(layer, "activation_bytes"));
        print_inputs(layer, before);
        printf("\n");
        before = text_of(layer, "name");
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
    const int members = IN_PRECISION(architecture_find)(name)->members;
    printf("network    ");
    print_shown(stdout, name);
    printf(", %s%s", tl_precision(), members > 1 ? "" : "\n");
    if (members > 1) printf(", one of %d that are averaged\n", members);
    printf("input      length %zu, channels %zu\n", in.length, in.channels);
    printf("output     length %zu, channels %zu\n", out.length, out.channels);
}

static void print_stream(const network *self) {
    json_t *stream = describe_stream(self);
    const size_t field = number_of(stream, "receptive_field"), outputs = number_of(stream, "outputs");
    char memory[REPORT_NUMBER];
    if (json_object_get(stream, "refused")) {
        printf("stream     none: %s\n", text_of(stream, "refused"));
    } else {
        printf("stream     delay %zu, ", number_of(stream, "delay"));
        if (field)
            printf("receptive field %zu steps, ", field);
        else
            printf("outputs depend on all earlier steps, ");
        printf("%zu output%s for %zu, %s\n", outputs, outputs == 1 ? "" : "s", number_of(stream, "steps"),
               report_scaled(memory, (double)number_of(stream, "bytes"), "B"));
    }
    json_decref(stream);
}

static void print_field(const network *self) {
    if (!self->widest) return;
    printf("sees       receptive field %.0f step%s at ", self->field, self->field == 1 ? "" : "s");
    print_shown(stdout, self->widest);
    printf("%s\n", number_of(json_array_get(self->layers, json_array_size(self->layers) - 1), "receptive_field") == 0
                       ? ", then all of the series"
                       : "");
}

static void report_as_text(const network *self) {
    char training[REPORT_NUMBER], inference[REPORT_NUMBER];
    if (self->settings->architecture)
        print_architecture(self);
    else
        print_file(self);
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
    self.training = plan(settings, false, &self.info, &error);
    if (!tl_failed(&error)) self.inference = plan(settings, true, NULL, &error);
    if (!tl_failed(&error)) describe(&self, &error);
    if (tl_failed(&error))
        complain(self.settings->common.command, "%s", error.text);
    else if (self.settings->common.json)
        report_as_json(&self);
    else
        report_as_text(&self);
    json_decref(self.layers);
    tl_model_info_release(&self.info);
    tl_model_free(self.training);
    tl_model_free(self.inference);
    return tl_failed(&error) ? EXIT_FAILED : EXIT_DONE;
}
