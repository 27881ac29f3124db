/* Weights of PyTorch networks: the outputs of PyTorch with them, the same tensors when written again, and everything that does not
 * fit is refused. tests/parity/export.py made the files. */
#include "files.h"
#include "fixtures.h"

#include "io/archive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const bool is_single = sizeof(tl_real) == 4;

static const char *fixture(const char *name, const char *end) {
    static char paths[2][4096];
    static int next;
    next = !next;
    snprintf(paths[next], sizeof paths[next], "%s/weights/%s%s", FIXTURES, name, end);
    return paths[next];
}

/* ---- networks of PyTorch ---- */

static tl_model *compile(tl_model *model, tl_node output, size_t batch) {
    tl_error error = {0};
    tl_model_compile(model, output, &(tl_compile_cfg){.batch = batch, .inference_only = true}, &error);
    check_ok(&error);
    return model;
}

static tl_model *read_network(fixtures *file, const tl_tensor *x) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    const tl_node in = tl_input(model, (tl_shape){x->shape[1], x->shape[2]});
    fixtures_line(file, "network");
    const tl_node y = tl_architecture_from_json(model, in, file->line, &(tl_architecture_cfg){.outputs = 3});
    return compile(model, y, x->shape[0]);
}

static void check_same_tensors(const char *path, const char *other) {
    tl_error error = {0};
    tl_archive before = {0}, after = {0};
    tl_archive_open_plain(&before, path, 0, &error);
    tl_archive_open_plain(&after, other, 0, &error);
    check_ok(&error);
    size_t found = 0;
    for (size_t i = 0; i < before.arrays; i++) {
        const tl_array *one = &before.array[i], *same = NULL;
        for (size_t k = 0; k < after.arrays; k++)
            if (strcmp(after.array[k].name, one->name) == 0) same = &after.array[k];
        if (strcmp(one->type, "I64") == 0) continue; /* num_batches_tracked */
        if (!same || same->rank != one->rank) fail_msg("%s: is not there", one->name);
        assert_memory_equal(one->shape, same->shape, one->rank * sizeof *one->shape);
        if (is_single)
            assert_memory_equal(one->data, same->data, one->bytes);
        else
            for (size_t k = 0; k < one->bytes / one->element; k++)
                check_number(one->name, tl_array_element(same, k), tl_array_element(one, k), 0, 0);
        found++;
    }
    assert_int_equal(found, after.arrays);
    tl_archive_release(&before);
    tl_archive_release(&after);
}

/* Collects what is matched as a map of names. */
typedef struct pairs {
    char text[4000];
    size_t count;
} pairs;

static void collect(const char *module, const char *layer, void *user) {
    pairs *self = user;
    const size_t used = strlen(self->text);
    snprintf(self->text + used, sizeof self->text - used, "%s\"%s\": \"%s\"", self->count ? ", " : "{", module, layer);
    self->count++;
}

static void write_map(const char *name, const char *text) { files_write(name, text, strlen(text)); }

/* Writes the weights with the names that were matched, and compares tensors. */
static void check_exported(const tl_model *model, const char *imported, const pairs *matched) {
    tl_error error = {0};
    pairs again = {.count = 0};
    char map[sizeof matched->text + 2];
    snprintf(map, sizeof map, "%s}", matched->text);
    write_map("map.json", map);
    const tl_weights_cfg cfg = {.map = files_path("map.json"), .matched = collect, .user = &again};
    tl_weights_export(model, files_path("again.safetensors"), &cfg, &error);
    check_ok(&error);
    assert_string_equal(again.text, matched->text);
    check_same_tensors(imported, files_path("again.safetensors"));
    remove(files_path("again.safetensors"));
    remove(files_path("map.json"));
}

static void given_pytorch_weights_when_imported_then_its_outputs(void **unused) {
    (void)unused;
    fixtures *file = fixtures_open("weights/cases.txt");
    file->within = is_single ? (tolerance){.relative = 1.3e-6, .absolute = 1e-5} : (tolerance){.relative = 1e-7, .absolute = 1e-7};
    while (fixtures_next(file, false)) {
        tl_error error = {0};
        pairs matched = {.count = 0};
        tl_tensor x = fixtures_input(file);
        tl_model *model = read_network(file, &x);
        fixtures_line(file, "map");
        const char *map = *file->line == '1' ? fixture(file->name, ".names.json") : NULL;
        tl_weights_import(model, fixture(file->name, ".safetensors"),
                          &(tl_weights_cfg){.map = map, .matched = collect, .user = &matched}, &error);
        check_ok(&error);
        tl_forward(model, &x, TL_MODE_INFERENCE);
        const tl_tensor y = tl_output(model);
        fixtures_compare(file, "output", y.data, tl_tensor_count(&y));
        check_exported(model, fixture(file->name, ".safetensors"), &matched);
        tl_tensor_free(&x);
        tl_model_free(model);
    }
    fixtures_close(file);
}

