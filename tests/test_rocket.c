/* The layer rocket: features compared with their definition, on series of integers, for which nothing is rounded; drawing and
 * keeping biases; lengths, channels, threads, instruction sets, files; messages. */
#include "check.h"
#include "fixtures.h"
#include "kernel_tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SERIES = 19, LENGTH = 24, MAX_CHANNELS = 12, KERNELS = 84, PAIRS = 2 * KERNELS };

static tl_real series[SERIES * LENGTH * MAX_CHANNELS];
static size_t lengths[SERIES];

/* Series of integers; if `unequal`, of lengths from 1 to LENGTH, with zeros after their ends. */
static tl_dataset some_data(size_t channels, bool unequal) {
    fill_integers(series, SERIES * LENGTH * channels, 7, 9);
    for (size_t i = 0; i < SERIES; i++) {
        lengths[i] = unequal ? 1 + i * (LENGTH - 1) / (SERIES - 1) : LENGTH;
        memset(series + (i * LENGTH + lengths[i]) * channels, 0, (LENGTH - lengths[i]) * channels * sizeof *series);
    }
    return (tl_dataset){.x = TL_VIEW(series, SERIES, LENGTH, channels), .lengths = unequal ? lengths : NULL};
}

static tl_model *new_model(const tl_rocket_cfg *cfg, size_t length, size_t channels, int threads) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 5, .threads = threads});
    const tl_node y = tl_rocket(model, tl_input(model, (tl_shape){length, channels}), cfg);
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = 7, .loss = TL_LOSS_SQUARED_ERROR, .inference_only = true}, &error);
    check_ok(&error);
    return model;
}

/* The features of all series: (SERIES, features). Free them. */
static tl_tensor features_of(tl_model *model, const tl_dataset *data) {
    tl_error error = {0};
    tl_tensor y = tl_tensor_new(3, (const size_t[]){data->x.shape[0], 1, tl_output_shape(model).channels}, &error);
    tl_predict(model, &data->x, data->lengths, &y, &error);
    check_ok(&error);
    return y;
}

static tl_real *state_of(const tl_model *model, const char *name) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++)
        if (strcmp(tl_parameter_at(model, i).name, name) == 0) return tl_parameter_at(model, i).value.data;
    return NULL;
}

/* ---- the definition ---- */

/* Three biases for each kernel: two at dilation 1, one at dilation 2. */
static const tl_rocket_cfg three_each = {.features = 3 * KERNELS};

typedef struct outputs {
    double value[LENGTH];
    size_t first, count;
} outputs;

static double weight(size_t kernel, size_t tap) {
    size_t number = 0;
    for (size_t i = 0; i < 9; i++)
        for (size_t j = i + 1; j < 9; j++)
            for (size_t k = j + 1; k < 9; k++)
                if (number++ == kernel) return tap == i || tap == j || tap == k ? 2 : -1;
    return 0;
}

/* The outputs of a kernel at a dilation, on the sum of its channels; `first` and `count`: those that count. */
static outputs convolve(const tl_model *model, const tl_dataset *data, size_t sample, size_t kernel, size_t dilation,
                        bool differences) {
    const size_t channels = data->x.shape[2], pair = (dilation - 1) * KERNELS + kernel;
    const size_t own = data->lengths ? data->lengths[sample] : LENGTH, steps = own - (differences && own > 1);
    const tl_real *channel = state_of(model, "channel"), *x = data->x.data + sample * LENGTH * channels;
    const size_t chosen = channel ? (channels < 9 ? channels : 9) : 1, margin = 4 * dilation;
    outputs all = {.count = steps};
    for (size_t t = 0; t < steps; t++)
        for (size_t c = 0; c < chosen && (!channel || channel[pair * chosen + c] >= 0); c++)
            for (size_t tap = 0; tap < 9; tap++) {
                const size_t at = t + tap * dilation - margin, place = channel ? (size_t)channel[pair * chosen + c] : 0;
                if (t + tap * dilation < margin || at >= steps || (differences && at + 1 >= own)) continue;
                const double here = (double)x[at * channels + place];
                all.value[t] += weight(kernel, tap) * (differences ? (double)x[(at + 1) * channels + place] - here : here);
            }
    if ((dilation - 1 + kernel) % 2 == 0 || steps <= 2 * margin) return all;
    all.first = margin;
    all.count = steps - 2 * margin;
    return all;
}

