/* The prediction of a model for a sample has the same bits alone and in any batch, at any place in it, for any compiled or loaded
 * batch, and with any number of threads. (The rounding of the BLAS depends on the number of rows: the engine gemm is not
 * tested.) */
#include "files.h"
#include "layer_cases.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fewer under an emulator, which is slow. */
enum { SAMPLES = sizeof EMULATOR > 1 ? 17 : 33, CONFIGURATIONS = sizeof EMULATOR > 1 ? 1 : 2, OUTPUTS = 3 };

static const size_t batches[] = {1, 2, 3, 7, 16, SAMPLES};
static const tl_engine engines[] = {TL_ENGINE_AUTO, TL_ENGINE_DIRECT, TL_ENGINE_WINOGRAD, TL_ENGINE_NAIVE};

enum { BATCHES = sizeof batches / sizeof *batches, ENGINES = sizeof engines / sizeof *engines };

/* A network that is made several times with the same parameters. */
typedef struct subject {
    const char *name;
    const layer_case *layer;                                        /* between two dense layers; or */
    tl_node (*network)(tl_model *model, tl_node x, size_t outputs); /* all of it; or */
    const char *file;                                               /* an architecture */
    tl_shape shape;
    size_t naive; /* samples that the naive engine runs, which takes long */
    uint32_t seed;
    bool numbers;   /* the input holds whole numbers from 0 to 8 */
    bool inference; /* compiled with inference_only: with packed weights and folded batch norms */
} subject;

/* ---- models ---- */

static tl_node build(const subject *s, tl_model *model) {
    tl_rng rng = tl_rng_at(s->seed, TL_STREAM_USER, 0, 0);
    const tl_node x = tl_input(model, s->shape);
    if (s->file) return tl_architecture_from_file(model, x, s->file, &(tl_architecture_cfg){.outputs = OUTPUTS});
    if (s->network) return s->network(model, x, OUTPUTS);
    const tl_node before = tl_dense(model, x, &(tl_dense_cfg){.units = between(&rng, 2, 20)});
    return tl_dense(model, layer_case_build(s->layer, model, before, &rng), &(tl_dense_cfg){.units = OUTPUTS});
}

/* Changes all arrays from their initial values: biases from 0, running statistics from 0 and 1. */
static void move_parameters(tl_model *model) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_tensor value = tl_parameter_at(model, i).value;
        tl_rng rng = tl_rng_at(i, TL_STREAM_USER, 3, 0);
        for (size_t e = 0; e < tl_tensor_count(&value); e++) value.data[e] += (tl_real)(0.1 * tl_rng_uniform(&rng));
    }
}

/* NULL if the engine cannot compute one of the layers. */
static tl_model *made(const subject *s, tl_engine engine, size_t batch, int threads) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = s->seed, .threads = threads, .engine = engine});
    tl_model_compile(model, build(s, model), &(tl_compile_cfg){.batch = batch, .inference_only = s->inference}, &error);
    if (engine == TL_ENGINE_WINOGRAD && tl_failed(&error)) {
        check_error(&error, TL_ERROR_ARGUMENT, "engine winograd cannot compute the forward pass");
        tl_model_free(model);
        return NULL;
    }
    if (tl_failed(&error)) fail_msg("%s: %s", s->name, error.text);
    move_parameters(model);
    return model;
}

static tl_tensor outputs_of(const tl_model *model) {
    tl_error error = {0};
    const tl_shape out = tl_output_shape(model);
    const tl_tensor y = tl_tensor_new(3, (const size_t[]){SAMPLES, out.length, out.channels}, &error);
    check_ok(&error);
    return y;
}

static void predict(tl_model *model, const tl_tensor *x, tl_tensor *y) {
    tl_error error = {0};
    tl_predict(model, x, NULL, y, &error);
    check_ok(&error);
}

/* ---- comparing ---- */

/* The comparison, for messages: sample `first` + i of `expected`, in `order` 1 or -1, is sample i of a batch. */
typedef struct comparison {
    const subject *subject;
    const char *engine, *how;
    size_t count, first;
    int order;
    const tl_tensor *expected;
} comparison;

