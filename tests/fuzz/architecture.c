/* Networks as JSON: a network that compiles is written, read again, and must then be the same; small networks also run. */
#include "fuzz.h"

#include "graph/graph.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH = 16, CHANNELS = 3, MAX_PARAMETERS = 100000, MAX_MEMORY = 1 << 20 };

static tl_model *compile(const char *text, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    REQUIRE(model);
    model->max_parameters = MAX_PARAMETERS;
    const tl_node x = tl_input(model, (tl_shape){LENGTH, CHANNELS});
    const tl_node y = tl_architecture_from_json(model, x, text, &(tl_architecture_cfg){.outputs = 4});
    fuzz_check_error(tl_model_compile(model, y, &(tl_compile_cfg){.batch = 2}, error) == TL_OK, error);
    return model;
}

static void run(tl_model *model) {
    static const tl_real series[2 * LENGTH * CHANNELS] = {1, -2, 3};
    if (tl_model_memory(model) > MAX_MEMORY) return;
    const tl_tensor x = TL_VIEW(series, 2, LENGTH, CHANNELS);
    tl_forward(model, &x, TL_MODE_TRAINING);
    const tl_tensor y = tl_output(model);
    tl_backward_from(model, &y);
    REQUIRE(!tl_failed(tl_model_error(model)));
}

static void check_again(const tl_model *model) {
    tl_error error = {0};
    char *text = tl_architecture_to_json(model, &error);
    REQUIRE(text);
    tl_model *same = compile(text, &error);
    char *again = tl_architecture_to_json(same, &error);
    REQUIRE(again && strcmp(text, again) == 0);
    tl_model_free(same);
    free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    tl_error error = {0};
    char *text = malloc(count + 1);
    REQUIRE(text);
    memcpy(text, bytes, count);
    text[count] = '\0';
    tl_model *model = compile(text, &error);
    if (!tl_failed(&error)) {
        check_again(model);
        run(model);
    }
    tl_model_free(model);
    free(text);
    return 0;
}