/* ---- a small network, and its weights ---- */

enum { NUMBERS = 2 * 3 + 2 + 2 * 8 + 2 };

static tl_node small_network(tl_model *m) {
    const tl_node x = tl_input(m, (tl_shape){6, 1});
    const tl_node y = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 2, .kernel = 3});
    return tl_dense(m, tl_flatten(m, y), &(tl_dense_cfg){.units = 2});
}

static tl_model *make_small(uint64_t seed) {
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = seed, .threads = 1});
    return compile(m, small_network(m), 1);
}

/* All numbers of the model, in its order. */
static void numbers_of(const tl_model *model, tl_real numbers[NUMBERS]) {
    size_t count = 0;
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_tensor value = tl_parameter_at(model, i).value;
        for (size_t k = 0; k < tl_tensor_count(&value); k++) numbers[count++] = value.data[k];
    }
    assert_int_equal(count, NUMBERS);
}

/* A safetensors file of this header, and `size` bytes of data: 0, 1, 2 … in single precision. */
static const char *write_weights(const char *header, size_t size) {
    static unsigned char image[4000];
    const uint64_t length = strlen(header);
    assert_true(8 + length + size <= sizeof image);
    memcpy(image, &length, 8);
    memcpy(image + 8, header, length); // NOLINT(bugprone-not-null-terminated-result): bytes of a file
    for (size_t i = 0; 4 * i < size; i++) memcpy(image + 8 + length + 4 * i, &(float){(float)i}, 4);
    files_write("weights.safetensors", image, 8 + length + size);
    return files_path("weights.safetensors");
}

#define ARRAY(name, shape, from, to) "\"" name "\":{\"dtype\":\"F32\",\"shape\":[" shape "],\"data_offsets\":[" #from "," #to "]}"
#define WEIGHTS ARRAY("c.weight", "2,1,3", 0, 24) "," ARRAY("c.bias", "2", 24, 32)
#define OUT_WEIGHT ARRAY("d.weight", "2,8", 32, 96)
#define OUT_BIAS ARRAY("d.bias", "2", 96, 104)
#define SMALL "{" WEIGHTS "," OUT_WEIGHT "," OUT_BIAS "}"

static void given_arrays_in_pytorch_order_when_imported_then_in_model_order(void **unused) {
    (void)unused;
    /* (kernel, channels, filters), (filters), (length, channels, units), (units) */
    static const tl_real expected[NUMBERS] = {0,  3,  1,  4,  2,  5,  6,  7,  8,  16, 12, 20, 9,
                                              17, 13, 21, 10, 18, 14, 22, 11, 19, 15, 23, 24, 25};
    tl_error error = {0};
    tl_real numbers[NUMBERS];
    tl_model *model = make_small(1);
    tl_weights_import(model, write_weights(SMALL, 104), NULL, &error);
    check_ok(&error);
    numbers_of(model, numbers);
    check_equal("numbers", numbers, expected, NUMBERS);
    remove(files_path("weights.safetensors"));
    tl_model_free(model);
}

static void given_no_map_when_exported_then_modules_named_as_layers(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real before[NUMBERS], after[NUMBERS];
    tl_model *one = make_small(1), *other = make_small(2);
    tl_archive archive = {0};
    const char *path = files_path("layers.safetensors");
    tl_weights_export(one, path, NULL, &error);
    tl_weights_import(other, path, NULL, &error);
    check_ok(&error);
    numbers_of(one, before);
    numbers_of(other, after);
    check_equal("numbers", after, before, NUMBERS);
    assert_int_equal(tl_archive_open_plain(&archive, path, 0, &error), TL_OK);
    assert_string_equal(archive.array[0].name, "conv1d_1.weight");
    assert_string_equal(archive.array[3].name, "dense_1.bias");
    tl_archive_release(&archive);
    remove(path);
    tl_model_free(one);
    tl_model_free(other);
}

/* ---- a layer of one's own ---- */

