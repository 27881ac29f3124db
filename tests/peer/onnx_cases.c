/* Writes ONNX files of every architecture, every row of the layer tests and every kind of rocket, with series and the predictions
 * of tl_predict, for onnx_export.py. Arrays are raw tl_real of this build. A line on stdout for each case:
 *
 *     NAME COUNT LENGTH CHANNELS OUT_LENGTH OUT_CHANNELS LAYOUT
 *
 * stands for NAME.onnx, NAME.x: (COUNT, LENGTH, CHANNELS) before scaling, and NAME.y: (COUNT, OUT_LENGTH, OUT_CHANNELS).
 *
 * usage: onnx_cases FOLDER */
#include "network_cases.h"

#include <tapline/onnx.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 5, ROUNDS = 3 };

static const char *folder;

static void give_up(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void write_array(const char *name, const char *ending, const tl_tensor *array) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(array->data, sizeof(tl_real), tl_tensor_count(array), file) != tl_tensor_count(array))
        give_up(path, "not written");
    fclose(file);
}

/* Makes series 1 constant, series 2 far from 0 and series 3 tiny, which scaling must handle. */
static void make_extreme(tl_tensor *x) {
    const size_t each = x->shape[1] * x->shape[2];
    for (size_t i = 0; i < each; i++) {
        x->data[each + i] = (tl_real)0.1;
        x->data[2 * each + i] += (tl_real)1e5;
        x->data[3 * each + i] *= (tl_real)1e-25;
    }
}

/* Scales a copy of the series, and predicts. */
static void predict(tl_model *model, const tl_tensor *x, tl_normalization normalize, tl_tensor *y) {
    tl_error error = {0};
    tl_tensor copy = tl_tensor_new(3, x->shape, &error);
    int32_t labels[COUNT] = {0};
    tl_dataset data = {.x = copy, .labels = labels, .classes = 1};
    if (!tl_failed(&error)) memcpy(copy.data, x->data, tl_tensor_count(x) * sizeof *x->data);
    tl_dataset_scale(&data, normalize, NULL, &error);
    tl_predict(model, &data.x, NULL, y, &error);
    if (tl_failed(&error)) give_up("predict", error.text);
    tl_tensor_free(&copy);
}

static void write_case(const char *name, tl_model *model, bool rows, tl_normalization normalize, const tl_onnx_export_cfg *cfg) {
    char path[4096];
    tl_error error = {0};
    const tl_shape in = tl_input_shape(model), out = tl_output_shape(model);
    tl_tensor x = network_series(model, COUNT, rows);
    tl_tensor y = tl_tensor_new(3, (const size_t[]){COUNT, out.length, out.channels}, &error);
    if (normalize == TL_NORMALIZE_SERIES) make_extreme(&x);
    predict(model, &x, normalize, &y);
    snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
    tl_onnx_export(model, path, cfg, &error);
    if (tl_failed(&error)) give_up(name, error.text);
    write_array(name, "x", &x);
    write_array(name, "y", &y);
    printf("%s %d %zu %zu %zu %zu %s\n", name, COUNT, in.length, in.channels, out.length, out.channels,
           tl_onnx_layout_name(cfg->layout));
    tl_tensor_free(&x);
    tl_tensor_free(&y);
}

static void write_layers(void) {
    for (size_t i = 0; i < layer_case_count; i++)
        for (uint32_t round = 0; round < ROUNDS; round++) {
            char name[100];
            tl_model *model = layer_case_make(&layer_cases[i], round);
            const tl_onnx_export_cfg cfg = {.layout = round % 2, .normalize = TL_NORMALIZE_NONE};
            snprintf(name, sizeof name, "layer_%zu_%.40s_%u", i, layer_cases[i].name, round);
            for (char *at = name; *at; at++)
                if (*at == ' ' || *at == ',') *at = '_';
            write_case(name, model, false, TL_NORMALIZE_NONE, &cfg);
            tl_model_free(model);
        }
}

static void write_network(const network_case *network, tl_loss_kind loss, const tl_onnx_export_cfg *cfg, const char *what) {
    char name[100];
    tl_model *model = network_case_make(network, loss);
    if (loss == TL_LOSS_HUBER) tl_model_set_target_scale(model, (const double[]){1e3, -2, 0}, (const double[]){10, 0.5, 1}, NULL);
    snprintf(name, sizeof name, "network_%s_%s", network->name, what);
    write_case(name, model, network->rows, cfg->normalize, cfg);
    tl_model_free(model);
}

static void write_networks(void) {
    for (size_t i = 0; i < network_case_count; i++) {
        const network_case *network = &network_cases[i];
        tl_onnx_export_cfg cfg = {.normalize = network->rows ? TL_NORMALIZE_NONE : TL_NORMALIZE_SERIES};
        write_network(network, TL_LOSS_CROSS_ENTROPY, &cfg, "classes");
        cfg.fold_batch_norm = true;
        cfg.layout = TL_ONNX_LAYOUT_NCL;
        write_network(network, TL_LOSS_BINARY_CROSS_ENTROPY, &cfg, "folded");
        cfg.normalize = TL_NORMALIZE_NONE;
        write_network(network, TL_LOSS_HUBER, &cfg, "values");
    }
}

/* Random choices come from the series of the case. Any count of outputs above a bias that differs is a failure: no limit is wider
 * than for other layers. */
static void write_rocket(const char *name, const tl_rocket_cfg *cfg, size_t channels) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 4, .threads = 1});
    const tl_node x = tl_input(model, (tl_shape){40, channels});
    tl_model_compile(model, tl_dense(model, tl_rocket(model, x, cfg), &(tl_dense_cfg){.units = 3}),
                     &(tl_compile_cfg){.batch = COUNT, .inference_only = true}, &error);
    tl_tensor series = network_series(model, COUNT, false);
    tl_update_statistics(model, &(tl_dataset){.x = series}, &error);
    if (tl_failed(&error)) give_up(name, error.text);
    tl_tensor_free(&series);
    write_case(name, model, false, TL_NORMALIZE_NONE, &(tl_onnx_export_cfg){.normalize = TL_NORMALIZE_NONE});
    tl_model_free(model);
}

static void write_rockets(void) {
    write_rocket("rocket_mini", &(tl_rocket_cfg){0}, 1);
    write_rocket("rocket_mini_of_12", &(tl_rocket_cfg){.features = 1000}, 12);
    write_rocket("rocket_multi", &(tl_rocket_cfg){.kind = TL_ROCKET_MULTI, .features = 3000}, 1);
    write_rocket("rocket_multi_of_3", &(tl_rocket_cfg){.kind = TL_ROCKET_MULTI, .features = 1400}, 3);
    write_rocket("rocket_hydra", &(tl_rocket_cfg){.kind = TL_ROCKET_HYDRA}, 1);
    write_rocket("rocket_hydra_of_5", &(tl_rocket_cfg){.kind = TL_ROCKET_HYDRA, .features = 96}, 5);
}

int main(int argc, char **argv) {
    if (argc != 2) give_up("usage", "onnx_cases FOLDER");
    folder = argv[1];
    write_layers();
    write_networks();
    write_rockets();
    return 0;
}
