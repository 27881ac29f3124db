/* Model files as bytes in memory, and models that end at an inner layer of a file's. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SERIES = 6, LENGTH = 10, CHANNELS = 2, CLASSES = 3, FILTERS = 4 };

static tl_real values[SERIES * LENGTH * CHANNELS];
static int32_t labels[SERIES] = {0, 1, 2, 0, 1, 2};
static char *class_names[] = {"low", "middle", "high"};
static const tl_dataset data = {.x = {.data = values, .rank = 3, .shape = {SERIES, LENGTH, CHANNELS}},
                                .labels = labels,
                                .classes = CLASSES,
                                .class_names = class_names};

static tl_node convolve(tl_model *m, tl_node x) {
    return tl_batch_norm(m, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = FILTERS, .kernel = 3, .padding = TL_PADDING_SAME}), NULL);
}

/* conv1d_2 and conv1d_3 both read what conv1d_1 gives: a model that ends behind conv1d_3 has no conv1d_2. */
static tl_model *make_trained(void) {
    tl_error error = {0};
    fill_normal(values, SERIES * LENGTH * CHANNELS, 3);
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 5, .threads = 1});
    const tl_node x = tl_input(m, (tl_shape){LENGTH, CHANNELS}), a = convolve(m, x), b = convolve(m, a), c = convolve(m, a);
    const tl_node pooled = tl_global_average_pool(m, tl_relu(m, tl_add(m, (const tl_node[]){tl_tanh(m, b), c}, 2)));
    tl_model_compile(m, tl_dense(m, pooled, &(tl_dense_cfg){.units = CLASSES}), &(tl_compile_cfg){.batch = SERIES}, &error);
    tl_fit(m, &data, &(tl_fit_cfg){.epochs = 2}, NULL, &error);
    check_ok(&error);
    return m;
}

static void *bytes_of(const tl_model *model, size_t *size) {
    tl_error error = {0};
    void *bytes = tl_model_write(model, size, &(tl_save_cfg){.data = &data}, &error);
    check_ok(&error);
    assert_non_null(bytes);
    return bytes;
}

static tl_model *parsed(const void *bytes, size_t size, const tl_load_cfg *cfg, tl_model_info *info) {
    tl_error error = {0};
    tl_model *model = tl_model_parse(bytes, size, cfg, info, &error);
    check_ok(&error);
    return model;
}

static void given_a_model_when_written_then_the_bytes_of_its_file(void **unused) {
    (void)unused;
    tl_error error = {0};
    char path[] = "/tmp/tapline-bytes-XXXXXX", *in_file = NULL;
    const int made = mkstemp(path);
    size_t size, count = 0;
    tl_model *model = make_trained();
    char *bytes = bytes_of(model, &size);
    assert_true(made >= 0 && close(made) == 0);
    tl_model_save(model, path, &(tl_save_cfg){.data = &data}, &error);
    check_ok(&error);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    in_file = malloc(size + 1);
    assert_non_null(in_file);
    count = fread(in_file, 1, size + 1, file);
    fclose(file);
    unlink(path);
    assert_int_equal(count, size);
    assert_memory_equal(bytes, in_file, size);
    free(in_file);
    free(bytes);
    tl_model_free(model);
}

static void given_bytes_when_parsed_then_the_same_model_without_them(void **unused) {
    (void)unused;
    size_t size;
    tl_model_info info;
    tl_model *model = make_trained();
    void *bytes = bytes_of(model, &size);
    tl_model *again = parsed(bytes, size, NULL, &info);
    memset(bytes, 0xFF, size); /* they are not used any more */
    free(bytes);
    check_parameters(again, model, 0, 0);
    assert_int_equal(info.bytes, size);
    assert_string_equal(info.data.class_names[2], "high");
    assert_string_equal(info.version, tl_version());
    tl_model_info_release(&info);
    tl_model_free(again);
    tl_model_free(model);
}

static void given_damaged_bytes_when_parsed_then_refused(void **unused) {
    (void)unused;
    size_t size;
    tl_model *model = make_trained();
    unsigned char *bytes = bytes_of(model, &size);
    const struct {
        size_t size;
        const void *bytes;
        tl_status status;
        const char *text;
    } cases[] = {{0, bytes, TL_ERROR_FORMAT, "the bytes: has 0 bytes; a safetensors file has at least 10"},
                 {size - 1, bytes, TL_ERROR_FORMAT, "the bytes: array "},
                 {size, bytes, TL_ERROR_FORMAT, "the bytes: is damaged: its checksum is "},
                 {size, NULL, TL_ERROR_ARGUMENT, "load: the pointer to the bytes is NULL"}};
    bytes[size - 1] ^= 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        assert_null(tl_model_parse(cases[i].bytes, cases[i].size, NULL, NULL, &error));
        check_error(&error, cases[i].status, cases[i].text);
    }
    free(bytes);
    tl_model_free(model);
}

static void given_nothing_to_write_when_written_then_named(void **unused) {
    (void)unused;
    tl_error error = {0}, other = {0};
    size_t size;
    tl_model *model = make_trained();
    assert_null(tl_model_write(NULL, &size, NULL, &error));
    check_error(&error, TL_ERROR_STATE, "save: the model is not compiled");
    assert_null(tl_model_write(model, NULL, NULL, &other));
    check_error(&other, TL_ERROR_ARGUMENT, "save: the pointer to the size is NULL");
    tl_model_free(model);
}