static void own_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    layer->out.channels = 1;
    tl_layer_parameter(layer, "weight", 2, (const size_t[]){2, 3}, TL_INIT_ONES, 1, 1);
    tl_layer_parameter(layer, "scale", 1, (const size_t[]){2}, TL_INIT_ONES, 1, 1);
}

static void own_pass(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    memset(pass->y.data, 0, tl_tensor_count(&pass->y) * sizeof(tl_real));
}

static const tl_layer_ops own_ops = {
    .name = "own", .size = sizeof(tl_layer), .setup = own_setup, .forward = own_pass, .backward = own_pass};

static void given_a_custom_layer_when_exported_then_axes_are_reversed(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_archive archive = {0};
    tl_model *m = tl_model_new(NULL);
    const tl_node x = tl_input(m, (tl_shape){4, 2});
    const tl_node y = tl_dense(m, tl_layer_add(m, &x, 1, &(tl_layer){.ops = &own_ops}), &(tl_dense_cfg){.units = 5});
    compile(m, y, 1);
    tl_weights_export(m, files_path("own"), NULL, &error);
    tl_archive_open_plain(&archive, files_path("own"), 0, &error);
    check_ok(&error);
    assert_string_equal(archive.array[0].name, "own_1.weight");
    assert_true(archive.array[0].shape[0] == 3 && archive.array[0].shape[1] == 2);
    assert_string_equal(archive.array[1].name, "own_1.scale");
    assert_string_equal(archive.array[2].name, "dense_1.weight");
    tl_archive_release(&archive);
    remove(files_path("own"));
    tl_model_free(m);
}

/* ---- what does not fit ---- */

/* Importing into the small network fails with that message, and changes nothing. */
static void check_refused(const char *header, size_t size, const char *map, tl_status status, const char *text) {
    tl_error error = {0};
    tl_real before[NUMBERS], after[NUMBERS];
    tl_model *model = make_small(3);
    if (map) write_map("map.json", map);
    numbers_of(model, before);
    tl_weights_import(model, write_weights(header, size), &(tl_weights_cfg){.map = map ? files_path("map.json") : NULL}, &error);
    check_error(&error, status, text);
    check_error(&error, status, files_path(map && status != TL_ERROR_SHAPE ? "map.json" : ""));
    numbers_of(model, after);
    check_equal("numbers", after, before, NUMBERS);
    remove(files_path("weights.safetensors"));
    if (map) remove(files_path("map.json"));
    tl_model_free(model);
}