static void check_shares(const tl_model *model, const tl_dataset *data, const tl_tensor *y) {
    const tl_real *bias = state_of(model, "bias");
    for (size_t sample = 0; sample < SERIES; sample++)
        for (size_t f = 0; f < 3 * KERNELS; f++) {
            const size_t dilation = f < PAIRS ? 1 : 2, kernel = f < PAIRS ? f / 2 : f - PAIRS;
            const outputs all = convolve(model, data, sample, kernel, dilation, false);
            size_t above = 0;
            for (size_t t = all.first; t < all.first + all.count; t++) above += all.value[t] > (double)bias[f];
            const tl_real expected = (tl_real)above / (tl_real)all.count, actual = y->data[sample * 3 * KERNELS + f];
            if (actual != expected)
                fail_msg("sample %zu, feature %zu: %g is not %zu of %zu", sample, f, (double)actual, above, all.count);
        }
}

static void given_integers_when_transformed_then_shares_by_definition(void **unused) {
    (void)unused;
    const struct {
        size_t channels;
        bool unequal;
    } cases[] = {{1, false}, {1, true}, {2, false}, {MAX_CHANNELS, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        const tl_dataset data = some_data(cases[i].channels, cases[i].unequal);
        tl_model *model = new_model(&three_each, LENGTH, cases[i].channels, 1);
        tl_update_statistics(model, &data, &error);
        check_ok(&error);
        tl_tensor y = features_of(model, &data);
        check_shares(model, &data, &y);
        tl_tensor_free(&y);
        tl_model_free(model);
    }
}

/* The four statistics of a kernel's outputs above its bias. */
static void pool(const outputs *all, double bias, double expected[4]) {
    double count = 0, sum = 0, places = 0, run = 0, longest = 0;
    for (size_t t = 0; t < all->count; t++) {
        const double over = all->value[all->first + t] - bias;
        run = over > 0 ? run + 1 : 0;
        if (over > 0) count++, sum += over, places += (double)t;
        longest = fmax(longest, run);
    }
    expected[0] = count / (double)all->count;
    expected[1] = count > 0 ? sum / count : 0;
    expected[2] = count > 0 ? places / count : -1;
    expected[3] = longest;
}

static void given_kind_multi_when_transformed_then_four_statistics_of_both(void **unused) {
    (void)unused;
    for (int unequal = 0; unequal < 2; unequal++) {
        tl_error error = {0};
        const tl_dataset data = some_data(1, unequal);
        tl_model *model = new_model(&(tl_rocket_cfg){.kind = TL_ROCKET_MULTI, .features = 8 * KERNELS}, LENGTH, 1, 1);
        tl_update_statistics(model, &data, &error);
        check_ok(&error);
        tl_tensor y = features_of(model, &data);
        for (size_t sample = 0; sample < SERIES; sample++)
            for (size_t f = 0; f < PAIRS; f++) {
                double expected[4];
                const outputs all = convolve(model, &data, sample, f % KERNELS, 1, f >= KERNELS);
                pool(&all, (double)state_of(model, "bias")[f], expected);
                for (size_t p = 0; p < 4; p++)
                    check_number("statistic", (double)y.data[(sample * 4 + p) * PAIRS + f], expected[p], 4 * unit, 4 * unit);
            }
        tl_tensor_free(&y);
        tl_model_free(model);
    }
}

/* For each of a group's eight kernels: the sum of its outputs where it is the largest, and how often it is the smallest. */
static void count_group(const tl_model *model, const tl_dataset *data, size_t sample, size_t row, size_t groups, double *counts) {
    const size_t channels = data->x.shape[2], chosen = channels / 2, dilation = row / groups / 2 + 1, margin = 4 * dilation;
    const bool differences = row / groups % 2;
    const size_t own = data->lengths ? data->lengths[sample] : LENGTH, steps = own - (differences && own > 1);
    const tl_real *weights = state_of(model, "weight") + row * 72, *channel = state_of(model, "channel");
    const tl_real *x = data->x.data + sample * LENGTH * channels;
    memset(counts, 0, 16 * sizeof *counts);
    for (size_t t = 0; t < steps; t++) {
        double output[8] = {0};
        size_t high = 0, low = 0;
        for (size_t i = 0; i < 9 * 8 * chosen; i++) {
            const size_t tap = i / 8 % 9, at = t + tap * dilation - margin, place = (size_t)channel[row * chosen + i / 72];
            if (t + tap * dilation < margin || at >= steps || (differences && at + 1 >= own)) continue;
            const double here = (double)x[at * channels + place];
            output[i % 8] +=
                (double)weights[tap * 8 + i % 8] * (differences ? (double)x[(at + 1) * channels + place] - here : here);
        }
        for (size_t k = 1; k < 8; k++) {
            if (output[k] > output[high]) high = k;
            if (output[k] < output[low]) low = k;
        }
        counts[high] += output[high];
        counts[8 + low]++;
    }
}

static void given_kind_hydra_when_transformed_then_winners_of_groups(void **unused) {
    (void)unused;
    enum { GROUPS = 2, ROWS = 4 * GROUPS, CHANNELS = 6 }; /* dilations 1 and 2, series and differences */
    tl_error error = {0};
    const tl_dataset data = some_data(CHANNELS, true);
    fill_normal(series, (size_t)SERIES * LENGTH * CHANNELS, 8);
    for (size_t i = 0; i < SERIES; i++)
        memset(series + (i * LENGTH + lengths[i]) * CHANNELS, 0, (LENGTH - lengths[i]) * CHANNELS * sizeof *series);
    tl_model *model = new_model(&(tl_rocket_cfg){.kind = TL_ROCKET_HYDRA, .features = 32 * GROUPS}, LENGTH, CHANNELS, 1);
    tl_update_statistics(model, &data, &error);
    check_ok(&error);
    tl_tensor y = features_of(model, &data);
    assert_int_equal(y.shape[2], ROWS * 16);
    for (size_t sample = 1; sample < SERIES; sample++) /* a single step has no difference, and every kernel's output is 0 */
        for (size_t f = 0; f < ROWS * 16; f++) {
            double counts[16];
            count_group(model, &data, sample, f / 16, GROUPS, counts);
            check_number("feature", (double)y.data[sample * ROWS * 16 + f], sqrt(fmax(0, counts[f % 16])), 50 * unit, 50 * unit);
        }
    tl_tensor_free(&y);
    tl_model_free(model);
}

static void given_kind_hydra_when_drawn_then_kernels_without_a_mean(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = some_data(1, false);
    tl_model *model = new_model(&(tl_rocket_cfg){.kind = TL_ROCKET_HYDRA}, LENGTH, 1, 1);
    tl_update_statistics(model, &data, &error);
    check_ok(&error);
    assert_int_equal(tl_output_shape(model).channels, 2 * 1024);
    for (size_t kernel = 0; kernel < 2 * 64 * 8; kernel++) {
        double sum = 0, size = 0;
        for (size_t tap = 0; tap < 9; tap++) {
            const double value = (double)state_of(model, "weight")[kernel / 8 * 72 + tap * 8 + kernel % 8];
            sum += value;
            size += fabs(value);
        }
        check_number("sum", sum, 0, 0, 4 * unit);
        check_number("sum of sizes", size, 1, 4 * unit, 0);
    }
    tl_model_free(model);
}

/* ---- stored features ---- */

/* Reads an array of the file into `to`; NULL: drops it (series of one channel have no state "channel"). */
static void read_stored(fixtures *f, const char *name, tl_real *to, size_t count) {
    double *values = calloc(count, sizeof *values);
    assert_non_null(values);
    fixtures_array(f, name, values, count);
    for (size_t i = 0; to && i < count; i++) to[i] = (tl_real)values[i];
    free(values);
}

static void check_stored(fixtures *f) {
    enum { MAX_VALUES = 2000 };
    static tl_real x[MAX_VALUES], counting[MAX_VALUES], counted[MAX_VALUES];
    size_t shape[3];
    fixtures_line(f, "shape");
    char *end = f->line;
    for (size_t i = 0; i < 3; i++) shape[i] = strtoul(end, &end, 10);
    const size_t features = strtoul(end, &end, 10), channels = shape[2];
    tl_model *model = new_model(&(tl_rocket_cfg){.features = (int)features}, shape[1], channels, 1);
    assert_true(shape[0] * (shape[1] * channels > features ? shape[1] * channels : features) <= MAX_VALUES);
    read_stored(f, "series", x, shape[0] * shape[1] * channels);
    read_stored(f, "bias", state_of(model, "bias"), features);
    read_stored(f, "channel", state_of(model, "channel"), features * channels); /* one bias for each pair */
    read_stored(f, "outputs", counting, features);
    read_stored(f, "counted", counted, shape[0] * features);
    state_of(model, "fitted")[0] = 1;
    for (size_t i = 0; i < shape[0] * features; i++) counted[i] /= counting[i % features];
    const tl_dataset data = {.x = TL_VIEW(x, shape[0], shape[1], channels)};
    tl_tensor y = features_of(model, &data);
    check_equal(f->name, y.data, counted, shape[0] * features);
    tl_tensor_free(&y);
    tl_model_free(model);
}

/* These are also the features of aeon: see the head of the file. */
static void given_stored_biases_when_transformed_then_the_stored_features(void **unused) {
    (void)unused;
    fixtures *f = fixtures_open("rocket.txt");
    size_t cases = 0;
    for (; fixtures_next(f, cases == 0); cases++) check_stored(f);
    assert_int_equal(cases, 2);
    fixtures_close(f);
}

/* ---- dilations ---- */

static void given_a_length_when_compiled_then_dilations_up_to_an_eighth(void **unused) {
    (void)unused;
    const struct {
        size_t length;
        int features;
        size_t channels, pairs; /* two channels: their state has a row for each pair */
    } cases[] = {{9, 0, 9996, 1},    {24, 0, 9996, 2}, {41, 0, 9996, 5},     {150, 0, 9996, 16},
                 {251, 0, 9996, 20}, {251, 84, 84, 1}, {5000, 1000, 924, 10}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_model *model = new_model(&(tl_rocket_cfg){.features = cases[i].features}, cases[i].length, 2, 1);
        assert_int_equal(tl_output_shape(model).channels, cases[i].channels);
        assert_int_equal(tl_output_shape(model).length, 1);
        size_t compared = 0;
        for (size_t k = 0; k < tl_parameter_arrays(model); k++) {
            if (strcmp(tl_parameter_at(model, k).name, "channel") != 0) continue;
            assert_int_equal(tl_parameter_at(model, k).value.shape[0], cases[i].pairs * KERNELS);
            compared++;
        }
        assert_int_equal(compared, 1);
        tl_model_free(model);
    }
}

/* ---- drawing ---- */

static void given_nothing_drawn_when_run_then_nan_and_a_step_names_the_cause(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = some_data(1, false);
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    tl_model_compile(model, tl_mini_rocket(model, tl_input(model, (tl_shape){LENGTH, 1}), 2), NULL, &error);
    check_ok(&error);
    const tl_tensor one = tl_tensor_slice(&data.x, 0, 1);
    tl_forward(model, &one, TL_MODE_TRAINING);
    assert_true(isnan((double)tl_output(model).data[0]));
    tl_loss(model, &(tl_target){.labels = (const int32_t[]){1}});
    tl_backward(model);
    tl_step(model, &error);
    check_error(&error, TL_ERROR_NUMERIC, "its biases were not drawn yet: tl_update_statistics draws them from training data");
    tl_model_free(model);
}

static void given_biases_drawn_when_other_data_follows_then_they_stay(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = some_data(1, false);
    tl_model *model = new_model(&three_each, LENGTH, 1, 1);
    tl_update_statistics(model, &data, &error);
    tl_real before[3 * KERNELS];
    memcpy(before, state_of(model, "bias"), sizeof before);
    const tl_dataset fewer = {.x = tl_tensor_slice(&data.x, 0, 3)};
    tl_update_statistics(model, &fewer, &error);
    check_ok(&error);
    check_equal("biases", state_of(model, "bias"), before, 3 * KERNELS);
    tl_model_free(model);
}

static void given_gradients_when_trained_then_biases_first_and_it_learns(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    tl_dataset *data = tl_dataset_builtin("cbf", TL_SPLIT_TRAIN, 1, &error);
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    const tl_node x = tl_rocket(model, tl_input(model, (tl_shape){128, 1}), &(tl_rocket_cfg){.features = 840});
    tl_model_compile(model, tl_dense(model, x, &(tl_dense_cfg){.units = 3}), &(tl_compile_cfg){.optimizer.learning_rate = 0.01},
                     &error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 60}, NULL, &error);
    tl_evaluate(model, data, &metrics, &error);
    check_ok(&error);
    if (!(metrics.accuracy > 0.9)) fail_msg("accuracy %g", metrics.accuracy);
    tl_model_free(model);
    tl_dataset_free(data);
}

