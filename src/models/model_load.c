/* Loads models from files. */
#include "models/model.h"

#include "base/argument.h"
#include "base/memory.h"
#include "base/scaling.h"
#include "data/classes.h"
#include "graph/graph.h"
#include "models/network.h"
#include "models/reading.h"

#include <tapline/machine.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tl_status complain(const tl_archive *archive, const char *key, const char *expected, const char *found, tl_error *error) {
    return tl_fail(error, TL_ERROR_FORMAT, "%.180s: metadata \"%s\": expected %s, found \"%.40s\"", archive->path, key, expected,
                   found);
}

static tl_status out_of_memory(tl_error *error) { return tl_fail(error, TL_ERROR_MEMORY, "load: out of memory"); }

/* ---- texts ---- */

tl_status tl_model_check_kind(const tl_archive *archive, const char *kind, tl_error *error) {
    tl_archive_get(archive, "version", error);
    const char *found = tl_archive_get(archive, "kind", error);
    if (!found || strcmp(found, kind) == 0) return error->status;
    if (strcmp(found, "quantized") != 0) return complain(archive, "kind", kind, found, error);
    return tl_fail(
        error, TL_ERROR_FORMAT,
        "%.180s: is a network in 8-bit integers, which only eval, predict, info and export to a .c file accept (tl_quantized_load)",
        archive->path);
}

tl_status tl_model_open(tl_archive *archive, const char *path, const char *kind, size_t maximum, tl_error *error) {
    tl_archive_open(archive, path, maximum, error);
    return tl_model_check_kind(archive, kind, error);
}

static tl_status read_seed(const tl_archive *archive, uint64_t *seed, tl_error *error) {
    const char *text = tl_archive_get(archive, "seed", error);
    if (!text) return error->status;
    char *end;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && errno == 0 ? TL_OK : complain(archive, "seed", "a number", text, error);
}

static void read_loss(const tl_archive *archive, const json_t *settings, tl_compile_cfg *cfg, tl_error *error) {
    tl_error unknown = {0};
    const char *text = tl_archive_get(archive, "loss", error);
    if (text && tl_loss_by_name(text, &cfg->loss, &unknown) != TL_OK)
        tl_fail(error, TL_ERROR_FORMAT, "%.180s: %s", archive->path, unknown.text);
    cfg->label_smoothing = json_number_value(json_object_get(settings, "label_smoothing"));
    cfg->huber_delta = cfg->loss == TL_LOSS_HUBER ? json_number_value(json_object_get(settings, "huber_delta")) : 0;
    cfg->class_weights = NULL; /* set by read_weights, since their number is known only after the network */
}

/* An error in what the file says is a format error, not an error of the caller. */
static tl_status blame_file(const tl_archive *archive, const tl_error *wrong, tl_error *error) {
    if (!tl_failed(wrong)) return TL_OK;
    return tl_fail(error, wrong->status == TL_ERROR_ARGUMENT ? TL_ERROR_FORMAT : wrong->status, "%.180s: %s", archive->path,
                   wrong->text);
}

static tl_status read_weights(const tl_archive *archive, const json_t *settings, tl_model *model, tl_error *error) {
    tl_error wrong = {0};
    const json_t *list = json_object_get(settings, "class_weights");
    const size_t count = json_array_size(list), outputs = tl_output_shape(model).channels;
    if (count == 0) return TL_OK;
    if (count != outputs || !tl_loss_takes_labels(tl_model_loss(model)))
        return tl_fail(error, TL_ERROR_FORMAT, "%.180s: metadata \"loss_settings\": %zu class weights for %zu outputs",
                       archive->path, count, outputs);
    double *weights = calloc(count, sizeof *weights);
    if (!weights) return tl_fail(error, TL_ERROR_MEMORY, "load: out of memory");
    for (size_t i = 0; i < count; i++) weights[i] = json_number_value(json_array_get(list, i));
    tl_loss_weigh(&model->loss, weights, count, &wrong);
    free(weights);
    return blame_file(archive, &wrong, error);
}

