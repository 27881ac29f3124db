/* Assigns modules of a PyTorch network to layers (weights.h). */
#include "models/weights.h"

#include "base/argument.h"
#include "io/json.h"
#include "io/text.h"
#include "models/network.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- modules ---- */

/* Returns the bytes of a tensor's name before its last dot. */
static size_t module_length(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) : 0;
}

static const char *own_name(const tl_array *array) {
    const char *dot = strrchr(array->name, '.');
    return dot ? dot + 1 : array->name;
}

/* Removes a number from both texts and compares the numbers. */
static int compare_numbers(const char **a, const char **b) {
    size_t lengths[2];
    const char **const texts[] = {a, b}, *digits[2];
    for (int i = 0; i < 2; i++) {
        while (**texts[i] == '0') ++*texts[i];
        digits[i] = *texts[i];
        lengths[i] = strspn(digits[i], "0123456789");
        *texts[i] += lengths[i];
    }
    if (lengths[0] != lengths[1]) return lengths[0] < lengths[1] ? -1 : 1;
    return strncmp(digits[0], digits[1], lengths[0]);
}

/* Compares names, 2 before 10. *alike [OUT]: they differ only in numbers. */
static int compare_names(const char *a, const char *b, bool *alike) {
    int result = 0;
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            const int numbers = compare_numbers(&a, &b);
            if (result == 0) result = numbers;
        } else if (*a != *b)
            break;
        else
            a++, b++;
    }
    *alike = !*a && !*b;
    return result != 0 ? result : (unsigned char)*a - (unsigned char)*b;
}

static int compare_modules(const void *a, const void *b) {
    bool alike;
    const tl_module *one = a, *other = b;
    const int result = compare_names(one->name, other->name, &alike);
    return result ? result : strcmp(one->name, other->name);
}

static int compare_arrays(const void *a, const void *b) {
    const tl_array *one = *(const tl_array *const *)a, *other = *(const tl_array *const *)b;
    const size_t length = module_length(one->name), other_length = module_length(other->name);
    if (length != other_length) return length < other_length ? -1 : 1;
    return strcmp(one->name, other->name);
}

static void make_modules(tl_modules *modules, size_t arrays) {
    qsort(modules->array, arrays, sizeof *modules->array, compare_arrays);
    tl_module *last = NULL;
    for (size_t i = 0; i < arrays; i++) {
        const char *name = modules->array[i]->name;
        const size_t length = module_length(name);
        if (!last || strlen(last->name) != length || strncmp(last->name, name, length) != 0) {
            last = &modules->module[modules->modules++];
            *last = (tl_module){.array = &modules->array[i]};
            memcpy(last->name, name, length);
        }
        last->arrays++;
    }
    qsort(modules->module, modules->modules, sizeof *modules->module, compare_modules);
}

tl_status tl_modules_list(tl_modules *modules, const tl_archive *archive, tl_error *error) {
    size_t arrays = 0;
    if (tl_failed(error)) return error->status;
    modules->path = archive->path;
    modules->array = calloc(archive->arrays + 1, sizeof *modules->array);
    modules->module = calloc(archive->arrays + 1, sizeof *modules->module);
    if (!modules->array || !modules->module) return tl_fail(error, TL_ERROR_MEMORY, "%.180s: out of memory", archive->path);
    for (size_t i = 0; i < archive->arrays; i++) {
        const tl_array *array = &archive->array[i];
        if (strcmp(own_name(array), "num_batches_tracked") == 0) continue;
        if (array->element == 0)
            return tl_fail(error, TL_ERROR_FORMAT, "%.180s: tensor %s: expected the type F32 or F64, found %s", archive->path,
                           array->name, array->type);
        modules->array[arrays++] = array;
    }
    make_modules(modules, arrays);
    return TL_OK;
}

void tl_modules_release(tl_modules *modules) {
    free(modules->array);
    free(modules->module);
    *modules = (tl_modules){0};
}