/* ---- the same bits ---- */

static void given_threads_and_batches_when_transformed_then_the_same_bits(void **unused) {
    (void)unused;
    for (int kind = TL_ROCKET_MINI; kind <= TL_ROCKET_HYDRA; kind++) {
        tl_error error = {0};
        const tl_dataset data = some_data(3, true), alone = {.x = tl_tensor_slice(&data.x, 18, 1), .lengths = lengths + 18};
        const tl_rocket_cfg cfg = {.kind = (tl_rocket_kind)kind, .features = 16 * KERNELS};
        tl_model *one = new_model(&cfg, LENGTH, 3, 1), *three = new_model(&cfg, LENGTH, 3, 3);
        fill_normal(series, (size_t)SERIES * LENGTH * 3, 2);
        for (size_t i = 0; i < SERIES; i++)
            memset(series + (i * LENGTH + lengths[i]) * 3, 0, (LENGTH - lengths[i]) * 3 * sizeof *series);
        tl_update_statistics(one, &data, &error);
        tl_update_statistics(three, &data, &error);
        check_ok(&error);
        check_parameters(three, one, 0, 0);
        tl_tensor a = features_of(one, &data), b = features_of(three, &data), c = features_of(three, &alone);
        check_equal("three threads", b.data, a.data, tl_tensor_count(&a));
        check_equal("a series alone", c.data, a.data + 18 * a.shape[2], a.shape[2]);
        tl_tensor_free(&a);
        tl_tensor_free(&b);
        tl_tensor_free(&c);
        tl_model_free(one);
        tl_model_free(three);
    }
}