/* ---- the model ---- */

enum { FOLDED = 16 }; /* the arrays of a network in integers may be fewer, since batch norm was folded */

static size_t count_elements(const tl_archive *archive) {
    size_t count = 0;
    for (size_t i = 0; i < archive->arrays; i++) count += archive->array[i].bytes / archive->array[i].element;
    return count;
}

static const char *layer_name_at(const void *network, size_t index) {
    return json_string_value(json_object_get(json_array_get(json_object_get(network, "layers"), index), "name"));
}

/* Makes that layer the output of the network. */
static tl_status end_with(const tl_archive *archive, json_t *network, const char *output, tl_error *error) {
    const char *name;
    size_t i = 0;
    while ((name = layer_name_at(network, i)) && strcmp(name, output) != 0) i++;
    if (name) return json_object_set_new(network, "output", json_string(name)) == 0 ? TL_OK : out_of_memory(error);
    const char *close = tl_suggest(output, layer_name_at, network);
    return tl_fail(error, TL_ERROR_ARGUMENT, "%.180s: no layer has the name \"%.40s\"%s%.40s%s (tapline info lists the layers)",
                   archive->path, output, close ? "; did you mean \"" : "", close ? close : "", close ? "\"?" : "");
}

/* Compiles the network that the text describes. */
static void compile(const tl_archive *archive, tl_model *model, json_t *network, const tl_load_cfg *cfg,
                    const tl_compile_cfg *compile_cfg, tl_error *error) {
    tl_error wrong = {0};
    const tl_architecture_cfg own = {.layers = cfg->layers};
    tl_shape shape = tl_network_input(network, "architecture", &wrong);
    if (cfg->length) shape.length = cfg->length;
    const tl_node x = tl_failed(&wrong) ? (tl_node){.id = -1} : tl_input(model, shape);
    const tl_node output = tl_network_build(model, x, network, "architecture", &own);
    tl_model_compile(model, output, compile_cfg, &wrong);
    blame_file(archive, &wrong, error);
}

static size_t limit_of(const tl_load_cfg *cfg) { return cfg->max_memory ? cfg->max_memory : tl_memory_limit(); }

/* Returns a compiled model with initial parameters. */
static tl_model *build(const tl_archive *archive, const tl_load_cfg *cfg, tl_error *error) {
    tl_model_cfg model_cfg = {.threads = cfg->threads, .engine = cfg->engine};
    tl_compile_cfg compile_cfg = cfg->compile;
    if (!compile_cfg.max_memory) compile_cfg.max_memory = limit_of(cfg);
    json_t *network = tl_archive_parse(archive, "architecture", error);
    json_t *loss = tl_archive_parse(archive, "loss_settings", error);
    read_loss(archive, loss, &compile_cfg, error);
    if (cfg->output && network) {
        end_with(archive, network, cfg->output, error);
        compile_cfg.loss = TL_LOSS_SQUARED_ERROR;
        compile_cfg.label_smoothing = compile_cfg.huber_delta = 0;
    }
    read_seed(archive, &model_cfg.seed, error);
    tl_model *model = tl_failed(error) ? NULL : tl_model_new(&model_cfg);
    if (model) model->max_parameters = count_elements(archive) * (archive->typed ? FOLDED : 1);
    if (model) model->names_all = cfg->output != NULL; /* layers have the names of the file */
    if (!tl_failed(error)) compile(archive, model, network, cfg, &compile_cfg, error);
    if (!tl_failed(error) && !cfg->output) read_weights(archive, loss, model, error);
    json_decref(loss);
    json_decref(network);
    return model;
}

tl_status tl_model_take(tl_archive *archive, tl_model *model, tl_error *error) {
    for (size_t i = 0; i < tl_parameter_arrays(model) && !tl_failed(error); i++) {
        tl_parameter parameter = tl_array_at(model, i);
        tl_archive_take(archive, "", parameter.layer, parameter.name, &parameter.value, error);
    }
    tl_arrays_written(model);
    return tl_model_finite(model, archive->path, error);
}

