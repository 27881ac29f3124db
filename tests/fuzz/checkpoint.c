/* Checkpoints with a corrected checksum: a training of two epochs resumes from it, or there must be a message. */
#include "fuzz.h"

#include <stdlib.h>

enum { SERIES = 5, LENGTH = 6, EPOCHS = 2 };

static tl_model *make_model(tl_error *error) {
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 3, .threads = 1});
    tl_node x = tl_input(m, (tl_shape){LENGTH, 1});
    x = tl_batch_norm(m, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 2, .kernel = 3}), NULL);
    x = tl_dense(m, tl_flatten(m, x), &(tl_dense_cfg){.units = 2});
    const tl_optimizer_cfg optimizer = {.ops = tl_sgd(), .momentum = 0.5};
    tl_model_compile(m, x, &(tl_compile_cfg){.batch = 2, .optimizer = optimizer}, error);
    return m;
}

static bool stop(const tl_progress *progress, void *user) {
    (void)user;
    return progress->batch < progress->batches;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static tl_real series[SERIES * LENGTH] = {1, -2, 3, (tl_real)0.5, 0, 7, -1};
    static int32_t labels[SERIES] = {0, 1, 1, 0, 1};
    const tl_dataset data = {.x = {.data = series, .rank = 3, .shape = {SERIES, LENGTH, 1}}, .labels = labels, .classes = 2};
    uint8_t *repaired = fuzz_repair(bytes, count);
    tl_error error = {0};
    tl_fit_result result;
    tl_model *model = make_model(&error);
    REQUIRE(!tl_failed(&error));
    const tl_fit_cfg cfg = {.epochs = EPOCHS,
                            .schedule = {.kind = TL_SCHEDULE_KING, .patience = 4},
                            .restore_best = true,
                            .accumulate = 2,
                            .resume = fuzz_file("checkpoint", repaired, count),
                            .callbacks = {{stop, NULL}}};
    fuzz_check_error(tl_fit(model, &data, &cfg, &result, &error) == TL_OK, &error);
    REQUIRE(tl_failed(&error) || (result.epochs >= 1 && result.epochs <= EPOCHS));
    tl_model_free(model);
    free(repaired);
    return 0;
}