enum { STEPS = 37, BIASES = 13, LANES = 16 };

enum { POOLED = 4 * BIASES, COUNTED = POOLED + BIASES, ROWS = COUNTED + 16 }; /* of results: pooled, shares, winners */

/* Runs all functions on `lanes` of the LANES series at a time; results: (ROWS, LANES). */
static void run_kernels(const tl_kernels *kernels, const tl_real *terms, const tl_real *bias, tl_real *results) {
    const size_t lanes = kernels->lanes;
    tl_real packed[4][STEPS * LANES], sum[STEPS * LANES], out[POOLED * LANES], steps[LANES], none[LANES] = {0};
    for (size_t lane = 0; lane < LANES; lane++) steps[lane] = STEPS;
    for (size_t first = 0; first < LANES; first += lanes) {
        for (size_t i = 0; i < 4 * STEPS * lanes; i++) {
            const size_t term = i / (STEPS * lanes), rest = i % (STEPS * lanes);
            packed[term][rest] = terms[(term * STEPS + rest / lanes) * LANES + first + rest % lanes];
        }
        kernels->rocket_sum(
            &(tl_rocket_sum){.term = {packed[0], packed[1], packed[2], packed[3]}, .out = sum, .count = STEPS * lanes});
        const tl_rocket_count run = {
            .output = sum, .steps = STEPS, .bias = bias, .biases = BIASES, .outputs = steps, .skipped = none, .pooled = out};
        kernels->rocket_pool(&run);
        for (size_t i = 0; i < POOLED * lanes; i++) results[i / lanes * LANES + first + i % lanes] = out[i];
        kernels->rocket_count(&run);
        for (size_t i = 0; i < BIASES * lanes; i++) results[(POOLED + i / lanes) * LANES + first + i % lanes] = out[i];
        kernels->rocket_compete(
            &(tl_rocket_group){.x = sum, .stride = lanes, .steps = STEPS - 8, .weight = terms, .counted = steps, .counts = out});
        for (size_t i = 0; i < 16 * lanes; i++) results[(COUNTED + i / lanes) * LANES + first + i % lanes] = out[i];
    }
}

