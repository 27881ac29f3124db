/* ONNX files: what is imported can be exported, and is then imported with the same predictions; what is refused has a reason. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

static const tl_onnx_import_cfg cfg = {
    .threads = 1, .length = 16, .compile = {.batch = 1, .inference_only = true}, .max_memory = 16 << 20};

/* Whole numbers of both signs. */
static void fill(tl_tensor *x) {
    for (size_t i = 0; i < tl_tensor_count(x); i++) x->data[i] = (tl_real)(i * 7 % 5) - 2;
}

static tl_tensor predict(tl_model *model, const tl_tensor *x) {
    tl_error error = {0};
    const tl_shape out = tl_output_shape(model);
    tl_tensor y = tl_tensor_new(3, (const size_t[]){1, out.length, out.channels}, &error);
    tl_predict(model, x, NULL, &y, &error);
    REQUIRE(!tl_failed(&error));
    return y;
}

static void check_same(const tl_tensor *a, const tl_tensor *b) {
    REQUIRE(tl_tensor_same_shape(a, b));
    for (size_t i = 0; i < tl_tensor_count(a); i++)
        REQUIRE(a->data[i] == b->data[i] || isnan(a->data[i]) || isnan(b->data[i]) || !isfinite(a->data[i]) ||
                fabs((double)a->data[i] - (double)b->data[i]) <= 1e-3 * fmax(1, fabs((double)a->data[i])));
}

static void check_again(tl_model *model) {
    tl_error error = {0};
    const tl_shape in = tl_input_shape(model);
    const char *path = fuzz_path("again.onnx");
    if (in.length * in.channels > 1 << 16) return;
    fuzz_check_error(tl_onnx_export(model, path, NULL, &error) == TL_OK, &error);
    const tl_onnx_import_cfg again = {.threads = 1, .length = in.length, .compile = {.batch = 1, .inference_only = true}};
    tl_model *same = tl_onnx_import(path, &again, NULL, &error);
    fuzz_check_error(same, &error);
    REQUIRE(same);
    tl_tensor x = tl_tensor_new(3, (const size_t[]){1, in.length, in.channels}, &error);
    REQUIRE(!tl_failed(&error));
    fill(&x);
    tl_tensor y = predict(model, &x), z = predict(same, &x);
    check_same(&y, &z);
    tl_tensor_free(&z);
    tl_tensor_free(&y);
    tl_tensor_free(&x);
    tl_model_free(same);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    tl_error error = {0};
    tl_model_info info = {0};
    tl_model *model = tl_onnx_import(fuzz_file("net.onnx", bytes, count), &cfg, &info, &error);
    fuzz_check_error(model, &error);
    if (model) check_again(model);
    tl_model_info_release(&info);
    tl_model_free(model);
    return 0;
}
