/* Networks in integers as model files (docs/files.md). The file has the texts of a model file, with the architecture; the
 * operations follow from it (tl_q_plan). The arrays are the constants of the operations. A file may contain anything, so each
 * number is checked. */
#include "device/quantized.h"

#include "base/argument.h"
#include "models/model.h"

#include <tapline/machine.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "1" /* of the constants; the version of the file itself is TL_FILE_VERSION */

/* ---- the arrays of an operation ---- */

enum { ARRAYS = 4 };

typedef struct op_array {
    char name[24]; /* empty: the operation does not have this array */
    tl_typed value;
} op_array;

static void list_arrays(const tl_q_op *op, op_array array[ARRAYS]) {
    const size_t filters = (size_t)op->filters, channels = (size_t)op->channels / (size_t)op->groups;
    memset(array, 0, ARRAYS * sizeof *array);
    if (op->weight) {
        array[0] = (op_array){"weight", {"I8", 3, {(size_t)op->over.taps, channels, filters}, op->weight}};
        array[1] = (op_array){"bias", {"I32", 1, {filters}, op->bias}};
        array[2] = (op_array){"scale", {"F64", 1, {filters}, op->weight_scale}};
    }
    if (op->table) {
        array[3] = (op_array){"", {"I8", 1, {TL_Q_TABLE_SIZE}, op->table}};
        snprintf(array[3].name, sizeof array[3].name, "table_%zu", op->part);
    }
}

/* ---- saving ---- */

/* Returns the scales as JSON: {"conv1d_1": {"scale": 0.1, "zero": -128}, …}. Layers that keep the scale of their input are left
 * out. */
static json_t *describe_scales(const tl_quantized *self) {
    json_t *object = json_object();
    for (size_t i = 0; object && i < self->network.net.nodes; i++)
        if (!tl_q_keeps_scale(self, i))
            json_object_set_new(object, self->network.net.node[i].name,
                                json_pack("{s:f, s:i}", "scale", self->scale[i].scale, "zero", self->scale[i].zero));
    return object;
}

static tl_status put_all(tl_archive *archive, const tl_quantized *self, const tl_save_cfg *cfg, tl_error *error) {
    op_array array[ARRAYS];
    tl_archive_text(archive, "kind", "quantized", error);
    tl_archive_text(archive, "quantized_version", VERSION, error);
    tl_model_put_texts(archive, self->model, cfg, error);
    if (!tl_failed(error)) tl_archive_json(archive, "scales", describe_scales(self), error);
    for (size_t i = 0; i < self->ops && !tl_failed(error); i++) {
        list_arrays(&self->op[i], array);
        for (size_t a = 0; a < ARRAYS; a++)
            if (*array[a].name) tl_archive_add_typed(archive, self->op[i].name, array[a].name, &array[a].value, error);
    }
    return error->status;
}

tl_status tl_quantized_save_sized(const tl_quantized *self, const char *path, const tl_save_cfg *given, const tl_save_sizes *sizes,
                                  tl_error *error) {
    tl_error own = {0};
    tl_archive archive = {0};
    tl_save_cfg cfg;
    tl_read_cfg read;
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(self, "save: the network", error) || !tl_given(path, "save: the path", error))
        return error->status;
    tl_save_cfg_take(&cfg, &read, given, sizes, error);
    if (!tl_failed(error) && put_all(&archive, self, &cfg, error) == TL_OK) tl_archive_save(&archive, path, error);
    tl_archive_release(&archive);
    return error->status;
}

/* ---- loading ---- */

static tl_status complain(const tl_archive *archive, const char *layer, const char *text, tl_error *error) {
    return tl_fail(error, TL_ERROR_FORMAT, "%.180s: %.60s: %s", archive->path, layer, text);
}

/* Numbers of a file must not be so extreme that quotients of them overflow. */
static bool is_scale(double value) { return value >= 1e-30 && value <= 1e30; }

static void read_scale(const tl_archive *archive, const json_t *scales, const char *layer, tl_q_scale *to, tl_error *error) {
    const json_t *entry = json_object_get(scales, layer), *scale = json_object_get(entry, "scale"),
                 *zero = json_object_get(entry, "zero");
    const json_int_t point = json_integer_value(zero);
    if (!json_is_number(scale) || !is_scale(json_number_value(scale)) || !json_is_integer(zero) || point < -128 || point > 127)
        complain(archive, layer, "expected a scale from 1e-30 to 1e30 and a zero point from -128 to 127 in metadata \"scales\"",
                 error);
    *to = (tl_q_scale){.scale = json_number_value(scale), .zero = (int)point};
}

static void read_scales(const tl_archive *archive, tl_quantized *self, tl_error *error) {
    const tl_export *net = &self->network.net;
    json_t *scales = tl_archive_parse(archive, "scales", error);
    size_t count = 0;
    for (size_t i = 0; i < net->nodes && !tl_failed(error); i++) {
        if (tl_q_keeps_scale(self, i))
            self->scale[i] = self->scale[net->node[i].input[0]];
        else {
            read_scale(archive, scales, net->node[i].name, &self->scale[i], error);
            count++;
        }
    }
    if (!tl_failed(error) && json_object_size(scales) != count)
        tl_fail(error, TL_ERROR_FORMAT, "%.180s: metadata \"scales\": expected %zu layers, found %zu", archive->path, count,
                json_object_size(scales));
    json_decref(scales);
}