static void given_each_instruction_set_when_counted_then_the_same_bits(void **unused) {
    (void)unused;
    static tl_real terms[4 * STEPS * LANES], bias[BIASES], expected[ROWS * LANES], actual[ROWS * LANES];
    const tl_kernels *tables[3];
    fill_normal(terms, 4 * STEPS * LANES, 1);
    fill_normal(bias, BIASES, 2);
    run_kernels(&tl_kernels_baseline, terms, bias, expected);
    check_equal("shares of both functions", expected + POOLED * LANES, expected, BIASES * LANES);
    for (size_t t = 0, count = tables_here(tables); t < count; t++) {
        run_kernels(tables[t], terms, bias, actual);
        check_equal(tables[t]->isa, actual, expected, ROWS * LANES);
    }
}

/* ---- files ---- */

static void given_a_file_when_loaded_for_longer_series_then_the_same_dilations(void **unused) {
    (void)unused;
    tl_error error = {0};
    char path[] = "/tmp/tapline-rocket-XXXXXX";
    const int file = mkstemp(path);
    const tl_dataset data = some_data(2, true);
    tl_model *model = new_model(&three_each, LENGTH, 2, 1);
    tl_update_statistics(model, &data, &error);
    tl_model_save(model, path, NULL, &error);
    tl_model *loaded =
        tl_model_load(path, &(tl_load_cfg){.threads = 1, .length = 2 * LENGTH, .compile.inference_only = true}, NULL, &error);
    check_ok(&error);
    tl_tensor longer = tl_tensor_new(3, (const size_t[]){SERIES, 2 * LENGTH, 2}, &error);
    for (size_t i = 0; i < SERIES; i++) memcpy(longer.data + i * 4 * LENGTH, series + i * 2 * LENGTH, 2 * LENGTH * sizeof *series);
    const tl_dataset padded = {.x = longer, .lengths = lengths};
    tl_tensor a = features_of(model, &data), b = features_of(loaded, &padded);
    check_equal("features", b.data, a.data, tl_tensor_count(&a));
    tl_tensor_free(&a);
    tl_tensor_free(&b);
    tl_tensor_free(&longer);
    tl_model_free(model);
    tl_model_free(loaded);
    assert_int_equal(close(file), 0);
    assert_int_equal(unlink(path), 0);
}

