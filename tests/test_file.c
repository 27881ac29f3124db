/* Model files: a saved model is loaded unchanged, and other files are refused. */
#include "check.h"

#include "io/archive.h"
#include "io/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/tapline-file-XXXXXX";
static char path[64], other_path[64];

static int set_up(void **unused) {
    (void)unused;
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    snprintf(other_path, sizeof other_path, "%s/other.safetensors", folder);
    return 0;
}

static int tear_down(void **unused) {
    (void)unused;
    unlink(path);
    unlink(other_path);
    return rmdir(folder);
}

/* ---- models ---- */

enum { SERIES = 12, LENGTH = 10, CLASSES = 3 };

static tl_real values[SERIES * LENGTH * 2];
static int32_t labels[SERIES];
static char *class_names[] = {"left", "right \"quoted\"", "größer"};
static const tl_dataset data = {.x = {.data = values, .rank = 3, .shape = {SERIES, LENGTH, 2}},
                                .labels = labels,
                                .classes = CLASSES,
                                .class_names = class_names};

static tl_model *compile(tl_model *model, tl_node output, const tl_compile_cfg *cfg) {
    tl_error error = {0};
    tl_model_compile(model, output, cfg, &error);
    check_ok(&error);
    return model;
}

static tl_node block(tl_model *m, tl_node x) {
    const tl_conv1d_cfg cfg = {.filters = 5, .kernel = 3, .padding = TL_PADDING_SAME, .no_bias = true};
    return tl_relu(m, tl_batch_norm(m, tl_conv1d(m, x, &cfg), NULL));
}

/* A model with a branch, running statistics and dropout, trained for two epochs. */
static tl_model *make_trained(void) {
    tl_error error = {0};
    fill_normal(values, SERIES * LENGTH * 2, 3);
    for (int i = 0; i < SERIES; i++) labels[i] = i % CLASSES;
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 18446744073709551615U, .threads = 1});
    const tl_node x = tl_input(m, (tl_shape){LENGTH, 2}), h = block(m, x);
    tl_node y = tl_add(m, (const tl_node[]){block(m, h), h}, 2);
    y = tl_dropout(m, tl_global_average_pool(m, y), &(tl_dropout_cfg){.rate = 0.25});
    compile(m, tl_dense(m, y, &(tl_dense_cfg){.units = CLASSES}), &(tl_compile_cfg){.batch = 4});
    tl_fit(m, &data, &(tl_fit_cfg){.epochs = 2}, NULL, &error);
    check_ok(&error);
    return m;
}

/* The smallest: three numbers, one output. */
static tl_model *make_small(void) {
    tl_model *m = tl_model_new(NULL);
    const tl_node x = tl_input(m, (tl_shape){1, 2});
    return compile(m, tl_dense(m, x, &(tl_dense_cfg){.units = 1}), &(tl_compile_cfg){.loss = TL_LOSS_SQUARED_ERROR, .batch = 1});
}

static void save(const tl_model *model, const tl_save_cfg *cfg) {
    tl_error error = {0};
    assert_int_equal(tl_model_save(model, path, cfg, &error), error.status);
    check_ok(&error);
}

static tl_model *load(const tl_load_cfg *cfg, tl_model_info *info) {
    tl_error error = {0};
    tl_model *model = tl_model_load(path, cfg, info, &error);
    check_ok(&error);
    assert_non_null(model);
    return model;
}

static void check_same_arrays(const tl_model *a, const tl_model *b) {
    assert_int_equal(tl_parameter_arrays(a), tl_parameter_arrays(b));
    for (size_t i = 0; i < tl_parameter_arrays(a); i++) {
        const tl_parameter one = tl_parameter_at(a, i), other = tl_parameter_at(b, i);
        assert_string_equal(one.layer, other.layer);
        assert_string_equal(one.name, other.name);
        assert_true(tl_tensor_same_shape(&one.value, &other.value));
        assert_memory_equal(one.value.data, other.value.data, tl_tensor_count(&one.value) * sizeof(tl_real));
    }
}