const tl_array *tl_module_array(const tl_module *module, const char *name) {
    for (size_t i = 0; i < module->arrays; i++)
        if (strcmp(own_name(module->array[i]), name) == 0) return module->array[i];
    return NULL;
}

/* ---- lists in messages ---- */

enum { LIST = 160 };

typedef struct list {
    char text[LIST];
    size_t used;
} list;

static void add(list *to, const char *format, ...) TL_PRINTF(2, 3);
static void add(list *to, const char *format, ...) {
    va_list values;
    if (to->used >= LIST) return;
    va_start(values, format);
    to->used += (size_t)vsnprintf(to->text + to->used, LIST - to->used, format, values);
    va_end(values);
    if (to->used >= LIST) memcpy(to->text + LIST - sizeof "…", "…", sizeof "…");
}

static void add_array(list *to, bool first, const char *name, size_t rank, const size_t *shape) {
    char text[TL_SHAPE_TEXT];
    add(to, "%s%s %s", first ? " (" : ", ", name, tl_shape_text(rank, shape, text));
}

static void add_module(list *to, const tl_module *module) {
    add(to, "%s%s", to->used ? ", " : "", module->name);
    for (size_t i = 0; i < module->arrays; i++)
        add_array(to, i == 0, own_name(module->array[i]), module->array[i]->rank, module->array[i]->shape);
    add(to, ")");
}

static void add_layer(list *to, const tl_weights_layer *layer) {
    add(to, "%s%s", to->used ? ", " : "", layer->name);
    for (size_t i = 0; i < layer->weights; i++)
        add_array(to, i == 0, layer->weight[i].name, layer->weight[i].rank, layer->weight[i].shape);
    add(to, ")");
}

/* Fails if a layer or a module is not assigned. */
static tl_status check_left(const tl_weights *weights, const tl_modules *modules, const char *where, tl_error *error) {
    list of_layers = {.used = 0}, of_modules = {.used = 0};
    for (size_t i = 0; i < weights->layers; i++)
        if (!weights->layer[i].module) add_layer(&of_layers, &weights->layer[i]);
    for (size_t i = 0; modules && i < modules->modules; i++)
        if (!modules->module[i].taken) add_module(&of_modules, &modules->module[i]);
    if (!of_layers.used && !of_modules.used) return TL_OK;
    return tl_fail(error, TL_ERROR_SHAPE, "%.120s: layers without a module: %s; modules without a layer: %s", where,
                   of_layers.used ? of_layers.text : "none", of_modules.used ? of_modules.text : "none");
}

/* ---- by names ---- */

static void pair(tl_weights_layer *layer, tl_module *module, size_t index) {
    layer->module = module->name;
    layer->index = index;
    module->taken = true;
}

static tl_weights_layer *find_layer(const tl_weights *weights, const char *name) {
    for (size_t i = 0; i < weights->layers; i++)
        if (strcmp(weights->layer[i].name, name) == 0) return &weights->layer[i];
    return NULL;
}

static size_t find_module(const tl_modules *modules, const char *name) {
    size_t index = 0;
    while (index < modules->modules && strcmp(modules->module[index].name, name) != 0) index++;
    return index;
}

static tl_status check_tensor(const tl_modules *modules, const tl_weights_layer *layer, const tl_weight *weight, tl_error *error) {
    char expected[TL_SHAPE_TEXT], found[TL_SHAPE_TEXT];
    const tl_array *array = tl_module_array(&modules->module[layer->index], weight->name);
    if (!array)
        return tl_fail(error, TL_ERROR_SHAPE, "%.180s: tensor %s.%s is missing; layer %s has it", modules->path, layer->module,
                       weight->name, layer->name);
    if (array->rank == weight->rank && memcmp(array->shape, weight->shape, weight->rank * sizeof *weight->shape) == 0) return TL_OK;
    return tl_fail(error, TL_ERROR_SHAPE, "%.180s: tensor %s: expected the shape %s for layer %s, found %s", modules->path,
                   array->name, tl_shape_text(weight->rank, weight->shape, expected), layer->name,
                   tl_shape_text(array->rank, array->shape, found));
}