/* ---- values that are not finite, and messages ---- */

static void given_nan_in_a_series_when_transformed_then_in_its_features_alone(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = some_data(1, false);
    tl_model *model = new_model(&three_each, LENGTH, 1, 1);
    tl_update_statistics(model, &data, &error);
    check_ok(&error);
    series[3 * LENGTH + 5] = (tl_real)NAN;
    tl_tensor y = features_of(model, &data);
    for (size_t i = 0; i < tl_tensor_count(&y); i++)
        if (isnan((double)y.data[i]) != (i / (3 * KERNELS) == 3)) fail_msg("feature %zu is %g", i, (double)y.data[i]);
    tl_tensor_free(&y);
    tl_model_free(model);
}

static tl_node too_few(tl_model *m, tl_node x) { return tl_rocket(m, x, &(tl_rocket_cfg){.features = 83}); }
static tl_node too_few_for_both(tl_model *m, tl_node x) {
    return tl_rocket(m, x, &(tl_rocket_cfg){.kind = TL_ROCKET_MULTI, .features = 671});
}
static tl_node too_few_groups(tl_model *m, tl_node x) {
    return tl_rocket(m, x, &(tl_rocket_cfg){.kind = TL_ROCKET_HYDRA, .features = 31});
}
static tl_node negative(tl_model *m, tl_node x) { return tl_rocket(m, x, &(tl_rocket_cfg){.features = -1}); }
static tl_node too_many(tl_model *m, tl_node x) { return tl_rocket(m, x, &(tl_rocket_cfg){.features = 2000000}); }
static tl_node for_short(tl_model *m, tl_node x) { return tl_rocket(m, x, &(tl_rocket_cfg){.length = 8}); }
static tl_node far_apart(tl_model *m, tl_node x) { return tl_rocket(m, x, &(tl_rocket_cfg){.length = SIZE_MAX / 4}); }
static tl_node unknown(tl_model *m, tl_node x) { return tl_rocket(m, x, &(tl_rocket_cfg){.kind = (tl_rocket_kind)7}); }
static tl_node usual(tl_model *m, tl_node x) { return tl_rocket(m, x, NULL); }

