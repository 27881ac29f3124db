/* `tapline info`, compiled once for each precision (commands.h). */
#include "model.h"
#include "report.h"

#include <tapline/architecture.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The trained numbers of a layer: what has a gradient. */
static size_t count_parameters(const tl_model *model, const char *layer) {
    size_t count = 0;
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        if (parameter.gradient.rank > 0 && strcmp(parameter.layer, layer) == 0) count += tl_tensor_count(&parameter.value);
    }
    return count;
}

/* The layers of the model's architecture with their shapes and parameters; NULL on failure. */
static json_t *describe_layers(const tl_model *model, tl_error *error) {
    char *text = tl_architecture_to_json(model, error);
    json_t *root = text ? json_loads(text, 0, NULL) : NULL, *layers = json_incref(json_object_get(root, "layers"));
    for (size_t i = 0; i < json_array_size(layers); i++) {
        json_t *layer = json_array_get(layers, i);
        const tl_shape shape = tl_node_shape(model, (tl_node){.id = (int)i + 1}); /* node 0 is the input */
        report_count(layer, "length", shape.length);
        report_count(layer, "channels", shape.channels);
        report_count(layer, "parameters", count_parameters(model, json_string_value(json_object_get(layer, "name"))));
    }
    json_decref(root);
    free(text);
    return layers;
}

static json_t *list_classes(const tl_dataset *data) {
    json_t *list = json_array();
    for (size_t c = 0; data->class_names && c < data->classes; c++) json_array_append_new(list, json_string(data->class_names[c]));
    return list;
}

static void report_as_json(const loaded *self, json_t *layers) {
    const tl_shape in = tl_input_shape(self->model);
    json_t *object = json_object();
    json_object_set_new(object, "model", json_string(self->settings->common.operand[0]));
    report_count(object, "bytes", self->info.bytes);
    json_object_set_new(object, "precision", json_string(self->info.precision));
    json_object_set_new(object, "tapline", json_string(self->info.version));
    json_object_set_new(object, "loss", json_string(tl_loss_name(tl_model_loss(self->model))));
    json_object_set_new(object, "normalise", json_string(self->info.raw ? "none" : "series"));
    json_object_set_new(object, "missing", json_string(tl_missing_name(self->info.missing)));
    report_count(object, "seed", tl_model_seed(self->model));
    report_count(object, "length", in.length);
    report_count(object, "channels", in.channels);
    report_count(object, "classes", self->info.data.classes);
    json_object_set_new(object, "class_names", list_classes(&self->info.data));
    report_count(object, "parameters", tl_parameter_count(self->model));
    json_object_set(object, "layers", layers);
    report_json(object);
}

static const char *text_of(const json_t *layer, const char *key) {
    const char *text = json_string_value(json_object_get(layer, key));
    return text ? text : "";
}

static long long number_of(const json_t *layer, const char *key) { return json_integer_value(json_object_get(layer, key)); }

static void print_layer(const json_t *layer) {
    char shape[64];
    const json_t *inputs = json_object_get(layer, "inputs");
    snprintf(shape, sizeof shape, "(%lld, %lld)", number_of(layer, "length"), number_of(layer, "channels"));
    printf("%-24s %16s %12lld  from", text_of(layer, "name"), shape, number_of(layer, "parameters"));
    for (size_t i = 0; i < json_array_size(inputs); i++) printf(" %s", json_string_value(json_array_get(inputs, i)));
    printf("\n");
}

static void report_as_text(const loaded *self, const json_t *layers) {
    const tl_shape in = tl_input_shape(self->model);
    const tl_dataset *data = &self->info.data;
    printf("model      %s, %zu bytes, %s, written by tapline %s\n", self->settings->common.operand[0], self->info.bytes,
           self->info.precision, self->info.version);
    printf("input      length %zu, channels %zu, %s, missing values: %s\n", in.length, in.channels,
           self->info.raw ? "as it is" : "each channel of each series scaled to mean 0 and standard deviation 1",
           tl_missing_name(self->info.missing));
    printf("loss       %s\n", tl_loss_name(tl_model_loss(self->model)));
    if (data->classes > 0) printf("classes    %zu%s", data->classes, data->class_names ? ":" : "\n");
    for (size_t c = 0; data->class_names && c < data->classes; c++)
        printf(" %s%s", data->class_names[c], c + 1 < data->classes ? "," : "\n");
    printf("\n%-24s %16s %12s\n", "layer", "output", "parameters");
    for (size_t i = 0; i < json_array_size(layers); i++) print_layer(json_array_get(layers, i));
    printf("%-24s %16s %12zu\n", "all", "", tl_parameter_count(self->model));
}

int IN_PRECISION(info)(const void *settings) {
    tl_error error = {0};
    loaded self;
    int code = EXIT_DONE;
    IN_PRECISION(loaded_read)(&self, settings, &error);
    json_t *layers = self.model ? describe_layers(self.model, &error) : NULL;
    if (tl_failed(&error))
        code = model_failed(settings, &error);
    else if (self.settings->common.json)
        report_as_json(&self, layers);
    else
        report_as_text(&self, layers);
    json_decref(layers);
    IN_PRECISION(loaded_free)(&self);
    return code;
}
