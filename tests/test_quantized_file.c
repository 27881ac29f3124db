/* Networks in integers as files (tapline/quantize.h): they keep their integers, on every instruction set, and damaged files are
 * refused. */
#include "layer_cases.h"

#include "io/archive.h"
#include "io/checksum.h"

#include <tapline/quantize.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SERIES = 8, LENGTH = 30, CHANNELS = 2, OUTPUTS = 3 };

static char folder[] = "/tmp/tapline_quantized_XXXXXX";

static const char *path_of(const char *name) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* All operations in integers. */
static tl_node build(tl_model *m, tl_node x) {
    x = tl_relu(m, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 20, .kernel = 5, .padding = TL_PADDING_SAME}));
    const tl_node a = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 20, .kernel = 3, .groups = 20, .padding = TL_PADDING_SAME});
    const tl_node b =
        tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 20, .kernel = 3, .groups = 4, .dilation = 2, .padding = TL_PADDING_CAUSAL});
    const tl_node sum = tl_relu(m, tl_add(m, (const tl_node[]){a, b, x}, 3));
    x = tl_batch_norm(m, tl_concat(m, (const tl_node[]){tl_tanh(m, sum), b}, 2), NULL);
    const tl_pool_cfg pool = {.window = 3, .stride = 2, .padding = TL_PADDING_SAME};
    x = tl_concat(m, (const tl_node[]){tl_max_pool(m, x, &pool), tl_average_pool(m, x, &pool)}, 2);
    return tl_dense(m, tl_global_average_pool(m, x), &(tl_dense_cfg){.units = OUTPUTS});
}

/* A network in integers, the model that it was made from, series, and its predictions. */
typedef struct made {
    tl_model *model;
    tl_quantized *quantized;
    tl_tensor x, y;
} made;

static made make(void) {
    tl_error error = {0};
    made self = {.model = tl_model_new(&(tl_model_cfg){.seed = 3, .threads = 1})};
    const tl_node output = build(self.model, tl_input(self.model, (tl_shape){.length = LENGTH, .channels = CHANNELS}));
    tl_model_compile(self.model, output, &(tl_compile_cfg){.batch = SERIES, .inference_only = true}, &error);
    self.x = tl_tensor_new(3, (const size_t[]){SERIES, LENGTH, CHANNELS}, &error);
    self.y = tl_tensor_new(3, (const size_t[]){SERIES, 1, OUTPUTS}, &error);
    fill_normal(self.x.data, tl_tensor_count(&self.x), 1);
    const tl_dataset data = {.x = self.x};
    self.quantized = tl_quantize(self.model, &data, NULL, &error);
    tl_quantized_predict(self.quantized, &self.x, &self.y, &error);
    tl_quantized_save(self.quantized, path_of("net"), NULL, &error);
    check_ok(&error);
    return self;
}

static void release(made *self) {
    tl_quantized_free(self->quantized);
    tl_model_free(self->model);
    tl_tensor_free(&self->x);
    tl_tensor_free(&self->y);
}

/* ---- the same integers ---- */

static void check_loaded(const made *it, const char *what) {
    tl_error error = {0};
    tl_tensor y = tl_tensor_new(3, (const size_t[]){SERIES, 1, OUTPUTS}, &error);
    tl_quantized *loaded = tl_quantized_load(path_of("net"), NULL, NULL, &error);
    tl_quantized_predict(loaded, &it->x, &y, &error);
    check_ok(&error);
    check_close(what, y.data, it->y.data, tl_tensor_count(&y), 0, 0);
    assert_int_equal(tl_quantized_bytes(loaded), tl_quantized_bytes(it->quantized));
    for (size_t i = 0; tl_quantized_layer_at(it->quantized, i).name; i++) {
        const tl_quantized_layer before = tl_quantized_layer_at(it->quantized, i), after = tl_quantized_layer_at(loaded, i);
        assert_string_equal(after.name, before.name);
        assert_int_equal(after.zero, before.zero);
        assert_true(after.scale == before.scale && isnan(after.decibels));
    }
    tl_tensor_free(&y);
    tl_quantized_free(loaded);
}