/* A later version may have another checksum, other types and texts: its number comes first. */
static void given_a_later_version_when_parsed_then_it_is_named(void **unused) {
    (void)unused;
    static const char header[] = "{\"__metadata__\":{\"format\":\"tapline\",\"version\":\"7\",\"tapline\":\"3.1.4\",\"list\":[1]},"
                                 "\"a\":{\"dtype\":\"BF16\"}}";
    unsigned char bytes[8 + sizeof header] = {sizeof header - 1};
    char expected[200];
    tl_error error = {0};
    memcpy(bytes + 8, header, sizeof header);
    assert_null(tl_model_parse(bytes, sizeof bytes - 1, NULL, NULL, &error));
    snprintf(expected, sizeof expected,
             "the bytes: has format version 7, written by tapline 3.1.4; tapline %s reads version 1 only: use a later tapline",
             tl_version());
    check_error(&error, TL_ERROR_FORMAT, expected);
}

/* ---- inner layers ---- */

/* What the same model gives at a node. */
static void check_inner(const char *name, const tl_model *whole, const tl_real *expected, tl_shape shape) {
    tl_error error = {0};
    size_t size;
    tl_model_info info;
    tl_real y[SERIES * LENGTH * FILTERS];
    void *bytes = bytes_of(whole, &size);
    tl_model *inner =
        parsed(bytes, size,
               &(tl_load_cfg){.output = name, .compile = {.batch = 4, .inference_only = true, .no_fold_batch_norm = true}}, &info);
    tl_tensor to = TL_VIEW(y, SERIES, shape.length, shape.channels);
    tl_predict(inner, &data.x, NULL, &to, &error);
    check_ok(&error);
    check_equal(name, y, expected, tl_tensor_count(&to));
    assert_int_equal(tl_output_shape(inner).channels, shape.channels);
    assert_string_equal(info.data.class_names[2], "high");
    tl_model_info_release(&info);
    free(bytes);

    bytes = tl_model_write(inner, &size, NULL, &error); /* a model like any other: it can be saved */
    check_ok(&error);
    tl_model *again = parsed(bytes, size, NULL, NULL);
    check_parameters(again, inner, 0, 0);
    tl_model_free(again);
    free(bytes);
    tl_model_free(inner);
}

/* A network of the same layers that ends there, with the parameters of those with these names. */
static void predict_by_hand(const tl_model *whole, tl_real *y) {
    static const char *const from[] = {"conv1d_1", "batch_norm_1", "conv1d_3", "batch_norm_3"}, *const to[] = {
                                                                                                    "conv1d_1", "batch_norm_1",
                                                                                                    "conv1d_2", "batch_norm_2"};
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.threads = 1});
    const tl_node x = convolve(m, convolve(m, tl_input(m, (tl_shape){LENGTH, CHANNELS})));
    tl_model_compile(m, x, &(tl_compile_cfg){.batch = 4, .loss = TL_LOSS_SQUARED_ERROR}, &error);
    check_ok(&error);
    for (size_t i = 0; i < tl_parameter_arrays(m); i++)
        for (size_t j = 0; j < tl_parameter_arrays(whole); j++)
            for (size_t l = 0; l < 4; l++) {
                const tl_parameter ours = tl_parameter_at(m, i), theirs = tl_parameter_at(whole, j);
                if (strcmp(ours.layer, to[l]) == 0 && strcmp(theirs.layer, from[l]) == 0 && strcmp(ours.name, theirs.name) == 0)
                    memcpy(ours.value.data, theirs.value.data, tl_tensor_count(&ours.value) * sizeof(tl_real));
            }
    tl_tensor to_tensor = TL_VIEW(y, SERIES, tl_output_shape(m).length, FILTERS);
    tl_predict(m, &data.x, NULL, &to_tensor, &error);
    check_ok(&error);
    tl_model_free(m);
}

static void given_an_inner_layer_when_loaded_then_what_it_computes(void **unused) {
    (void)unused;
    tl_real y[SERIES * LENGTH * FILTERS];
    tl_model *whole = make_trained();
    predict_by_hand(whole, y);
    check_inner("batch_norm_3", whole, y, (tl_shape){LENGTH, FILTERS});
    tl_model_free(whole);
}

static void given_an_unknown_layer_when_loaded_then_a_similar_one_is_named(void **unused) {
    (void)unused;
    tl_error error = {0}, other = {0};
    size_t size;
    tl_model *model = make_trained();
    void *bytes = bytes_of(model, &size);
    assert_null(tl_model_parse(bytes, size, &(tl_load_cfg){.output = "conv_3"}, NULL, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "the bytes: no layer has the name \"conv_3\"; did you mean \"conv");
    assert_null(tl_model_parse(bytes, size, &(tl_load_cfg){.output = "somewhere"}, NULL, &other));
    check_error(&other, TL_ERROR_ARGUMENT, "the bytes: no layer has the name \"somewhere\"");
    free(bytes);
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_model_when_written_then_the_bytes_of_its_file),
        cmocka_unit_test(given_bytes_when_parsed_then_the_same_model_without_them),
        cmocka_unit_test(given_damaged_bytes_when_parsed_then_refused),
        cmocka_unit_test(given_nothing_to_write_when_written_then_named),
        cmocka_unit_test(given_a_later_version_when_parsed_then_it_is_named),
        cmocka_unit_test(given_an_inner_layer_when_loaded_then_what_it_computes),
        cmocka_unit_test(given_an_unknown_layer_when_loaded_then_a_similar_one_is_named),
    };
    return check_run(tests);
}
