/* ReLUs that the layers around them compute in training: the results are those of layers that run one by one.
 *
 * An affine layer that changes nothing separates the layers of the second network, so that no layer does the work of another.
 */
#include "check.h"

enum { BATCH = 3, LENGTH = 30 };

typedef struct block {
    tl_conv1d_cfg cfg;
    size_t channels; /* of the input of the ReLU */
} block;

typedef struct network {
    tl_model *model;
    bool apart;
    tl_error error;
} network;

static tl_node separate(const network *n, tl_node x) { return n->apart ? tl_affine(n->model, x, &(tl_affine_cfg){.scale = 1}) : x; }

static tl_node relu(const network *n, tl_node x) { return separate(n, tl_relu(n->model, separate(n, x))); }

/* The ReLU of the sum of two layers. */
static tl_node rectified_sum(const network *n, tl_node a, tl_node b) {
    return tl_relu(n->model, separate(n, tl_add(n->model, (const tl_node[]){a, b}, 2)));
}

/* A convolution stores a ReLU; the next one, and a sum, the gradient of one. A ReLU behind a sum of ReLUs is left out, but not
 * behind the next sum, of which only one is. */
static network make_network(const block *of, tl_engine engine, int threads, bool apart) {
    network n = {.model = tl_model_new(&(tl_model_cfg){.threads = threads, .engine = engine, .seed = 7}), .apart = apart};
    const tl_node x = tl_input(n.model, (tl_shape){.length = LENGTH, .channels = 2});
    tl_node h = relu(&n, tl_conv1d(n.model, x, &(tl_conv1d_cfg){.filters = of->channels, .kernel = 1}));
    h = relu(&n, tl_conv1d(n.model, h, &of->cfg));
    const tl_node beside = relu(&n, tl_conv1d(n.model, h, &(tl_conv1d_cfg){.filters = of->cfg.filters, .kernel = 1}));
    h = rectified_sum(&n, h, beside);
    h = rectified_sum(&n, h, separate(&n, tl_conv1d(n.model, h, &(tl_conv1d_cfg){.filters = of->cfg.filters, .kernel = 1})));
    h = tl_add(n.model,
               (const tl_node[]){h, relu(&n, tl_conv1d(n.model, h, &(tl_conv1d_cfg){.filters = of->cfg.filters, .kernel = 1}))}, 2);
    tl_model_compile(n.model, h, &(tl_compile_cfg){.batch = BATCH, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true},
                     &n.error);
    return n;
}

static tl_tensor filled(size_t length, size_t channels, uint32_t seed) {
    tl_error error = {0};
    tl_tensor t = tl_tensor_new(3, (const size_t[]){BATCH, length, channels}, &error);
    check_ok(&error);
    fill_normal(t.data, tl_tensor_count(&t), seed);
    return t;
}

static void run(const network *n, const size_t *lengths, tl_mode mode) {
    tl_tensor x = filled(LENGTH, 2, 1);
    for (size_t i = 0; lengths && i < BATCH; i++)
        for (size_t k = lengths[i] * 2; k < LENGTH * (size_t)2; k++) x.data[i * LENGTH * 2 + k] = 0;
    const tl_shape out = tl_output_shape(n->model);
    tl_tensor dy = filled(out.length, out.channels, 2);
    if (lengths) tl_set_lengths(n->model, lengths, BATCH);
    tl_forward(n->model, &x, mode);
    tl_backward_from(n->model, &dy);
    check_ok(tl_model_error(n->model));
    tl_tensor_free(&x);
    tl_tensor_free(&dy);
}

static void compare(const network *actual, const network *expected) {
    const tl_tensor dx = tl_input_gradient(expected->model);
    check_equal("dx", tl_input_gradient(actual->model).data, dx.data, tl_tensor_count(&dx));
    for (size_t i = 0; i < tl_parameter_arrays(expected->model); i++) {
        const tl_parameter p = tl_parameter_at(expected->model, i);
        if (p.gradient.data)
            check_equal(p.name, tl_parameter_at(actual->model, i).gradient.data, p.gradient.data, tl_tensor_count(&p.gradient));
    }
}

static void check_block(const block *of, tl_engine engine, const size_t *lengths, tl_mode mode) {
    network together = make_network(of, engine, 2, false), apart = make_network(of, engine, 1, true);
    if (!tl_failed(&together.error)) {
        run(&together, lengths, mode);
        run(&apart, lengths, mode);
        compare(&together, &apart);
    }
    tl_model_free(together.model);
    tl_model_free(apart.model);
}

