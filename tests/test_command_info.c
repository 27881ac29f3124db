/* `tapline info` for trained networks and for networks that are not trained. */
#include "check.h"
#include "runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/tapline-command-info-XXXXXX";
static char model_file[80], network_file[80];

static int set_up(void **unused) {
    (void)unused;
    if (!mkdtemp(folder)) return 1;
    snprintf(model_file, sizeof model_file, "%s/model.safetensors", folder);
    snprintf(network_file, sizeof network_file, "%s/network.json", folder);
    FILE *file = fopen(network_file, "w");
    if (!file) return 1;
    fputs("{\"layers\": [{\"type\": \"relu\", \"name\": \"unread\"}, {\"type\": \"conv1d\", \"filters\": 4, \"kernel\": 3, "
          "\"stride\": 2,"
          "\"inputs\": [\"input\"]}, {\"type\": \"flatten\"}, {\"type\": \"dense\", \"units\": \"outputs\"}]}\n",
          file);
    return fclose(file);
}

static int tear_down(void **unused) {
    (void)unused;
    unlink(model_file);
    unlink(network_file);
    return rmdir(folder);
}

/* The run's exit code, and `text` on stderr (NULL: nothing at all there). Frees the run. */
static void expect(run done, int code, const char *text) {
    if (done.code != code || (text ? !strstr(done.err, text) : *done.err != '\0'))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text ? text : "", done.code, done.err);
    run_free(&done);
}

#define INFO "info", "--precision", tl_precision()

static json_t *info_of(const char *name, const char *input, const char *outputs, const char *batch) {
    run done = run_command(INFO, "--arch", name, "--input", input, "--outputs", outputs, "--batch", batch, "--json");
    json_t *object = run_json(&done);
    expect(done, 0, NULL);
    return object;
}

static double sum_over_layers(const json_t *object, const char *key) {
    double sum = 0;
    size_t i;
    json_t *layer;
    json_array_foreach(json_object_get(object, "layers"), i, layer) sum += json_number(layer, key);
    return sum;
}

/* ---- numbers ---- */

static void given_fcn_when_described_then_its_numbers_are_those_of_the_formulas(void **unused) {
    (void)unused;
    json_t *object = info_of("fcn", "150x1", "3", "8"), *layers = json_object_get(object, "layers");
    const double filters = 128 + 256 + 128, taps = 8 * 1 * 128 + 5 * 128 * 256 + 3 * 256 * 128;
    const double parameters = taps + filters + 2 * filters + (128 + 1) * 3;
    check_number("parameters", json_number(object, "parameters"), parameters, 0, 0);
    check_number("flops", json_number(object, "flops"), 2 * 150 * taps + 3 * 150 * filters + 150 * 128 + 2 * 128 * 3, 0, 0);
    check_number("bytes", json_number(object, "activation_bytes"), (3 * 150 * filters + 128 + 3) * sizeof(tl_real), 0, 0);
    check_number("length", json_number(object, "length"), 150, 0, 0);
    check_number("channels", json_number(object, "channels"), 1, 0, 0);
    check_number("outputs", json_number(object, "outputs"), 3, 0, 0);
    check_number("its length", json_number(object, "output_length"), 1, 0, 0);
    check_number("batch", json_number(object, "batch"), 8, 0, 0);
    check_number("second layer's", json_number(json_array_get(layers, 3), "flops"), 2.0 * 150 * 5 * 128 * 256, 0, 0);
    static const char *const keys[] = {"parameters", "flops", "activation_bytes"};
    for (size_t i = 0; i < 3; i++) check_number(keys[i], sum_over_layers(object, keys[i]), json_number(object, keys[i]), 0, 0);
    /* parameters, gradients and two moments; and no less than the outputs that backward reads */
    assert_true(json_number(object, "training_bytes") > (4 * parameters + 8 * 150 * filters) * sizeof(tl_real));
    assert_true(json_number(object, "inference_bytes") > parameters * sizeof(tl_real));
    assert_true(json_number(object, "inference_bytes") < json_number(object, "training_bytes"));
    assert_string_equal(json_string_value(json_object_get(object, "model")), "fcn");
    assert_string_equal(json_string_value(json_object_get(object, "precision")), tl_precision());
    json_decref(object);
}

