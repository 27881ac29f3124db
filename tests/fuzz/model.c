/* Model files with a corrected checksum: a model that loads can be saved, and then loads with the same parameters. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static const tl_load_cfg cfg = {.threads = 1, .compile = {.batch = 1, .inference_only = true}};

static void check_same(const tl_model *a, const tl_model *b) {
    REQUIRE(tl_parameter_arrays(a) == tl_parameter_arrays(b));
    for (size_t i = 0; i < tl_parameter_arrays(a); i++) {
        const tl_tensor x = tl_parameter_at(a, i).value, y = tl_parameter_at(b, i).value;
        REQUIRE(tl_tensor_same_shape(&x, &y));
        REQUIRE(memcmp(x.data, y.data, tl_tensor_count(&x) * sizeof(tl_real)) == 0);
    }
}

static void check_again(const tl_model *model, const tl_model_info *info) {
    tl_error error = {0};
    const char *path = fuzz_path("again.tapline");
    fuzz_check_error(tl_model_save(model, path, &(tl_save_cfg){.data = &info->data, .normalize = info->normalize}, &error) == TL_OK,
                     &error);
    tl_model *same = tl_model_load(path, &cfg, NULL, &error);
    fuzz_check_error(same, &error);
    REQUIRE(same);
    check_same(model, same);
    tl_model_free(same);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    tl_error error = {0};
    tl_model_info info;
    uint8_t *repaired = fuzz_repair(bytes, count);
    tl_model *model = tl_model_load(fuzz_file("model.tapline", repaired, count), &cfg, &info, &error);
    fuzz_check_error(model, &error);
    if (model) check_again(model, &info);
    tl_model_info_release(&info);
    tl_model_free(model);
    free(repaired);
    return 0;
}