static void given_tensors_of_wrong_shape_when_imported_then_named(void **unused) {
    (void)unused;
    static const struct {
        const char *header;
        size_t size;
        const char *text;
    } cases[] = {
        {"{" WEIGHTS "}", 32, "layers without a module: dense_1 (weight (2, 8), bias (2)); modules without a layer: none"},
        {"{" WEIGHTS "," ARRAY("d.weight", "3,8", 32, 128) "," ARRAY("d.bias", "3", 128, 140) "}", 140,
         "layers without a module: dense_1 (weight (2, 8), bias (2)); modules without a layer: d (bias (3), weight (3, 8))"},
        {"{" WEIGHTS "," OUT_WEIGHT "}", 96, "modules without a layer: d (weight (2, 8))"},
        {"{" WEIGHTS "," OUT_WEIGHT "," OUT_BIAS "," ARRAY("scale", "1", 104, 108) "}", 108,
         "modules without a layer:  (scale (1))"},
        {"{" WEIGHTS "," OUT_WEIGHT "," OUT_BIAS "," ARRAY("e.weight", "2,8", 104, 168) "," ARRAY("e.bias", "2", 168, 176) "}", 176,
         "modules without a layer: d (bias (2), weight (2, 8)), e (bias (2), weight (2, 8))"},
        {"{" ARRAY("conv1d_1.weight", "2,1,4", 0, 32) "," ARRAY("conv1d_1.bias", "2", 32, 40) "," ARRAY("dense_1.weight", "2,8", 40,
                                                                                                        104) "}",
         104, "tensor conv1d_1.weight: expected the shape (2, 1, 3) for layer conv1d_1, found (2, 1, 4)"},
        {"{}", 0, "layers without a module: conv1d_1 (weight (2, 1, 3), bias (2)), dense_1 (weight (2, 8), bias (2))"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_refused(cases[i].header, cases[i].size, NULL, TL_ERROR_SHAPE, cases[i].text);
}

static void given_files_that_are_not_of_pytorch_when_imported_then_refused(void **unused) {
    (void)unused;
    check_refused("{\"a.weight\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, NULL, TL_ERROR_FORMAT,
                  "tensor a.weight: expected the type F32 or F64, found BF16");
    check_refused("{\"a.weight\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, NULL, TL_ERROR_FORMAT,
                  "array a.weight: expected a \"shape\" of 1 to 4 sizes");
    check_refused("{\"a.weight\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[4,0]}}", 4, NULL, TL_ERROR_FORMAT,
                  "array a.weight: expected 0 bytes for its shape, found offsets 4 to 0");
    check_refused("{\"__metadata__\":{\"format\":\"tapline\"}}", 0, NULL, TL_ERROR_FORMAT,
                  "is a model file of tapline, not weights of another program");
}

static void given_a_wrong_map_when_imported_then_told_where(void **unused) {
    (void)unused;
    static const struct {
        const char *map;
        tl_status status;
        const char *text;
    } cases[] = {
        {"[]", TL_ERROR_FORMAT, "should be an object of modules and layers, such as {\"conv1\": \"conv1d_1\"}"},
        {"{\"c\": \"conv1d_1\",", TL_ERROR_FORMAT, "map.json:1:"},
        {"{\"c\": 1}", TL_ERROR_FORMAT, "module \"c\": expected the names of a module and of a layer"},
        {"{\"\": \"conv1d_1\"}", TL_ERROR_FORMAT, "module \"\": expected the names of a module and of a layer"},
        {"{\"c\": \"conv1d_2\"}", TL_ERROR_ARGUMENT,
         "layer \"conv1d_2\" is not in the model, or has no weights; did you mean \"conv1d_1\"?"},
        {"{\"c\": \"flatten_1\"}", TL_ERROR_ARGUMENT, "layer \"flatten_1\" is not in the model, or has no weights"},
        {"{\"cc\": \"conv1d_1\"}", TL_ERROR_ARGUMENT, "module \"cc\" is not in /"},
        {"{\"cc\": \"conv1d_1\"}", TL_ERROR_ARGUMENT, "; did you mean \"c\"?"},
        {"{\"c\": \"conv1d_1\", \"d\": \"conv1d_1\"}", TL_ERROR_ARGUMENT, "layer conv1d_1 is assigned to two modules, c and d"},
        {"{\"c\": \"conv1d_1\"}", TL_ERROR_SHAPE,
         "layers without a module: dense_1 (weight (2, 8), bias (2)); modules without a layer: d (bias (2), weight (2, 8))"},
        {"{\"d\": \"conv1d_1\", \"c\": \"dense_1\"}", TL_ERROR_SHAPE,
         "tensor d.weight: expected the shape (2, 1, 3) for layer conv1d_1, found (2, 8)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_refused(SMALL, 104, cases[i].map, cases[i].status, cases[i].text);
    static const char map[] = "{\"c\": \"conv1d_1\", \"d\": \"dense_1\"}";
    check_refused("{" WEIGHTS "," OUT_WEIGHT "}", 96, map, TL_ERROR_SHAPE, "tensor d.bias is missing; layer dense_1 has it");
    check_refused("{" WEIGHTS "," OUT_WEIGHT "," OUT_BIAS "," ARRAY("d.scale", "1", 104, 108) "}", 108, map, TL_ERROR_SHAPE,
                  "tensor d.scale has no counterpart in layer dense_1");
}

/* Imports a fixture into another network than its own. */
static void check_fixture_refused(tl_node (*build)(tl_model *m, tl_node x), tl_shape shape, const char *header, size_t size,
                                  const char *text) {
    tl_error error = {0};
    tl_model *m = tl_model_new(NULL);
    compile(m, build(m, tl_input(m, shape)), 1);
    tl_weights_import(m, write_weights(header, size), NULL, &error);
    check_error(&error, TL_ERROR_SHAPE, text);
    remove(files_path("weights.safetensors"));
    tl_model_free(m);
}

static tl_node two_norms(tl_model *m, tl_node x) { return tl_layer_norm(m, tl_layer_norm(m, x, NULL), NULL); }

static tl_node two_kinds(tl_model *m, tl_node x) {
    return tl_group_norm(m, tl_layer_norm(m, x, NULL), &(tl_group_norm_cfg){.groups = 1});
}

#define NORM(name, from, middle, to) ARRAY(name ".weight", "2", from, middle) "," ARRAY(name ".bias", "2", middle, to)

static void given_modules_of_the_same_shape_when_imported_then_by_number(void **unused) {
    (void)unused;
    tl_error error = {0};
    check_fixture_refused(
        two_norms, (tl_shape){4, 2}, "{" NORM("b", 0, 8, 16) "," NORM("a", 16, 24, 32) "}", 32,
        "modules a, b and layers layer_norm_1, layer_norm_2 have the same shapes; assign them with a map of names");
    check_fixture_refused(two_kinds, (tl_shape){4, 2}, "{" NORM("n1", 0, 8, 16) "," NORM("n2", 16, 24, 32) "}", 32,
                          "modules n1, n2 and layers layer_norm_1, group_norm_1 have the same shapes");
    tl_model *m = tl_model_new(NULL);
    compile(m, two_norms(m, tl_input(m, (tl_shape){4, 2})), 1);
    tl_weights_import(m, write_weights("{" NORM("n.10", 0, 8, 16) "," NORM("n.02", 16, 24, 32) "}", 32), NULL, &error);
    check_ok(&error);
    check_number("the first of n.2", (double)tl_parameter_at(m, 0).value.data[0], 4, 0, 0);
    check_number("the first of n.10", (double)tl_parameter_at(m, 2).value.data[0], 0, 0, 0);
    remove(files_path("weights.safetensors"));
    tl_model_free(m);
}

static tl_node joined(tl_model *m, tl_node x) {
    return tl_dense(m, tl_concat(m, (const tl_node[]){tl_flatten(m, x), tl_flatten(m, x)}, 2), &(tl_dense_cfg){.units = 1});
}

static tl_node grouped(tl_model *m, tl_node x) {
    return tl_dense(m, tl_group_norm(m, tl_flatten(m, x), &(tl_group_norm_cfg){.groups = 4}), &(tl_dense_cfg){.units = 1});
}

static tl_node grouped_taps(tl_model *m, tl_node x) {
    return tl_conv1d(m, tl_flatten(m, x), &(tl_conv1d_cfg){.filters = 2, .kernel = 1, .groups = 2});
}

static tl_node spread_again(tl_model *m, tl_node x) {
    x = tl_upsample(m, tl_flatten(m, x), &(tl_upsample_cfg){.factor = 2});
    return tl_dense(m, tl_flatten(m, x), &(tl_dense_cfg){.units = 1});
}

static void given_channels_without_counterpart_when_exported_then_refused(void **unused) {
    (void)unused;
    static tl_node (*const builders[])(tl_model * m, tl_node x) = {joined, grouped, grouped_taps, spread_again};
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++) {
        tl_error error = {0};
        check_fixture_refused(builders[i], (tl_shape){4, 2}, "{}", 0, "reads were flattened, then joined or grouped");
        tl_model *m = tl_model_new(NULL);
        compile(m, builders[i](m, tl_input(m, (tl_shape){4, 2})), 1);
        tl_weights_export(m, files_path("none"), NULL, &error);
        check_error(&error, TL_ERROR_SHAPE, "weights: the channels that ");
        tl_model_free(m);
    }
    /* Of one channel there is one order. */
    tl_error error = {0};
    tl_model *m = tl_model_new(NULL);
    compile(m, joined(m, tl_input(m, (tl_shape){4, 1})), 1);
    tl_weights_export(m, files_path("one"), NULL, &error);
    check_ok(&error);
    remove(files_path("one"));
    tl_model_free(m);
}

static void given_no_compiled_model_or_no_file_when_called_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *fresh = tl_model_new(NULL), *model = make_small(1);
    tl_weights_import(fresh, "none", NULL, &error);
    check_error(&error, TL_ERROR_STATE, "import: the model is not compiled");
    assert_int_equal(tl_weights_export(NULL, "none", NULL, NULL), TL_ERROR_STATE);
    error = (tl_error){0};
    tl_weights_export(fresh, "none", NULL, &error);
    check_error(&error, TL_ERROR_STATE, "export: the model is not compiled");
    error = (tl_error){0};
    tl_weights_import(model, files_path("none"), NULL, &error);
    check_error(&error, TL_ERROR_FILE, "none: No such file or directory");
    assert_int_equal(tl_weights_import(model, files_path("none"), NULL, &error), TL_ERROR_FILE); /* the error is still set */
    error = (tl_error){0};
    tl_weights_export(model, files_path("none"), &(tl_weights_cfg){.map = "no-map.json"}, &error);
    check_error(&error, TL_ERROR_FILE, "no-map.json: No such file or directory");
    assert_int_equal(tl_weights_export(model, "/no/such/folder/w", NULL, NULL), TL_ERROR_FILE);
    tl_model_free(model);
    tl_model_free(fresh);
}

static void given_a_map_that_does_not_fit_when_exported_then_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *map;
        tl_status status;
        const char *text;
    } cases[] = {{"{\"c\": \"conv1d_1\"}", TL_ERROR_SHAPE, "layers without a module: dense_1 (weight (2, 8), bias (2)); modules "},
                 {"{\"c\": \"conv\"}", TL_ERROR_ARGUMENT, "layer \"conv\" is not in the model, or has no weights"}};
    tl_model *model = make_small(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        write_map("map.json", cases[i].map);
        tl_weights_export(model, files_path("none"), &(tl_weights_cfg){.map = files_path("map.json")}, &error);
        check_error(&error, cases[i].status, cases[i].text);
        remove(files_path("map.json"));
    }
    tl_model_free(model);
}