static bool same_bits(const void *a, const void *b) { return memcmp(a, b, sizeof(tl_real)) == 0; }

static void check_same_bits(const comparison *c, const tl_tensor *actual) {
    const size_t each = c->expected->shape[1] * c->expected->shape[2];
    for (size_t i = 0; i < c->count; i++) {
        const size_t sample = c->order > 0 ? c->first + i : c->first - i;
        const tl_real *a = actual->data + i * each, *b = c->expected->data + sample * each;
        size_t e = 0;
        while (e < each && same_bits(a + e, b + e)) e++;
        if (e < each)
            fail_msg("%s, engine %s, batch %zu (%s): sample %zu, element %zu is %.17g, alone %.17g", c->subject->name, c->engine,
                     c->count, c->how, sample, e, (double)a[e], (double)b[e]);
    }
}

static void reverse(const tl_tensor *x, tl_tensor *to) {
    const size_t each = x->shape[1] * x->shape[2];
    for (size_t i = 0; i < SAMPLES; i++) memcpy(to->data + (SAMPLES - 1 - i) * each, x->data + i * each, each * sizeof *to->data);
}

/* Batches of each size, from another place each, and all samples backwards. */
static void check_batches(comparison *c, tl_model *model, const tl_tensor *x, size_t samples) {
    tl_error error = {0};
    tl_tensor y = outputs_of(model), backwards = tl_tensor_new(3, x->shape, &error);
    check_ok(&error);
    for (size_t i = 0; i < BATCHES && batches[i] <= samples; i++) {
        c->count = batches[i];
        c->first = samples - batches[i];
        const tl_tensor part = tl_tensor_slice(x, c->first, c->count);
        tl_tensor to = tl_tensor_slice(&y, 0, c->count);
        predict(model, &part, &to);
        check_same_bits(c, &to);
    }
    if (samples == SAMPLES) {
        reverse(x, &backwards);
        predict(model, &backwards, &y);
        check_same_bits(&(comparison){c->subject, c->engine, "backwards", SAMPLES, SAMPLES - 1, -1, c->expected}, &y);
    }
    tl_tensor_free(&y);
    tl_tensor_free(&backwards);
}

/* The same model from a file, for batches of 7. */
static void check_loaded(comparison *c, const tl_model *model, tl_engine engine, const tl_tensor *x) {
    tl_error error = {0};
    const char *path = files_path("model.tapline");
    tl_model_save(model, path, NULL, &error);
    const tl_load_cfg cfg = {.engine = engine,
                             .threads = 1,
                             .compile = {.batch = 7, .inference_only = true, .no_fold_batch_norm = !c->subject->inference}};
    tl_model *loaded = tl_model_load(path, &cfg, NULL, &error);
    check_ok(&error);
    remove(path);
    tl_tensor y = outputs_of(loaded);
    predict(loaded, x, &y);
    check_same_bits(&(comparison){c->subject, c->engine, "loaded for batches of 7", SAMPLES, 0, 1, c->expected}, &y);
    tl_tensor_free(&y);
    tl_model_free(loaded);
}

/* Whether the engine runs the subject. */
static bool check_subject(const subject *s, tl_engine engine, const tl_tensor *x) {
    tl_model *alone = made(s, engine, 1, 1), *together = made(s, engine, SAMPLES, 1);
    if (!alone || !together) return false;
    const size_t samples = engine == TL_ENGINE_NAIVE ? s->naive : SAMPLES;
    tl_tensor expected = outputs_of(alone);
    const tl_tensor some = tl_tensor_slice(x, 0, samples);
    tl_tensor to = tl_tensor_slice(&expected, 0, samples);
    predict(alone, &some, &to);
    comparison c = {.subject = s, .engine = tl_engine_name(engine), .how = "in order", .order = 1, .expected = &expected};
    check_batches(&c, together, x, samples);
    if (engine == TL_ENGINE_AUTO) check_loaded(&c, together, engine, x);
    tl_tensor_free(&expected);
    tl_model_free(alone);
    tl_model_free(together);
    return true;
}

