/* Models in files. */
#include "python/shim/data.h"
#include "python/shim/settings.h"

#include "io/json.h"

int tl_shim_save(const tl_model *model, const tl_shim_data *data, const char *missing, const char *path, char *text) {
    tl_error error = {0};
    tl_save_cfg cfg = {.data = tl_shim_dataset(data)};
    tl_missing_policy_by_name(missing, &cfg.missing_policy, &error);
    if (!tl_failed(&error)) tl_model_save(model, path, &cfg, &error);
    return tl_shim_report(&error, text);
}

/* ---- what a file says ---- */

static json_t *numbers(const double *values, size_t count) {
    json_t *list = values ? json_array() : json_null();
    for (size_t i = 0; values && i < count; i++) json_array_append_new(list, json_real(values[i]));
    return list;
}

static json_t *names(const tl_dataset *data) {
    json_t *list = data->class_names ? json_array() : json_null();
    for (size_t c = 0; data->class_names && c < data->classes; c++) json_array_append_new(list, json_string(data->class_names[c]));
    return list;
}

static char *describe(const tl_model *model, const tl_model_info *info, tl_error *error) {
    const tl_shape in = tl_input_shape(model), out = tl_output_shape(model);
    const tl_scaling *scaling = &info->data.scaling;
    const tl_normalization kind = info->normalize == TL_NORMALIZE_DEFAULT ? TL_NORMALIZE_NONE : info->normalize;
    json_t *object =
        json_pack("{s:I, s:I, s:I, s:s, s:o, s:s, s:o, s:o, s:s, s:b}", "length", (json_int_t)in.length, "channels",
                  (json_int_t)in.channels, "outputs", (json_int_t)out.channels, "loss", tl_loss_name(tl_model_loss(model)),
                  "classes", names(&info->data), "normalize", tl_normalization_name(kind), "mean",
                  numbers(scaling->mean, in.channels), "deviation", numbers(scaling->deviation, in.channels), "missing",
                  tl_missing_policy_name(info->missing_policy), "unequal", info->data.lengths != NULL);
    char *text = tl_json_text(object, JSON_COMPACT);
    json_decref(object);
    if (!text) tl_fail(error, TL_ERROR_MEMORY, "load: out of memory");
    return text;
}

/* Loads from a path, or, where it is NULL, from bytes. */
static int load(const char *path, const void *bytes, size_t size, const char *settings, tl_model **model, char **info, char *text) {
    tl_error error = {0};
    tl_model_info found = {0};
    tl_shim_model_settings own = {0};
    *model = NULL;
    *info = NULL;
    tl_shim_take_model(settings, &own, &error);
    const tl_load_cfg cfg = {.threads = own.model.threads,
                             .engine = own.model.engine,
                             .length = own.length,
                             .compile = own.compile,
                             .max_memory = own.compile.max_memory};
    if (!tl_failed(&error))
        *model = path ? tl_model_load(path, &cfg, &found, &error) : tl_model_parse(bytes, size, &cfg, &found, &error);
    if (*model) *info = describe(*model, &found, &error);
    tl_model_info_release(&found);
    if (tl_failed(&error)) {
        tl_model_free(*model);
        *model = NULL;
    }
    return tl_shim_report(&error, text);
}

int tl_shim_load(const char *path, const char *settings, tl_model **model, char **info, char *text) {
    return load(path, NULL, 0, settings, model, info, text);
}

/* ---- models as bytes ---- */

int tl_shim_write(const tl_model *model, void **bytes, size_t *size, char *text) {
    tl_error error = {0};
    *size = 0;
    *bytes = tl_model_write(model, size, NULL, &error);
    return tl_shim_report(&error, text);
}

int tl_shim_parse(const void *bytes, size_t size, const char *settings, tl_model **model, char **info, char *text) {
    return load(NULL, bytes, size, settings, model, info, text);
}