static void given_a_trained_model_when_saved_and_loaded_then_every_bit(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *saved = make_trained();
    save(saved, NULL);
    const tl_load_cfg cfg = {.threads = 2, .compile = {.batch = 5, .inference_only = true, .no_fold_batch_norm = true}};
    tl_model *loaded = load(&cfg, NULL);
    check_same_arrays(saved, loaded);
    tl_tensor y = tl_tensor_new(3, (size_t[]){SERIES, 1, CLASSES}, &error), z = tl_tensor_new(3, y.shape, &error);
    tl_predict(saved, &data.x, NULL, &y, &error);
    tl_predict(loaded, &data.x, NULL, &z, &error);
    check_ok(&error);
    check_equal("outputs", z.data, y.data, tl_tensor_count(&y));
    assert_int_equal(tl_model_batch(loaded), 5);
    assert_true(tl_model_seed(loaded) == tl_model_seed(saved));
    tl_tensor_free(&y);
    tl_tensor_free(&z);
    tl_model_free(loaded);
    tl_model_free(saved);
}

static void given_classes_and_raw_series_when_loaded_then_the_info_says_so(void **unused) {
    (void)unused;
    tl_model *saved = make_trained();
    tl_model_info info;
    save(saved, &(tl_save_cfg){.data = &data, .normalize = TL_NORMALIZE_NONE, .missing_policy = TL_MISSING_MEAN});
    tl_model_free(load(NULL, &info));
    assert_int_equal(info.normalize, TL_NORMALIZE_NONE);
    assert_int_equal(info.missing_policy, TL_MISSING_MEAN);
    assert_string_equal(info.precision, tl_precision());
    assert_string_equal(info.version, tl_version());
    assert_int_equal(info.data.x.shape[1], LENGTH);
    assert_int_equal(info.data.x.shape[2], 2);
    assert_int_equal(info.data.classes, CLASSES);
    for (int c = 0; c < CLASSES; c++) assert_string_equal(info.data.class_names[c], class_names[c]);
    struct stat about;
    assert_true(stat(path, &about) == 0 && (size_t)about.st_size == info.bytes);
    assert_string_equal(tl_file_precision(path, NULL), tl_precision());
    tl_model_info_release(&info);
    save(saved, NULL);
    tl_model_free(load(NULL, &info));
    assert_int_equal(info.normalize, TL_NORMALIZE_NONE); /* as the model was trained, on arrays that were not scaled */
    assert_int_equal(info.missing_policy, TL_MISSING_REFUSE);
    assert_null(info.data.class_names);
    assert_int_equal(info.data.classes, CLASSES);
    tl_model_info_release(&info);
    tl_model_info_release(NULL);
    tl_model_free(saved);
}

static void given_unequal_series_when_loaded_then_the_info_says_so(void **unused) {
    (void)unused;
    tl_model *saved = make_trained();
    tl_model_info info;
    tl_dataset own = data;
    size_t lengths[SERIES] = {0};
    own.lengths = lengths;
    save(saved, &(tl_save_cfg){.data = &own});
    tl_model *loaded = load(&(tl_load_cfg){.length = 25}, &info);
    assert_non_null(info.data.lengths);
    assert_int_equal(tl_input_shape(loaded).length, 25);
    check_same_arrays(saved, loaded);
    tl_model_free(loaded);
    tl_model_free(saved);
    tl_model_info_release(&info);
    tl_model_info_release(NULL);
    assert_null(tl_model_load("/nowhere", NULL, NULL, NULL));
    assert_null(tl_file_precision("/nowhere", NULL));
}

static void given_odd_file_names_when_saved_then_here_or_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    char before[500], name[5000];
    tl_model *model = make_small();
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    tl_model_save(model, "other.safetensors", NULL, &error);
    check_ok(&error);
    assert_int_equal(access(other_path, F_OK), 0);
    assert_int_equal(chdir(before), 0);
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    tl_model_save(model, name, NULL, &error);
    check_error(&error, TL_ERROR_FILE, "cannot be written: File name too long");
    tl_model_free(model);
}

static void given_a_regression_when_loaded_then_its_loss_and_no_classes(void **unused) {
    (void)unused;
    tl_model *saved = make_small();
    tl_model_info info;
    save(saved, NULL);
    tl_model *loaded = load(NULL, &info);
    assert_int_equal(tl_model_loss(loaded), TL_LOSS_SQUARED_ERROR);
    assert_int_equal(info.data.classes, 0);
    tl_model_free(loaded);
    tl_model_free(saved);
}