/* ---- other data of the file ---- */

/* `whole`: the model has the outputs of the file, one for each class. */
static tl_status read_classes(const tl_archive *archive, const tl_model *model, bool whole, tl_dataset *data, tl_error *error) {
    json_t *list = tl_archive_parse(archive, "classes", error);
    const size_t count = json_array_size(list), outputs = tl_output_shape(model).channels;
    if (list && (!json_is_array(list) || (whole && count > outputs)))
        tl_fail(error, TL_ERROR_FORMAT, "%.180s: metadata \"classes\": expected a list of at most %zu names", archive->path,
                outputs);
    data->classes = !whole ? count : !tl_loss_takes_labels(tl_model_loss(model)) ? 0 : count ? count : outputs;
    if (!tl_failed(error) && count && !(data->class_names = calloc(count, sizeof *data->class_names)))
        tl_fail(error, TL_ERROR_MEMORY, "load: out of memory");
    for (size_t c = 0; c < count && !tl_failed(error); c++) {
        const char *name = json_string_value(json_array_get(list, c));
        if (!name)
            tl_fail(error, TL_ERROR_FORMAT, "%.180s: metadata \"classes\": entry %zu is not a name", archive->path, c);
        else if (!(data->class_names[c] = strdup(name)))
            tl_fail(error, TL_ERROR_MEMORY, "load: out of memory");
    }
    json_decref(list);
    return error->status;
}

/* Returns 0 if the file does not say it. */
static double read_rate(const tl_archive *archive) {
    const char *text = json_string_value(json_object_get(archive->metadata, "rate"));
    json_t *number = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    const double rate = json_number_value(number);
    json_decref(number);
    return rate > 0 ? rate : 0;
}

/* Reads nothing if the file does not say it. */
static tl_status read_reading(const tl_archive *archive, tl_read_cfg *cfg, tl_error *error) {
    if (!json_object_get(archive->metadata, "reading")) return error->status;
    json_t *object = tl_archive_parse(archive, "reading", error);
    if (object) tl_reading_parse(object, archive->path, cfg, error);
    json_decref(object);
    return error->status;
}

/* Reads (count) finite numbers above `above`. */
static bool read_numbers(const json_t *list, size_t count, double above, double *numbers) {
    bool fine = json_array_size(list) == count;
    for (size_t i = 0; fine && i < count; i++) {
        const json_t *number = json_array_get(list, i);
        numbers[i] = json_number_value(number);
        fine = json_is_number(number) && isfinite(numbers[i]) && numbers[i] > above;
    }
    return fine;
}

/* Reads the means and deviations of so many channels. */
static tl_status read_statistics(const tl_archive *archive, const char *key, size_t count, tl_scaling *scaling, tl_error *error) {
    json_t *root = tl_archive_parse(archive, key, error);
    if (!tl_failed(error) && tl_scaling_begin(scaling, count, error) == TL_OK &&
        (!read_numbers(json_object_get(root, "mean"), count, -INFINITY, scaling->mean) ||
         !read_numbers(json_object_get(root, "deviation"), count, 0, scaling->deviation)))
        tl_fail(error, TL_ERROR_FORMAT, "%.180s: metadata \"%s\": expected %zu finite means and deviations above 0", archive->path,
                key, count);
    json_decref(root);
    return error->status;
}

/* A model from a time before target values were scaled does not scale them. */
tl_status tl_model_take_targets(const tl_archive *archive, tl_model *model, tl_error *error) {
    tl_scaling_free(&model->targets);
    model->targets.kind = TL_NORMALIZE_NONE;
    if (tl_failed(error) || !json_object_get(archive->metadata, "targets")) return error->status;
    return read_statistics(archive, "targets", tl_output_shape(model).channels, &model->targets, error);
}