/* By all engines; *by_winograd counts the subjects that it runs. */
static void check_engines(const subject *s, size_t *by_winograd) {
    tl_error error = {0};
    tl_tensor x = tl_tensor_new(3, (const size_t[]){SAMPLES, s->shape.length, s->shape.channels}, &error);
    check_ok(&error);
    if (s->numbers)
        fill_integers(x.data, tl_tensor_count(&x), s->seed, 4);
    else
        fill_normal(x.data, tl_tensor_count(&x), s->seed);
    for (size_t i = 0; s->numbers && i < tl_tensor_count(&x); i++) x.data[i] += 4;
    for (size_t i = 0; i < ENGINES; i++) {
        const bool run = check_subject(s, engines[i], &x);
        *by_winograd += run && engines[i] == TL_ENGINE_WINOGRAD;
    }
    tl_tensor_free(&x);
}

/* ---- layers ---- */

static void given_any_layer_when_in_any_batch_then_the_same_bits(void **unused) {
    (void)unused;
    size_t by_winograd = 0;
    for (size_t i = 0; i < layer_case_count; i++)
        for (uint32_t k = 0; k < CONFIGURATIONS; k++)
            check_engines(&(subject){.name = layer_cases[i].name,
                                     .shape = {.length = 9 + 14 * k, .channels = 1 + 4 * k},
                                     .layer = &layer_cases[i],
                                     .seed = (uint32_t)(100 * i) + k,
                                     .naive = SAMPLES},
                          &by_winograd);
    assert_true(by_winograd > (CONFIGURATIONS - 1) * layer_case_count);
}

static tl_node one_filter(tl_model *m, tl_node x, size_t outputs) {
    (void)outputs;
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 1, .kernel = 3, .padding = TL_PADDING_SAME});
}
static tl_node one_tap(tl_model *m, tl_node x, size_t outputs) {
    return tl_conv1d(m, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 40, .kernel = 1}),
                     &(tl_conv1d_cfg){.filters = outputs, .kernel = 1});
}
static tl_node many_taps(tl_model *m, tl_node x, size_t outputs) {
    x = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 32, .kernel = 40, .padding = TL_PADDING_SAME});
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = outputs, .kernel = 8, .stride = 2, .padding = TL_PADDING_SAME});
}
static tl_node wide(tl_model *m, tl_node x, size_t outputs) {
    x = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 72, .kernel = 3, .padding = TL_PADDING_SAME});
    x = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 65, .kernel = 3, .padding = TL_PADDING_SAME});
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = outputs, .kernel = 5, .dilation = 2, .padding = TL_PADDING_CAUSAL});
}
static tl_node far_apart(tl_model *m, tl_node x, size_t outputs) {
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = outputs, .kernel = 3, .dilation = 17, .padding = TL_PADDING_SAME});
}
static tl_node depthwise(tl_model *m, tl_node x, size_t outputs) {
    x = tl_conv1d(m, tl_concat(m, (const tl_node[]){x, x, x}, 3), &(tl_conv1d_cfg){.filters = 21, .kernel = 5, .groups = 21});
    return tl_dense(m, x, &(tl_dense_cfg){.units = outputs});
}
static tl_node transposed(tl_model *m, tl_node x, size_t outputs) {
    x = tl_conv1d_transpose(m, x, &(tl_conv1d_transpose_cfg){.filters = 32, .kernel = 4, .stride = 2, .pad_left = 1});
    x = tl_conv1d_transpose(m, x, &(tl_conv1d_transpose_cfg){.filters = 2, .kernel = 5, .pad_left = 2});
    return tl_conv1d_transpose(m, x, &(tl_conv1d_transpose_cfg){.filters = outputs, .kernel = 1});
}
static tl_node dense_layers(tl_model *m, tl_node x, size_t outputs) {
    const tl_node h = tl_dense(m, tl_flatten(m, x), &(tl_dense_cfg){.units = 70});
    return tl_dense(m, tl_dense(m, h, &(tl_dense_cfg){.units = 1}), &(tl_dense_cfg){.units = outputs, .no_bias = true});
}
static tl_node with_dropout(tl_model *m, tl_node x, size_t outputs) {
    return tl_dense(m, tl_dropout(m, x, &(tl_dropout_cfg){.rate = 0.5}), &(tl_dense_cfg){.units = outputs});
}
static tl_node embedded(tl_model *m, tl_node x, size_t outputs) {
    return tl_dense(m, tl_embedding(m, x, &(tl_embedding_cfg){.vocabulary = 9, .units = 13}), &(tl_dense_cfg){.units = outputs});
}