static void given_a_loss_with_settings_when_loaded_then_it_is_the_same_loss(void **unused) {
    (void)unused;
    const double weights[CLASSES] = {0.5, 2, 1.25};
    tl_error error = {0};
    tl_metrics before, after;
    tl_model *m = tl_model_new(NULL);
    const tl_node x = tl_input(m, (tl_shape){LENGTH, 2});
    compile(m, tl_dense(m, tl_flatten(m, x), &(tl_dense_cfg){.units = CLASSES}),
            &(tl_compile_cfg){.label_smoothing = 0.1, .class_weights = weights});
    save(m, NULL);
    tl_model *loaded = load(NULL, NULL);
    tl_evaluate(m, &data, &before, &error);
    tl_evaluate(loaded, &data, &after, &error);
    check_ok(&error);
    check_number("loss", after.loss, before.loss, 0, 0);
    tl_model_free(loaded);
    tl_model_free(m);
}

/* ---- a layer of one's own ---- */

static void double_setup(tl_layer *layer, tl_error *error) {
    (void)layer;
    (void)error;
}

static void double_forward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    for (size_t i = 0; i < tl_tensor_count(&pass->y); i++) pass->y.data[i] = 2 * pass->x[0].data[i];
}

static const tl_layer_ops double_ops = {
    .name = "double", .size = sizeof(tl_layer), .setup = double_setup, .forward = double_forward, .backward = double_forward};

static void given_a_layer_of_ones_own_when_loaded_then_it_must_be_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *m = tl_model_new(NULL);
    const tl_node x = tl_input(m, (tl_shape){2, 1}), y = tl_layer_add(m, &x, 1, &(tl_layer){.ops = &double_ops});
    save(compile(m, y, &(tl_compile_cfg){.inference_only = true}), NULL);
    tl_model_free(m);
    assert_null(tl_model_load(path, NULL, NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, "architecture: layers[0]: type \"double\" is unknown");
    tl_model_free(load(&(tl_load_cfg){.layers = (const tl_layer_ops *const[]){&double_ops, NULL}}, NULL));
}

static void long_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    static const char name[] = "a_name_that_is_so_long_that_with_the_name_of_its_layer_before_it_and_a_dot_between_them_"
                               "it_does_not_fit_into_what_the_file_has_for_it";
    tl_layer_parameter(layer, name, 1, (const size_t[]){1}, TL_INIT_ZEROS, 1, 1);
}

static void given_a_parameter_with_a_very_long_name_when_saved_then_refused(void **unused) {
    (void)unused;
    static const tl_layer_ops ops = {
        .name = "long", .size = sizeof(tl_layer), .setup = long_setup, .forward = double_forward, .backward = double_forward};
    tl_error error = {0};
    tl_model *m = tl_model_new(NULL);
    const tl_node x = tl_input(m, (tl_shape){2, 1}), y = tl_layer_add(m, &x, 1, &(tl_layer){.ops = &ops});
    compile(m, y, &(tl_compile_cfg){.inference_only = true});
    tl_model_save(m, path, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "file: array name long_1.a_name_that_is_so_long");
    check_error(&error, TL_ERROR_ARGUMENT, "… is longer than 119 bytes");
    tl_model_free(m);
}

/* ---- damage ---- */

