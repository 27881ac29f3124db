/* Networks as JSON: reading gives the same network as building, writing the same text; errors name the place and the wrong word. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 64 }; /* steps */

static const tl_shape shape = {.length = 40, .channels = 2};

static tl_model *compiled_from(const char *text, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 3, .threads = 1});
    const tl_node y = tl_architecture_from_json(model, tl_input(model, shape), text, &(tl_architecture_cfg){.outputs = 5});
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = 2}, error);
    return model;
}

/* The output for a fixed input; (2, length, channels) of it are written to y, of that capacity. */
static size_t run(tl_model *model, tl_real *y, size_t capacity) {
    tl_real x[2 * MAX_STEPS * 2];
    fill_normal(x, sizeof x / sizeof *x, 1);
    const tl_tensor in = TL_VIEW(x, 2, tl_input_shape(model).length, tl_input_shape(model).channels);
    tl_forward(model, &in, TL_MODE_INFERENCE);
    const tl_tensor out = tl_output(model);
    const size_t count = tl_tensor_count(&out);
    assert_true(count > 0 && count <= capacity);
    memcpy(y, out.data, count * sizeof *y);
    return count;
}

static void given_a_description_when_built_then_the_network_of_the_same_builders(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *described =
        compiled_from("{\"layers\": ["
                      "{\"type\": \"conv1d\", \"filters\": 6, \"kernel\": 5, \"padding\": \"causal\", \"dilation\": 2,"
                      " \"init\": \"he_normal\", \"name\": \"a\"},"
                      "{\"type\": \"batch_norm\", \"momentum\": 0.5},"
                      "{\"type\": \"add\", \"inputs\": [\"-\", \"a\"]},"
                      "{\"type\": \"max_pool\", \"window\": 3, \"stride\": 2, \"padding\": \"explicit\", \"pad_left\": 1},"
                      "{\"type\": \"flatten\"},"
                      "{\"type\": \"dense\", \"units\": \"outputs\", \"bias\": false}]}",
                      &error);
    tl_model *built = tl_model_new(&(tl_model_cfg){.seed = 3, .threads = 1});
    const tl_conv1d_cfg conv = {.filters = 6, .kernel = 5, .padding = TL_PADDING_CAUSAL, .dilation = 2, .init = TL_INIT_HE_NORMAL};
    const tl_node a = tl_conv1d(built, tl_input(built, shape), &conv);
    tl_node x = tl_batch_norm(built, a, &(tl_batch_norm_cfg){.momentum = 0.5});
    x = tl_add(built, (const tl_node[]){x, a}, 2);
    x = tl_max_pool(built, x, &(tl_pool_cfg){.window = 3, .stride = 2, .padding = TL_PADDING_EXPLICIT, .pad_left = 1});
    x = tl_dense(built, tl_flatten(built, x), &(tl_dense_cfg){.units = 5, .no_bias = true});
    tl_model_compile(built, x, &(tl_compile_cfg){.batch = 2}, &error);
    check_ok(&error);
    tl_real y[10], expected[10];
    assert_int_equal(run(described, y, 10), 10);
    run(built, expected, 10);
    check_equal("output", y, expected, 10);
    tl_model_free(described);
    tl_model_free(built);
}

typedef tl_node (*architecture)(tl_model *model, tl_node x, size_t outputs);

static void given_a_model_when_written_and_read_then_the_same_outputs_and_text(void **unused) {
    (void)unused;
    static const architecture builders[] = {tl_fcn, tl_resnet, tl_inception, tl_time_cnn, tl_tcn, tl_lite, tl_wavenet};
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++) {
        tl_error error = {0};
        tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 3, .threads = 1});
        tl_model_compile(model, builders[i](model, tl_input(model, shape), 5), &(tl_compile_cfg){.batch = 2}, &error);
        char *text = tl_architecture_to_json(model, &error);
        check_ok(&error);
        /* The input's shape is known to the reader, not to a builder. */
        tl_model *read = compiled_from(text, &error);
        char *again = tl_architecture_to_json(read, &error);
        check_ok(&error);
        assert_string_equal(again, text);
        tl_real y[10], expected[10];
        assert_int_equal(run(read, y, 10), 10);
        run(model, expected, 10);
        check_equal("output", y, expected, 10);
        free(text);
        free(again);
        tl_model_free(model);
        tl_model_free(read);
    }
}

/* The network of a file of the examples, on series of one channel. */
static tl_model *compiled_example(const char *name, tl_error *error) {
    char path[200];
    snprintf(path, sizeof path, "%s/architectures/%s.json", EXAMPLES, name);
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 3, .threads = 1});
    const tl_node x = tl_input(model, (tl_shape){.length = 64, .channels = 1});
    const tl_node y = tl_architecture_from_file(model, x, path, &(tl_architecture_cfg){.outputs = 5});
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = 2}, error);
    return model;
}