/* Fails unless each layer's module has exactly its arrays, with their shapes. */
static tl_status check_tensors(const tl_weights *weights, const tl_modules *modules, tl_error *error) {
    for (size_t i = 0; i < weights->layers; i++) {
        const tl_weights_layer *layer = &weights->layer[i];
        const tl_module *module = &modules->module[layer->index];
        for (size_t w = 0; w < layer->weights; w++)
            if (check_tensor(modules, layer, &layer->weight[w], error) != TL_OK) return error->status;
        for (size_t a = 0; a < module->arrays; a++) {
            size_t w = 0;
            while (w < layer->weights && strcmp(layer->weight[w].name, own_name(module->array[a])) != 0) w++;
            if (w == layer->weights)
                return tl_fail(error, TL_ERROR_SHAPE, "%.180s: tensor %s has no counterpart in layer %s", modules->path,
                               module->array[a]->name, layer->name);
        }
    }
    return TL_OK;
}

/* ---- a map ---- */

json_t *tl_weights_map(const char *path, tl_error *error) {
    tl_text text = {0};
    json_t *root = NULL;
    if (tl_text_read(&text, path, error) == TL_OK) root = tl_json_parse(text.start, (size_t)(text.end - text.start), path, error);
    tl_text_release(&text);
    if (root && !json_is_object(root)) {
        tl_fail(error, TL_ERROR_FORMAT, "%.180s: should be an object of modules and layers, such as {\"conv1\": \"conv1d_1\"}",
                path);
        json_decref(root);
        root = NULL;
    }
    return root;
}

static const char *layer_name_at(const void *context, size_t index) {
    const tl_weights *weights = context;
    return index < weights->layers ? weights->layer[index].name : NULL;
}

static const char *module_name_at(const void *context, size_t index) {
    const tl_modules *modules = context;
    return index < modules->modules ? modules->module[index].name : NULL;
}

static tl_status unknown(const char *path, const char *what, const char *name, const char *where, const char *close,
                         tl_error *error) {
    return tl_fail(error, TL_ERROR_ARGUMENT, "%.120s: %s \"%.60s\" is not in %.120s%s%s%s", path, what, name, where,
                   close ? "; did you mean \"" : "", close ? close : "", close ? "\"?" : "");
}

static tl_status follow_entry(tl_weights *weights, tl_modules *modules, const char *path, const char *module, const char *name,
                              tl_error *error) {
    tl_weights_layer *layer = name ? find_layer(weights, name) : NULL;
    if (!name || !*module)
        return tl_fail(error, TL_ERROR_FORMAT, "%.180s: module \"%.60s\": expected the names of a module and of a layer", path,
                       module);
    if (!layer)
        return unknown(path, "layer", name, "the model, or has no weights", tl_suggest(name, layer_name_at, weights), error);
    if (layer->module)
        return tl_fail(error, TL_ERROR_ARGUMENT, "%.180s: layer %s is assigned to two modules, %.60s and %.60s", path, name,
                       layer->module, module);
    layer->module = module;
    if (!modules) return TL_OK;
    const size_t index = find_module(modules, module);
    if (index == modules->modules)
        return unknown(path, "module", module, modules->path, tl_suggest(module, module_name_at, modules), error);
    pair(layer, &modules->module[index], index);
    return TL_OK;
}

tl_status tl_weights_by_map(tl_weights *weights, tl_modules *modules, const char *path, json_t *map, tl_error *error) {
    const char *module;
    json_t *layer;
    json_object_foreach(map, module, layer) {
        if (follow_entry(weights, modules, path, module, json_string_value(layer), error) != TL_OK) return error->status;
    }
    if (check_left(weights, modules, path, error) != TL_OK || !modules) return error->status;
    return check_tensors(weights, modules, error);
}

