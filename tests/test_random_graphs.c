/* Networks that are drawn at random (random_graph.h). Each has the gradients of the naive engine with every other one, and those of
 * differences, also of samples with lengths of their own; the same bits on one to three threads and after it was saved and loaded;
 * and takes the memory that was planned.
 *
 * usage: test_random_graphs [FIRST COUNT]    all checks for these; without: some of the checks for some of the networks */
#include "random_graph.h"

#include <tapline/gradient_check.h>
#include <tapline/machine.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 128, OUTPUTS = 2, MAX_INPUTS = 256, ENGINES = 5 };

static size_t first_graph = 0, graphs = 400, checked_one_in = 4; /* by gradients: the slowest check */

/* ---- memory, counted ---- */

static size_t bytes_taken;

static void *count_allocate(size_t bytes, size_t alignment, void *user) {
    (void)user;
    bytes_taken += bytes;
    return aligned_alloc(alignment, bytes);
}

static void count_release(void *memory, void *user) {
    (void)user;
    free(memory);
}

/* ---- one network ---- */

typedef struct samples {
    tl_real x[4 * MAX_INPUTS];
    int32_t labels[4 * MAX_STEPS];
    tl_real values[4 * MAX_STEPS * OUTPUTS];
} samples;

static samples drawn;

static tl_model *compiled(const random_graph *graph, tl_engine engine, int threads, const tl_compile_cfg *given) {
    tl_error error = {0};
    tl_compile_cfg cfg = *given;
    cfg.batch = graph->batch;
    cfg.loss = graph->loss;
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = graph->number, .threads = threads, .engine = engine});
    tl_model_compile(model, random_graph_build(graph, model, engine), &cfg, &error);
    if (tl_failed(&error) && !given->plan_only) fail_msg("graph %u: %s", graph->number, error.text);
    return model;
}

static tl_tensor series_of(const random_graph *graph) {
    return TL_VIEW(drawn.x, graph->batch, graph->in.length, graph->in.channels);
}

static void draw_samples(const random_graph *graph) {
    tl_rng rng = tl_rng_at(graph->number, TL_STREAM_USER, 3, 0);
    fill_normal(drawn.x, graph->batch * graph->in.length * graph->in.channels, graph->number);
    for (size_t i = 0; i < 4 * MAX_STEPS; i++) drawn.labels[i] = (int32_t)tl_rng_below(&rng, OUTPUTS);
    for (size_t i = 0; i < 4 * MAX_STEPS * OUTPUTS; i++) drawn.values[i] = (tl_real)tl_rng_uniform(&rng);
}

static tl_target target_of(const random_graph *graph) {
    return graph->loss == TL_LOSS_CROSS_ENTROPY ? (tl_target){.labels = drawn.labels} : (tl_target){.values = drawn.values};
}

static void run(tl_model *model, const random_graph *graph) {
    const tl_tensor x = series_of(graph);
    const tl_target target = target_of(graph);
    tl_forward(model, &x, TL_MODE_TRAINING);
    tl_loss(model, &target);
    tl_backward(model);
    if (tl_failed(tl_model_error(model))) fail_msg("graph %u: %s", graph->number, tl_model_error(model)->text);
}

static double norm_of(const tl_tensor *a, const tl_tensor *b) {
    double sum = 0;
    for (size_t i = 0; i < tl_tensor_count(a); i++) sum += pow((double)a->data[i] - (b ? (double)b->data[i] : 0), 2);
    return sqrt(sum);
}

/* ---- engines ---- */

#ifdef TAPLINE_F64
static const double close_enough = 1e-9;
#else
static const double close_enough = 2e-3;
#endif

static void compare(const random_graph *graph, tl_engine engine, const char *layer, const char *name, const tl_tensor *actual,
                    const tl_tensor *expected) {
    const double off = norm_of(actual, expected), size = norm_of(expected, NULL);
    if (!(off <= close_enough * (size + 1)))
        fail_msg("graph %u, engine %s: the gradient of %s %s is off by %.3g, of %.3g", graph->number, tl_engine_name(engine), layer,
                 name, off, size);
}

/* Biases are not 0, so that nothing lies at the very kink of a ReLU, where rounding chooses the gradient. */
static void move_biases(tl_model *model, const random_graph *graph) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        if (strcmp(parameter.name, "bias") == 0 || strcmp(parameter.name, "shift") == 0)
            fill_normal(parameter.value.data, tl_tensor_count(&parameter.value), graph->number);
    }
}