static tl_status read_scaling(const tl_archive *archive, tl_model *model, tl_error *error) {
    const char *normalise = tl_archive_get(archive, "normalise", error);
    tl_error unknown = {0};
    tl_normalization kind;
    if (tl_failed(error)) return error->status;
    if (tl_normalization_by_name(normalise, &kind, &unknown) != TL_OK)
        return complain(archive, "normalise", "series, set or none", normalise, error);
    model->scaling.kind = kind;
    return kind == TL_NORMALIZE_SET ? read_statistics(archive, "scale", tl_input_shape(model).channels, &model->scaling, error)
                                    : TL_OK;
}

static tl_status read_info(const tl_archive *archive, const tl_model *model, bool whole, tl_model_info *info, tl_error *error) {
    const tl_shape in = tl_input_shape(model), out = tl_output_shape(model);
    const char *version = tl_archive_get(archive, "tapline", error);
    const char *lengths =
        json_string_value(json_object_get(archive->metadata, "lengths")); /* this text and the next one may be absent */
    const char *missing = json_string_value(json_object_get(archive->metadata, "missing"));
    tl_missing_policy policy = TL_MISSING_REFUSE;
    tl_error unknown = {0};
    const bool own_lengths = lengths && strcmp(lengths, "own") == 0;
    if (tl_failed(error)) return error->status;
    if (lengths && !own_lengths && strcmp(lengths, "whole") != 0)
        return complain(archive, "lengths", "own or whole", lengths, error);
    if (missing && tl_missing_policy_by_name(missing, &policy, &unknown) != TL_OK)
        return tl_fail(error, TL_ERROR_FORMAT, "%.180s: metadata: %s", archive->path, unknown.text);
    *info = (tl_model_info){.normalize = model->scaling.kind,
                            .missing_policy = policy,
                            .precision = archive->element == sizeof(double) ? "f64" : "f32",
                            .bytes = archive->size,
                            .data.x = {.rank = 3, .shape = {0, in.length, in.channels}}};
    snprintf(info->version, sizeof info->version, "%s", version);
    if (own_lengths) info->data.lengths = tl_allocate(1, sizeof *info->data.lengths, "lengths", error);
    if (!tl_failed(error)) tl_scaling_copy(&model->scaling, in.channels, &info->data.scaling, error);
    info->data.rate = read_rate(archive);
    info->data.target_length = whole ? out.length : 1;
    info->data.target_channels = !whole || tl_loss_takes_labels(tl_model_loss(model)) ? 1 : out.channels;
    if (read_reading(archive, &info->read, error) != TL_OK) return error->status;
    return read_classes(archive, model, whole, &info->data, error);
}

void tl_model_info_release_sized(tl_model_info *info, const tl_load_sizes *sizes) {
    const tl_part read = {offsetof(tl_model_info, read), sizeof(tl_read_cfg), sizes->read};
    tl_model_info own;
    tl_error newer = {0}; /* fields of a newer program hold nothing that this library allocated */
    if (!info) return;
    tl_take_parts(&own, sizeof own, info, sizes->info, &read, 1, "info", &newer);
    tl_reading_release(&own.read);
    tl_classes_release(&own.data);
    tl_release(own.data.lengths);
    tl_scaling_free(&own.data.scaling);
    memset(info, 0, sizes->info);
}

/* ---- load ---- */

/* Reads the model of an open archive. */
static tl_model *read_model(tl_archive *archive, const tl_load_cfg *cfg, tl_model_info *info, tl_error *error) {
    const bool whole = !cfg->output;
    tl_model *model = NULL;
    if (tl_model_check_kind(archive, "model", error) == TL_OK) model = build(archive, cfg, error);
    if (!tl_failed(error) && tl_model_take(archive, model, error) == TL_OK && (!whole || tl_archive_end(archive, error) == TL_OK) &&
        read_scaling(archive, model, error) == TL_OK && (!whole || tl_model_take_targets(archive, model, error) == TL_OK))
        read_info(archive, model, whole, info, error);
    if (tl_failed(error) || whole) return model;
    model->names_all = false; /* later names are those of this model */
    if (tl_name_vertices(model) != TL_OK) tl_report(model, error);
    return model;
}

