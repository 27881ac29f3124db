/* Import and export of weights of PyTorch networks. */
#include "models/weights.h"

#include "base/argument.h"
#include "base/memory.h"
#include "graph/graph.h"
#include "models/model.h"

#include <tapline/machine.h>

#include <math.h>
#include <string.h>

static void tell(const tl_weights *weights, const tl_weights_cfg *cfg) {
    for (size_t i = 0; cfg->matched && i < weights->layers; i++)
        cfg->matched(weights->layer[i].module, weights->layer[i].name, cfg->user);
}

/* ---- import ---- */

static tl_status match(tl_weights *weights, tl_modules *modules, json_t *map, const tl_weights_cfg *cfg, tl_error *error) {
    if (tl_failed(error)) return error->status;
    return map ? tl_weights_by_map(weights, modules, cfg->map, map, error) : tl_weights_by_shape(weights, modules, error);
}

/* Fails if a number is not finite, or too large for the model's precision. */
static tl_status check_numbers(const tl_weights *weights, const tl_modules *modules, tl_error *error) {
    for (size_t l = 0; l < weights->layers && !tl_failed(error); l++)
        for (size_t w = 0; w < weights->layer[l].weights; w++) {
            const tl_weight *weight = &weights->layer[l].weight[w];
            const tl_array *array = tl_module_array(&modules->module[weights->layer[l].index], weight->name);
            for (size_t i = 0; i < tl_tensor_count(&weight->value); i++) {
                const double value = tl_array_element(array, i);
                if (isfinite((tl_real)value)) continue;
                return tl_fail(error, TL_ERROR_FORMAT, "%.180s: tensor %s: element %zu is %g%s", modules->path, array->name, i,
                               value,
                               isfinite(value) ? ", which is too large for single precision" : "; the model could not predict");
            }
        }
    return error->status;
}

static void copy(const tl_weights *weights, const tl_modules *modules) {
    for (size_t l = 0; l < weights->layers; l++)
        for (size_t w = 0; w < weights->layer[l].weights; w++) {
            const tl_weight *weight = &weights->layer[l].weight[w];
            const tl_array *array = tl_module_array(&modules->module[weights->layer[l].index], weight->name);
            for (size_t i = 0; i < tl_tensor_count(&weight->value); i++)
                weight->value.data[i] = (tl_real)tl_array_element(array, tl_weight_place(weight, i));
        }
}

tl_status tl_weights_import_sized(tl_model *model, const char *path, const tl_weights_cfg *given, size_t size, tl_error *error) {
    tl_weights_cfg settings, *cfg = &settings;
    tl_error own = {0};
    tl_archive archive = {0};
    tl_modules modules = {0};
    tl_weights weights = {0};
    if (!error) error = &own;
    if (tl_model_check(model, "import", error) != TL_OK) return error->status;
    tl_take(cfg, sizeof *cfg, given, size, "import", error);
    json_t *map = cfg->map ? tl_weights_map(cfg->map, error) : NULL;
    tl_archive_open_plain(&archive, path, cfg->max_memory ? cfg->max_memory : tl_memory_limit(), error);
    tl_modules_list(&modules, &archive, error);
    tl_weights_list(&weights, model, error);
    if (match(&weights, &modules, map, cfg, error) == TL_OK && check_numbers(&weights, &modules, error) == TL_OK) {
        copy(&weights, &modules);
        tl_arrays_written(model);
        tell(&weights, cfg);
    }
    tl_weights_release(&weights);
    tl_modules_release(&modules);
    tl_archive_release(&archive);
    json_decref(map);
    return error->status;
}

/* ---- export ---- */

/* Fills `values` with the arrays in PyTorch's order, and adds them to the archive. */
static tl_status put(tl_archive *archive, const tl_weights *weights, tl_real *values, tl_error *error) {
    tl_archive_text(archive, "format", "pt", error);
    for (size_t l = 0; l < weights->layers; l++)
        for (size_t w = 0; w < weights->layer[l].weights && !tl_failed(error); w++) {
            const tl_weight *weight = &weights->layer[l].weight[w];
            const size_t count = tl_tensor_count(&weight->value);
            tl_tensor there = {.data = values, .rank = weight->rank};
            memcpy(there.shape, weight->shape, sizeof there.shape);
            for (size_t i = 0; i < count; i++) values[tl_weight_place(weight, i)] = weight->value.data[i];
            tl_archive_add(archive, "", weights->layer[l].module, weight->name, &there, error);
            values += count;
        }
    return error->status;
}

static tl_status name_layers(tl_weights *weights, json_t *map, const tl_weights_cfg *cfg, tl_error *error) {
    if (tl_failed(error)) return error->status;
    if (map) return tl_weights_by_map(weights, NULL, cfg->map, map, error);
    for (size_t i = 0; i < weights->layers; i++) weights->layer[i].module = weights->layer[i].name;
    return TL_OK;
}

static tl_status save(const tl_weights *weights, const char *path, tl_error *error) {
    size_t count = 0;
    tl_archive archive = {.plain = true};
    for (size_t l = 0; l < weights->layers; l++)
        for (size_t w = 0; w < weights->layer[l].weights; w++) count += tl_tensor_count(&weights->layer[l].weight[w].value);
    tl_real *values = tl_reserve(count, sizeof *values, "export", error);
    if (!tl_failed(error) && put(&archive, weights, values, error) == TL_OK) tl_archive_save(&archive, path, error);
    tl_archive_release(&archive);
    tl_release(values);
    return error->status;
}

tl_status tl_weights_export_sized(const tl_model *model, const char *path, const tl_weights_cfg *given, size_t size,
                                  tl_error *error) {
    tl_weights_cfg settings, *cfg = &settings;
    tl_error own = {0};
    tl_weights weights = {0};
    if (!error) error = &own;
    if (tl_model_check(model, "export", error) != TL_OK) return error->status;
    tl_take(cfg, sizeof *cfg, given, size, "export", error);
    json_t *map = cfg->map ? tl_weights_map(cfg->map, error) : NULL;
    tl_weights_list(&weights, model, error);
    if (name_layers(&weights, map, cfg, error) == TL_OK && save(&weights, path, error) == TL_OK) tell(&weights, cfg);
    tl_weights_release(&weights);
    json_decref(map);
    return error->status;
}