static void compare_gradients(const random_graph *graph, tl_engine engine, const tl_model *model, const tl_model *naive) {
    const tl_tensor dx = tl_input_gradient(model), expected = tl_input_gradient(naive);
    compare(graph, engine, "the", "input", &dx, &expected);
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter one = tl_parameter_at(model, i), other = tl_parameter_at(naive, i);
        if (one.gradient.data) compare(graph, engine, one.layer, one.name, &one.gradient, &other.gradient);
    }
}

static void compare_engines(const random_graph *graph) {
    tl_model *naive = compiled(graph, TL_ENGINE_NAIVE, 1, &(tl_compile_cfg){.input_gradient = true});
    move_biases(naive, graph);
    run(naive, graph);
    for (tl_engine engine = TL_ENGINE_AUTO; (int)engine < ENGINES; engine++) {
        if (engine == TL_ENGINE_NAIVE) continue;
        tl_model *model = compiled(graph, engine, 1, &(tl_compile_cfg){.input_gradient = true});
        move_biases(model, graph);
        run(model, graph);
        compare_gradients(graph, engine, model, naive);
        tl_model_free(model);
    }
    tl_model_free(naive);
}

/* ---- samples with lengths of their own ---- */

/* Sets lengths of at least half of the steps, and zeros after them. */
static void cut_samples(const random_graph *graph, size_t *lengths) {
    tl_rng rng = tl_rng_at(graph->number, TL_STREAM_USER, 4, 0);
    const size_t steps = graph->in.length, channels = graph->in.channels;
    for (size_t i = 0; i < graph->batch; i++) {
        lengths[i] = steps - tl_rng_below(&rng, (uint32_t)(steps / 2 + 1));
        memset(drawn.x + (i * steps + lengths[i]) * channels, 0, (steps - lengths[i]) * channels * sizeof *drawn.x);
    }
}

/* Runs samples with lengths, in memory that the batch before filled with NaN. Returns false if a layer refuses the lengths. */
static bool run_cut(tl_model *model, const random_graph *graph) {
    const tl_tensor x = series_of(graph);
    const tl_target target = target_of(graph);
    size_t lengths[4];
    for (size_t i = 0; i < tl_tensor_count(&x); i++) drawn.x[i] = (tl_real)NAN;
    run(model, graph);
    tl_zero_grad(model);
    draw_samples(graph);
    cut_samples(graph, lengths);
    tl_set_lengths(model, lengths, graph->batch);
    tl_forward(model, &x, TL_MODE_TRAINING);
    if (tl_failed(tl_model_error(model))) return false;
    tl_loss(model, &target);
    tl_backward(model);
    if (tl_failed(tl_model_error(model))) fail_msg("graph %u: %s", graph->number, tl_model_error(model)->text);
    return true;
}

static size_t cut_graphs; /* whose layers take lengths */

static void compare_cut(const random_graph *graph) {
    tl_model *naive = compiled(graph, TL_ENGINE_NAIVE, 1, &(tl_compile_cfg){.input_gradient = true});
    move_biases(naive, graph);
    const bool runs = run_cut(naive, graph);
    cut_graphs += runs;
    for (tl_engine engine = TL_ENGINE_AUTO; runs && (int)engine < ENGINES; engine++) {
        if (engine == TL_ENGINE_NAIVE) continue;
        tl_model *model = compiled(graph, engine, 1, &(tl_compile_cfg){.input_gradient = true});
        move_biases(model, graph);
        if (!run_cut(model, graph)) fail_msg("graph %u: %s", graph->number, tl_model_error(model)->text);
        compare_gradients(graph, engine, model, naive);
        tl_model_free(model);
    }
    tl_model_free(naive);
}

/* ---- differences ---- */

static void check_differences(const random_graph *graph) {
    tl_error error = {0};
    tl_gradient_report report;
    const tl_tensor x = series_of(graph);
    const tl_target target = target_of(graph);
    tl_model *model = compiled(graph, TL_ENGINE_NAIVE, 1, &(tl_compile_cfg){.input_gradient = true});
    if (tl_check_gradients(model, &x, &target, &report, &error) != TL_OK) fail_msg("graph %u: %s", graph->number, error.text);
    tl_model_free(model);
}

/* ---- threads ---- */

static void compare_threads(const random_graph *graph) {
    tl_model *alone = compiled(graph, TL_ENGINE_AUTO, 1, &(tl_compile_cfg){0});
    run(alone, graph);
    for (int threads = 2; threads <= 3; threads++) {
        tl_model *model = compiled(graph, TL_ENGINE_AUTO, threads, &(tl_compile_cfg){0});
        run(model, graph);
        for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
            const tl_parameter one = tl_parameter_at(model, i), other = tl_parameter_at(alone, i);
            if (one.gradient.data &&
                memcmp(one.gradient.data, other.gradient.data, tl_tensor_count(&one.gradient) * sizeof(tl_real)) != 0)
                fail_msg("graph %u: the gradient of %s %s is another one with %d threads", graph->number, one.layer, one.name,
                         threads);
        }
        tl_model_free(model);
    }
    tl_model_free(alone);
}