tl_model *tl_model_read_network(const tl_archive *archive, const tl_load_cfg *cfg, tl_model_info *info, tl_error *error) {
    tl_model *model = build(archive, cfg, error);
    if (!tl_failed(error) && read_scaling(archive, model, error) == TL_OK && tl_model_take_targets(archive, model, error) == TL_OK)
        read_info(archive, model, true, info, error);
    return model;
}

void tl_model_info_hand_over(tl_model_info *info, const tl_load_sizes *sizes, const tl_model_info *own) {
    enum { AT = offsetof(tl_model_info, read), REST = AT + sizeof(tl_read_cfg) };
    if (!info || sizes->info < AT || sizes->read > sizes->info - AT) return;
    unsigned char *to = (unsigned char *)info;
    const unsigned char *from = (const unsigned char *)own;
    tl_hand_over(to, AT, from, AT);
    tl_hand_over(to + AT, sizes->read, from + AT, sizeof own->read);
    tl_hand_over(to + AT + sizes->read, sizes->info - AT - sizes->read, from + REST, sizeof *own - REST);
}

/* The struct of the optimizer is inside that of compile, which is inside that of load. */
void tl_load_cfg_take(tl_load_cfg *cfg, const tl_load_cfg *given, const tl_load_sizes *sizes, tl_error *error) {
    enum { OPTIMIZER = offsetof(tl_compile_cfg, optimizer), REST = OPTIMIZER + sizeof(tl_optimizer_cfg) };
    const size_t at = offsetof(tl_load_cfg, compile);
    const tl_part parts[] = {{at + OPTIMIZER, sizeof(tl_optimizer_cfg), sizes->optimizer},
                             {at + REST, sizeof(tl_compile_cfg) - REST, sizes->compile - OPTIMIZER - sizes->optimizer}};
    tl_take_parts(cfg, sizeof *cfg, given, sizes->cfg, parts, sizeof parts / sizeof *parts, "model", error);
}

/* Loads from bytes, or from a file if bytes is NULL. */
static tl_model *load(const char *path, const void *bytes, size_t size, const tl_load_cfg *given, tl_model_info *info,
                      const tl_load_sizes *sizes, tl_error *error) {
    tl_load_cfg cfg;
    tl_error own = {0};
    tl_model_info kept = {0};
    tl_archive archive = {0};
    tl_model *model = NULL;
    tl_model_info_hand_over(info, sizes, &kept);
    if (!error) error = &own;
    tl_load_cfg_take(&cfg, given, sizes, error);
    if (bytes)
        tl_archive_open_bytes(&archive, bytes, size, limit_of(&cfg), error);
    else
        tl_archive_open(&archive, path, limit_of(&cfg), error);
    if (!tl_failed(error)) model = read_model(&archive, &cfg, &kept, error);
    tl_archive_release(&archive);
    if (info && !tl_failed(error))
        tl_model_info_hand_over(info, sizes, &kept);
    else
        tl_model_info_release(&kept);
    if (!tl_failed(error)) return model;
    tl_model_free(model);
    return NULL;
}

tl_model *tl_model_load_sized(const char *path, const tl_load_cfg *cfg, tl_model_info *info, const tl_load_sizes *sizes,
                              tl_error *error) {
    return load(path, NULL, 0, cfg, info, sizes, error);
}

tl_model *tl_model_parse_sized(const void *bytes, size_t size, const tl_load_cfg *cfg, tl_model_info *info,
                               const tl_load_sizes *sizes, tl_error *error) {
    return tl_given(bytes, "load: the pointer to the bytes", error) ? load(NULL, bytes, size, cfg, info, sizes, error) : NULL;
}

const char *tl_file_precision(const char *path, tl_error *error) {
    tl_error own = {0};
    tl_archive archive = {0};
    if (!error) error = &own;
    const bool single = tl_archive_open_header(&archive, path, error) == TL_OK && archive.element == sizeof(float);
    tl_archive_release(&archive);
    return tl_failed(error) ? NULL : single ? "f32" : "f64";
}