static void given_each_example_when_read_from_its_file_then_a_network(void **unused) {
    (void)unused;
    const struct {
        const char *name;
        size_t length; /* of the output */
    } examples[] = {{"residual", 1}, {"wavenet", 1}, {"unet", 64}};
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        tl_error error = {0};
        tl_model *model = compiled_example(examples[i].name, &error);
        check_ok(&error);
        assert_int_equal(tl_output_shape(model).length, examples[i].length);
        assert_int_equal(tl_output_shape(model).channels, 5);
        tl_model_free(model);
    }
}

static void given_published_networks_from_their_files_when_run_then_as_built(void **unused) {
    (void)unused;
    const struct {
        const char *name;
        architecture build;
    } networks[] = {{"fcn", tl_fcn},          {"resnet", tl_resnet}, {"inception", tl_inception},
                    {"timecnn", tl_time_cnn}, {"tcn", tl_tcn},       {"lite", tl_lite}};
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        tl_error error = {0};
        tl_real y[10], expected[10];
        tl_model *read = compiled_example(networks[i].name, &error);
        tl_model *built = tl_model_new(&(tl_model_cfg){.seed = 3, .threads = 1});
        const tl_node x = tl_input(built, (tl_shape){.length = 64, .channels = 1});
        tl_model_compile(built, networks[i].build(built, x, 5), &(tl_compile_cfg){.batch = 2}, &error);
        check_ok(&error);
        assert_int_equal(run(read, y, 10), 10);
        run(built, expected, 10);
        check_equal(networks[i].name, y, expected, 10);
        tl_model_free(read);
        tl_model_free(built);
    }
}

