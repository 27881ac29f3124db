/* `tapline bench`: measurements, checks and output. */
#include "check.h"

#include <tapline/machine.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The gemm engine's forward pass with one wrong element, which conv.c must find. */
enum { WRONG_ELEMENT = 17 };
static bool wrong;

static void forward_or_wrong(tl_conv1d_plan *plan, const tl_real *x, const tl_real *weight, const tl_real *bias, tl_real *y) {
    tl_conv1d_forward(plan, x, weight, bias, y);
    if (wrong && strcmp(tl_conv1d_engine(plan, TL_CONV1D_FORWARD), "gemm") == 0) y[WRONG_ELEMENT] += (tl_real)0.01;
}

#undef tl_conv1d_forward
#define tl_conv1d_forward forward_or_wrong
#include "../bench/conv.c" // NOLINT(bugprone-suspicious-include): with its call replaced

#include "runner.h" /* its type `run` is a common name of variables */

static tl_error found; /* the error with which a benchmark run in this process ended */

int bench_finish(const bench_settings *settings, json_t *report, const tl_error *error) {
    (void)settings;
    found = *error;
    json_decref(report);
    return tl_failed(error) ? EXIT_FAILED : EXIT_DONE;
}

/* ---- inside ---- */

static void given_a_wrong_element_when_checked_then_the_message_says_where(void **unused) {
    (void)unused;
    const bench_settings settings = {.common.threads = 1, .only = "timecnn", .engines = "gemm", .seconds = 0.001};
    wrong = true;
    assert_int_equal(IN_PRECISION(bench_conv)(&settings), EXIT_FAILED);
    check_error(&found, TL_ERROR_NUMERIC, "gemm, timecnn, forward: element 17 (sample 0, step 1, filter 5) is ");
    wrong = false;
    assert_int_equal(IN_PRECISION(bench_conv)(&settings), EXIT_DONE);
}

static void given_samples_when_summarised_then_best_median_and_spread_are_theirs(void **unused) {
    (void)unused;
    static bench_samples samples = {.count = 5, .seconds = {0.005, 0.001, 0.003, 0.002, 0.004}};
    const bench_timing timing = bench_summary(&samples);
    check_number("best", timing.best, 1, 1e-12, 0);
    check_number("median", timing.median, 3, 1e-12, 0);
    check_number("spread", timing.spread, 2.0 / 3, 1e-12, 0);
    assert_int_equal(timing.samples, 5);
}

static void given_a_shape_in_words_when_parsed_then_every_part_counts(void **unused) {
    (void)unused;
    bench_shape shape;
    tl_error error = {0};
    bench_shape_parse("kernel=3,channels=2,filters=5,length=40,batch=7,stride=2,dilation=4,padding=causal", &shape, &error);
    check_ok(&error);
    const tl_conv1d_spec *spec = &shape.spec;
    assert_true(spec->kernel == 3 && spec->channels == 2 && spec->filters == 5 && spec->length == 40 && spec->batch == 7);
    assert_true(spec->stride == 2 && spec->dilation == 4 && spec->padding == TL_PADDING_CAUSAL);
}

static void given_auto_that_chose_badly_when_summarised_then_the_cost_is_told(void **unused) {
    (void)unused;
    bench_result results[] = {
        {.shape = bench_shape_at(0), .pass = BENCH_DX, .engine = "gemm", .uses = "gemm", .time = {.best = 3}},
        {.shape = bench_shape_at(0), .pass = BENCH_DX, .engine = "direct", .uses = "direct", .time = {.best = 2}},
        {.shape = bench_shape_at(0), .pass = BENCH_DX, .engine = "auto", .uses = "gemm", .time = {.best = 3}},
        {.shape = bench_shape_at(1), .pass = BENCH_DX, .engine = "gemm", .uses = "gemm", .time = {.best = 1}},
        {.shape = bench_shape_at(1), .pass = BENCH_DX, .engine = "auto", .uses = "gemm", .time = {.best = 2}},
    };
    const bench_run finished = {
        .peak_gflops = 1, .isa = "", .precision = "", .threads = 1, .count = sizeof results / sizeof *results, .result = results};
    json_t *object = bench_conv_json(&finished), *verdict = json_object_get(object, "auto");
    check_number("passes", json_number(verdict, "passes"), 2, 0, 0);
    check_number("fastest", json_number(verdict, "fastest"), 1, 0, 0);
    check_number("worst", json_number(verdict, "worst_cost"), 1.5, 1e-12, 0);
    check_number("mean", json_number(verdict, "mean_cost"), sqrt(1.5), 1e-12, 0);
    assert_string_equal(json_string_value(json_object_get(json_object_get(verdict, "worst"), "fastest")), "direct");
    json_decref(object);
}

