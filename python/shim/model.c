/* Models and their passes. */
#include "python/shim/settings.h"

#include <stdlib.h>
#include <string.h>

/* ---- networks ---- */

const char *tl_shim_architecture_name(size_t index) { return tl_architecture_name(index); }

void tl_shim_defaults(const char *architecture, size_t series, size_t *numbers, const char **schedule) {
    const tl_architecture *found = tl_architecture_find(architecture);
    numbers[0] = tl_architecture_batch(found, series), numbers[1] = (size_t)found->epochs;
    numbers[2] = (size_t)found->members, numbers[3] = found->ridge;
    *schedule = tl_schedule_name(found->schedule);
}

static tl_node build(tl_model *model, tl_node x, const char *architecture, size_t outputs) {
    const tl_architecture *found = tl_architecture_find(architecture);
    if (found->build) return found->build(model, x, outputs);
    return tl_architecture_from_json(model, x, architecture, &(tl_architecture_cfg){.outputs = outputs});
}

int tl_shim_model_new(const char *settings, size_t length, size_t channels, const char *architecture, size_t outputs,
                      const double *class_weights, tl_own_loss own_loss, tl_model **model, char *text) {
    tl_error error = {0};
    tl_shim_model_settings own = {0};
    *model = NULL;
    if (tl_shim_take_model(settings, &own, &error) != TL_OK) return tl_shim_report(&error, text);
    own.compile.class_weights = class_weights;
    own.compile.own_loss = own_loss;
    *model = tl_model_new(&own.model);
    const tl_node x = tl_input(*model, (tl_shape){length, channels});
    tl_model_compile(*model, build(*model, x, architecture, outputs), &own.compile, &error);
    if (tl_failed(&error)) {
        tl_model_free(*model);
        *model = NULL;
    }
    return tl_shim_report(&error, text);
}

void tl_shim_model_free(tl_model *model) { tl_model_free(model); }

void tl_shim_model_sizes(const tl_model *model, size_t *input, size_t *output, size_t *numbers) {
    const tl_shape in = tl_input_shape(model), out = tl_output_shape(model);
    input[0] = in.length, input[1] = in.channels;
    output[0] = out.length, output[1] = out.channels;
    numbers[0] = tl_parameter_count(model), numbers[1] = tl_model_memory(model);
    numbers[2] = tl_model_batch(model), numbers[3] = (size_t)tl_steps(model);
}

int tl_shim_model_architecture(const tl_model *model, char **json, char *text) {
    tl_error error = {0};
    *json = tl_architecture_to_json(model, &error);
    return tl_shim_report(&error, text);
}

void tl_shim_text_free(void *text) { free(text); }

bool tl_shim_parameter(const tl_model *model, size_t index, const char **layer, const char **name, tl_real **value,
                       tl_real **gradient, size_t *rank, size_t *shape) {
    const tl_parameter parameter = tl_parameter_at(model, index);
    if (!parameter.name) return false;
    *layer = parameter.layer;
    *name = parameter.name;
    *value = parameter.value.data;
    *gradient = parameter.gradient.data;
    *rank = parameter.value.rank;
    memcpy(shape, parameter.value.shape, sizeof parameter.value.shape);
    return true;
}

/* ---- passes ---- */

/* The error of the model becomes the caller's. */
static int report(tl_model *model, char *text) {
    const int status = tl_shim_report(tl_model_error(model), text);
    tl_model_clear_error(model);
    return status;
}

int tl_shim_forward(tl_model *model, const tl_real *x, const size_t *lengths, size_t batch, size_t length, size_t channels,
                    int mode, char *text) {
    const tl_tensor in = TL_VIEW(x, batch, length, channels);
    if (lengths) tl_set_lengths(model, lengths, batch);
    tl_forward(model, &in, (tl_mode)mode);
    return report(model, text);
}

int tl_shim_loss(tl_model *model, const int32_t *labels, const tl_real *values, const tl_real *weights, double *loss, char *text) {
    *loss = tl_loss(model, &(tl_target){.labels = labels, .values = values, .weights = weights});
    return report(model, text);
}

int tl_shim_backward(tl_model *model, char *text) {
    tl_backward(model);
    return report(model, text);
}

int tl_shim_backward_from(tl_model *model, const tl_real *dy, char *text) {
    const tl_tensor y = tl_output(model), gradient = y.data ? TL_VIEW(dy, y.shape[0], y.shape[1], y.shape[2]) : (tl_tensor){0};
    tl_backward_from(model, &gradient);
    return report(model, text);
}

int tl_shim_step(tl_model *model, char *text) {
    tl_error error = {0};
    tl_step(model, &error);
    tl_model_clear_error(model);
    return tl_shim_report(&error, text);
}

void tl_shim_zero_grad(tl_model *model) { tl_zero_grad(model); }

double tl_shim_learning_rate(const tl_model *model) { return tl_learning_rate(model); }

int tl_shim_set_learning_rate(tl_model *model, double learning_rate, char *text) {
    tl_set_learning_rate(model, learning_rate);
    return report(model, text);
}

static const tl_real *view(const tl_tensor *tensor, size_t *shape) {
    if (tensor->data) memcpy(shape, tensor->shape, 3 * sizeof *shape);
    return tensor->data;
}

const tl_real *tl_shim_output(const tl_model *model, size_t *shape) {
    const tl_tensor y = tl_output(model);
    return view(&y, shape);
}

const tl_real *tl_shim_input_gradient(const tl_model *model, size_t *shape) {
    const tl_tensor dx = tl_input_gradient(model);
    return view(&dx, shape);
}