static void given_every_architecture_when_described_then_layers_and_operations(void **unused) {
    (void)unused;
    static const char *const names[] = {"fcn",  "resnet",   "inception", "inceptiontime", "timecnn",
                                        "lite", "litetime", "tcn",       "wavenet",       "unet"};
    static const char *const fixed[] = {"minirocket", "multirocket", "hydra"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        json_t *object = info_of(fixed[i], "64x3", "5", "1");
        assert_int_equal(json_array_size(json_object_get(object, "layers")), 2);
        json_decref(object);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *object = info_of(names[i], "64x3", "5", "1");
        assert_true(json_array_size(json_object_get(object, "layers")) > 5 && json_number(object, "flops") > 1e4);
        check_number("parameters", sum_over_layers(object, "parameters"), json_number(object, "parameters"), 0, 0);
        json_decref(object);
    }
    json_t *object = info_of(EXAMPLES "/architectures/unet.json", "64x3", "2", "1");
    check_number("an output for each step", json_number(object, "output_length"), 64, 0, 0);
    json_decref(object);
}

static void given_an_unread_layer_when_described_then_others_keep_numbers(void **unused) {
    (void)unused;
    json_t *object = info_of(network_file, "21x2", "7", "1"), *layers = json_object_get(object, "layers");
    assert_int_equal(json_array_size(layers), 3);
    check_number("conv1d length", json_number(json_array_get(layers, 0), "length"), 10, 0, 0);
    check_number("conv1d", json_number(json_array_get(layers, 0), "flops"), 2.0 * 3 * 2 * 4 * 10, 0, 0);
    check_number("flatten", json_number(json_array_get(layers, 1), "flops"), 0, 0, 0);
    check_number("dense", json_number(json_array_get(layers, 2), "parameters"), 40 * 7 + 7, 0, 0);
    json_decref(object);
}

static void given_a_model_file_when_described_then_as_its_architecture_is(void **unused) {
    (void)unused;
    expect(
        run_command("train", "--precision", tl_precision(), "--arch", "timecnn", "--epochs", "1", "--quiet", "--out", model_file),
        0, NULL);
    json_t *network = info_of("timecnn", "128x1", "3", "32");
    run done = run_command("info", model_file, "--json");
    json_t *model = run_json(&done);
    static const char *const same[] = {"length", "channels",         "outputs", "output_length",  "parameters",
                                       "flops",  "activation_bytes", "batch",   "training_bytes", "inference_bytes"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        check_number(same[i], json_number(model, same[i]), json_number(network, same[i]), 0, 0);
    assert_true(json_equal(json_object_get(model, "layers"), json_object_get(network, "layers")));
    check_number("classes", json_number(model, "classes"), 3, 0, 0);
    json_decref(model);
    json_decref(network);
    expect(done, 0, NULL);
}

/* Of the published networks by hand: 1 + the sum of (kernel - 1) · dilation over the longest way. */
static void given_networks_when_described_then_their_receptive_fields(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        double steps;
    } networks[] = {{"fcn", 1 + 7 + 4 + 2},    {"resnet", 1 + 3 * (7 + 4 + 2)}, {"tcn", 1 + 2 * 6 * 255.0},
                    {"inception", 1 + 6 * 39}, {"lite", 96 + 2 * 19 + 4 * 9},   {"minirocket", 0}};
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        json_t *object = info_of(networks[i].name, "4000x1", "3", "1");
        check_number(networks[i].name, json_number(object, "receptive_field"), networks[i].steps, 0, 0);
        json_decref(object);
    }
    json_t *object = info_of("timecnn", "200x1", "3", "1"); /* 1 + 6, pooled: + 2, then 6 taps 3 apart, pooled: + 2 · 3 */
    check_number("timecnn", json_number(object, "receptive_field"), 1 + 6 + 2 + 6 * 3 + 2 * 3, 0, 0);
    json_decref(object);
    run done = run_command(INFO, "--arch", "fcn", "--input", "128x1");
    assert_non_null(strstr(done.out, "\nsees       receptive field 14 steps at conv1d_3, then all of the series\n"));
    expect(done, 0, NULL);
}