static void given_intensities_when_reported_then_the_lower_limit_is_the_roof(void **unused) {
    (void)unused;
    bench_result results[] = {
        {.shape = bench_shape_at(0),
         .pass = BENCH_FORWARD,
         .engine = "direct",
         .uses = "direct",
         .time = {.best = 1},
         .intensity = 2},
        {.shape = bench_shape_at(0), .pass = BENCH_DX, .engine = "direct", .uses = "direct", .time = {.best = 1}, .intensity = 50},
    };
    const bench_run finished = {
        .peak_gflops = 100, .memory_rate = 10, .isa = "", .precision = "", .threads = 2, .count = 2, .result = results};
    json_t *object = bench_conv_json(&finished), *list = json_object_get(object, "results");
    check_number("memory", json_number(json_array_get(list, 0), "roof_gflops"), 2 * 10 * 2, 1e-12, 0);
    check_number("multiply-adds", json_number(json_array_get(list, 1), "roof_gflops"), 2 * 100, 1e-12, 0);
    json_decref(object);
}

/* ---- the command ---- */

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    if (!text) fail_msg("key %s: no text", key);
    return text;
}

/* The entry of an engine and pass; NULL where there is none. */
static const json_t *entry_of(const json_t *list, const char *engine, const char *pass) {
    size_t index;
    const json_t *entry;
    json_array_foreach((json_t *)list, index, entry) if (strcmp(text_of(entry, "engine"), engine) == 0 &&
                                                         strcmp(text_of(entry, "pass"), pass) == 0) return entry;
    return NULL;
}

#define QUICK "--precision", tl_precision(), "--threads", "1", "--seconds", "0.005", "--json"

/* The results of one run of the smallest shape, for the tests below; kept. */
static json_t *smallest(void) {
    static json_t *kept;
    if (kept) return kept;
    run done = run_command("bench", "conv", "--only", "timecnn", QUICK);
    if (done.code != EXIT_DONE) fail_msg("exit code %d: %s", done.code, done.err);
    kept = run_json(&done);
    run_free(&done);
    return kept;
}

static void given_a_shape_when_timed_then_every_engine_has_checked_passes(void **unused) {
    (void)unused;
    static const char *const passes[] = {"forward", "dx", "dw"};
    json_t *object = smallest();
    const json_t *results = json_object_get(object, "results");
    for (int i = 0; tl_engine_name((tl_engine)i); i++) {
        const char *engine = tl_engine_name((tl_engine)i);
        size_t timed = 0;
        for (size_t p = 0; p < 3; p++) {
            const json_t *entry = entry_of(results, engine, passes[p]);
            timed += entry != NULL;
            if (entry && !json_is_true(json_object_get(entry, "checked"))) fail_msg("%s, %s: not checked", engine, passes[p]);
        }
        const bool runs_all = i <= TL_ENGINE_GEMM; /* auto, naive, gemm; others may leave a pass out */
        if (timed == 0 || (runs_all && timed < 3)) fail_msg("%s: %zu passes", engine, timed);
    }
}

static void given_a_shape_when_timed_then_rates_follow_from_times(void **unused) {
    (void)unused;
    json_t *object = smallest();
    const double operations = 2.0 * 16 * 48 * 7 * 6 * 12, peak = json_number(object, "peak_gflops");
    const double bytes = sizeof(tl_real) * (16.0 * 48 * (6 + 12) + 7 * 6 * 12 + 12);
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(object, "results"), index, entry) {
        const double rate = operations / json_number(entry, "ms") / 1e6;
        check_number("gflops", json_number(entry, "gflops"), rate, 1e-9, 0);
        check_number("fraction_of_peak", json_number(entry, "fraction_of_peak"), rate / peak, 1e-9, 0);
        check_number("intensity", json_number(entry, "intensity"), operations / bytes, 1e-9, 0);
        assert_true(json_number(entry, "ms") <= json_number(entry, "median_ms"));
        assert_string_equal(text_of(entry, "name"), "timecnn");
    }
    entry = json_array_get(json_object_get(object, "together"), 0);
    check_number("together", json_number(entry, "gflops"), 3 * operations / json_number(entry, "ms") / 1e6, 1e-9, 0);
}

