/* A model that is compiled with inference_only computes with packed weights, does the work of ReLUs and sums before outputs are
 * stored, and folds batch norms into the weights. Without the fold it has the bits of a model that is compiled for training; with
 * it the outputs are equal up to rounding. This holds after each way of writing parameters. */
#include "files.h"
#include "layer_cases.h"
#include "network_cases.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BATCH = 3, OUTPUTS = 3, CONFIGURATIONS = 2 };

static const double close = sizeof(tl_real) == 4 ? 1e-5 : 1e-12; /* of the largest output */

static const tl_engine engines[] = {TL_ENGINE_AUTO, TL_ENGINE_NAIVE, TL_ENGINE_GEMM, TL_ENGINE_DIRECT, TL_ENGINE_WINOGRAD};
enum { ENGINES = sizeof engines / sizeof *engines };

/* A network; `layer` instead of `build`: this layer between others that do its work or whose work it does. */
typedef struct subject {
    const char *name;
    tl_node (*build)(tl_model *model, tl_node x, size_t outputs);
    const layer_case *layer;
    tl_shape shape;
    uint32_t number;
    bool rows; /* series are numbers from 0 to 4 */
} subject;

typedef enum way { TRAINING, EXACT, FOLDED } way;

/* ---- models ---- */

static tl_node normalised(tl_model *m, tl_node x) { return tl_relu(m, tl_batch_norm(m, x, NULL)); }

static tl_node build(const subject *s, tl_model *m) {
    const tl_node x = tl_input(m, s->shape);
    if (s->build) return s->build(m, x, OUTPUTS);
    tl_rng rng = tl_rng_at(s->number, TL_STREAM_USER, 0, 0);
    const tl_node before = normalised(m, tl_dense(m, x, &(tl_dense_cfg){.units = between(&rng, 2, 20)}));
    return tl_dense(m, normalised(m, layer_case_build(s->layer, m, before, &rng)), &(tl_dense_cfg){.units = OUTPUTS});
}

/* Moves all arrays away from 0 and 1. */
static void move_parameters(tl_model *model, uint32_t seed) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_tensor value = tl_parameter_at(model, i).value;
        tl_rng rng = tl_rng_at(i, TL_STREAM_USER, seed, 0);
        for (size_t e = 0; e < tl_tensor_count(&value); e++) value.data[e] += (tl_real)(0.3 * tl_rng_uniform(&rng));
    }
}

/* NULL if the engine cannot compute one of the layers. */
static tl_model *made(const subject *s, tl_engine engine, way how) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = s->number, .threads = how == TRAINING ? 1 : 2, .engine = engine});
    const tl_compile_cfg cfg = {
        .batch = BATCH, .loss = TL_LOSS_SQUARED_ERROR, .inference_only = how != TRAINING, .no_fold_batch_norm = how == EXACT};
    tl_model_compile(model, build(s, model), &cfg, &error);
    if (engine == TL_ENGINE_WINOGRAD && tl_failed(&error)) {
        check_error(&error, TL_ERROR_ARGUMENT, "engine winograd cannot compute the forward pass");
        tl_model_free(model);
        return NULL;
    }
    if (tl_failed(&error)) fail_msg("%s: %s", s->name, error.text);
    move_parameters(model, 1);
    return model;
}

/* ---- comparing ---- */

static tl_tensor series_of(const subject *s, const size_t *lengths) {
    tl_error error = {0};
    const size_t each = s->shape.length * s->shape.channels;
    tl_tensor x = tl_tensor_new(3, (const size_t[]){BATCH, s->shape.length, s->shape.channels}, &error);
    check_ok(&error);
    fill_normal(x.data, BATCH * each, s->number);
    for (size_t i = 0; s->rows && i < BATCH * each; i++) x.data[i] = (tl_real)(i % 5);
    for (size_t i = 0; lengths && i < BATCH; i++)
        memset(x.data + i * each + lengths[i] * s->shape.channels, 0,
               (s->shape.length - lengths[i]) * s->shape.channels * sizeof *x.data);
    return x;
}

static tl_tensor output_of(tl_model *model, const tl_tensor *x, const size_t *lengths) {
    if (lengths) tl_set_lengths(model, lengths, BATCH);
    tl_forward(model, x, TL_MODE_INFERENCE);
    check_ok(tl_model_error(model));
    return tl_output(model);
}

static double largest(const tl_tensor *y) {
    double maximum = 0;
    for (size_t i = 0; i < tl_tensor_count(y); i++) maximum = fmax(maximum, fabs((double)y->data[i]));
    return maximum;
}