static const block blocks[] = {
    {.channels = 16, .cfg = {.filters = 16, .kernel = 5, .padding = TL_PADDING_SAME}},
    {.channels = 20, .cfg = {.filters = 7, .kernel = 3, .padding = TL_PADDING_SAME}},
    {.channels = 3, .cfg = {.filters = 64, .kernel = 8, .padding = TL_PADDING_SAME}},
    {.channels = 1, .cfg = {.filters = 16, .kernel = 7}},
    {.channels = 64, .cfg = {.filters = 1, .kernel = 4}},
    {.channels = 12, .cfg = {.filters = 9, .kernel = 7, .stride = 2}},
    {.channels = 8, .cfg = {.filters = 32, .kernel = 6, .stride = 3, .padding = TL_PADDING_SAME}},
    {.channels = 25, .cfg = {.filters = 25, .kernel = 3, .dilation = 4, .padding = TL_PADDING_CAUSAL}},
    {.channels = 25, .cfg = {.filters = 25, .kernel = 3, .dilation = 13, .padding = TL_PADDING_CAUSAL}},
    {.channels = 8, .cfg = {.filters = 12, .kernel = 5, .groups = 4, .padding = TL_PADDING_SAME}},
    {.channels = 8, .cfg = {.filters = 8, .kernel = 5, .groups = 8, .padding = TL_PADDING_SAME}},
    {.channels = 6, .cfg = {.filters = 5, .kernel = 5, .padding = TL_PADDING_SAME, .padding_mode = TL_PADDING_MODE_REFLECT}},
};

static void check_blocks(const size_t *lengths, tl_mode mode) {
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        for (int engine = 0; tl_engine_name((tl_engine)engine); engine++) check_block(&blocks[i], (tl_engine)engine, lengths, mode);
}

static void given_any_engine_when_it_stores_a_relu_then_the_bits_are_the_same(void **unused) {
    (void)unused;
    check_blocks(NULL, TL_MODE_TRAINING);
    check_blocks(NULL, TL_MODE_INFERENCE_GRADIENTS);
}

static void given_lengths_when_it_stores_a_relu_then_the_bits_are_the_same(void **unused) {
    (void)unused;
    check_blocks((const size_t[]){30, 11, 19}, TL_MODE_TRAINING);
}

/* ---- which layers do what ---- */

typedef struct calls {
    size_t count[2];
    tl_node relu;
} calls;

static void count_call(void *context, tl_node layer, tl_pass_part part) {
    calls *seen = context;
    if (layer.id == seen->relu.id) seen->count[part != TL_PASS_PART_FORWARD]++;
}

typedef tl_node (*reader)(tl_model *model, tl_node x);

static tl_node by_convolution(tl_model *m, tl_node x) { return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 2, .kernel = 3}); }
static tl_node by_tanh(tl_model *m, tl_node x) { return tl_tanh(m, x); }
static tl_node by_both(tl_model *m, tl_node x) { return tl_add(m, (const tl_node[]){tl_tanh(m, x), tl_sigmoid(m, x)}, 2); }

/* The calls of a ReLU behind a convolution, if `read` reads it. */
static calls calls_of(reader read, bool twice) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    tl_error error = {0};
    const tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 2});
    const tl_node h = by_convolution(model, x);
    calls seen = {.relu = tl_relu(model, h)};
    tl_node y = read(model, seen.relu);
    if (twice) y = tl_concat(model, (const tl_node[]){tl_global_max_pool(model, y), tl_global_max_pool(model, h)}, 2);
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = BATCH, .loss = TL_LOSS_SQUARED_ERROR}, &error);
    check_ok(&error);
    network n = {.model = model};
    tl_observe(model, count_call, &seen);
    run(&n, NULL, TL_MODE_TRAINING);
    tl_model_free(model);
    return seen;
}

static void expect_calls(calls seen, size_t forward, size_t backward) {
    assert_int_equal(seen.count[0], forward);
    assert_int_equal(seen.count[1], backward);
}

static void given_readers_when_compiled_then_a_relu_is_left_out_where_it_may(void **unused) {
    (void)unused;
    expect_calls(calls_of(by_convolution, false), 0, 0);
    expect_calls(calls_of(by_tanh, false), 0, 1);
    expect_calls(calls_of(by_both, false), 0, 1);
    expect_calls(calls_of(by_convolution, true), 1, 1); /* another layer reads what the ReLU reads */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_any_engine_when_it_stores_a_relu_then_the_bits_are_the_same),
        cmocka_unit_test(given_lengths_when_it_stores_a_relu_then_the_bits_are_the_same),
        cmocka_unit_test(given_readers_when_compiled_then_a_relu_is_left_out_where_it_may),
    };
    return check_run(tests);
}