static void given_a_run_when_reported_then_the_machine_is_named(void **unused) {
    (void)unused;
    json_t *object = smallest();
    assert_string_equal(text_of(object, "isa"), tl_isa());
    assert_string_equal(text_of(object, "precision"), tl_precision());
    check_number("threads", json_number(object, "threads"), 1, 0, 0);
    assert_true(json_number(object, "peak_gflops") > 0 && json_number(object, "blas_gflops") > 0);
    assert_true(json_number(object, "memory_gbps") > 0);
}

static void given_chosen_engines_and_a_shape_when_timed_then_only_these(void **unused) {
    (void)unused;
    run done = run_command("bench", "conv", "--engine", "gemm,auto", "--shape",
                           "channels=3,filters=4,kernel=3,length=20,batch=2,stride=2,padding=valid", "--precision", tl_precision(),
                           "--threads", "2", "--seconds", "0.001", "--json");
    if (done.code != EXIT_DONE) fail_msg("exit code %d: %s", done.code, done.err);
    json_t *object = run_json(&done);
    const json_t *results = json_object_get(object, "results"), *shape = json_array_get(json_object_get(object, "shapes"), 0);
    assert_int_equal(json_array_size(results), 6);
    assert_non_null(entry_of(results, "gemm", "dw"));
    assert_non_null(entry_of(results, "auto", "dx"));
    assert_string_equal(text_of(shape, "padding"), "valid");
    check_number("stride", json_number(shape, "stride"), 2, 0, 0);
    check_number("threads", json_number(object, "threads"), 2, 0, 0);
    json_decref(object);
    run_free(&done);
}

static void given_a_network_when_timed_then_the_keys_are_there(void **unused) {
    (void)unused;
    run done = run_command("bench", "step", "--only", "fcn_tiny", QUICK);
    if (done.code != EXIT_DONE) fail_msg("exit code %d: %s", done.code, done.err);
    json_t *object = run_json(&done);
    const json_t *entry = json_array_get(json_object_get(object, "results"), 0);
    assert_int_equal(json_array_size(json_object_get(object, "results")), 1);
    assert_string_equal(text_of(object, "isa"), tl_isa());
    assert_string_equal(text_of(entry, "model"), "fcn_tiny");
    const struct {
        const char *key;
        double value;
    } facts[] = {{"batch", 6}, {"length", 24}, {"channels", 1}, {"classes", 2}, {"parameters", 264962}};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        check_number(facts[i].key, json_number(entry, facts[i].key), facts[i].value, 0, 0);
    assert_true(json_number(entry, "infer1_min_ms") > 0 && json_number(entry, "infer1_min_ms") <= json_number(entry, "infer1_ms"));
    assert_true(json_number(entry, "infer_ms") > 0 && json_number(entry, "step_ms") > 0);
    check_number("ratio", json_number(entry, "step_over_conv"), json_number(entry, "step_ms") / json_number(entry, "conv_ms"), 1e-9,
                 0);
    json_decref(object);
    run_free(&done);
}

/* The entry of a layer in a profile. */
static const json_t *layer_of(const json_t *profile, const char *layer) {
    size_t index;
    const json_t *entry;
    json_array_foreach((json_t *)profile, index, entry) if (strcmp(text_of(entry, "layer"), layer) == 0) return entry;
    fail_msg("no layer %s in the profile", layer);
    return NULL;
}

