/* The parts of passes that an observer is told (tapline/profile.h). */
#include "check.h"

enum { MAX_CALLS = 32, BATCH = 2, LENGTH = 12 };

typedef struct call {
    tl_node layer;
    tl_pass_part part;
} call;

typedef struct calls {
    size_t count;
    call call[MAX_CALLS];
} calls;

static void note(void *context, tl_node layer, tl_pass_part part) {
    calls *seen = context;
    assert_true(seen->count < MAX_CALLS);
    seen->call[seen->count++] = (call){layer, part};
}

typedef struct network {
    tl_model *model;
    tl_node first, norm, relu, second, pool, output;
    tl_tensor x;
} network;

static network make_network(void) {
    network n = {.model = tl_model_new(&(tl_model_cfg){.threads = 1})};
    tl_error error = {0};
    const tl_node x = tl_input(n.model, (tl_shape){.length = LENGTH, .channels = 3});
    n.first = tl_conv1d(n.model, x, &(tl_conv1d_cfg){.filters = 4, .kernel = 3});
    n.norm = tl_batch_norm(n.model, n.first, NULL);
    n.relu = tl_relu(n.model, n.norm);
    n.second = tl_conv1d(n.model, n.relu, &(tl_conv1d_cfg){.filters = 4, .kernel = 3});
    n.pool = tl_global_average_pool(n.model, n.second);
    n.output = tl_dense(n.model, n.pool, &(tl_dense_cfg){.units = 2});
    tl_model_compile(n.model, n.output, &(tl_compile_cfg){.batch = BATCH}, &error);
    n.x = tl_tensor_new(3, (const size_t[]){BATCH, LENGTH, 3}, &error);
    check_ok(&error);
    fill_normal(n.x.data, tl_tensor_count(&n.x), 1);
    return n;
}

static void free_network(network *n) {
    tl_tensor_free(&n->x);
    tl_model_free(n->model);
}

static void step(network *n) {
    tl_error error = {0};
    tl_forward(n->model, &n->x, TL_MODE_TRAINING);
    tl_loss(n->model, &(tl_target){.labels = (const int32_t[]){0, 1}});
    tl_backward(n->model);
    tl_step(n->model, &error);
    check_ok(&error);
}

static void check_calls(const calls *seen, const call *expected, size_t count) {
    for (size_t i = 0; i < seen->count && i < count; i++)
        if (seen->call[i].layer.id != expected[i].layer.id || seen->call[i].part != expected[i].part)
            fail_msg("call %zu: node %d, part %d; expected node %d, part %d", i, seen->call[i].layer.id, (int)seen->call[i].part,
                     expected[i].layer.id, (int)expected[i].part);
    assert_int_equal(seen->count, count);
}

static void given_an_observer_when_a_step_runs_then_it_is_told_each_part_in_order(void **unused) {
    (void)unused;
    network n = make_network();
    calls seen = {0};
    tl_observe(n.model, note, &seen);
    step(&n);
    const call expected[] = {
        {n.first, TL_PASS_PART_FORWARD},          {n.norm, TL_PASS_PART_FORWARD},          {n.second, TL_PASS_PART_FORWARD},
        {n.pool, TL_PASS_PART_FORWARD},           {n.output, TL_PASS_PART_FORWARD},        {n.output, TL_PASS_PART_WEIGHT_GRADIENT},
        {n.output, TL_PASS_PART_INPUT_GRADIENT},  {n.output, TL_PASS_PART_BACKWARD},       {n.pool, TL_PASS_PART_BACKWARD},
        {n.second, TL_PASS_PART_WEIGHT_GRADIENT}, {n.second, TL_PASS_PART_INPUT_GRADIENT}, {n.second, TL_PASS_PART_BACKWARD},
        {n.norm, TL_PASS_PART_BACKWARD},          {n.first, TL_PASS_PART_WEIGHT_GRADIENT}, {n.first, TL_PASS_PART_BACKWARD},
    };
    check_calls(&seen, expected, sizeof expected / sizeof *expected);
    free_network(&n);
}

static void given_no_observer_when_a_step_runs_then_nobody_is_told(void **unused) {
    (void)unused;
    network n = make_network();
    calls seen = {0};
    tl_observe(n.model, note, &seen);
    tl_observe(n.model, NULL, NULL);
    step(&n);
    assert_int_equal(seen.count, 0);
    free_network(&n);
}

static void given_an_observer_when_trained_then_the_parameters_are_the_same(void **unused) {
    (void)unused;
    network observed = make_network(), plain = make_network();
    calls seen = {0};
    tl_observe(observed.model, note, &seen);
    step(&observed);
    step(&plain);
    check_parameters(observed.model, plain.model, 0, 0);
    free_network(&observed);
    free_network(&plain);
}

static void given_nodes_when_named_then_they_have_the_names_of_their_parameters(void **unused) {
    (void)unused;
    network n = make_network();
    assert_string_equal(tl_node_name(n.model, n.second), "conv1d_2");
    assert_string_equal(tl_node_name(n.model, n.second), tl_parameter_at(n.model, 4).layer);
    assert_string_equal(tl_node_name(n.model, (tl_node){0}), "input_1");
    assert_null(tl_node_name(n.model, (tl_node){-1}));
    assert_null(tl_node_name(n.model, (tl_node){n.output.id + 1}));
    assert_null(tl_node_name(NULL, n.output));
    tl_observe(NULL, note, NULL);
    free_network(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_an_observer_when_a_step_runs_then_it_is_told_each_part_in_order),
        cmocka_unit_test(given_no_observer_when_a_step_runs_then_nobody_is_told),
        cmocka_unit_test(given_an_observer_when_trained_then_the_parameters_are_the_same),
        cmocka_unit_test(given_nodes_when_named_then_they_have_the_names_of_their_parameters),
    };
    return check_run(tests);
}