/* ---- files and memory ---- */

static void compare_loaded(const random_graph *graph) {
    tl_error error = {0};
    size_t size;
    const tl_tensor x = series_of(graph);
    tl_model *model = compiled(graph, TL_ENGINE_AUTO, 1, &(tl_compile_cfg){0});
    run(model, graph); /* moves running statistics */
    void *bytes = tl_model_write(model, &size, NULL, &error);
    tl_model *loaded = tl_model_parse(bytes, size, &(tl_load_cfg){.threads = 1, .compile.batch = graph->batch}, NULL, &error);
    if (tl_failed(&error)) fail_msg("graph %u: %s", graph->number, error.text);
    tl_forward(model, &x, TL_MODE_INFERENCE);
    tl_forward(loaded, &x, TL_MODE_INFERENCE);
    const tl_tensor before = tl_output(model), after = tl_output(loaded);
    if (!tl_tensor_same_shape(&before, &after) || memcmp(before.data, after.data, tl_tensor_count(&before) * sizeof(tl_real)) != 0)
        fail_msg("graph %u: a loaded model predicts something else", graph->number);
    free(bytes);
    tl_model_free(loaded);
    tl_model_free(model);
}

/* Each array begins at a multiple of 64 bytes. */
static void compare_memory(const random_graph *graph) {
    enum { ARRAYS = 8, LINE = 64 };
    tl_model *planned = compiled(graph, TL_ENGINE_AUTO, 1, &(tl_compile_cfg){.plan_only = true});
    bytes_taken = 0;
    tl_model *model = compiled(graph, TL_ENGINE_AUTO, 1, &(tl_compile_cfg){0});
    const size_t plan = tl_model_memory(planned), told = tl_model_memory(model);
    if (plan != told || bytes_taken < told || bytes_taken > told + ARRAYS * LINE)
        fail_msg("graph %u: planned are %zu bytes, told %zu, taken %zu", graph->number, plan, told, bytes_taken);
    tl_model_free(model);
    tl_model_free(planned);
}

/* ---- all of them ---- */

static void for_each_graph(void (*check)(const random_graph *graph), size_t one_in) {
    for (size_t i = 0; i < graphs; i += one_in) {
        const random_graph graph = random_graph_of((uint32_t)(first_graph + i));
        draw_samples(&graph);
        check(&graph);
    }
}

static void given_random_graphs_when_run_then_the_gradients_of_naive(void **unused) {
    (void)unused;
    for_each_graph(compare_engines, 1);
}

static void given_random_graphs_when_samples_have_lengths_then_as_naive(void **unused) {
    (void)unused;
    for_each_graph(compare_cut, 1);
    assert_true(cut_graphs > graphs / 8);
}

static void given_random_graphs_when_differentiated_then_as_differences_say(void **unused) {
    (void)unused;
    for_each_graph(check_differences, checked_one_in);
}

static void given_random_graphs_when_run_on_threads_then_the_same_bits(void **unused) {
    (void)unused;
    for_each_graph(compare_threads, 1);
}

static void given_random_graphs_when_saved_and_loaded_then_the_same_bits(void **unused) {
    (void)unused;
    for_each_graph(compare_loaded, 1);
}

static void given_random_graphs_when_planned_then_the_memory_that_they_take(void **unused) {
    (void)unused;
    for_each_graph(compare_memory, 1);
}

int main(int count, char **argument) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_random_graphs_when_run_then_the_gradients_of_naive),
        cmocka_unit_test(given_random_graphs_when_samples_have_lengths_then_as_naive),
        cmocka_unit_test(given_random_graphs_when_differentiated_then_as_differences_say),
        cmocka_unit_test(given_random_graphs_when_run_on_threads_then_the_same_bits),
        cmocka_unit_test(given_random_graphs_when_saved_and_loaded_then_the_same_bits),
        cmocka_unit_test(given_random_graphs_when_planned_then_the_memory_that_they_take),
    };
    tl_set_allocator(&(tl_allocator){.allocate = count_allocate, .release = count_release}, NULL);
    if (count == 3) {
        first_graph = strtoul(argument[1], NULL, 10);
        graphs = strtoul(argument[2], NULL, 10);
        checked_one_in = 1;
    }
    return check_run(tests);
}