/* The outputs of the model must be those of the model for training. */
static void check_outputs(const char *what, tl_model *training, tl_model *model, way how, const tl_tensor *x,
                          const size_t *lengths) {
    const tl_tensor expected = output_of(training, x, lengths), actual = output_of(model, x, lengths);
    const size_t count = tl_tensor_count(&expected);
    if (how == FOLDED)
        check_close(what, actual.data, expected.data, count, 0, close * (1 + largest(&expected)));
    else if (memcmp(actual.data, expected.data, count * sizeof *actual.data) != 0)
        check_equal(what, actual.data, expected.data, count);
}

static void check_subject(const subject *s, tl_engine engine, const size_t *lengths) {
    tl_model *training = made(s, engine, TRAINING);
    if (!training) return;
    tl_tensor x = series_of(s, lengths);
    for (way how = EXACT; how <= FOLDED; how++) {
        char what[200];
        tl_model *model = made(s, engine, how);
        snprintf(what, sizeof what, "%s %u, %s, %s%s", s->name, s->number, tl_engine_name(engine),
                 how == EXACT ? "not folded" : "folded", lengths ? ", own lengths" : "");
        check_outputs(what, training, model, how, &x, lengths);
        check_outputs(what, training, model, how, &x, lengths);
        tl_model_free(model);
    }
    tl_tensor_free(&x);
    tl_model_free(training);
}

/* ---- networks of all kinds of work that a layer takes over ---- */

static tl_node wide(tl_model *m, tl_node x, size_t filters, size_t kernel) {
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = filters, .kernel = kernel, .padding = TL_PADDING_SAME});
}

/* The convolution adds the shortcut; the shortcut, whose norm is folded, comes first. */
static tl_node residual(tl_model *m, tl_node x, size_t outputs) {
    const tl_node shortcut = wide(m, x, 19, 1), h = tl_relu(m, wide(m, normalised(m, wide(m, x, 30, 5)), 19, 3));
    x = tl_relu(m, tl_add(m, (const tl_node[]){h, tl_batch_norm(m, shortcut, NULL)}, 2));
    return tl_dense(m, tl_global_average_pool(m, x), &(tl_dense_cfg){.units = outputs});
}

/* The other input of the sum is the input of the network, or is computed later. */
static tl_node residual_of_input(tl_model *m, tl_node x, size_t outputs) {
    const tl_node h = tl_batch_norm(m, wide(m, x, 7, 4), NULL);
    x = tl_add(m, (const tl_node[]){x, h}, 2);
    const tl_node early = normalised(m, wide(m, x, 7, 3)), late = tl_batch_norm(m, x, NULL);
    return wide(m, tl_add(m, (const tl_node[]){early, late}, 2), outputs, 1);
}

/* Kernels whose weights do not fit in a part of the cache: the sums are finished in the last part. */
static tl_node residual_of_long_sums(tl_model *m, tl_node x, size_t outputs) {
    const tl_node h = wide(m, x, 200, 1), sum = tl_add(m, (const tl_node[]){h, normalised(m, wide(m, h, 200, 12))}, 2);
    return tl_dense(m, tl_relu(m, sum), &(tl_dense_cfg){.units = outputs});
}

static tl_node dilated(tl_model *m, tl_node x, size_t outputs) {
    for (size_t d = 1; d <= 32; d *= 4) {
        const tl_conv1d_cfg cfg = {.filters = 7, .kernel = 5, .dilation = d, .padding = TL_PADDING_CAUSAL};
        const tl_node h = tl_dropout(m, normalised(m, tl_conv1d(m, x, &cfg)), &(tl_dropout_cfg){.rate = 0.5});
        x = tl_relu(m, tl_add(m, (const tl_node[]){x, h}, 2));
    }
    return tl_dense(m, tl_last_step(m, x), &(tl_dense_cfg){.units = outputs});
}

/* The norm behind the concatenation is divided among its inputs, unless one of them cannot fold it. */
static tl_node branches(tl_model *m, tl_node x, size_t outputs) {
    const tl_node all[] = {wide(m, x, 9, 1), wide(m, x, 8, 20), wide(m, x, 3, 3)};
    const tl_node h = normalised(m, tl_concat(m, all, 3));
    const tl_node others[] = {tl_relu(m, wide(m, h, 9, 1)), wide(m, h, 8, 10)};
    const tl_node mixed[] = {normalised(m, tl_concat(m, others, 2)), h};
    return wide(m, normalised(m, tl_concat(m, mixed, 2)), outputs, 1);
}

