/* `tapline import`, compiled once for each precision (commands.h). */
#include "cli/weights.h"
#include "cli/files.h"
#include "cli/input.h"
#include "cli/model.h"
#include "cli/report.h"
#include "cli/train.h"

static tl_weights_cfg weights_cfg(const weights_settings *settings, json_t *pairs) {
    return (tl_weights_cfg){.map = settings->map, .matched = weights_pair, .user = pairs};
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

/* A model for the data, with initial weights. */
static tl_model *make_model(const weights_settings *settings, const tl_dataset *data, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = (int)settings->model.common.threads});
    const tl_compile_cfg cfg = {.batch = 1,
                                .inference_only = true,
                                .loss = IN_PRECISION(network_loss)(data, settings->loss, error),
                                .max_memory = max_memory(&settings->model.common)};
    tl_model_compile(model, IN_PRECISION(network_build)(model, data, settings->architecture), &cfg, error);
    tl_model_takes(model, data, error);
    return model;
}

static void check_architecture(const weights_settings *settings, tl_error *error) {
    const int members = IN_PRECISION(architecture_find)(settings->architecture)->members;
    if (members > 1)
        tl_fail(error, TL_ERROR_ARGUMENT, "--arch %s: is %d networks that are averaged; weights are those of one, --arch inception",
                settings->architecture, members);
}

int IN_PRECISION(import)(const void *settings) {
    tl_error error = {0};
    const weights_settings *asked = settings;
    const char *const *operand = asked->model.common.operand;
    json_t *pairs = json_array();
    const tl_weights_cfg cfg = weights_cfg(asked, pairs);
    const bool described = !IN_PRECISION(architecture_find)(asked->architecture)->name;
    const used_file files[] = {{"WEIGHTS", operand[0], FILE_READ, 0},
                               {"DATA", operand[1], FILE_DATA, 0},
                               {"--map", asked->map, FILE_READ, 0},
                               {"--arch", described ? asked->architecture : NULL, FILE_READ, 0},
                               {"--out", asked->out, FILE_REPLACED, 0}};
    check_architecture(asked, &error);
    files_check(files, sizeof files / sizeof *files, &error);
    tl_read_cfg reference = {.normalize = options_normalization(asked->normalize, asked->raw, &error),
                             .unequal = asked->unequal,
                             .segment = (size_t)asked->segment,
                             .warn = complain_of_data,
                             .user = (void *)asked->model.common.command,
                             .max_memory = max_memory(&asked->model.common) / 2};
    tl_missing_policy_by_name(asked->model.missing, &reference.missing_policy, &error);
    IN_PRECISION(reading_apply)(&asked->reading, &reference, &error);
    tl_dataset *data = tl_dataset_read(input_open(operand[1], reference.format, &error), &reference, &error);
    input_name(&error);
    tl_model *model = data ? make_model(asked, data, &error) : NULL;
    tl_weights_import(model, operand[0], &cfg, &error);
    if (asked->out)
        tl_model_save(model, asked->out,
                      &(tl_save_cfg){.data = data, .missing_policy = reference.missing_policy, .read = &reference}, &error);
    const int code = report(asked, model, pairs, &error);
    tl_model_free(model);
    tl_dataset_free(data);
    json_decref(pairs);
    return code;
}