/* What a stream of the same network knows about each step. */
static void given_layers_when_described_then_as_far_as_a_stream_sees(void **unused) {
    (void)unused;
    /* parentheses: each is one text */
    static const char *const layers[] = {"{\"type\": \"fixed_filters\"}",
                                         "{\"type\": \"layer_norm\"}",
                                         ("{\"type\": \"conv1d\", \"filters\": 2, \"kernel\": 5, \"dilation\": 3}, "
                                          "{\"type\": \"max_pool\", \"window\": 3}, "
                                          "{\"type\": \"conv1d\", \"filters\": 2, \"kernel\": 4}"),
                                         ("{\"type\": \"upsample\", \"factor\": 3, \"linear\": true}, "
                                          "{\"type\": \"conv1d\", \"filters\": 2, \"kernel\": 4}"),
                                         ("{\"type\": \"conv1d\", \"filters\": 2, \"kernel\": 3, \"stride\": 2}, "
                                          "{\"type\": \"conv1d_transpose\", \"filters\": 2, \"kernel\": 4, \"stride\": 2}"),
                                         "{\"type\": \"average_pool\", \"window\": 4, \"stride\": 2, \"padding\": \"same\"}"};
    char path[] = "/tmp/tapline-info-XXXXXX.json";
    const int file = mkstemps(path, 5);
    assert_true(file >= 0);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        assert_int_equal(ftruncate(file, 0), 0);
        assert_true(lseek(file, 0, SEEK_SET) == 0 && dprintf(file, "{\"layers\": [%s]}", layers[i]) > 0);
        run done = run_command(INFO, "--arch", path, "--input", "500x2", "--json");
        json_t *object = run_json(&done), *list = json_object_get(object, "layers");
        check_number(layers[i], json_number(json_array_get(list, json_array_size(list) - 1), "receptive_field"),
                     json_number(json_object_get(object, "stream"), "receptive_field"), 0, 0);
        json_decref(object);
        run_free(&done);
    }
    close(file);
    unlink(path);
}

/* ---- the table ---- */

static void given_an_architecture_when_printed_then_at_most_100_columns(void **unused) {
    (void)unused;
    run done = run_command(INFO, "--arch", "inceptiontime", "--input", "150x1");
    assert_non_null(strstr(done.out, "network    inceptiontime, "));
    assert_non_null(strstr(done.out, "one of 5 that are averaged\n"));
    assert_non_null(strstr(done.out, "; batch 64, threads ")); /* the default of fcn */
    assert_non_null(strstr(done.out, "\nconv1d_2                 (150, 32)         20        640   192 k  <1% "));
    assert_non_null(strstr(done.out, "  conv1d_27 _28 _29 _30\n"));
    assert_non_null(strstr(done.out, "  relu_3 batch_norm_4\n"));
    assert_non_null(strstr(done.out, "    420,450   126 M 100% "));
    for (const char *line = done.out; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > 100) fail_msg("%zu columns: %.120s", strcspn(line, "\n"), line);
    expect(done, 0, NULL);
    done = run_command(INFO, "--arch", network_file, "--input", "21x2");
    assert_non_null(strstr(done.out, "       3 /2 "));
    expect(done, 0, NULL);
}

static void given_a_network_larger_than_memory_when_described_then_it_is(void **unused) {
    (void)unused;
    json_t *object = info_of("fcn", "2147483647x1", "2", "1000");
    assert_true(json_number(object, "training_bytes") > 1e15);
    json_decref(object);
}

/* ---- refusals ---- */