/* The file's bytes; *size of them. To be freed. */
static unsigned char *read_back(const char *name, size_t *size) {
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void write_bytes(const void *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* It must be refused with a message that names the file. */
static void check_refused(const char *what, size_t at) {
    tl_error error = {0};
    tl_model *model = tl_model_load(path, NULL, NULL, &error);
    if (model || !strstr(error.text, path)) fail_msg("%s %zu: %s", what, at, model ? "was loaded" : error.text);
}

static void given_any_bit_flipped_then_the_file_is_refused(void **unused) {
    (void)unused;
    tl_model *saved = make_small();
    size_t size;
    save(saved, NULL);
    unsigned char *bytes = read_back(path, &size);
    assert_true(size < 2000);
    const int file = open(path, O_WRONLY);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        const unsigned char wrong = (unsigned char)(bytes[bit / 8] ^ (1U << bit % 8));
        assert_int_equal(pwrite(file, &wrong, 1, (off_t)(bit / 8)), 1);
        check_refused("bit", bit);
        assert_int_equal(pwrite(file, &bytes[bit / 8], 1, (off_t)(bit / 8)), 1);
    }
    close(file);
    tl_model_free(load(NULL, NULL));
    free(bytes);
    tl_model_free(saved);
}

static void given_any_end_cut_off_or_bytes_added_then_the_file_is_refused(void **unused) {
    (void)unused;
    tl_model *saved = make_small();
    size_t size;
    save(saved, NULL);
    unsigned char *bytes = read_back(path, &size);
    unsigned char *longer = realloc(bytes, size + 1);
    assert_non_null(longer);
    longer[size] = 0;
    write_bytes(longer, size + 1);
    check_refused("length", size + 1);
    for (size_t length = size; length-- > 0;) {
        assert_int_equal(truncate(path, (off_t)length), 0);
        check_refused("length", length);
    }
    free(longer);
    tl_model_free(saved);
}

/* ---- headers that are wrong, with the right checksum ---- */

#define TEXTS "\"__metadata__\":{\"format\":\"tapline\",\"version\":\"1\",\"kind\":\"model\",\"checksum\":\"0000000000000000\""
#define NETWORK                                                                                                                    \
    ",\"architecture\":\"{\\\"input\\\":{\\\"length\\\":1,\\\"channels\\\":2},\\\"layers\\\":[{\\\"type\\\":\\\"dense\\\","        \
    "\\\"units\\\":1}]}\""
#define OTHERS                                                                                                                     \
    ",\"precision\":\"f32\",\"tapline\":\"0\",\"seed\":\"1\",\"normalise\":\"none\",\"classes\":\"[]\",\"loss\":\"squared-"        \
    "error\",\"loss_settings\":\"{}\""
#define HUNDRED_LETTERS "a name of a hundred letters, which with the twenty that follow is longer than the name of an array may be "
#define HEAD TEXTS NETWORK OTHERS "}"
#define WEIGHT "\"dense_1.weight\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}"
#define BIAS "\"dense_1.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}"

/* A file of this header and `bytes` of data, with its checksum. */
static void write_file(const char *header, const float *content, size_t bytes) {
    const uint64_t length = strlen(header);
    char *image = calloc(1, 8 + length + bytes);
    assert_non_null(image);
    memcpy(image, &length, 8);
    memcpy(image + 8, header, length); // NOLINT(bugprone-not-null-terminated-result): bytes of a file
    if (bytes) memcpy(image + 8 + length, content, bytes);
    const char *digits = tl_checksum_in(image + 8, length);
    if (digits) {
        char text[TL_CHECKSUM_DIGITS + 1];
        tl_checksum_of(&(tl_piece){.data = image, .size = 8 + length + bytes}, 1, digits, text);
        memcpy(image + (digits - image), text, TL_CHECKSUM_DIGITS);
    }
    write_bytes(image, 8 + length + bytes);
    free(image);
}

static const float numbers[4] = {0.5F, -2.0F, 0.25F, 8.0F};

static void given_a_file_in_f32_when_loaded_then_the_same_values(void **unused) {
    (void)unused;
    write_file("{" HEAD "," BIAS "," WEIGHT "}", numbers, 12);
    tl_model *model = load(NULL, NULL);
    assert_string_equal(tl_file_precision(path, NULL), "f32");
    for (size_t i = 0; i < 3; i++)
        check_number("value", (double)tl_parameter_at(model, i / 2).value.data[i % 2], (double)numbers[i], 0, 0);
    tl_model_free(model);
}

static void given_a_header_that_is_wrong_then_the_message_says_what(void **unused) {
    (void)unused;
    static const struct {
        const char *header;
        size_t bytes;
        const char *text;
    } cases[] = {
        {"[]", 0, "is not a safetensors file: the header begins with byte 0x5b, not with '{'"},
        {"{\"a\":1,\"a\":2}", 0, "the header is not JSON: 1:"},
        {"{\"a\":1,\"a\":2}", 0, "duplicate object key"},
        {"{" WEIGHT "," BIAS "}", 12, "is a safetensors file of another program (\"format\" is \"\"; expected \"tapline\")"},
        {"{\"__metadata__\":{\"format\":\"pt\"}," WEIGHT "}", 8, "of another program (\"format\" is \"pt\""},
        {"{\"__metadata__\":{\"format\":\"tapline\",\"precision\":\"f32\"}}", 0, "metadata \"checksum\" is missing"},
        {"{\"__metadata__\":{\"format\":\"tapline\",\"precision\":\"f16\"}}", 0,
         "\"precision\": expected f32 or f64, found \"f16\""},
        {"{" TEXTS ",\"precision\":\"f32\",\"x\":1}}", 0, "metadata \"x\" is not a text"},
        {"{" TEXTS OTHERS "}}", 0, "metadata \"architecture\" is missing"},
        {"{" HEAD "," WEIGHT ",\"dense_1.bia\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}", 12,
         "array dense_1.bias is missing"},
        {"{" HEAD "," WEIGHT "," BIAS ",\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}", 16,
         "array x does not belong to a layer"},
        {"{" HEAD "," WEIGHT ",\"dense_1.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 12,
         "array dense_1.bias: expected it at offset 8, found it at 4"},
        {"{" HEAD "," WEIGHT ",\"dense_1.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}", 16,
         "array dense_1.bias: expected it at offset 8, found it at 12"},
        {"{" HEAD "," WEIGHT "," BIAS "}", 8, "array dense_1.bias: ends at offset 12; the file has 8 bytes of arrays"},
        {"{" HEAD "," WEIGHT "," BIAS "}", 16, "the arrays have 12 bytes; the file has 16"},
        {"{" HEAD "," WEIGHT ",\"dense_1.bias\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[8,12]}}", 12,
         "array dense_1.bias: expected the shape (1), found (1, 1)"},
        {"{" HEAD ",\"dense_1.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}," BIAS "}", 12,
         "array dense_1.weight: expected the shape (2, 1), found (1, 2)"},
        {"{" HEAD "," WEIGHT ",\"dense_1.bias\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[8,16]}}", 16,
         "array dense_1.bias: expected elements of 4 bytes, found 8"},
        {"{" HEAD ",\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "expected the type F32 or F64, found I8"},
        {"{" HEAD ",\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 0, "expected \"dtype\", \"shape\" and two \"data_offsets\""},
        {"{" HEAD ",\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "expected a \"shape\" of 1 to 4 sizes"},
        {"{" HEAD ",\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "axis 0 of its shape is not a size"},
        {"{" HEAD ",\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0.5,4]}}", 4, "its offsets are not sizes"},
        {"{" HEAD ",\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8,
         "expected 4 bytes for its shape, found offsets 0 to 8"},
        {"{" HEAD ",\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[9223372036854775807,3]}}", 4, "expected 4 bytes"},
        {"{" HEAD ",\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
         "its shape has more elements than memory can address"},
        {"{" TEXTS ",\"precision\":\"f32\",\"architecture\":\"{\"}}", 0, ": architecture:1:1: "},
        {"{" TEXTS OTHERS ",\"architecture\":\"{}\"}}", 0, "\"input\" should give \"length\" and \"channels\""},
        {"{" TEXTS OTHERS ",\"architecture\":\"{\\\"input\\\":{\\\"length\\\":9,\\\"channels\\\":1},\\\"layers\\\":[{\\\"type\\\":"
         "\\\"dense\\\",\\\"units\\\":2000000000}]}\"}," WEIGHT "}",
         8, "the layers have more parameters than the file, which has 2"},
        {"{\"__metadata__\":{\"format\":\"tapline\",\"checksum\":\"0000000000000000\",\"precision\":\"f32\",\"version\":\"2\","
         "\"kind\":"
         "\"model\"}}",
         0, "has format version 2, written by tapline ?; tapline "},
        {"{\"__metadata__\":{\"format\":\"tapline\",\"checksum\":\"0000000000000000\",\"precision\":\"f32\",\"version\":\"1\","
         "\"kind\":"
         "\"checkpoint\"}}",
         0, "metadata \"kind\": expected model, found \"checkpoint\""},
        {"{" TEXTS NETWORK ",\"precision\":\"f32\",\"seed\":\"1\",\"loss\":\"cross-entropy\",\"loss_settings\":\"{\\\"class_"
         "weights\\\":[1,2]}\"}," WEIGHT "," BIAS "}",
         12, "metadata \"loss_settings\": 2 class weights for 1 outputs"},
        {"{" TEXTS NETWORK ",\"precision\":\"f32\",\"loss_settings\":\"{}\",\"loss\":\"hinge\"}}", 0, "loss \"hinge\" is unknown"},
        {"{" TEXTS NETWORK ",\"precision\":\"f32\",\"loss\":\"squared-error\",\"loss_settings\":\"{}\",\"seed\":\"-1\"}}", 0,
         "metadata \"seed\": expected a number, found \"-1\""},
        {"{" TEXTS NETWORK ",\"precision\":\"f32\",\"loss\":\"squared-error\",\"loss_settings\":\"{}\",\"seed\":\"1\",\"tapline\":"
         "\"0\",\"normalise\":\"all\"}," WEIGHT "," BIAS "}",
         12, "metadata \"normalise\": expected series, set or none, found \"all\""},
        {"{" TEXTS NETWORK ",\"precision\":\"f32\",\"loss\":\"squared-error\",\"loss_settings\":\"{}\",\"seed\":\"1\",\"tapline\":"
         "\"0\",\"normalise\":\"none\",\"lengths\":\"some\","
         "\"classes\":\"[]\"}," WEIGHT "," BIAS "}",
         12, "metadata \"lengths\": expected own or whole, found \"some\""},
        {"{" TEXTS NETWORK ",\"precision\":\"f32\",\"loss\":\"squared-error\",\"loss_settings\":\"{}\",\"seed\":\"1\",\"tapline\":"
         "\"0\",\"normalise\":\"none\",\"missing\":\"guess\","
         "\"classes\":\"[]\"}," WEIGHT "," BIAS "}",
         12, "metadata: missing values \"guess\" is unknown; choose one of refuse, interpolate, mean, zero and tail"},
        {"{" TEXTS NETWORK ",\"precision\":\"f32\",\"loss\":\"squared-error\",\"loss_settings\":\"{}\",\"seed\":\"1\",\"tapline\":"
         "\"0\",\"normalise\":\"none\","
         "\"classes\":\"[1]\"}," WEIGHT "," BIAS "}",
         12, "metadata \"classes\": entry 0 is not a name"},
        {"{" TEXTS NETWORK ",\"precision\":\"f32\",\"loss\":\"squared-error\",\"loss_settings\":\"{}\",\"seed\":\"1\",\"tapline\":"
         "\"0\",\"normalise\":\"none\","
         "\"classes\":\"[\\\"a\\\",\\\"b\\\"]\"}," WEIGHT "," BIAS "}",
         12, "metadata \"classes\": expected a list of at most 1 names"},
        {"{" HEAD ",\"a\":{\"dtype\":\"F32\",\"shape\":{},\"data_offsets\":[0,4]}}", 4, "expected a \"shape\" of 1 to 4 sizes"},
        {"{" HEAD ",\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
         "expected a \"shape\" of 1 to 4 sizes"},
        {"{" HEAD ",\"a\":{\"type\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "expected the type F32 or F64, found none"},
        {"{" HEAD ",\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4]}}", 4,
         "expected \"dtype\", \"shape\" and two \"data_offsets\""},
        {"{" HEAD ",\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,-4]}}", 4, "its offsets are not sizes"},
        {"{" HEAD "," WEIGHT ",\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8,
         "array dense_1.weight: expected it at offset 4, found it at 0"},
        {"{" HEAD ",\"" HUNDRED_LETTERS "twenty letters more.\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "the name is too long"},
        {"{\"__metadata__\":{\"format\":\"tapline\",\"checksum\":\"00\",\"kind\":\"model\",\"precision\":\"f32\"}}", 0,
         "metadata \"checksum\" is missing"},
        {"{" TEXTS NETWORK ",\"precision\":\"f32\",\"loss\":\"squared-error\",\"loss_settings\":\"{}\",\"seed\":\"1x\"}}", 0,
         "metadata \"seed\": expected a number, found \"1x\""},
        {"{" TEXTS NETWORK ",\"precision\":\"f32\",\"loss\":\"squared-error\",\"loss_settings\":\"{}\",\"seed\":\"one\"}}", 0,
         "metadata \"seed\": expected a number, found \"one\""},
        {"{" TEXTS NETWORK
         ",\"precision\":\"f32\",\"loss\":\"squared-error\",\"loss_settings\":\"{}\",\"seed\":\"18446744073709551616\"}}",
         0, "metadata \"seed\": expected a number, found \"18446744073709551616\""},
        {"{" TEXTS NETWORK ",\"precision\":\"f32\",\"loss\":\"squared-error\",\"loss_settings\":\"{}\",\"seed\":\"1\",\"tapline\":"
         "\"0\",\"normalise\":\"none\",\"classes\":\"{}\"}," WEIGHT "," BIAS "}",
         12, "metadata \"classes\": expected a list of at most 1 names"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_model_info info = {.bytes = 1};
        write_file(cases[i].header, numbers, cases[i].bytes);
        assert_null(tl_model_load(path, NULL, &info, &error));
        check_error(&error, TL_ERROR_FORMAT, cases[i].text);
        check_error(&error, TL_ERROR_FORMAT, path);
        assert_int_equal(info.bytes, 0);
    }
}

static void given_a_header_too_long_when_loaded_then_refused_unread(void **unused) {
    (void)unused;
    static const uint64_t lengths[] = {0, 1, 3, UINT64_MAX, (uint64_t)1 << 63, (4 << 20) + 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        tl_error error = {0};
        unsigned char bytes[10] = "        {}";
        memcpy(bytes, &lengths[i], 8);
        write_bytes(bytes, sizeof bytes);
        assert_null(tl_file_precision(path, &error));
        check_error(&error, TL_ERROR_FORMAT, "bytes; expected 2 to 4194304, and at most the 2 that follow");
    }
}

/* A header of nothing but nested lists, or of many small values, would take a hundred times its size when parsed. */
static void given_a_header_made_to_fill_memory_then_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *repeated;
        size_t times;
        const char *text;
    } cases[] = {{"[", 100000, "the header is not JSON"},
                 {"[", 1 << 18, "the header has more than 262144 values"},
                 {"1,", 1 << 18, "the header has more than 262144 values"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        const size_t each = strlen(cases[i].repeated);
        char *header = calloc(1, each * cases[i].times + 6);
        assert_non_null(header);
        memcpy(header, "{\"a\":", 5); // NOLINT(bugprone-not-null-terminated-result): more follows
        for (size_t k = 0; k < cases[i].times; k++)
            memcpy(header + 5 + k * each, cases[i].repeated, each); // NOLINT(bugprone-not-null-terminated-result)
        write_file(header, NULL, 0);
        assert_null(tl_model_load(path, NULL, NULL, &error));
        check_error(&error, TL_ERROR_FORMAT, cases[i].text);
        free(header);
    }
}

/* ---- other files ---- */

static void given_no_file_a_folder_or_a_pipe_then_refused_at_once(void **unused) {
    (void)unused;
    tl_error error = {0};
    unlink(path);
    assert_null(tl_model_load(path, NULL, NULL, &error));
    check_error(&error, TL_ERROR_FILE, "No such file or directory");
    error = (tl_error){0};
    assert_null(tl_model_load(folder, NULL, NULL, &error));
    check_error(&error, TL_ERROR_FILE, "is a folder, not a file");
    error = (tl_error){0};
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(tl_model_load(path, NULL, NULL, &error));
    check_error(&error, TL_ERROR_FILE, "is a pipe, not a file");
    error = (tl_error){0};
    tl_save_check(path, &error);
    check_error(&error, TL_ERROR_FILE, "is a pipe, not a file");
    unlink(path);
    error = (tl_error){0};
    write_bytes("\0", 1);
    assert_null(tl_model_load(path, NULL, NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, "has 1 bytes; a safetensors file has at least 10");
}

static void given_a_model_or_classes_that_cannot_be_saved_then_an_error(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *fresh = tl_model_new(NULL), *small = make_small();
    tl_model_save(fresh, path, NULL, &error);
    check_error(&error, TL_ERROR_STATE, "save: the model is not compiled");
    assert_int_equal(tl_model_save(small, path, NULL, &error), TL_ERROR_STATE); /* the error is still set */
    assert_int_equal(tl_model_save(NULL, path, NULL, NULL), TL_ERROR_STATE);
    error = (tl_error){0};
    tl_model_save(small, path, &(tl_save_cfg){.data = &data}, &error);
    check_error(&error, TL_ERROR_SHAPE, "save: 3 classes exceed the 1 outputs of the model");
    tl_model_free(small);
    tl_model_free(fresh);
}

static void given_names_of_classes_when_saved_then_they_must_be_utf8(void **unused) {
    (void)unused;
    static char *wrong[] = {"\xff", "\xc3(", "\x80", "\xc0\x80", "\xe2\x82", "\xf5\x80\x80\x80"}, *right[] = {"µ", "€", "𝄞", "a"};
    tl_model *model = make_small();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tl_error error = {0};
        tl_model_save(model, path, &(tl_save_cfg){.data = &(tl_dataset){.classes = 1, .class_names = &wrong[i]}}, &error);
        check_error(&error, TL_ERROR_ARGUMENT, "is not UTF-8");
    }
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        save(model, &(tl_save_cfg){.data = &(tl_dataset){.classes = 1, .class_names = &right[i]}});
    tl_model_free(model);
}

static void given_a_non_finite_array_when_saved_or_loaded_then_named(void **unused) {
    (void)unused;
    const float bytes[3] = {1, NAN, 0};
    tl_error saving = {0}, loading = {0};
    write_file("{" TEXTS NETWORK ",\"precision\":\"f32\",\"loss_settings\":\"{}\",\"tapline\":\"0\",\"seed\":\"1\",\"normalise\":"
               "\"none\",\"classes\":\"[]\",\"loss\":"
               "\"squared-error\"},\"dense_1.weight\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
               "\"dense_1.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
               bytes, sizeof bytes);
    assert_null(tl_model_load(path, NULL, NULL, &loading));
    check_error(&loading, TL_ERROR_NUMERIC, ": array dense_1.weight: element 1 is nan; the model cannot predict");
    tl_model *model = tl_model_new(NULL);
    const tl_node x = tl_input(model, (tl_shape){1, 2});
    tl_model_compile(model, tl_dense(model, x, &(tl_dense_cfg){.units = 1}), NULL, NULL);
    tl_parameter_at(model, 1).value.data[0] = -INFINITY;
    tl_model_save(model, path, NULL, &saving);
    check_error(&saving, TL_ERROR_NUMERIC, "save: array dense_1.bias: element 0 is -inf; the model cannot predict");
    tl_model_free(model);
}

#ifndef TAPLINE_F64
static void given_a_number_that_single_precision_cannot_hold_then_refused(void **unused) {
    (void)unused;
    const double large[3] = {1e300, 0, 0};
    float bytes[6];
    tl_error error = {0};
    memcpy(bytes, large, sizeof large);
    write_file("{" TEXTS NETWORK ",\"precision\":\"f64\",\"loss_settings\":\"{}\",\"tapline\":\"0\",\"seed\":\"1\",\"normalise\":"
               "\"none\",\"classes\":\"[]\",\"loss\":"
               "\"squared-error\"},\"dense_1.weight\":{\"dtype\":\"F64\",\"shape\":[2,1],\"data_offsets\":[0,16]},"
               "\"dense_1.bias\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[16,24]}}",
               bytes, 24);
    assert_null(tl_model_load(path, NULL, NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, "array dense_1.weight: element 0 is 1e+300, which is too large for single precision");
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_non_finite_array_when_saved_or_loaded_then_named),
        cmocka_unit_test(given_a_trained_model_when_saved_and_loaded_then_every_bit),
        cmocka_unit_test(given_classes_and_raw_series_when_loaded_then_the_info_says_so),
        cmocka_unit_test(given_unequal_series_when_loaded_then_the_info_says_so),
        cmocka_unit_test(given_odd_file_names_when_saved_then_here_or_refused),
        cmocka_unit_test(given_a_regression_when_loaded_then_its_loss_and_no_classes),
        cmocka_unit_test(given_a_loss_with_settings_when_loaded_then_it_is_the_same_loss),
        cmocka_unit_test(given_a_layer_of_ones_own_when_loaded_then_it_must_be_named),
        cmocka_unit_test(given_a_parameter_with_a_very_long_name_when_saved_then_refused),
        cmocka_unit_test(given_any_bit_flipped_then_the_file_is_refused),
        cmocka_unit_test(given_any_end_cut_off_or_bytes_added_then_the_file_is_refused),
        cmocka_unit_test(given_a_file_in_f32_when_loaded_then_the_same_values),
        cmocka_unit_test(given_a_header_that_is_wrong_then_the_message_says_what),
        cmocka_unit_test(given_a_header_too_long_when_loaded_then_refused_unread),
        cmocka_unit_test(given_a_header_made_to_fill_memory_then_refused),
        cmocka_unit_test(given_no_file_a_folder_or_a_pipe_then_refused_at_once),
        cmocka_unit_test(given_a_model_or_classes_that_cannot_be_saved_then_an_error),
        cmocka_unit_test(given_names_of_classes_when_saved_then_they_must_be_utf8),
#ifndef TAPLINE_F64
        cmocka_unit_test(given_a_number_that_single_precision_cannot_hold_then_refused),
#endif
    };
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