/* What the random layers are too small for, or leave out. */
static void given_wide_layers_when_in_any_batch_then_the_same_bits(void **unused) {
    (void)unused;
    static const subject subjects[] = {
        {"one filter", .network = one_filter, .shape = {40, 7}},
        {"kernel 1", .network = one_tap, .shape = {40, 7}},
        {"kernels 40, 8", .network = many_taps, .shape = {60, 7}},
        {"wide kernels of 3", .network = wide, .shape = {40, 7}},
        {"dilation 17", .network = far_apart, .shape = {40, 7}},
        {"depthwise", .network = depthwise, .shape = {40, 7}},
        {"transposed", .network = transposed, .shape = {20, 40}},
        {"dense", .network = dense_layers, .shape = {40, 7}},
        {"dropout", .network = with_dropout, .shape = {10, 3}},
        {"embedding", .network = embedded, .shape = {10, 1}, .numbers = true},
    };
    size_t by_winograd = 0;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        subject s = subjects[i];
        s.naive = SAMPLES;
        check_engines(&s, &by_winograd);
    }
    assert_true(by_winograd >= 4);
}

/* ---- architectures ---- */

static tl_node wavenet_steps(tl_model *m, tl_node x, size_t outputs) {
    return tl_wavenet_steps(m, x, &(tl_wavenet_cfg){.outputs = outputs});
}
static tl_node unet(tl_model *m, tl_node x, size_t outputs) { return tl_unet(m, x, &(tl_unet_cfg){.outputs = outputs}); }

static void given_any_architecture_when_in_any_batch_then_the_same_bits(void **unused) {
    (void)unused;
    static const subject subjects[] = {
        {"fcn", .network = tl_fcn, .shape = {40, 2}},
        {"resnet", .network = tl_resnet, .shape = {40, 2}},
        {"inception", .network = tl_inception, .shape = {40, 2}},
        {"timecnn", .network = tl_time_cnn, .shape = {40, 2}},
        {"tcn", .network = tl_tcn, .shape = {40, 2}},
        {"lite", .network = tl_lite, .shape = {40, 2}},
        {"wavenet", .network = tl_wavenet, .shape = {40, 2}},
        {"wavenet steps", .network = wavenet_steps, .shape = {40, 2}},
        {"unet", .network = unet, .shape = {40, 2}},
    };
    size_t by_winograd = 0;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        subject s = subjects[i];
        s.naive = 3;
        check_engines(&s, &by_winograd);
    }
    assert_true(by_winograd >= 2);
}

/* The same with packed weights and folded batch norms; naive has the same as above. */
static void given_inference_only_when_in_any_batch_then_the_same_bits(void **unused) {
    (void)unused;
    static const subject subjects[] = {
        {"wide kernels of 3", .network = wide, .shape = {40, 7}},
        {"dilation 17", .network = far_apart, .shape = {40, 7}},
        {"depthwise", .network = depthwise, .shape = {40, 7}},
        {"dense", .network = dense_layers, .shape = {40, 7}},
        {"fcn", .network = tl_fcn, .shape = {40, 2}},
        {"resnet", .network = tl_resnet, .shape = {40, 2}},
        {"inception", .network = tl_inception, .shape = {40, 2}},
        {"timecnn", .network = tl_time_cnn, .shape = {40, 2}},
        {"tcn", .network = tl_tcn, .shape = {40, 2}},
        {"lite", .network = tl_lite, .shape = {40, 2}},
    };
    size_t by_winograd = 0;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        subject s = subjects[i];
        s.inference = true;
        s.naive = 2;
        check_engines(&s, &by_winograd);
    }
    assert_true(by_winograd >= 4);
}

