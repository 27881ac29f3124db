#include "network_cases.h"

#include <math.h>
#include <string.h>

enum { OUTPUTS = 3 };

static tl_node unet(tl_model *m, tl_node x, size_t outputs) {
    return tl_unet(m, x, &(tl_unet_cfg){.outputs = outputs, .filters = 4});
}

static tl_node wavenet_steps(tl_model *m, tl_node x, size_t outputs) {
    return tl_wavenet_steps(m, x, &(tl_wavenet_cfg){.outputs = outputs, .blocks = 3});
}

static tl_node embedding(tl_model *m, tl_node x, size_t outputs) {
    x = tl_embedding(m, x, &(tl_embedding_cfg){.vocabulary = 5, .units = 3});
    x = tl_dropout(m, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 4, .kernel = 3}), &(tl_dropout_cfg){.rate = 0.5});
    return tl_dense(m, tl_global_average_pool(m, x), &(tl_dense_cfg){.units = outputs});
}

const network_case network_cases[] = {
    {"fcn", tl_fcn, {40, 2}, false},
    {"resnet", tl_resnet, {40, 1}, false},
    {"inception", tl_inception, {40, 2}, false},
    {"time_cnn", tl_time_cnn, {64, 3}, false},
    {"tcn", tl_tcn, {40, 1}, false},
    {"lite", tl_lite, {40, 2}, false},
    {"wavenet", tl_wavenet, {40, 1}, false},
    {"wavenet_steps", wavenet_steps, {24, 1}, false},
    {"unet", unet, {32, 1}, false},
    {"embedding", embedding, {12, 1}, true},
};

const size_t network_case_count = sizeof network_cases / sizeof *network_cases;

/* Weights stay as they were drawn. */
static void fill_parameters(tl_model *model) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        const size_t count = tl_tensor_count(&parameter.value);
        if (strcmp(parameter.name, "weight") == 0) continue;
        fill_normal(parameter.value.data, count, (uint32_t)i + 7);
        for (size_t k = 0; k < count; k++) {
            tl_real *value = &parameter.value.data[k];
            *value = strcmp(parameter.name, "variance") == 0 ? (tl_real)(0.5 + fabs((double)*value)) : *value / 4;
        }
    }
}

tl_model *network_compile(tl_model *model, tl_node output, tl_loss_kind loss) {
    tl_error error = {0};
    tl_model_compile(model, output, &(tl_compile_cfg){.batch = 2, .inference_only = true, .loss = loss}, &error);
    check_ok(&error);
    fill_parameters(model);
    return model;
}

tl_model *network_case_make(const network_case *network, tl_loss_kind loss) {
    tl_model *m = tl_model_new(&(tl_model_cfg){.threads = 1, .seed = 1});
    return network_compile(m, network->build(m, tl_input(m, network->shape), OUTPUTS), loss);
}

tl_model *layer_case_make(const layer_case *layer, uint32_t number) {
    tl_rng rng = tl_rng_at(number, TL_STREAM_USER, (uint32_t)(layer - layer_cases), 0);
    tl_model *m = tl_model_new(&(tl_model_cfg){.threads = 1, .seed = number});
    const tl_shape shape = {.length = number == 0 ? 32 : 9 + number, .channels = number == 2 ? 1 : 2};
    return network_compile(m, layer_case_build(layer, m, tl_input(m, shape), &rng), TL_LOSS_SQUARED_ERROR);
}

tl_tensor network_series(const tl_model *model, size_t count, bool rows) {
    tl_error error = {0};
    const tl_shape in = tl_input_shape(model);
    tl_tensor x = tl_tensor_new(3, (const size_t[]){count, in.length, in.channels}, &error);
    check_ok(&error);
    if (!rows) {
        fill_normal(x.data, tl_tensor_count(&x), 3);
        return x;
    }
    fill_integers(x.data, tl_tensor_count(&x), 3, 2);
    for (size_t i = 0; i < tl_tensor_count(&x); i++) x.data[i] += 2;
    return x;
}