static void given_a_number_that_is_not_finite_when_imported_then_refused(void **unused) {
    (void)unused;
    static const char header[] = "{\"a.weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                                 "\"a.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}";
    const float values[4] = {1, 2, 0, INFINITY};
    unsigned char image[sizeof header - 1 + 8 + sizeof values];
    tl_error error = {0};
    tl_model *m = tl_model_new(NULL);
    compile(m, tl_layer_norm(m, tl_input(m, (tl_shape){4, 2}), NULL), 1);
    memcpy(image, &(uint64_t){sizeof header - 1}, 8);
    memcpy(image + 8, header, sizeof header - 1);
    memcpy(image + 8 + sizeof header - 1, values, sizeof values);
    files_write("weights.safetensors", image, sizeof image);
    tl_weights_import(m, files_path("weights.safetensors"), NULL, &error);
    check_error(&error, TL_ERROR_FORMAT, "tensor a.bias: element 1 is inf; the model could not predict");
    remove(files_path("weights.safetensors"));
    tl_model_free(m);
}

#ifndef TAPLINE_F64
static void given_a_number_too_large_for_f32_when_imported_then_refused(void **unused) {
    (void)unused;
    static const char header[] = "{\"a.weight\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},"
                                 "\"a.bias\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[16,32]}}";
    const double values[4] = {1, 1e300, 0, 0.1};
    unsigned char image[sizeof header - 1 + 8 + sizeof values];
    tl_error error = {0};
    tl_model *m = tl_model_new(NULL);
    compile(m, tl_layer_norm(m, tl_input(m, (tl_shape){4, 2}), NULL), 1);
    memcpy(image, &(uint64_t){sizeof header - 1}, 8);
    memcpy(image + 8, header, sizeof header - 1);
    memcpy(image + 8 + sizeof header - 1, values, sizeof values);
    files_write("weights.safetensors", image, sizeof image);
    tl_weights_import(m, files_path("weights.safetensors"), NULL, &error);
    check_error(&error, TL_ERROR_FORMAT, "tensor a.weight: element 1 is 1e+300, which is too large for single precision");
    check_number("the first weight", (double)tl_parameter_at(m, 0).value.data[0], 1, 0, 0);
    remove(files_path("weights.safetensors"));
    tl_model_free(m);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_number_that_is_not_finite_when_imported_then_refused),
        cmocka_unit_test(given_pytorch_weights_when_imported_then_its_outputs),
        cmocka_unit_test(given_arrays_in_pytorch_order_when_imported_then_in_model_order),
        cmocka_unit_test(given_no_map_when_exported_then_modules_named_as_layers),
        cmocka_unit_test(given_a_custom_layer_when_exported_then_axes_are_reversed),
        cmocka_unit_test(given_tensors_of_wrong_shape_when_imported_then_named),
        cmocka_unit_test(given_files_that_are_not_of_pytorch_when_imported_then_refused),
        cmocka_unit_test(given_a_wrong_map_when_imported_then_told_where),
        cmocka_unit_test(given_modules_of_the_same_shape_when_imported_then_by_number),
        cmocka_unit_test(given_channels_without_counterpart_when_exported_then_refused),
        cmocka_unit_test(given_no_compiled_model_or_no_file_when_called_then_refused),
        cmocka_unit_test(given_a_map_that_does_not_fit_when_exported_then_refused),
#ifndef TAPLINE_F64
        cmocka_unit_test(given_a_number_too_large_for_f32_when_imported_then_refused),
#endif
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