static tl_node grouped(tl_model *m, tl_node x, size_t outputs) {
    x = tl_relu(m, wide(m, x, 24, 3));
    const tl_conv1d_cfg depthwise = {.filters = 24, .kernel = 5, .groups = 24, .padding = TL_PADDING_SAME};
    const tl_conv1d_cfg groups = {.filters = 12, .kernel = 3, .groups = 4, .no_bias = true};
    const tl_conv1d_cfg circular = {
        .filters = outputs, .kernel = 4, .padding = TL_PADDING_SAME, .padding_mode = TL_PADDING_MODE_CIRCULAR};
    x = normalised(m, tl_conv1d(m, x, &depthwise));
    x = normalised(m, tl_conv1d(m, x, &groups));
    return normalised(m, tl_conv1d(m, x, &circular));
}

/* Two norms, a norm behind a ReLU, and a layer with two readers are not folded. */
static tl_node not_folded(tl_model *m, tl_node x, size_t outputs) {
    const tl_node a = wide(m, x, 9, 3), b = tl_batch_norm(m, tl_relu(m, a), NULL), c = tl_batch_norm(m, a, NULL);
    const tl_node twice = tl_batch_norm(m, tl_batch_norm(m, wide(m, b, 9, 3), NULL), NULL);
    x = tl_add(m, (const tl_node[]){b, c, twice}, 3);
    return wide(m, tl_add(m, (const tl_node[]){x, x}, 2), outputs, 1);
}

static tl_node flattened(tl_model *m, tl_node x, size_t outputs) {
    x = normalised(m, tl_dense(m, tl_flatten(m, x), &(tl_dense_cfg){.units = 37, .no_bias = true}));
    const tl_node h = normalised(m, tl_dense(m, x, &(tl_dense_cfg){.units = 37}));
    return tl_dense(m, tl_add(m, (const tl_node[]){h, x}, 2), &(tl_dense_cfg){.units = outputs});
}

static const subject networks[] = {
    {"residual", residual, .shape = {40, 7}},
    {"residual of the input", residual_of_input, .shape = {40, 7}},
    {"residual of long sums", residual_of_long_sums, .shape = {60, 7}},
    {"dilated", dilated, .shape = {40, 7}},
    {"branches", branches, .shape = {40, 7}},
    {"groups", grouped, .shape = {40, 7}},
    {"not folded", not_folded, .shape = {40, 7}},
    {"dense", flattened, .shape = {20, 3}},
};
enum { NETWORKS = sizeof networks / sizeof *networks };

static void given_work_of_later_layers_when_taken_over_then_the_same_outputs(void **unused) {
    (void)unused;
    for (size_t i = 0; i < NETWORKS; i++)
        for (size_t e = 0; e < ENGINES; e++) check_subject(&networks[i], engines[e], NULL);
}

static void given_own_lengths_when_taken_over_then_the_same_outputs(void **unused) {
    (void)unused;
    static const size_t lengths[BATCH] = {40, 3, 17};
    for (size_t i = 0; i + 1 < NETWORKS; i++) {
        if (strcmp(networks[i].name, "groups") == 0 || strcmp(networks[i].name, "residual of long sums") == 0) continue;
        for (size_t e = 0; e < ENGINES; e++) check_subject(&networks[i], engines[e], lengths);
    }
}

static void given_any_layer_between_norms_when_folded_then_the_same_outputs(void **unused) {
    (void)unused;
    for (size_t i = 0; i < layer_case_count; i++)
        for (uint32_t k = 0; k < CONFIGURATIONS; k++)
            for (size_t e = 0; e < (strstr(layer_cases[i].name, "conv1d") ? ENGINES : 1); e++)
                check_subject(&(subject){.name = layer_cases[i].name,
                                         .layer = &layer_cases[i],
                                         .number = (uint32_t)(100 * i) + k,
                                         .shape = {.length = 9 + 14 * k, .channels = 1 + 4 * k}},
                              engines[e], NULL);
}

static void given_any_architecture_when_folded_then_the_same_outputs(void **unused) {
    (void)unused;
    for (size_t i = 0; i < network_case_count; i++) {
        const network_case *c = &network_cases[i];
        check_subject(&(subject){c->name, c->build, .shape = c->shape, .rows = c->rows}, TL_ENGINE_AUTO, NULL);
        check_subject(&(subject){c->name, c->build, .shape = c->shape, .rows = c->rows}, TL_ENGINE_DIRECT, NULL);
    }
}

