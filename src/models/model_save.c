/* Saves models to files. */
#include "models/model.h"

#include "base/argument.h"
#include "base/scaling.h"
#include "graph/graph.h"
#include "io/write.h"
#include "models/network.h"

#include "models/reading.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- texts ---- */

/* Returns whether every character has the number of bytes that its first byte announces. */
static bool is_utf8(const char *text) {
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        int more = *at < 0x80 ? 0 : *at < 0xC2 ? -1 : *at < 0xE0 ? 1 : *at < 0xF0 ? 2 : *at < 0xF5 ? 3 : -1;
        if (more < 0) return false;
        for (at++; more > 0; more--, at++)
            if ((*at & 0xC0) != 0x80) return false;
    }
    return true;
}

static tl_status put_class(json_t *list, const char *name, const char *caller, tl_error *error) {
    if (!is_utf8(name))
        return tl_fail(error, TL_ERROR_ARGUMENT, "%s: class name \"%.40s\" is not UTF-8; save the data file as UTF-8", caller,
                       name);
    if (json_array_append_new(list, json_string(name)) != 0) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", caller);
    return TL_OK;
}

json_t *tl_model_classes(const tl_model *model, const tl_dataset *data, const char *caller, tl_error *error) {
    const size_t outputs = tl_output_shape(model).channels, count = data && data->class_names ? data->classes : 0;
    if (tl_failed(error) || (count > 0 && tl_classes_check(count, outputs, caller, error) != TL_OK)) return NULL;
    json_t *list = json_array();
    for (size_t c = 0; list && c < count && !tl_failed(error); c++) put_class(list, data->class_names[c], caller, error);
    if (!tl_failed(error)) return list;
    json_decref(list);
    return NULL;
}

/* NULL gives an empty list. */
static json_t *list_of(const double *numbers, size_t count) {
    json_t *list = json_array();
    bool whole = list != NULL;
    for (size_t i = 0; whole && numbers && i < count; i++) whole = json_array_append_new(list, json_real(numbers[i])) == 0;
    if (whole) return list;
    json_decref(list);
    return NULL;
}

json_t *tl_loss_describe(const tl_model *model) {
    const tl_loss_spec *loss = &model->loss;
    return json_pack("{s:f, s:f, s:o}", "label_smoothing", loss->label_smoothing, "huber_delta", loss->huber_delta, "class_weights",
                     list_of(loss->class_weights, tl_output_shape(model).channels));
}

tl_status tl_model_find_scaling(const tl_model *model, const tl_save_cfg *cfg, const char *caller, tl_scaling *scaling,
                                tl_error *error) {
    const size_t channels = tl_input_shape(model).channels;
    const tl_scaling none = {0}, *of_model = &model->scaling, *of_data = cfg->data ? &cfg->data->scaling : &none;
    const bool known = of_model->kind != TL_NORMALIZE_DEFAULT;
    if (tl_failed(error)) return error->status;
    *scaling = known ? *of_model : *of_data;
    if (known && cfg->data && of_data->kind != TL_NORMALIZE_DEFAULT && !tl_scaling_same(of_model, of_data, channels))
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "%s: the model was trained on series normalised by %s, but those of the data set are normalised by %s%s",
                       caller, tl_normalization_name(of_model->kind), tl_normalization_name(of_data->kind),
                       of_model->kind == of_data->kind ? " with other statistics" : "");
    if (scaling->kind == TL_NORMALIZE_DEFAULT && cfg->normalize != TL_NORMALIZE_SET && tl_normalization_name(cfg->normalize))
        scaling->kind = cfg->normalize; /* the only source */
    if (cfg->normalize != TL_NORMALIZE_DEFAULT && tl_normalization_name(cfg->normalize) != tl_normalization_name(scaling->kind))
        return tl_fail(error, TL_ERROR_ARGUMENT, "%s: cfg.normalize is %s, but series were normalised by %s", caller,
                       tl_normalization_name(cfg->normalize), tl_normalization_name(scaling->kind));
    return TL_OK;
}

json_t *tl_scaling_describe(const tl_scaling *scaling, size_t count) {
    return json_pack("{s:o, s:o}", "mean", list_of(scaling->mean, count), "deviation", list_of(scaling->deviation, count));
}

static tl_status put_scaling(tl_archive *archive, const tl_model *model, const tl_save_cfg *cfg, tl_error *error) {
    const size_t channels = tl_input_shape(model).channels;
    tl_scaling scaling;
    if (tl_failed(error) || tl_model_find_scaling(model, cfg, "save", &scaling, error) != TL_OK) return error->status;
    tl_archive_text(archive, "normalise", tl_normalization_name(scaling.kind), error);
    if (scaling.kind != TL_NORMALIZE_SET) return error->status;
    return tl_archive_json(archive, "scale", tl_scaling_describe(&scaling, channels), error);
}