static void given_a_network_when_saved_then_loaded_with_the_same_integers(void **state) {
    (void)state;
    made it = make();
    check_loaded(&it, "loaded");
    assert_true(tl_quantized_is_file(path_of("net")));
    release(&it);
}

static void given_any_instruction_set_when_run_then_integers_are_equal(void **state) {
    (void)state;
    static const char *const sets[] = {"baseline", "avx2", "avx512"};
    made it = make();
    const char *before = getenv("TAPLINE_ISA"); // NOLINT(concurrency-mt-unsafe): one thread
    char *kept = before ? strdup(before) : NULL;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        setenv("TAPLINE_ISA", sets[i], 1); // NOLINT(concurrency-mt-unsafe)
        check_loaded(&it, sets[i]);
    }
    if (kept)
        setenv("TAPLINE_ISA", kept, 1); // NOLINT(concurrency-mt-unsafe)
    else
        unsetenv("TAPLINE_ISA"); // NOLINT(concurrency-mt-unsafe)
    free(kept);
    release(&it);
}

static void given_a_file_in_integers_when_loaded_as_a_model_then_refused(void **state) {
    (void)state;
    tl_error error = {0}, wrong_kind = {0}, output = {0};
    made it = make();
    assert_null(tl_model_load(path_of("net"), NULL, NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, "is a network in 8-bit integers");
    assert_null(tl_quantized_load(path_of("net"), &(tl_load_cfg){.output = "conv1d_1"}, NULL, &output));
    check_error(&output, TL_ERROR_ARGUMENT, "has only its own outputs");
    tl_error saved = {0};
    tl_model_save(it.model, path_of("net"), NULL, &saved);
    check_ok(&saved);
    assert_false(tl_quantized_is_file(path_of("net")));
    assert_null(tl_quantized_load(path_of("net"), NULL, NULL, &wrong_kind));
    check_error(&wrong_kind, TL_ERROR_FORMAT, "metadata \"kind\": expected quantized, found \"model\"");
    release(&it);
}

/* ---- damaged files ---- */

typedef struct image {
    unsigned char *bytes;
    size_t count;
} image;

static image read_image(void) {
    image self = {0};
    FILE *file = fopen(path_of("net"), "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    self.count = (size_t)ftell(file);
    rewind(file);
    self.bytes = malloc(self.count);
    assert_int_equal(fread(self.bytes, 1, self.count, file), self.count);
    fclose(file);
    return self;
}

/* Writes the bytes with their right checksum, so that only the checks of the contents can find the damage. */
static void write_image(const image *self) {
    char sum[TL_CHECKSUM_DIGITS + 1];
    const char *digits = tl_checksum_in((const char *)self->bytes, self->count);
    if (digits) {
        tl_checksum_of(&(tl_piece){.data = self->bytes, .size = self->count}, 1, digits, sum);
        memcpy(self->bytes + (digits - (const char *)self->bytes), sum, TL_CHECKSUM_DIGITS);
    }
    FILE *file = fopen(path_of("net"), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(self->bytes, 1, self->count, file), self->count);
    fclose(file);
}

/* The place of a text in the file. */
static unsigned char *find_text(const image *self, const char *text) {
    const size_t length = strlen(text);
    for (size_t i = 0; i + length <= self->count; i++)
        if (memcmp(self->bytes + i, text, length) == 0) return self->bytes + i;
    fail_msg("the file does not contain %s", text);
    return NULL;
}

/* The place of the elements of an array in the file. */
static unsigned char *find_array(const image *self, const char *name) {
    tl_error error = {0};
    tl_archive archive = {0};
    size_t offset = 0;
    tl_archive_open(&archive, path_of("net"), 0, &error);
    check_ok(&error);
    for (size_t i = 0; i < archive.arrays; i++)
        if (strcmp(archive.array[i].name, name) == 0) offset = (size_t)(archive.array[i].data - archive.image);
    tl_archive_release(&archive);
    assert_true(offset > 0);
    return self->bytes + offset;
}

static void check_refused(const image *self, const char *message) {
    tl_error error = {0};
    write_image(self);
    assert_null(tl_quantized_load(path_of("net"), NULL, NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, message);
}

static void given_texts_that_are_wrong_when_loaded_then_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *wrong, *message;
    } cases[] = {
        {"\"quantized_version\":\"1\"", "\"quantized_version\":\"2\"", "has version 2 of the format of quantized models"},
        {"\\\"zero\\\":-128", "\\\"zero\\\":-129", "expected a scale from 1e-30 to 1e30 and a zero point"},
        {"\\\"scale\\\":0.", "\\\"scale\\\":-.", "scales"},
        {"\\\"conv1d_1\\\":{\\\"scale", "\\\"conv1d_x\\\":{\\\"scale", "conv1d_1: expected a scale"},
        {"\"dense_1.bias\"", "\"dense_1.bixs\"", "array dense_1.bias is missing"},
        {"\"conv1d_2.weight\":{\"dtype\":\"I8\",\"shape\":[3,1,20]", "\"conv1d_2.weight\":{\"dtype\":\"I8\",\"shape\":[1,3,20]",
         "array conv1d_2.weight: expected the shape (3, 1, 20), found (1, 3, 20)"},
    };
    made it = make();
    const image right = read_image();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        image wrong = {.bytes = malloc(right.count), .count = right.count};
        memcpy(wrong.bytes, right.bytes, right.count);
        memcpy(find_text(&wrong, cases[i].text), cases[i].wrong, strlen(cases[i].wrong));
        check_refused(&wrong, cases[i].message);
        free(wrong.bytes);
    }
    free(right.bytes);
    release(&it);
}