static void given_wrong_settings_when_compiled_then_messages(void **unused) {
    (void)unused;
    const check_refusal refusals[] = {
        {too_few, TL_ERROR_ARGUMENT, "(rocket): features 83 is below 84, the minimum for 84 kernels"},
        {too_few_for_both, TL_ERROR_ARGUMENT, "(rocket): features 671 is below 672, the minimum for 84 kernels"},
        {too_few_groups, TL_ERROR_ARGUMENT, "(rocket): features 31 is below 32, the features of two groups at one dilation"},
        {negative, TL_ERROR_ARGUMENT, "(rocket): features -1 is outside 1 … 1048576"},
        {too_many, TL_ERROR_ARGUMENT, "(rocket): features 2000000 is outside 1 … 1048576"},
        {for_short, TL_ERROR_SHAPE, "(rocket): series of 8 steps are shorter than the kernels, which take 9; pad them with zeros"},
        {far_apart, TL_ERROR_SHAPE, "exceed 1073741824 numbers"},
        {unknown, TL_ERROR_ARGUMENT, "(rocket): kind 7 is unknown"},
    };
    const check_refusal of_short = {usual, TL_ERROR_SHAPE,
                                    "(rocket): series of 8 steps are shorter than the kernels, which take 9"};
    check_refused_layers(refusals, sizeof refusals / sizeof *refusals, (tl_shape){20, 1});
    check_refused_layers(&of_short, 1, (tl_shape){8, 1});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_integers_when_transformed_then_shares_by_definition),
        cmocka_unit_test(given_kind_multi_when_transformed_then_four_statistics_of_both),
        cmocka_unit_test(given_kind_hydra_when_transformed_then_winners_of_groups),
        cmocka_unit_test(given_kind_hydra_when_drawn_then_kernels_without_a_mean),
        cmocka_unit_test(given_stored_biases_when_transformed_then_the_stored_features),
        cmocka_unit_test(given_a_length_when_compiled_then_dilations_up_to_an_eighth),
        cmocka_unit_test(given_nothing_drawn_when_run_then_nan_and_a_step_names_the_cause),
        cmocka_unit_test(given_biases_drawn_when_other_data_follows_then_they_stay),
        cmocka_unit_test(given_gradients_when_trained_then_biases_first_and_it_learns),
        cmocka_unit_test(given_threads_and_batches_when_transformed_then_the_same_bits),
        cmocka_unit_test(given_each_instruction_set_when_counted_then_the_same_bits),
        cmocka_unit_test(given_a_file_when_loaded_for_longer_series_then_the_same_dilations),
        cmocka_unit_test(given_nan_in_a_series_when_transformed_then_in_its_features_alone),
        cmocka_unit_test(given_wrong_settings_when_compiled_then_messages),
    };
    return check_run(tests);
}