static void given_what_cannot_be_described_when_asked_then_said_what_is_wrong(void **unused) {
    (void)unused;
#define SHAPE "must be LENGTHxCHANNELS, such as 150x1, both from 1 to 2147483647\n"
    const struct {
        const char *arguments[5];
        int code;
        const char *text;
    } wrong[] = {
        {{"--arch", "fcn", "--input", "150"}, 2, "tapline info: --input 150: " SHAPE},
        {{"--arch", "fcn", "--input", "0x1"}, 2, "--input 0x1: " SHAPE},
        {{"--arch", "fcn", "--input", "150x"}, 2, "--input 150x: " SHAPE},
        {{"--arch", "fcn", "--input", "150x1x1"}, 2, "--input 150x1x1: " SHAPE},
        {{"--arch", "fcn", "--input", "150x-1"}, 2, "--input 150x-1: " SHAPE},
        {{"--arch", "fcn", "--input", "+1x1"}, 2, "--input +1x1: " SHAPE},
        {{"--arch", "fcn", "--input", "axb"}, 2, "--input axb: " SHAPE},
        {{"--arch", "fcn", "--input", ""}, 2, "--input '': " SHAPE},
        {{"--arch", "fcn", "--input", "99999999999999999999x1"}, 2, "--input 99999999999999999999x1: " SHAPE},
        {{"--arch", "fcn", "--input", "1x2147483648"}, 2, "--input 1x2147483648: " SHAPE},
        {{"--arch", "inceptoin", "--input", "3x3"}, 2, "--arch inceptoin: unknown; did you mean inception? Choices: fcn, "},
        {{"--arch", "fcn"}, 2, "tapline info: --arch fcn: needs --input LxC, the length and channels of the series"},
        {{"--input", "3x3"}, 2, "tapline info: needs a MODEL, or --arch NAME and --input LxC; see `tapline help info`\n"},
        {{"m.safetensors", "--arch", "fcn"}, 2, "tapline info: give either m.safetensors or --arch fcn, not both\n"},
        {{"other.safetensors", "more"}, 2, "unexpected argument more after other.safetensors"},
        {{"--arch", "fcn", "--outputs", "0"}, 2, "--outputs 0: must be a whole number from 1 to 2147483647"},
        {{"--arch", "fcn", "--batch", "0"}, 2, "--batch 0: must be a whole number from 1 to 2147483647"},
        {{"--arch", "timecnn", "--input", "8x1"},
         1,
         "tapline info: layer 6 (average_pool): window extent 3 exceeds the padded input"},
        {{"--arch", "/nowhere.json", "--input", "20x1"}, 1, "tapline info: /nowhere.json: No such file or directory"},
        {{"--arch", "fcn", "--input", "2147483647x2147483647"},
         1,
         "layer 0 (input): batch 16 of (2147483647, 2147483647) is more than memory can address"},
        {{"/nowhere.safetensors"}, 1, "tapline info: /nowhere.safetensors: "},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *const *a = wrong[i].arguments;
        expect(run_command("info", a[0], a[1], a[2], a[3]), wrong[i].code, wrong[i].text);
    }
    expect(run_command("train", "--arch", "timecnn", "--epochs", "1", "--quiet", "--out", model_file), 0, NULL);
    expect(run_command("info", model_file, "--input", "3x1"), 2, "tapline info: --input 3x1: only with --arch; /tmp/");
    expect(run_command("info", model_file, "--outputs", "3"), 2, "tapline info: --outputs 3: only with --arch; /tmp/");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_fcn_when_described_then_its_numbers_are_those_of_the_formulas),
        cmocka_unit_test(given_every_architecture_when_described_then_layers_and_operations),
        cmocka_unit_test(given_an_unread_layer_when_described_then_others_keep_numbers),
        cmocka_unit_test(given_a_model_file_when_described_then_as_its_architecture_is),
        cmocka_unit_test(given_networks_when_described_then_their_receptive_fields),
        cmocka_unit_test(given_layers_when_described_then_as_far_as_a_stream_sees),
        cmocka_unit_test(given_an_architecture_when_printed_then_at_most_100_columns),
        cmocka_unit_test(given_a_network_larger_than_memory_when_described_then_it_is),
        cmocka_unit_test(given_what_cannot_be_described_when_asked_then_said_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