static void given_numbers_that_overflow_when_loaded_then_refused(void **state) {
    (void)state;
    const int32_t bias = INT32_MAX;
    const double infinite = INFINITY;
    made it = make();
    image wrong = read_image();
    unsigned char *at = find_array(&wrong, "conv1d_1.bias");
    memcpy(at, &bias, sizeof bias);
    check_refused(&wrong, "layer 1 (conv1d_1): the sums of filter 0 can exceed 32 bits");
    memset(at, 0, sizeof bias);
    write_image(&wrong);
    memcpy(find_array(&wrong, "dense_1.scale"), &infinite, sizeof infinite);
    check_refused(&wrong, "dense_1: expected scales of weights from 1e-30 to 1e30");
    free(wrong.bytes);
    release(&it);
}

/* A file with random damage and the right checksum gives a message, or a network that runs. */
static void given_damage_when_loaded_then_a_message_or_a_network(void **state) {
    (void)state;
    made it = make();
    const image right = read_image();
    size_t loaded = 0, refused = 0;
    for (uint32_t round = 0; round < 150; round++) {
        tl_rng rng = tl_rng_at(round, TL_STREAM_USER, 0, 0);
        tl_error error = {0};
        image wrong = {.bytes = malloc(right.count), .count = right.count};
        memcpy(wrong.bytes, right.bytes, right.count);
        for (uint32_t i = 0; i <= round % 4; i++)
            wrong.bytes[tl_rng_below(&rng, (uint32_t)right.count)] = (unsigned char)tl_rng_below(&rng, 256);
        write_image(&wrong);
        tl_quantized *network = tl_quantized_load(path_of("net"), NULL, NULL, &error);
        assert_true(network || tl_failed(&error));
        if (network) tl_quantized_predict(network, &it.x, &it.y, &error);
        loaded += network != NULL;
        refused += network == NULL;
        tl_quantized_free(network);
        free(wrong.bytes);
    }
    assert_true(loaded > 10 && refused > 10);
    free(right.bytes);
    release(&it);
}

int main(void) {
    if (!mkdtemp(folder)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_network_when_saved_then_loaded_with_the_same_integers),
        cmocka_unit_test(given_any_instruction_set_when_run_then_integers_are_equal),
        cmocka_unit_test(given_a_file_in_integers_when_loaded_as_a_model_then_refused),
        cmocka_unit_test(given_texts_that_are_wrong_when_loaded_then_refused),
        cmocka_unit_test(given_numbers_that_overflow_when_loaded_then_refused),
        cmocka_unit_test(given_damage_when_loaded_then_a_message_or_a_network),
    };
    const int failed = check_run(tests);
    unlink(path_of("net"));
    rmdir(folder);
    return failed;
}