/* ---- parameters that are written after a pass ---- */

/* Two models of the first network, for training and folded, which have run already. */
typedef struct pair {
    tl_model *training, *folded;
    tl_tensor x;
} pair;

static pair pair_of(const subject *s) {
    pair p = {made(s, TL_ENGINE_AUTO, TRAINING), made(s, TL_ENGINE_AUTO, FOLDED), series_of(s, NULL)};
    check_outputs("before", p.training, p.folded, FOLDED, &p.x, NULL);
    return p;
}

/* The folded model must have changed as the other one has. */
static void check_pair(pair *p, const char *what) {
    check_outputs(what, p->training, p->folded, FOLDED, &p->x, NULL);
    tl_model_free(p->training);
    tl_model_free(p->folded);
    tl_tensor_free(&p->x);
}

static void given_kept_views_when_written_then_the_next_pass_sees_it(void **unused) {
    (void)unused;
    pair p = pair_of(&networks[0]);
    for (size_t i = 0; i < tl_parameter_arrays(p.folded); i++) {
        const tl_tensor a = tl_parameter_at(p.training, i).value, b = tl_parameter_at(p.folded, i).value;
        check_outputs("one array after the other", p.training, p.folded, FOLDED, &p.x, NULL);
        a.data[0] = b.data[0] = (tl_real)0.25 + a.data[0]; /* after the pass has read the arrays */
        check_outputs("one array after the other", p.training, p.folded, FOLDED, &p.x, NULL);
        for (size_t e = 0; i == 0 && e < tl_tensor_count(&a); e++) a.data[e] = b.data[e] = -a.data[e];
    }
    check_pair(&p, "all arrays");
}

static void given_statistics_of_data_when_updated_then_the_next_pass_sees_them(void **unused) {
    (void)unused;
    for (size_t i = 0; i < NETWORKS; i++) {
        tl_error error = {0};
        pair p = pair_of(&networks[i]);
        const tl_dataset data = {.x = p.x};
        tl_update_statistics(p.training, &data, &error);
        tl_update_statistics(p.folded, &data, &error);
        check_ok(&error);
        check_parameters(p.folded, p.training, 0, 0);
        check_pair(&p, networks[i].name);
    }
}

static void given_a_file_when_a_model_starts_from_it_then_the_next_pass_sees_it(void **unused) {
    (void)unused;
    tl_error error = {0};
    const char *path = files_path("other.safetensors");
    pair p = pair_of(&networks[0]);
    move_parameters(p.training, 2);
    tl_model_save(p.training, path, NULL, &error);
    tl_model_start_from(p.folded, path, NULL, NULL, &error);
    check_ok(&error);
    remove(path);
    check_pair(&p, "a model file");
}

static void given_weights_of_pytorch_when_imported_then_the_next_pass_sees_them(void **unused) {
    (void)unused;
    tl_error error = {0};
    const char *path = files_path("weights.safetensors");
    pair p = pair_of(&networks[0]);
    move_parameters(p.training, 2);
    tl_weights_export(p.training, path, NULL, &error);
    tl_weights_import(p.folded, path, NULL, &error);
    check_ok(&error);
    remove(path);
    check_pair(&p, "weights");
}

/* A loaded model that nobody looked into. */
static void given_a_loaded_model_when_it_predicts_then_batch_norms_are_folded(void **unused) {
    (void)unused;
    tl_error error = {0};
    const char *path = files_path("model.safetensors");
    pair p = pair_of(&networks[0]);
    tl_model_save(p.training, path, NULL, &error);
    tl_model *loaded = tl_model_load(path, &(tl_load_cfg){.compile = {.batch = BATCH, .inference_only = true}}, NULL, &error);
    check_ok(&error);
    remove(path);
    const tl_tensor expected = output_of(p.folded, &p.x, NULL), actual = output_of(loaded, &p.x, NULL);
    check_equal("the loaded model", actual.data, expected.data, tl_tensor_count(&expected));
    const tl_tensor unfolded = output_of(p.training, &p.x, NULL);
    assert_memory_not_equal(actual.data, unfolded.data, tl_tensor_count(&actual) * sizeof *actual.data);
    tl_model_free(loaded);
    check_pair(&p, "folded");
}

/* ---- large samples, which pass through all layers a few at a time ---- */

enum { LARGE = 5, LARGE_STEPS = 3000 };