static void read_op(tl_archive *archive, tl_q_op *op, tl_error *error) {
    op_array array[ARRAYS];
    list_arrays(op, array);
    for (size_t a = 0; a < ARRAYS; a++)
        if (*array[a].name) tl_archive_take_typed(archive, op->name, array[a].name, &array[a].value, error);
    for (size_t f = 0; op->weight && f < (size_t)op->filters && !tl_failed(error); f++)
        if (!is_scale(op->weight_scale[f])) complain(archive, op->name, "expected scales of weights from 1e-30 to 1e30", error);
}

/* What tl_quantized_layer_at tells about a loaded network: the file has no ranges and errors. */
static void fill_layers(tl_quantized *self) {
    for (size_t s = 0; s < self->network.steps; s++) {
        const tl_export_node *node = self->network.step[s].node;
        const tl_q_scale scale = self->scale[node - self->network.net.node];
        self->layer[s] = (tl_quantized_layer){.name = node->name,
                                              .minimum = (-128 - scale.zero) * scale.scale,
                                              .maximum = (127 - scale.zero) * scale.scale,
                                              .scale = scale.scale,
                                              .zero = scale.zero,
                                              .decibels = NAN};
    }
}

/* An error in the contents of the file is a format error, not one of the caller. */
static void blame_file(const tl_archive *archive, const tl_error *wrong, tl_error *error) {
    if (tl_failed(error) || !tl_failed(wrong)) return;
    tl_fail(error, wrong->status == TL_ERROR_ARGUMENT ? TL_ERROR_FORMAT : wrong->status, "%.180s: %s", archive->path, wrong->text);
}

static void check_version(const tl_archive *archive, tl_error *error) {
    const char *version = tl_archive_get(archive, "quantized_version", error);
    if (version && strcmp(version, VERSION) != 0)
        tl_fail(error, TL_ERROR_FORMAT,
                "%.180s: has version %.20s of the format of quantized models; tapline %s reads version " VERSION
                " only: use a later tapline",
                archive->path, version, tl_version());
}

/* Makes the network of an open archive. */
static tl_quantized *read_network(tl_archive *archive, const tl_load_cfg *cfg, tl_model_info *info, tl_error *error) {
    tl_error wrong = {0};
    tl_quantized *self = calloc(1, sizeof *self);
    if (!self) tl_fail(error, TL_ERROR_MEMORY, "load: out of memory");
    if (tl_model_check_kind(archive, "quantized", error) == TL_OK) check_version(archive, error);
    if (tl_failed(error)) return self;
    self->model = tl_model_read_network(archive, cfg, info, error);
    self->owns_model = true;
    if (!tl_failed(error)) tl_q_plan(self, self->model, &wrong);
    blame_file(archive, &wrong, error);
    if (!tl_failed(error)) read_scales(archive, self, error);
    for (size_t i = 0; i < self->ops && !tl_failed(error); i++) read_op(archive, &self->op[i], error);
    tl_archive_end(archive, error);
    if (!tl_failed(error)) tl_q_finish(self, &wrong);
    blame_file(archive, &wrong, error);
    if (!tl_failed(error)) fill_layers(self);
    return self;
}

tl_quantized *tl_quantized_load_sized(const char *path, const tl_load_cfg *given, tl_model_info *info, const tl_load_sizes *sizes,
                                      tl_error *error) {
    tl_load_cfg cfg;
    tl_error own = {0};
    tl_model_info kept = {0};
    tl_archive archive = {0};
    tl_quantized *self = NULL;
    tl_model_info_hand_over(info, sizes, &kept);
    if (!error) error = &own;
    tl_load_cfg_take(&cfg, given, sizes, error);
    cfg.compile.inference_only = true;
    if (cfg.output) tl_fail(error, TL_ERROR_ARGUMENT, "load: a network in integers has only its own outputs, not those of a layer");
    if (cfg.compile.plan_only) tl_fail(error, TL_ERROR_ARGUMENT, "load: a network in integers cannot be loaded with plan_only");
    if (!tl_failed(error)) tl_archive_open(&archive, path, cfg.max_memory ? cfg.max_memory : tl_memory_limit(), error);
    if (!tl_failed(error)) self = read_network(&archive, &cfg, &kept, error);
    tl_archive_release(&archive);
    if (info && !tl_failed(error))
        tl_model_info_hand_over(info, sizes, &kept);
    else
        tl_model_info_release(&kept);
    if (!tl_failed(error)) return self;
    tl_quantized_free(self);
    return NULL;
}

bool tl_quantized_is_file(const char *path) {
    tl_error error = {0};
    tl_archive archive = {0};
    bool is_one = false;
    if (tl_archive_open_header(&archive, path, &error) == TL_OK) {
        const char *kind = tl_archive_get(&archive, "kind", &error);
        is_one = kind && strcmp(kind, "quantized") == 0;
    }
    tl_archive_release(&archive);
    return is_one;
}

tl_model *tl_quantized_model(tl_quantized *self) { return self ? self->model : NULL; }
