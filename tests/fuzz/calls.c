/* Sequences of calls of the library in any order, with arguments that may be wrong. The first byte selects the network, the second
 * how it is compiled; each further byte is a call and its argument. A call that fails must leave an error with a message. After any
 * sequence, a compiled model must be usable once its error is cleared. */
#include "fuzz.h"

#include <math.h>
#include <stdlib.h>

enum { SERIES = 5, LENGTH = 8, CHANNELS = 2, CLASSES = 3, BATCH = 3 };

typedef struct state {
    tl_model *model;
    tl_dataset *data;
    tl_ensemble *ensemble;
    tl_error error; /* of the current call */
    tl_node node;   /* the last of the network */
} state;

static tl_node convolution(tl_model *m, tl_node x) {
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 4, .kernel = 3, .padding = TL_PADDING_SAME});
}

static tl_node build(tl_model *m, uint8_t kind) {
    tl_node x = tl_input(m, (tl_shape){LENGTH, CHANNELS});
    x = convolution(m, x);
    if (kind & 1) x = tl_batch_norm(m, x, NULL);
    if (kind & 2) x = tl_add(m, (const tl_node[]){tl_relu(m, x), convolution(m, x)}, 2);
    if (kind & 4) x = tl_dropout(m, x, &(tl_dropout_cfg){.rate = 0.5});
    if (kind & 8) x = tl_max_pool(m, x, &(tl_pool_cfg){.window = 2});
    return tl_dense(m, tl_global_average_pool(m, x), &(tl_dense_cfg){.units = CLASSES});
}

static void begin(state *self, uint8_t kind, uint8_t how) {
    const tl_compile_cfg cfg = {.batch = BATCH,
                                .inference_only = how & 1,
                                .input_gradient = how & 2,
                                .plan_only = (how & 12) == 12,
                                .loss = how & 16 ? TL_LOSS_SQUARED_ERROR : TL_LOSS_CROSS_ENTROPY,
                                .clip_norm = how & 32 ? 1 : 0};
    self->model = tl_model_new(&(tl_model_cfg){.seed = how, .threads = 1});
    REQUIRE(self->model);
    self->node = build(self->model, kind);
    if ((how & 192) != 192) tl_model_compile(self->model, self->node, &cfg, &self->error);
    REQUIRE(!tl_failed(&self->error));
    self->data = tl_dataset_builtin("cbf", TL_SPLIT_TRAIN, 1, &self->error);
    self->ensemble = tl_ensemble_new(self->data, &self->error);
    REQUIRE(!tl_failed(&self->error));
}

/* Series and targets that fit, and sometimes do not. */
static tl_real series[SERIES * LENGTH * CHANNELS], values[SERIES * CLASSES];
static int32_t labels[SERIES] = {0, 1, 2, 0, 1};

static tl_tensor series_of(uint8_t with) {
    return TL_VIEW(with & 8 ? NULL : series, (size_t)(with % 7), (size_t)(with & 16 ? LENGTH - 1 : LENGTH), CHANNELS);
}

static tl_dataset own_data(uint8_t with) {
    static const size_t lengths[2][SERIES] = {{8, 8, 8, 8, 8}, {8, 1, 0, 9, 8}};
    tl_dataset data = {.x = TL_VIEW(series, SERIES, LENGTH, CHANNELS), .classes = CLASSES, .labels = labels};
    if (with & 1) data.lengths = (size_t *)lengths[with >> 1 & 1];
    if (with & 4) data = (tl_dataset){.x = data.x, .values = values, .target_channels = CLASSES};
    if (with & 8) data.labels = NULL;
    return data;
}

static void run(state *self, uint8_t with) {
    static const size_t lengths[] = {8, 3, 1, 0, 9, 8, 8};
    const tl_tensor x = series_of(with);
    if (with & 32) tl_set_lengths(self->model, lengths + with % 3, with % 7);
    tl_forward(self->model, &x, (tl_mode)(with >> 6));
    const tl_tensor y = tl_output(self->model);
    for (size_t i = 0; y.data && i < tl_tensor_count(&y); i++) REQUIRE(isfinite(y.data[i]));
}

