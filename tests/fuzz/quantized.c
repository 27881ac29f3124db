/* Networks in integers with a corrected checksum: a network that loads can run and be saved, and then loads with the same integers.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static const tl_load_cfg cfg = {.threads = 1, .compile = {.batch = 1, .inference_only = true}};

/* Returns the predictions for a series of zeros, which the caller frees; NULL if there is no memory for them. */
static tl_tensor predict(tl_quantized *network) {
    tl_error error = {0};
    const tl_shape in = tl_input_shape(tl_quantized_model(network)), out = tl_output_shape(tl_quantized_model(network));
    tl_tensor x = tl_tensor_new(3, (const size_t[]){1, in.length, in.channels}, &error);
    tl_tensor y = tl_tensor_new(3, (const size_t[]){1, out.length, out.channels}, &error);
    if (!tl_failed(&error)) fuzz_check_error(tl_quantized_predict(network, &x, &y, &error) == TL_OK, &error);
    tl_tensor_free(&x);
    if (tl_failed(&error)) tl_tensor_free(&y);
    return y;
}

static void check_again(tl_quantized *network, const tl_model_info *info) {
    tl_error error = {0};
    const char *path = fuzz_path("again.tapline");
    const tl_save_cfg save = {.data = &info->data, .normalize = info->normalize};
    fuzz_check_error(tl_quantized_save(network, path, &save, &error) == TL_OK, &error);
    tl_quantized *same = tl_quantized_load(path, &cfg, NULL, &error);
    fuzz_check_error(same, &error);
    REQUIRE(same);
    tl_tensor a = predict(network), b = predict(same);
    if (a.data && b.data) REQUIRE(memcmp(a.data, b.data, tl_tensor_count(&a) * sizeof(tl_real)) == 0);
    tl_tensor_free(&a);
    tl_tensor_free(&b);
    tl_quantized_free(same);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    tl_error error = {0};
    tl_model_info info;
    uint8_t *repaired = fuzz_repair(bytes, count);
    tl_quantized *network = tl_quantized_load(fuzz_file("model.tapline", repaired, count), &cfg, &info, &error);
    fuzz_check_error(network, &error);
    if (network) check_again(network, &info);
    tl_model_info_release(&info);
    tl_quantized_free(network);
    free(repaired);
    return 0;
}