tl_status tl_model_put_texts(tl_archive *archive, const tl_model *model, const tl_save_cfg *cfg, tl_error *error) {
    char seed[24];
    tl_archive_text(archive, "format", "tapline", error);
    tl_archive_text(archive, "version", TL_FILE_VERSION, error);
    snprintf(seed, sizeof seed, "%" PRIu64, model->seed);
    tl_archive_text(archive, "tapline", tl_version(), error);
    tl_archive_text(archive, "precision", tl_precision(), error);
    tl_archive_json(archive, "architecture", tl_network_describe(model), error);
    tl_archive_text(archive, "loss", tl_loss_name(tl_model_loss(model)), error);
    tl_archive_json(archive, "loss_settings", tl_loss_describe(model), error);
    tl_archive_text(archive, "seed", seed, error);
    tl_archive_text(archive, "lengths", cfg->data && cfg->data->lengths ? "own" : "whole", error);
    put_scaling(archive, model, cfg, error);
    if (model->targets.mean)
        tl_archive_json(archive, "targets", tl_scaling_describe(&model->targets, tl_output_shape(model).channels), error);
    if (cfg->data && cfg->data->rate > 0) tl_archive_json(archive, "rate", json_real(cfg->data->rate), error);
    if (cfg->read) tl_archive_json(archive, "reading", tl_reading_describe(cfg->read), error);
    if (cfg->missing_policy != TL_MISSING_REFUSE)
        tl_archive_text(archive, "missing", tl_missing_policy_name(cfg->missing_policy), error);
    json_t *classes = tl_model_classes(model, cfg->data, "save", error);
    return tl_failed(error) ? error->status : tl_archive_json(archive, "classes", classes, error);
}

/* ---- save ---- */

tl_status tl_model_put(tl_archive *archive, const tl_model *model, const tl_save_cfg *cfg, tl_error *error) {
    const tl_save_cfg nothing = {0};
    tl_model_put_texts(archive, model, cfg ? cfg : &nothing, error);
    for (size_t i = 0; i < tl_parameter_arrays(model) && !tl_failed(error); i++) {
        const tl_parameter parameter = tl_array_at(model, i);
        tl_archive_add(archive, "", parameter.layer, parameter.name, &parameter.value, error);
    }
    return error->status;
}

tl_status tl_model_check(const tl_model *model, const char *caller, tl_error *error) {
    if (tl_failed(error)) return error->status;
    if (!model || !model->compiled) return tl_fail(error, TL_ERROR_STATE, "%s: the model is not compiled", caller);
    return model->plan_only ? tl_fail(error, TL_ERROR_STATE, "%s: %s", caller, model->error.text) : TL_OK;
}

tl_status tl_model_finite(const tl_model *model, const char *caller, tl_error *error) {
    for (size_t i = 0; i < tl_parameter_arrays(model) && !tl_failed(error); i++) {
        const tl_parameter parameter = tl_array_at(model, i);
        const size_t count = parameter.value.data ? tl_tensor_count(&parameter.value) : 0; /* no data with plan_only */
        const size_t finite = tl_finite_count(parameter.value.data, count);
        if (finite < count)
            tl_fail(error, TL_ERROR_NUMERIC, "%.180s: array %s.%s: element %zu is %g; the model cannot predict", caller,
                    parameter.layer, parameter.name, finite, (double)parameter.value.data[finite]);
    }
    return tl_failed(error) ? error->status : TL_OK;
}

void tl_save_cfg_take(tl_save_cfg *cfg, tl_read_cfg *read, const tl_save_cfg *given, const tl_save_sizes *sizes, tl_error *error) {
    tl_take(cfg, sizeof *cfg, given, sizes->cfg, "save", error);
    tl_take(read, sizeof *read, cfg->read, sizes->read, "save", error);
    if (cfg->read) cfg->read = read;
}

/* Fills an archive with a model. */
static tl_status fill(tl_archive *archive, const tl_model *model, const tl_save_cfg *given, const tl_save_sizes *sizes,
                      tl_error *error) {
    tl_save_cfg cfg;
    tl_read_cfg read;
    if (tl_model_check(model, "save", error) != TL_OK || tl_model_finite(model, "save", error) != TL_OK) return error->status;
    tl_save_cfg_take(&cfg, &read, given, sizes, error);
    tl_archive_text(archive, "kind", "model", error);
    return tl_model_put(archive, model, &cfg, error);
}

tl_status tl_model_save_sized(const tl_model *model, const char *path, const tl_save_cfg *cfg, const tl_save_sizes *sizes,
                              tl_error *error) {
    tl_error own = {0};
    tl_archive archive = {0};
    if (!error) error = &own;
    if (fill(&archive, model, cfg, sizes, error) == TL_OK) tl_archive_save(&archive, path, error);
    tl_archive_release(&archive);
    return error->status;
}

tl_status tl_model_save_check_sized(const tl_model *model, const char *path, const tl_save_cfg *cfg, const tl_save_sizes *sizes,
                                    tl_error *error) {
    tl_error own = {0};
    tl_archive archive = {0};
    if (!error) error = &own;
    if (fill(&archive, model, cfg, sizes, error) == TL_OK) tl_archive_may_save(&archive, path, 0, error);
    tl_archive_release(&archive);
    return error->status;
}

void *tl_model_write_sized(const tl_model *model, size_t *size, const tl_save_cfg *cfg, const tl_save_sizes *sizes,
                           tl_error *error) {
    tl_error own = {0};
    tl_archive archive = {0};
    void *bytes = NULL;
    if (!error) error = &own;
    if (tl_given(size, "save: the pointer to the size", error) && fill(&archive, model, cfg, sizes, error) == TL_OK)
        bytes = tl_archive_write(&archive, size, error);
    tl_archive_release(&archive);
    return bytes;
}

tl_status tl_save_check(const char *path, tl_error *error) {
    tl_error own = {0};
    return tl_file_may_write(path, 0, error ? error : &own);
}

tl_status tl_save_bytes(const char *path, const void *bytes, size_t size, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (!tl_failed(error) && !bytes && size > 0)
        return tl_fail(error, TL_ERROR_ARGUMENT, "save: the bytes are NULL, but their number is %zu", size);
    return tl_file_write(path, &(tl_piece){bytes, size}, 1, error);
}