/* ---- by shapes ---- */

static bool same_weights(const tl_weights_layer *a, const tl_weights_layer *b) {
    bool same = a->weights == b->weights;
    for (size_t i = 0; same && i < a->weights; i++)
        same = strcmp(a->weight[i].name, b->weight[i].name) == 0 && a->weight[i].rank == b->weight[i].rank &&
               memcmp(a->weight[i].shape, b->weight[i].shape, a->weight[i].rank * sizeof *a->weight[i].shape) == 0;
    return same;
}

static bool fits(const tl_weights_layer *layer, const tl_module *module) {
    bool fit = layer->weights == module->arrays;
    for (size_t i = 0; fit && i < layer->weights; i++) {
        const tl_weight *weight = &layer->weight[i];
        const tl_array *array = tl_module_array(module, weight->name);
        fit = array && array->rank == weight->rank && memcmp(array->shape, weight->shape, array->rank * sizeof *array->shape) == 0;
    }
    return fit;
}

/* The layers and modules with the same shapes. */
typedef struct group {
    size_t layers, modules;
    bool alike; /* the layers are of one kind, and the names of the modules differ only in numbers */
    list of_layers, of_modules;
} group;

static group group_of(const tl_weights *weights, const tl_modules *modules, const tl_weights_layer *reference) {
    group found = {.alike = true};
    const tl_module *last = NULL;
    for (size_t i = 0; i < weights->layers; i++) {
        if (!same_weights(&weights->layer[i], reference)) continue;
        found.layers++;
        found.alike = found.alike && weights->layer[i].ops == reference->ops;
        add(&found.of_layers, "%s%s", found.layers > 1 ? ", " : "", weights->layer[i].name);
    }
    for (size_t i = 0; i < modules->modules; i++) {
        bool alike = true;
        if (!fits(reference, &modules->module[i])) continue;
        if (last) compare_names(last->name, modules->module[i].name, &alike);
        found.alike = found.alike && alike;
        add(&found.of_modules, "%s%s", last ? ", " : "", modules->module[i].name);
        last = &modules->module[i];
        found.modules++;
    }
    return found;
}

/* Assigns the two lists to each other in order. */
static void pair_group(const tl_weights *weights, tl_modules *modules, const tl_weights_layer *reference) {
    size_t next = 0;
    for (size_t i = 0; i < weights->layers; i++) {
        if (!same_weights(&weights->layer[i], reference)) continue;
        while (!fits(reference, &modules->module[next])) next++;
        pair(&weights->layer[i], &modules->module[next], next);
        next++;
    }
}

static bool called_as_layers(const tl_weights *weights, const tl_modules *modules) {
    for (size_t i = 0; i < modules->modules; i++)
        if (!find_layer(weights, modules->module[i].name)) return false;
    return modules->modules > 0;
}

tl_status tl_weights_by_shape(tl_weights *weights, tl_modules *modules, tl_error *error) {
    if (called_as_layers(weights, modules)) {
        for (size_t i = 0; i < modules->modules; i++) pair(find_layer(weights, modules->module[i].name), &modules->module[i], i);
        return check_left(weights, modules, modules->path, error) == TL_OK ? check_tensors(weights, modules, error) : error->status;
    }
    group open = {0};
    for (size_t i = 0; i < weights->layers; i++) {
        tl_weights_layer *layer = &weights->layer[i];
        if (layer->module) continue;
        const group found = group_of(weights, modules, layer);
        if (found.layers != found.modules) continue;
        pair_group(weights, modules, layer);
        if (found.layers > 1 && !found.alike && open.layers == 0) open = found;
    }
    if (check_left(weights, modules, modules->path, error) != TL_OK || open.layers == 0) return error->status;
    return tl_fail(error, TL_ERROR_SHAPE, "%.120s: modules %s and layers %s have the same shapes; assign them with a map of names",
                   modules->path, open.of_modules.text, open.of_layers.text);
}