static void given_a_profile_when_timed_then_each_layer_has_its_parts(void **unused) {
    (void)unused;
    run done = run_command("bench", "step", "--only", "timecnn", "--profile", QUICK);
    if (done.code != EXIT_DONE) fail_msg("exit code %d: %s", done.code, done.err);
    json_t *object = run_json(&done);
    const json_t *profile = json_object_get(json_array_get(json_object_get(object, "results"), 0), "profile");
    double shares = 0;
    size_t index;
    const json_t *entry;
    json_array_foreach((json_t *)profile, index, entry) shares += json_number(entry, "share");
    check_number("shares", shares, 1, 1e-9, 0);
    entry = layer_of(profile, "conv1d_1");
    assert_true(json_number(entry, "forward_ms") > 0 && json_number(entry, "dw_ms") > 0);
    assert_true(json_is_null(json_object_get(entry, "dx_ms"))); /* the data needs no gradient */
    assert_true(json_number(layer_of(profile, "conv1d_2"), "dx_ms") > 0);
    assert_true(json_is_null(json_object_get(layer_of(profile, "sigmoid_1"), "dw_ms")));
    assert_true(json_number(layer_of(profile, "loss"), "ms") > 0 && json_number(layer_of(profile, "optimizer"), "ms") > 0);
    assert_non_null(strstr(done.out, "average_pool_2 "));
    json_decref(object);
    run_free(&done);
}

/* ---- bad usage ---- */

static void expect(run done, int code, const char *text) {
    if (done.code != code || !strstr(done.err, text))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text, done.code, done.err);
    run_free(&done);
}

static void given_an_unknown_name_when_asked_for_then_what_there_is_is_told(void **unused) {
    (void)unused;
    expect(run_command("bench", "conv", "--only", "fnc2"), EXIT_USAGE, "did you mean fcn2? Choices: fcn1, fcn2, ");
    expect(run_command("bench", "conv", "--only", "xyzzy"), EXIT_USAGE, "genomics and atac");
    expect(run_command("bench", "conv", "--engine", "gemm,drect"), EXIT_USAGE, "--engine drect: unknown");
    expect(run_command("bench", "step", "--only", "tnc"), EXIT_USAGE, "did you mean tcn?");
    expect(run_command("bench", "step", "--engine", "gemm"), EXIT_USAGE, "unknown option --engine");
    expect(run_command("bench", "conv", "--seconds", "0"), EXIT_USAGE, "--seconds 0: must be a positive finite number");
}

static void given_a_shape_that_cannot_be_when_asked_for_then_the_message_says_why(void **unused) {
    (void)unused;
    expect(run_command("bench", "conv", "--shape", "channels=3,kernel=2"), EXIT_USAGE, "must all be given");
    expect(run_command("bench", "conv", "--shape", "channels=0"), EXIT_USAGE,
           "channels 0 should be a whole number from 1 to 9223372036854775807");
    expect(run_command("bench", "conv", "--shape", "width=3"), EXIT_USAGE, "unknown part width=3");
    expect(run_command("bench", "conv", "--shape", "padding=full"), EXIT_USAGE, "padding full should be valid, same or causal");
    expect(run_command("bench", "conv", "--only", "fcn1", "--shape", "channels=3"), EXIT_USAGE, "cannot be combined with --shape");
    expect(run_command("bench", "conv", "--shape", "channels=3,filters=4,kernel=9,length=6,batch=2,padding=valid"), EXIT_FAILED,
           "kernel");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_wrong_element_when_checked_then_the_message_says_where),
        cmocka_unit_test(given_samples_when_summarised_then_best_median_and_spread_are_theirs),
        cmocka_unit_test(given_a_shape_in_words_when_parsed_then_every_part_counts),
        cmocka_unit_test(given_auto_that_chose_badly_when_summarised_then_the_cost_is_told),
        cmocka_unit_test(given_intensities_when_reported_then_the_lower_limit_is_the_roof),
        cmocka_unit_test(given_a_shape_when_timed_then_every_engine_has_checked_passes),
        cmocka_unit_test(given_a_shape_when_timed_then_rates_follow_from_times),
        cmocka_unit_test(given_a_run_when_reported_then_the_machine_is_named),
        cmocka_unit_test(given_chosen_engines_and_a_shape_when_timed_then_only_these),
        cmocka_unit_test(given_a_network_when_timed_then_the_keys_are_there),
        cmocka_unit_test(given_a_profile_when_timed_then_each_layer_has_its_parts),
        cmocka_unit_test(given_an_unknown_name_when_asked_for_then_what_there_is_is_told),
        cmocka_unit_test(given_a_shape_that_cannot_be_when_asked_for_then_the_message_says_why),
    };
    return check_run(tests);
}