static void given_wrong_descriptions_when_read_then_the_place_and_the_word(void **unused) {
    (void)unused;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "architecture:1:"},
        {"{\"layers\": [}", "architecture:1:"},
        {"{\"layers\": [], \"layers\": []}", "duplicate object key"},
        {"[]", "should be an object in braces with \"layers\""},
        {"{}", "\"layers\" should be a list of at least one layer"},
        {"{\"layers\": []}", "\"layers\" should be a list of at least one layer"},
        {"{\"layer\": []}", "key \"layer\" is none of description, input, layers, output"},
        {"{\"layers\": [3]}", "layers[0]: should be an object in braces"},
        {"{\"layers\": [{}]}", "layers[0]: needs a \"type\""},
        {"{\"layers\": [{\"type\": \"conv1\"}]}", "layers[0]: type \"conv1\" is unknown; did you mean \"conv1d\"?"},
        {"{\"layers\": [{\"type\": \"elephant\"}]}", "type \"elephant\" is unknown"},
        {"{\"layers\": [{\"type\": \"elephant\"}]}", "; types: conv1d, conv1d_transpose, dense, relu, leaky_relu, "},
        {"{\"layers\": [{\"type\": \"elephant\"}]}", ", group_norm, dropout, add, multiply, concat"},
        {"{\"layers\": [{\"type\": \"Conv1D\"}]}", "type \"Conv1D\" is unknown; did you mean \"conv1d\"? Types: conv1d, "},
        {"{\"layers\": [{\"type\": \"Conv1DTranspose\"}]}", "did you mean \"conv1d_transpose\"?"},
        {"{\"layers\": [{\"type\": \"ConvTranspose1d\"}]}", "did you mean \"conv1d_transpose\"?"},
        {"{\"layers\": [{\"type\": \"BatchNormalization\"}]}", "did you mean \"batch_norm\"?"},
        {"{\"layers\": [{\"type\": \"BatchNorm1d\"}]}", "did you mean \"batch_norm\"?"},
        {"{\"layers\": [{\"type\": \"LeakyReLU\"}]}", "did you mean \"leaky_relu\"?"},
        {"{\"layers\": [{\"type\": \"Linear\"}]}", "did you mean \"dense\"?"},
        {"{\"layers\": [{\"type\": \"GlobalAveragePooling1D\"}]}", "did you mean \"global_average_pool\"?"},
        {"{\"layers\": [{\"type\": \"AdaptiveAvgPool1d\"}]}", "did you mean \"global_average_pool\"?"},
        {"{\"layers\": [{\"type\": \"MaxPooling1D\"}]}", "did you mean \"max_pool\"?"},
        {"{\"layers\": [{\"type\": \"conv1d\", \"kernel_size\": 3}]}",
         "key \"kernel_size\" is unknown; did you mean \"kernel\"? Keys: filters, kernel, stride, "},
        {"{\"layers\": [{\"type\": \"conv1d\", \"out_channels\": 3}]}", "did you mean \"filters\"?"},
        {"{\"layers\": [{\"type\": \"conv1d\", \"strides\": 3}]}", "did you mean \"stride\"?"},
        {"{\"layers\": [{\"type\": \"conv1d\", \"dilation_rate\": 3}]}", "did you mean \"dilation\"?"},
        {"{\"layers\": [{\"type\": \"conv1d\", \"activation\": \"relu\"}]}",
         "key \"activation\" is unknown: an activation is a layer of its own, such as {\"type\": \"relu\"}; keys: filters, "},
        {"{\"layers\": [{\"type\": \"conv1d\", \"in_channels\": 3}]}", "is unknown: it follows from the layer before; keys: "},
        {"{\"layers\": [{\"type\": \"max_pool\", \"kernel_size\": 3}]}", "did you mean \"window\"?"},
        {"{\"layers\": [{\"type\": \"max_pool\", \"pool_size\": 3}]}", "did you mean \"window\"?"},
        {"{\"layers\": [{\"type\": \"dense\", \"out_features\": 3}]}", "did you mean \"units\"?"},
        {"{\"layers\": [{\"type\": \"dropout\", \"p\": 0.5}]}", "did you mean \"rate\"?"},
        {"{\"layers\": [{\"type\": \"leaky_relu\", \"negative_slope\": 0.5}]}", "did you mean \"slope\"? Keys: slope"},
        {"{\"layers\": [{\"type\": \"input\"}]}", "type \"input\" belongs outside of \"layers\""},
        {"{\"layers\": [{\"type\": \"dense\", \"unit\": 3}]}",
         "layers[0] (dense): key \"unit\" is unknown; did you mean \"units\"?"},
        {"{\"layers\": [{\"type\": \"relu\", \"rate\": 3}]}", "layers[0] (relu): key \"rate\" is unknown"},
        {"{\"layers\": [{\"type\": \"dense\", \"units\": 3.5}]}", "key \"units\" is 3.5; it should be a whole number"},
        {"{\"layers\": [{\"type\": \"dense\", \"units\": 4294967296}]}", "layer 1 (dense): units 4294967296 is above 2147483647"},
        {"{\"layers\": [{\"type\": \"dense\", \"units\": -1}]}", "key \"units\" is -1; it should be a whole number of at least 0"},
        {"{\"layers\": [{\"type\": \"dense\", \"units\": \"many\"}]}", "key \"units\" is \"many\"; it should be a whole number"},
        {"{\"layers\": [{\"type\": \"dense\", \"units\": 0}]}", "layer 1 (dense): units 0 is below 1"},
        {"{\"layers\": [{\"type\": \"dense\", \"units\": 2, \"bias\": 0}]}", "key \"bias\" is 0; it should be true or false"},
        {"{\"layers\": [{\"type\": \"dropout\", \"rate\": \"half\"}]}", "key \"rate\" is \"half\"; it should be a number"},
        {"{\"layers\": [{\"type\": \"conv1d\", \"padding\": \"sme\"}]}",
         "key \"padding\" is \"sme\", which is unknown; did you mean \"same\"?"},
        {"{\"layers\": [{\"type\": \"conv1d\", \"padding\": \"elephant\"}]}",
         "it should be one of \"valid\", \"same\", \"causal\" and \"explicit\""},
        {"{\"layers\": [{\"type\": \"conv1d\", \"padding\": 1}]}", "key \"padding\" is 1; it should be one of \"valid\""},
        {"{\"layers\": [{\"type\": \"relu\", \"inputs\": \"a\"}]}", "\"inputs\" should be a list of names"},
        {"{\"layers\": [{\"type\": \"relu\", \"inputs\": [1]}]}", "\"inputs\" should name a layer in quotes"},
        {"{\"layers\": [{\"type\": \"relu\", \"inputs\": [\"b\"]}]}", "inputs \"b\" is not the \"name\" of an earlier layer"},
        {"{\"layers\": [{\"type\": \"relu\", \"inputs\": [\"-\", \"-\"]}]}", "layers[0] (relu): has 2 inputs; it takes 1"},
        {"{\"layers\": [{\"type\": \"add\"}]}", "layers[0] (add): has 1 inputs; it takes 2 to 8"},
        {"{\"layers\": [{\"type\": \"relu\", \"name\": 1}]}", "\"name\" should be a word"},
        {"{\"layers\": [{\"type\": \"relu\", \"name\": \"input\"}]}", "name \"input\" is already used"},
        {"{\"layers\": [{\"type\": \"relu\", \"name\": \"a\"}, {\"type\": \"relu\", \"name\": \"a\"}]}",
         "layers[1] (relu): name \"a\" is already used"},
        {"{\"layers\": [{\"type\": \"relu\", \"name\": \"trunk\"}, {\"type\": \"relu\", \"inputs\": [\"trnuk\"]}]}",
         "layers[1] (relu): inputs \"trnuk\" is not the \"name\" of an earlier layer; did you mean \"trunk\"?"},
        {"{\"layers\": [{\"type\": \"relu\", \"inputs\": [\"inptu\"]}]}", "did you mean \"input\"?"},
        {"{\"layers\": [{\"type\": \"relu\", \"inputs\": []}]}", "layers[0] (relu): has 0 inputs; it takes 1"},
        {"{\"layers\": [{\"type\": \"add\", \"inputs\": [\"-\", \"-\", \"-\", \"-\", \"-\", \"-\", \"-\", \"-\", \"-\"]}]}",
         "layers[0] (add): has 9 inputs; it takes 2 to 8"},
        {"{\"layers\": [{\"type\": 3}]}", "layers[0]: needs a \"type\", such as \"conv1d\""},
        {"{\"layers\": [{\"type\": \"relu\", \"name\": \"\"}]}", "layers[0] (relu): \"name\" should be a word"},
        {"{\"layers\": [{\"type\": \"relu\", \"name\": \"-\"}]}", "name \"-\" is already used"},
        {"{\"layers\": {\"type\": \"relu\"}}", "architecture: \"layers\" should be a list of at least one layer"},
        {"{\"layers\": [null]}", "architecture: layers[0]: should be an object in braces"},
        {"\"layers\"", "architecture:1:8: '[' or '{' expected near"},
        {"null", "architecture:1:4: '[' or '{' expected near"},
        {"{\"layers\": [{\"type\": \"relu\"}]} and more", "architecture:1:"},
        {"{\"layers\": [{\"type\": \"relu\"},]}", "architecture:1:"},
        {"{\"layers\": [{\"type\": \"relu\"}], \"description\": 3}", "architecture: \"description\" should be a text"},
        {"{\"layers\": [{\"type\": \"relu\"}], \"input\": 3}",
         "architecture: \"input\" should give \"length\" and \"channels\", both above 0"},
        {"{\"layers\": [{\"type\": \"relu\"}], \"input\": {\"length\": 3, \"channels\": \"two\"}}",
         "architecture: \"input\" should give \"length\" and \"channels\", both above 0"},
        {"{\"layers\": [{\"type\": \"relu\"}], \"output\": 3}", "architecture: \"output\" should name a layer in quotes"},
        {"{\"layers\": [{\"type\": \"relu\"}], \"output\": \"x\"}", "output \"x\" is not the \"name\" of an earlier layer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_model *model = compiled_from(cases[i].text, &error);
        assert_true(tl_failed(&error));
        check_error(&error, error.status, cases[i].message);
        tl_model_free(model);
    }
}