/* A softmax of each step, in the memory of the layers before it. */
static tl_model *large_model(size_t batch, bool inference_only, int threads) {
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 2, .threads = threads});
    const tl_node x = tl_input(m, (tl_shape){LARGE_STEPS, 2});
    const tl_node inner = normalised(m, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 20, .kernel = 8, .padding = TL_PADDING_SAME}));
    const tl_node both[] = {inner, tl_conv1d(m, inner, &(tl_conv1d_cfg){.filters = 20, .kernel = 3, .padding = TL_PADDING_SAME})};
    const tl_node sum = tl_relu(m, tl_add(m, both, 2));
    const tl_node y = tl_softmax(m, tl_conv1d(m, sum, &(tl_conv1d_cfg){.filters = OUTPUTS, .kernel = 1}));
    tl_model_compile(m, y, &(tl_compile_cfg){.batch = batch, .loss = TL_LOSS_SQUARED_ERROR, .inference_only = inference_only},
                     &error);
    check_ok(&error);
    move_parameters(m, 2);
    return m;
}

/* Each output of a batch must have the bits of a model that takes one sample. lengths: NULL: whole series. */
static void check_large(tl_model *many, tl_model *one, const tl_tensor *x, size_t first, size_t count, const size_t *lengths) {
    const size_t in = LARGE_STEPS * 2, out = LARGE_STEPS * OUTPUTS;
    const tl_tensor part = tl_tensor_view(x->data + first * in, 3, (const size_t[]){count, LARGE_STEPS, 2});
    if (lengths) tl_set_lengths(many, lengths + first, count);
    tl_forward(many, &part, TL_MODE_INFERENCE);
    check_ok(tl_model_error(many));
    for (size_t i = 0; i < count; i++) {
        const tl_tensor single = tl_tensor_view(part.data + i * in, 3, (const size_t[]){1, LARGE_STEPS, 2});
        if (lengths) tl_set_lengths(one, lengths + first + i, 1);
        tl_forward(one, &single, TL_MODE_INFERENCE);
        assert_int_equal(tl_output_length(many, i), lengths ? lengths[first + i] : LARGE_STEPS);
        check_equal("a sample of a batch", tl_output(many).data + i * out, tl_output(one).data, out);
    }
}

static void given_large_samples_when_in_a_batch_then_the_bits_of_single_ones(void **unused) {
    (void)unused;
    static const size_t lengths[LARGE] = {LARGE_STEPS, 40, 2999, 1, 1500};
    tl_error error = {0};
    tl_tensor x = tl_tensor_new(3, (const size_t[]){LARGE, LARGE_STEPS, 2}, &error), cut = tl_tensor_new(3, x.shape, &error);
    check_ok(&error);
    fill_normal(x.data, tl_tensor_count(&x), 7);
    for (size_t i = 0; i < LARGE; i++)
        memcpy(cut.data + i * LARGE_STEPS * 2, x.data + i * LARGE_STEPS * 2, lengths[i] * 2 * sizeof *x.data);
    for (int how = 0; how < 4; how++) {
        tl_model *many = large_model(LARGE, how % 2, 1 + how / 2), *one = large_model(1, how % 2, 1);
        check_large(many, one, &x, 0, LARGE, NULL);
        check_large(many, one, &cut, 0, LARGE, lengths);
        check_large(many, one, &cut, 1, 3, lengths);
        check_large(many, one, &x, 0, LARGE, NULL);
        tl_model_free(many);
        tl_model_free(one);
    }
    tl_tensor_free(&x);
    tl_tensor_free(&cut);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_work_of_later_layers_when_taken_over_then_the_same_outputs),
        cmocka_unit_test(given_own_lengths_when_taken_over_then_the_same_outputs),
        cmocka_unit_test(given_any_layer_between_norms_when_folded_then_the_same_outputs),
        cmocka_unit_test(given_any_architecture_when_folded_then_the_same_outputs),
        cmocka_unit_test(given_kept_views_when_written_then_the_next_pass_sees_it),
        cmocka_unit_test(given_statistics_of_data_when_updated_then_the_next_pass_sees_them),
        cmocka_unit_test(given_a_file_when_a_model_starts_from_it_then_the_next_pass_sees_it),
        cmocka_unit_test(given_weights_of_pytorch_when_imported_then_the_next_pass_sees_them),
        cmocka_unit_test(given_a_loaded_model_when_it_predicts_then_batch_norms_are_folded),
        cmocka_unit_test(given_large_samples_when_in_a_batch_then_the_bits_of_single_ones),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
