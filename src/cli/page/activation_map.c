#include "cli/page/activation_map.h"

#include "cli/picture/layers.h"

#include <tapline/file.h>
#include <tapline/train.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct activation_map {
    tl_model *features; /* outputs (length, channels) */
    tl_tensor y;        /* (1, length, channels) */
    tl_real *weight;    /* (channels, classes) */
    size_t classes;
};

static const size_t most_numbers = (size_t)1 << 24; /* of features: 64 MB in single precision */

static const json_t *layer_named(const json_t *layers, const char *name) {
    size_t i;
    const json_t *layer;
    json_array_foreach(layers, i, layer) {
        if (strcmp(layer_text(layer, "name"), name) == 0) return layer;
    }
    return NULL;
}

static const char *only_input(const json_t *layer) {
    const json_t *inputs = json_object_get(layer, "inputs");
    const char *name = json_array_size(inputs) == 1 ? json_string_value(json_array_get(inputs, 0)) : NULL;
    return name ? name : "";
}

/* Returns the layer before the pool if the network ends in a global average pool and a dense layer; NULL if not. */
static const json_t *find_features(const json_t *layers, const char **dense) {
    const json_t *last = json_array_get(layers, json_array_size(layers) - 1), *pool = layer_named(layers, only_input(last));
    if (strcmp(layer_text(last, "type"), "dense") != 0 || !pool || strcmp(layer_text(pool, "type"), "global_average_pool") != 0)
        return NULL;
    *dense = layer_text(last, "name");
    return layer_named(layers, only_input(pool));
}

static void copy_weight(activation_map *self, const tl_model *model, const char *dense, tl_error *error) {
    for (size_t i = 0; i < tl_parameter_arrays(model) && !tl_failed(error); i++) {
        const tl_parameter at = tl_parameter_at(model, i);
        if (strcmp(at.layer, dense) != 0 || strcmp(at.name, "weight") != 0) continue;
        const size_t count = tl_tensor_count(&at.value);
        self->classes = at.value.shape[1];
        self->weight = calloc(count, sizeof *self->weight);
        if (!self->weight)
            tl_fail(error, TL_ERROR_MEMORY, "out of memory");
        else
            memcpy(self->weight, at.value.data, count * sizeof *self->weight);
    }
}

/* Builds the first part of the network from the bytes of a file of it. */
static void copy_features(activation_map *self, const tl_model *model, const tl_dataset *data, const char *output,
                          tl_error *error) {
    size_t size = 0;
    void *bytes = tl_model_write(model, &size, NULL, error);
    const tl_load_cfg cfg = {.threads = tl_model_threads(model),
                             .length = data->lengths ? data->x.shape[1] : 0,
                             .compile = {.batch = 1, .inference_only = true},
                             .output = output};
    if (bytes) self->features = tl_model_parse(bytes, size, &cfg, NULL, error);
    free(bytes);
    const tl_shape out = tl_output_shape(self->features);
    const size_t shape[] = {1, out.length, out.channels};
    if (!tl_failed(error)) self->y = tl_tensor_new(3, shape, error);
}

activation_map *IN_PRECISION(activation_map_make)(const tl_model *model, const tl_dataset *data) {
    tl_error error = {0}; /* there is then no map */
    const char *dense = NULL;
    json_t *layers = IN_PRECISION(layers_of)(model, &error);
    const json_t *features = layers ? find_features(layers, &dense) : NULL;
    const bool small = features && layer_count(features, "length") * layer_count(features, "channels") <= most_numbers;
    activation_map *self = small ? calloc(1, sizeof *self) : NULL;
    if (self) {
        copy_weight(self, model, dense, &error);
        copy_features(self, model, data, layer_text(features, "name"), &error);
    }
    json_decref(layers);
    if (!tl_failed(&error)) return self;
    IN_PRECISION(activation_map_free)(self);
    return NULL;
}

void IN_PRECISION(activation_map_free)(activation_map *self) {
    if (!self) return;
    tl_model_free(self->features);
    tl_tensor_free(&self->y);
    free(self->weight);
    free(self);
}

/* The weighted sum of the channels of a step. */
static double activation(const activation_map *self, size_t step, size_t class) {
    const size_t channels = self->y.shape[2];
    double sum = 0;
    for (size_t k = 0; k < channels; k++)
        sum += (double)self->weight[k * self->classes + class] * (double)self->y.data[step * channels + k];
    return sum;
}

size_t IN_PRECISION(activation_map_of)(activation_map *self, const tl_dataset *data, size_t series, size_t class,
                                       double heat[ACTIVATION_POINTS]) {
    const size_t length = data->x.shape[1], channels = data->x.shape[2], own = data->lengths ? data->lengths[series] : length;
    const size_t shape[] = {1, length, channels};
    const tl_tensor x = tl_tensor_view(data->x.data + series * length * channels, 3, shape);
    tl_error error = {0};
    if (tl_predict(self->features, &x, data->lengths ? &own : NULL, &self->y, &error) != TL_OK) return 0;
    const size_t all = self->y.shape[1], exact = (all * own + length - 1) / length, steps = exact > 0 ? exact : 1;
    const size_t points = steps < ACTIVATION_POINTS ? steps : ACTIVATION_POINTS;
    double largest = 0;
    for (size_t p = 0; p < points; p++) {
        heat[p] = 0;
        for (size_t t = p * steps / points; t < (p + 1) * steps / points; t++) heat[p] = fmax(heat[p], activation(self, t, class));
        largest = fmax(largest, heat[p]);
    }
    for (size_t p = 0; p < points && largest > 0; p++) heat[p] /= largest;
    return points;
}
