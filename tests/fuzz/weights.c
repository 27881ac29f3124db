/* Weights of other programs, and a map of names: the first byte is the length of the map, 0: none. Imported weights can be
 * exported, and imported again with the same numbers; refused weights change nothing. */
#include "fuzz.h"

#include <string.h>

/* Two convolutions and two norms with the same shapes, and a dense layer after a flatten. */
static tl_model *make_model(uint64_t seed) {
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = seed, .threads = 1});
    tl_node x = tl_input(m, (tl_shape){.length = 4, .channels = 2});
    for (int i = 0; i < 2; i++) x = tl_batch_norm(m, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 2, .kernel = 2}), NULL);
    x = tl_dense(m, tl_flatten(m, x), &(tl_dense_cfg){.units = 1, .no_bias = true});
    REQUIRE(tl_model_compile(m, x, &(tl_compile_cfg){.batch = 1, .inference_only = true}, &error) == TL_OK);
    return m;
}

static void check_same(const tl_model *a, const tl_model *b) {
    for (size_t i = 0; i < tl_parameter_arrays(a); i++) {
        const tl_tensor x = tl_parameter_at(a, i).value, y = tl_parameter_at(b, i).value;
        REQUIRE(memcmp(x.data, y.data, tl_tensor_count(&x) * sizeof(tl_real)) == 0);
    }
}

static void check_again(const tl_model *model, const char *map) {
    tl_error error = {0};
    tl_model *other = make_model(2);
    const char *path = fuzz_path("again");
    const tl_weights_cfg cfg = {.map = map};
    fuzz_check_error(tl_weights_export(model, path, &cfg, &error) == TL_OK, &error);
    fuzz_check_error(tl_weights_import(other, path, &cfg, &error) == TL_OK, &error);
    REQUIRE(!tl_failed(&error));
    check_same(model, other);
    tl_model_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (count == 0) return 0;
    const size_t rest = count - 1, length = bytes[0] < rest ? bytes[0] : rest;
    const char *map = length > 0 ? fuzz_file("map.json", bytes + 1, length) : NULL;
    const char *path = fuzz_file("weights", bytes + 1 + length, rest - length);
    tl_error error = {0};
    tl_model *model = make_model(1), *same = make_model(1);
    const bool done = tl_weights_import(model, path, &(tl_weights_cfg){.map = map}, &error) == TL_OK;
    fuzz_check_error(done, &error);
    if (done)
        check_again(model, map);
    else
        check_same(model, same);
    tl_model_free(same);
    tl_model_free(model);
    return 0;
}