static void given_json_of_any_depth_when_read_then_an_error_and_no_crash(void **unused) {
    (void)unused;
    enum { DEPTH = 100000 };
    tl_error error = {0};
    char *text = calloc(DEPTH + 1, 1);
    assert_non_null(text);
    memset(text, '[', DEPTH);
    tl_model *model = compiled_from(text, &error);
    check_error(&error, TL_ERROR_FORMAT, "architecture:1:");
    tl_model_free(model);
    free(text);
}

static void given_no_file_when_read_then_it_is_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    tl_model_compile(model, tl_architecture_from_file(model, tl_input(model, shape), "absent.json", NULL), NULL, &error);
    check_error(&error, TL_ERROR_FILE, "absent.json: No such file");
    tl_model_free(model);
}

static void given_no_model_when_described_then_an_error(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    assert_null(tl_architecture_to_json(model, &error));
    check_error(&error, TL_ERROR_STATE, "the model is not compiled");
    assert_int_equal(tl_architecture_from_json(NULL, (tl_node){0}, "{}", NULL).id, -1);
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_description_when_built_then_the_network_of_the_same_builders),
        cmocka_unit_test(given_a_model_when_written_and_read_then_the_same_outputs_and_text),
        cmocka_unit_test(given_each_example_when_read_from_its_file_then_a_network),
        cmocka_unit_test(given_published_networks_from_their_files_when_run_then_as_built),
        cmocka_unit_test(given_wrong_descriptions_when_read_then_the_place_and_the_word),
        cmocka_unit_test(given_json_of_any_depth_when_read_then_an_error_and_no_crash),
        cmocka_unit_test(given_no_file_when_read_then_it_is_named),
        cmocka_unit_test(given_no_model_when_described_then_an_error),
    };
    return check_run(tests);
}
