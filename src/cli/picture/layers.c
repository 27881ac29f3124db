/* The layers of a network as JSON; compiled once for each precision (commands.h). */
#include "cli/picture/layers.h"

#include "cli/report.h"

#include <tapline/architecture.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

enum { FIXED_TAPS = 96 }; /* the longest filter of tl_fixed_filters */

/* Returns whether an output of a layer of this type depends on all steps of its input. */
static bool sees_all(const char *type) {
    static const char *const types[] = {"global_average_pool", "global_max_pool", "last_step", "flatten", "rocket", "group_norm"};
    size_t i = 0;
    while (i < sizeof types / sizeof *types && strcmp(types[i], type) != 0) i++;
    return i < sizeof types / sizeof *types;
}

/* Returns the number of steps of its input that an output of a layer depends on. */
static double taps_of(const json_t *layer, const char *type) {
    if (strcmp(type, "fixed_filters") == 0) return FIXED_TAPS;
    const double linear = json_is_true(json_object_get(layer, "linear")) ? 2 : 1; /* upsample: between two steps */
    return setting_or(layer, "kernel", setting_or(layer, "window", linear));
}

/* How a layer changes the receptive field of its inputs. */
static reach reach_behind(const json_t *layer, reach before) {
    const char *type = json_string_value(json_object_get(layer, "type"));
    const double taps = taps_of(layer, type), dilation = setting_or(layer, "dilation", 1),
                 stride = setting_or(layer, "stride", setting_or(layer, "window", 1)), factor = setting_or(layer, "factor", 1);
    if (before.steps == 0 || sees_all(type)) return (reach){.jump = before.jump};
    if (strcmp(type, "conv1d_transpose") == 0)
        return (reach){before.steps + floor((taps - 1) * dilation / stride) * before.jump, before.jump / stride};
    return (reach){before.steps + (taps - 1) * dilation * before.jump, before.jump * stride / factor};
}

/* Adds "receptive_field" to each layer (0: all steps). */
static void describe_fields(json_t *layers) {
    const size_t count = json_array_size(layers);
    json_t *places = json_object(); /* name → index + 1 */
    reach *fields = calloc(count + 1, sizeof *fields);
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
    }
    free(fields);
    json_decref(places);
}

/* ---- layers ---- */

static void describe_layer(const tl_model *model, tl_node node, json_t *layer) {
    const tl_shape shape = tl_node_shape(model, node);
    report_count(layer, "length", shape.length);
    report_count(layer, "channels", shape.channels);
    report_count(layer, "parameters", tl_node_parameter_count(model, node));
    json_object_set_new(layer, "flops", report_whole(tl_node_flops(model, node)));
    report_count(layer, "activation_bytes", shape.length * shape.channels * sizeof(tl_real));
}

/* The layers are in the order of their nodes, among which are others that do not lead to the output. */
json_t *IN_PRECISION(layers_of)(const tl_model *model, tl_error *error) {
    char *text = tl_architecture_to_json(model, error);
    json_t *root = text ? json_loads(text, 0, NULL) : NULL, *layers = json_incref(json_object_get(root, "layers"));
    for (size_t i = 0, id = 1; i < json_array_size(layers); i++, id++) {
        while (tl_node_shape(model, (tl_node){.id = (int)id}).length == 0) id++;
        describe_layer(model, (tl_node){.id = (int)id}, json_array_get(layers, i));
    }
    describe_fields(layers);
    json_decref(root);
    free(text);
    if (!layers) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    return layers;
}
