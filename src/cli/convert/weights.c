/* `tapline import` of weights; compiled once for each precision (commands.h). */
#include "cli/convert/weights.h"
#include "cli/files.h"
#include "cli/input.h"
#include "cli/predict/model.h"
#include "cli/report.h"
#include "cli/train/train.h"

#include <stdlib.h>

static const char *architecture_of(const weights_settings *settings) {
    return settings->architecture ? settings->architecture : "fcn";
}

static tl_weights_cfg weights_cfg(const weights_settings *settings, json_t *pairs) {
    return (tl_weights_cfg){
        .map = settings->map, .matched = weights_pair, .user = pairs, .max_memory = max_memory(&settings->model.common)};
}

static int report(const weights_settings *settings, const tl_model *model, json_t *pairs, const tl_error *error) {
    if (tl_failed(error)) return model_failed(&settings->model, error);
    json_t *object = json_object();
    report_text(object, "model", settings->out);
    report_text(object, "weights", settings->model.common.operand[0]);
    report_text(object, "precision", tl_precision());
    report_count(object, "parameters", tl_parameter_count(model));
    json_object_set(object, "layers", pairs);
    if (!settings->model.common.json) weights_print(object);
    if (settings->model.common.json)
        report_json(object);
    else
        json_decref(object);
    return EXIT_DONE;
}

/* ---- commands ---- */

/* Creates a model for the data, with initial weights. */
static tl_model *make_model(const weights_settings *settings, const tl_dataset *data, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = (int)settings->model.common.threads});
    const tl_compile_cfg cfg = {.batch = 1,
                                .inference_only = true,
                                .loss = IN_PRECISION(network_loss)(data, settings->loss, error),
                                .max_memory = max_memory(&settings->model.common)};
    tl_model_compile(model, IN_PRECISION(network_build)(model, data, architecture_of(settings)), &cfg, error);
    tl_model_takes(model, data, error);
    return model;
}

/* Returns the name of a single one of several networks that are averaged. */
static const char *single_network(const tl_architecture *several) {
    size_t index = 0;
    while (tl_architecture_find(tl_architecture_name(index))->build != several->build) index++;
    return tl_architecture_name(index);
}

static void check_architecture(const weights_settings *settings, tl_error *error) {
    const tl_architecture *chosen = tl_architecture_find(architecture_of(settings));
    if (chosen->members > 1)
        tl_fail(error, TL_ERROR_ARGUMENT,
                "--arch %s: it is %d networks that are averaged, but weights are those of one network; use --arch %s", chosen->name,
                chosen->members, single_network(chosen));
}

void IN_PRECISION(import_reading)(const weights_settings *settings, tl_read_cfg *cfg, tl_error *error) {
    cfg->unequal = settings->unequal;
    cfg->segment = (size_t)settings->segment;
    cfg->warn = complain_of_data;
    cfg->max_memory = max_memory(&settings->model.common) / 2;
    tl_missing_policy_by_name(settings->model.missing, &cfg->missing_policy, error);
    IN_PRECISION(reading_apply)(&settings->reading, cfg, error);
}

tl_dataset *IN_PRECISION(import_data)(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    tl_dataset *data = tl_dataset_read(path, cfg, error);
    input_name(error);
    return data;
}

int IN_PRECISION(import_weights)(const weights_settings *asked) {
    tl_error error = {0};
    const char *const *operand = asked->model.common.operand;
    json_t *pairs = json_array();
    const tl_weights_cfg cfg = weights_cfg(asked, pairs);
    const bool described = !tl_architecture_find(architecture_of(asked))->name;
    const used_file files[] = {{"WEIGHTS", operand[0], FILE_READ, 0},
                               {"DATA", operand[1], FILE_DATA, 0},
                               {"--map", asked->map, FILE_READ, 0},
                               {"--arch", described ? architecture_of(asked) : NULL, FILE_READ, 0},
                               {"--out", asked->out, FILE_REPLACED, 0}};
    if (asked->length)
        tl_fail(&error, TL_ERROR_ARGUMENT, "--length is only for .onnx files; for weights, DATA gives the length of series");
    if (!operand[1]) tl_fail(&error, TL_ERROR_ARGUMENT, "needs DATA after the weights; see `tapline help import`");
    char *names[2] = {NULL, NULL};
    tl_read_cfg reference = {.normalize = options_normalization(asked->normalize, asked->raw, &error), .names = names};
    IN_PRECISION(import_reading)(asked, &reference, &error);
    check_architecture(asked, &error);
    files_check_read(files, sizeof files / sizeof *files, &reference, &error);
    tl_dataset *data = IN_PRECISION(import_data)(input_open(operand[1], &reference, &error), &reference, &error);
    tl_model *model = data ? make_model(asked, data, &error) : NULL;
    tl_weights_import(model, operand[0], &cfg, &error);
    reference.value_names = names[0];
    reference.target_names = names[1];
    if (asked->out)
        tl_model_save(model, asked->out,
                      &(tl_save_cfg){.data = data, .missing_policy = reference.missing_policy, .read = &reference}, &error);
    const int code = report(asked, model, pairs, &error);
    tl_model_free(model);
    tl_dataset_free(data);
    free(names[0]);
    free(names[1]);
    json_decref(pairs);
    return code;
}