static void given_each_example_when_in_any_batch_then_the_same_bits(void **unused) {
    (void)unused;
    size_t files = 0, by_winograd = 0;
    DIR *folder = opendir(EXAMPLES "/architectures");
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char path[1000];
        if (!strstr(entry->d_name, ".json")) continue;
        snprintf(path, sizeof path, "%s/architectures/%s", EXAMPLES, entry->d_name);
        check_engines(&(subject){.name = entry->d_name, .shape = {40, 1}, .file = path, .naive = 3}, &by_winograd);
        files++;
    }
    closedir(folder);
    assert_true(files >= 9 && by_winograd >= 2);
}

/* ---- what is made of predictions ---- */

/* Without batch norm and dropout, training computes what inference does. */
static void given_the_same_parameters_when_trained_then_outputs_as_inference(void **unused) {
    (void)unused;
    const subject s = {"timecnn", .network = tl_time_cnn, .shape = {40, 2}};
    tl_error error = {0};
    tl_model *alone = made(&s, TL_ENGINE_AUTO, 1, 1), *together = made(&s, TL_ENGINE_AUTO, SAMPLES, 1);
    tl_tensor x = tl_tensor_new(3, (const size_t[]){SAMPLES, 40, 2}, &error);
    fill_normal(x.data, tl_tensor_count(&x), 1);
    tl_forward(together, &x, TL_MODE_TRAINING);
    const tl_tensor y = tl_output(together);
    for (size_t i = 0; i < SAMPLES; i++) {
        const tl_tensor sample = tl_tensor_slice(&x, i, 1);
        tl_forward(alone, &sample, TL_MODE_INFERENCE);
        check_equal("output in training", tl_tensor_slice(&y, i, 1).data, tl_output(alone).data, OUTPUTS);
    }
    tl_tensor_free(&x);
    tl_model_free(alone);
    tl_model_free(together);
}

static void given_two_compiled_batches_when_evaluated_then_the_same_loss(void **unused) {
    (void)unused;
    const subject s = {"fcn", .network = tl_fcn, .shape = {40, 2}};
    tl_error error = {0};
    tl_metrics metrics[2];
    int32_t labels[SAMPLES];
    tl_tensor x = tl_tensor_new(3, (const size_t[]){SAMPLES, 40, 2}, &error);
    fill_normal(x.data, tl_tensor_count(&x), 2);
    for (int i = 0; i < SAMPLES; i++) labels[i] = i % OUTPUTS;
    for (int i = 0; i < 2; i++) {
        tl_model *model = made(&s, TL_ENGINE_AUTO, i ? 32 : 2, 1);
        tl_evaluate(model, &(tl_dataset){.x = x, .labels = labels, .classes = OUTPUTS}, &metrics[i], &error);
        check_ok(&error);
        tl_model_free(model);
    }
    check_number("loss by batches of 32", metrics[1].loss, metrics[0].loss, 0, 0);
    tl_tensor_free(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_any_layer_when_in_any_batch_then_the_same_bits),
        cmocka_unit_test(given_wide_layers_when_in_any_batch_then_the_same_bits),
        cmocka_unit_test(given_any_architecture_when_in_any_batch_then_the_same_bits),
        cmocka_unit_test(given_inference_only_when_in_any_batch_then_the_same_bits),
        cmocka_unit_test(given_each_example_when_in_any_batch_then_the_same_bits),
        cmocka_unit_test(given_the_same_parameters_when_trained_then_outputs_as_inference),
        cmocka_unit_test(given_two_compiled_batches_when_evaluated_then_the_same_loss),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