static void back(state *self, uint8_t with) {
    const int32_t wrong[] = {0, 1, -1, CLASSES};
    const tl_target target = {.labels = with & 1 ? wrong : labels, .values = with & 2 ? NULL : values};
    if (with & 4) tl_loss(self->model, &target);
    const tl_tensor dy = tl_output(self->model);
    if (with & 8)
        tl_backward_from(self->model, &dy);
    else
        tl_backward(self->model);
    if (with & 16) tl_step(self->model, &self->error);
    if (with & 32) tl_zero_grad(self->model);
    tl_input_gradient(self->model);
}

static void change(state *self, uint8_t with) {
    const tl_node node = {.id = with % 9 - 1};
    tl_freeze(self->model, node);
    if (with & 16) tl_unfreeze(self->model, node);
    if (with & 32) tl_set_group(self->model, node, &(tl_group_cfg){.rate = (double)(with & 7)});
    if (with & 64) tl_set_learning_rate(self->model, with & 1 ? (double)NAN : 0.01 * with);
    if (with & 128) tl_relu(self->model, node);
    tl_parameter_at(self->model, with);
    tl_node_flops(self->model, node);
}

static void use(state *self, uint8_t with) {
    const tl_dataset data = own_data(with >> 4);
    const tl_fit_cfg cfg = {.epochs = with & 1, .batch = (size_t)(with & 2), .restore_best = with & 4};
    tl_metrics metrics;
    tl_fit_result result;
    if (with & 8)
        tl_fit(self->model, &data, &cfg, &result, &self->error);
    else if (with & 1)
        tl_evaluate(self->model, &data, &metrics, &self->error);
    else if (with & 2)
        tl_update_statistics(self->model, &data, &self->error);
    else if (tl_ensemble_add(self->ensemble, self->model, &self->error) == TL_OK)
        tl_ensemble_evaluate(self->ensemble, &metrics, &self->error);
}

static void store(state *self, uint8_t with) {
    const char *path = fuzz_path("model");
    if (with & 1)
        tl_model_save(self->model, path, NULL, &self->error);
    else
        tl_weights_export(self->model, path, NULL, &self->error);
    if (with & 2) {
        tl_model *other = tl_model_load(path, &(tl_load_cfg){.threads = 1}, NULL, &self->error);
        tl_model_free(other);
    } else
        tl_weights_import(self->model, path, NULL, &self->error);
    if (with & 4) tl_model_compile(self->model, self->node, NULL, &self->error);
    if (with & 8) tl_dataset_pad(self->data, (size_t)(with >> 4) * 20, &self->error);
}

/* After every call above, the model works, except for models that cannot run at all. */
static void check_usable(state *self) {
    const tl_error *of_model = tl_model_error(self->model);
    const tl_tensor x = TL_VIEW(series, BATCH, LENGTH, CHANNELS);
    if (tl_failed(of_model)) fuzz_check_error(false, of_model);
    tl_model_clear_error(self->model);
    if (tl_failed(of_model) || tl_output_shape(self->model).channels == 0) return;
    tl_forward(self->model, &x, TL_MODE_INFERENCE);
    REQUIRE(!tl_failed(of_model) && tl_output(self->model).shape[0] == BATCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static void (*const calls[])(state * self, uint8_t with) = {run, back, change, use, store};
    enum { CALLS = sizeof calls / sizeof *calls, MAX_CALLS = 60 };
    if (count < 2) return 0;
    for (size_t i = 0; i < sizeof series / sizeof *series; i++) series[i] = (tl_real)((double)(i * 7 % 11) - 5);
    state self = {0};
    begin(&self, bytes[0], bytes[1]);
    for (size_t i = 2; i + 1 < count && i < MAX_CALLS; i += 2) {
        self.error = (tl_error){0};
        calls[bytes[i] % CALLS](&self, bytes[i + 1]);
        if (tl_failed(&self.error)) fuzz_check_error(false, &self.error);
        if (bytes[i] & 128) check_usable(&self);
    }
    check_usable(&self);
    tl_ensemble_free(self.ensemble);
    tl_dataset_free(self.data);
    tl_model_free(self.model);
    return 0;
}
