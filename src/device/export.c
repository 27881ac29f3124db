/* A network as one C file: its parts, and their order. */
#include "device/quantized.h"

#include "base/argument.h"
#include "base/memory.h"
#include "base/scaling.h"
#include "data/scaling.h"
#include "io/write.h"
#include "layers/registry.h"
#include "models/model.h"

#include <tapline/random.h>
#include <tapline/train.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 60, TESTED_SERIES = 3 };

/* The whole file, and the data that its parts need. */
typedef struct c_file {
    tl_c_network network;
    tl_model *model;
    tl_quantized *quantized; /* NULL: in floating point */
    const tl_dataset *data;  /* with the names of the classes; NULL: the outputs have no names */
    char name[MAX_NAME + 1], upper[MAX_NAME + 1];
    tl_shape in, out;
    tl_c_text text;
} c_file;

/* ---- names ---- */

/* Makes the name from the last part of the path, without its ending. */
static void name_from_path(const char *path, char name[MAX_NAME + 1]) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t used = 0;
    if (isdigit((unsigned char)*base)) name[used++] = '_';
    for (; *base && *base != '.' && used < MAX_NAME; base++) name[used++] = (char)(isalnum((unsigned char)*base) ? *base : '_');
    name[used] = '\0';
}

static bool is_identifier(const char *name) {
    bool fits = *name && !isdigit((unsigned char)*name);
    for (const char *c = name; *c; c++) fits = fits && (isalnum((unsigned char)*c) || *c == '_');
    return fits;
}

static void choose_name(c_file *file, const char *path) {
    const char *asked = file->network.cfg->name;
    if (asked && (!is_identifier(asked) || strlen(asked) > MAX_NAME)) {
        tl_fail(file->network.error, TL_ERROR_ARGUMENT,
                "C: name \"%.80s\" is no identifier; use up to %d letters, digits and underscores, and no digit at the beginning",
                asked, MAX_NAME);
        return;
    }
    if (asked)
        snprintf(file->name, sizeof file->name, "%s", asked);
    else
        name_from_path(path, file->name);
    for (size_t i = 0; i <= strlen(file->name); i++) file->upper[i] = (char)toupper((unsigned char)file->name[i]);
}

/* ---- head of the file ---- */

static const char *scaling_text(tl_normalization kind) {
    return kind == TL_NORMALIZE_SERIES ? "each channel of a series is scaled to mean 0 and deviation 1"
           : kind == TL_NORMALIZE_SET  ? "each channel is scaled by the mean and deviation of the training set"
                                       : "as it is";
}

static const char *output_text(tl_loss_kind loss) {
    switch (loss) {
    case TL_LOSS_CROSS_ENTROPY:
    case TL_LOSS_BINARY_CROSS_ENTROPY:
        return "probabilities";
    default:
        return "values";
    }
}

/* Bytes of the static arrays. */
static size_t memory_of(const c_file *file) {
    const tl_c_network *network = &file->network;
    const size_t scaled = network->quantized && tl_c_scales(network) ? file->in.length * file->in.channels : 0;
    return scaled * sizeof(float) + network->arena * (network->quantized ? 1 : sizeof(float));
}

static void print_head(c_file *file, tl_c_text *to) {
    const tl_c_network *network = &file->network;
    tl_c_print(to, "/* A neural network as one C99 or C++ file, written by tapline %s.\n *\n", tl_version());
    const char *scaling = scaling_text(network->net.scaling->kind), *outputs = output_text(network->net.loss);
    if (network->streaming)
        tl_c_print(to, " * x: a step of %zu channels, %s\n * y: %zu %s for each output\n *\n", file->in.channels, scaling,
                   file->out.channels, outputs);
    else
        tl_c_print(to, " * x: (%zu steps, %zu channels), %s\n * y: (%zu, %zu) %s\n *\n", file->in.length, file->in.channels,
                   scaling, file->out.length, file->out.channels, outputs);
    tl_c_print(to, " * Constants: %zu bytes of flash. Static array: %zu bytes of RAM. The code allocates no memory.\n",
               network->constant_bytes, memory_of(file));
    tl_c_print(to, " * All calls use this array, so two calls must not run at the same time.\n");
    if (!network->streaming)
        tl_c_print(to, " * With %s_TEST defined, this file is a program that compares outputs with those of tapline.\n",
                   file->upper);
    tl_c_print(to, " */\n");
}

/* Declares the main function, without a semicolon: `void net_predict(…)`, or on a stream `int net_step(…)`. */
static void print_function(const c_file *file, tl_c_text *to) {
    const size_t inputs = file->in.length * file->in.channels, outputs = file->out.length * file->out.channels;
    if (file->network.streaming)
        tl_c_print(to, "int %s_step(const float x[%zu], float y[%zu])", file->name, file->in.channels,
                   file->network.step_outputs * file->out.channels);
    else
        tl_c_print(to, "void %s_predict(const float x[%zu], float y[%zu])", file->name, inputs, outputs);
}

static void print_sizes(const c_file *file, tl_c_text *to) {
    const char *upper = file->upper;
    if (file->network.streaming)
        tl_c_print(to, "enum { %s_CHANNELS = %zu, %s_STEP_OUTPUTS = %zu, %s_OUTPUTS = %zu };\n\n", upper, file->in.channels, upper,
                   file->network.step_outputs, upper, file->out.channels);
    else
        tl_c_print(to, "enum { %s_LENGTH = %zu, %s_CHANNELS = %zu, %s_OUT_LENGTH = %zu, %s_OUTPUTS = %zu };\n\n", upper,
                   file->in.length, upper, file->in.channels, upper, file->out.length, upper, file->out.channels);
}

static void print_declarations(const c_file *file, tl_c_text *to) {
    tl_c_print(to, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    print_sizes(file, to);
    if (file->network.streaming)
        tl_c_print(to,
                   "/* Starts a new series. */\nvoid %s_reset(void);\n\n"
                   "/* Reads a step of the series, x: (channels). Returns the number of outputs that it wrote to y: (at most "
                   "%s_STEP_OUTPUTS, "
                   "outputs). */\n",
                   file->name, file->upper);
    else
        tl_c_print(to, "/* y: (out_length, outputs) of x: (length, channels), in row-major order; they must not overlap. */\n");
    print_function(file, to);
    tl_c_print(to, ";\n");
    if (file->data) tl_c_print(to, "\nextern const char *const %s_class[%zu];\n", file->name, file->out.channels);
    tl_c_print(to, "\n#ifdef __cplusplus\n}\n#endif\n");
}

static void print_header(c_file *file, tl_c_text *to) {
    print_head(file, to);
    tl_c_print(to, "#ifndef %s_H\n#define %s_H\n\n", file->upper, file->upper);
    print_declarations(file, to);
    tl_c_print(to, "\n#endif\n");
}

/* ---- the network ---- */

static void write_steps(c_file *file) {
    tl_c_network *network = &file->network;
    for (size_t s = 0; s < network->steps && !tl_failed(network->error); s++) {
        const tl_c_step *step = &network->step[s];
        const tl_export_node *node = step->node;
        tl_c_print(&network->body, "    /* %s%s: (%zu, %zu) to (%zu, %zu) */\n", node->name, step->relu ? ", relu" : "",
                   node->in.length, node->in.channels, node->out.length, node->out.channels);
        tl_c_layer_of(node->layer)->write(network, step);
    }
}

/* In integers: the code scales the series in single precision, converts it to integers, computes, and converts the outputs to
 * numbers in y. */
static void write_quantized(c_file *file) {
    tl_c_network *network = &file->network;
    const tl_quantized *quantized = file->quantized;
    const tl_q_scale last = quantized->scale[quantized->network.net.nodes - 1];
    const tl_c_value input = network->input, output = network->output;
    const size_t count = file->in.length * file->in.channels, outputs = file->out.length * file->out.channels;
    tl_c_use(&network->helpers, TL_C_Q_INPUT);
    tl_c_use(&network->helpers, TL_C_Q_OUTPUT);
    if (tl_c_scales(network)) {
        tl_c_print(&network->state, "static float scaled[%zu];\n", count);
        network->input.span = TL_C_SCALED;
        tl_c_write_scaling(network, file->in.length);
    }
    tl_c_print(&network->body, "    quantize(%s, %zu, ", tl_c_scales(network) ? "scaled" : "x", count);
    tl_c_number(&network->body, quantized->scale[0].scale);
    tl_c_print(&network->body, ", %d, %s);\n", quantized->scale[0].zero, tl_c_place_of(network, input).text);
    for (size_t i = 0; i < quantized->ops; i++) tl_q_write(network, quantized, &quantized->op[i]);
    tl_c_print(&network->body, "    dequantize(%s, %zu, ", tl_c_place_of(network, output).text, outputs);
    tl_c_number(&network->body, last.scale);
    tl_c_print(&network->body, ", %d, y);\n", last.zero);
    network->output.span = TL_C_CALLER_Y;
    network->output.offset = 0;
    tl_c_write_results(network, file->out.length);
}

/* ---- the test ---- */

/* Returns the number of rows of the table if the inputs are indices of an embedding, else 0. */
static uint32_t vocabulary_of(const tl_c_network *network) {
    for (size_t s = 0; s < network->steps; s++) {
        const tl_export_node *node = network->step[s].node;
        if (node->layer->ops == &tl_embedding_layer_ops && node->input[0] == 0)
            return (uint32_t)tl_export_find(node, "table")->shape[0];
    }
    return 0;
}

/* Series before scaling. */
static void draw_series(const c_file *file, tl_tensor *x) {
    const tl_c_network *network = &file->network;
    const tl_scaling *scaling = network->net.scaling;
    const uint32_t vocabulary = vocabulary_of(network);
    tl_rng rng = tl_rng_at(1, TL_STREAM_USER, 0, 0);
    for (size_t i = 0; i < tl_tensor_count(x); i++) {
        const double number = vocabulary ? tl_rng_below(&rng, vocabulary) : tl_rng_normal(&rng);
        x->data[i] = (tl_real)(float)tl_unscaled(scaling, i % file->in.channels, number);
    }
}

/* The same series after scaling. */
static void scale(const c_file *file, tl_tensor *x) {
    const tl_scaling *scaling = file->network.net.scaling;
    const tl_series series = {.narrow = x->data, .count = TESTED_SERIES, .length = file->in.length, .channels = file->in.channels};
    if (scaling->kind == TL_NORMALIZE_SERIES) tl_scale_each(&series);
    for (size_t i = 0; scaling->kind == TL_NORMALIZE_SET && i < tl_tensor_count(x); i++)
        x->data[i] = (tl_real)tl_scaled(scaling, i % file->in.channels, (double)x->data[i]);
}

static void print_tensor(tl_c_text *to, const char *name, const tl_tensor *tensor) {
    const size_t each = tensor->shape[1] * tensor->shape[2];
    tl_c_print(to, "static const float %s[%d][%zu] = {", name, TESTED_SERIES, each);
    for (size_t i = 0; i < tl_tensor_count(tensor); i++) {
        tl_c_print(to, i % each == 0 ? "\n    {" : i % 8 == 0 ? ",\n     " : ", ");
        tl_c_number(to, (double)tensor->data[i]);
        if (i % each == each - 1) tl_c_print(to, "},");
    }
    tl_c_print(to, "\n};\n\n");
}

static const char test_program[] =
    "int main(void) {\n"
    "    float y[sizeof *expected / sizeof **expected];\n"
    "    int wrong = 0;\n"
    "    for (int s = 0; s < %d; s++) {\n"
    "        %s_predict(series[s], y);\n"
    "        for (int i = 0; i < %zu; i++) {\n"
    "            const float wanted = expected[s][i], distance = y[i] < wanted ? wanted - y[i] : y[i] - wanted;\n"
    "            if (distance <= 1e-5f * (1 + (wanted < 0 ? -wanted : wanted))) continue;\n"
    "            printf(\"series %%d, output %%d: %%.9g; tapline %%.9g\\n\", s, i, (double)y[i], (double)wanted);\n"
    "            wrong++;\n"
    "        }\n"
    "    }\n"
    "    printf(\"%%d outputs differ from those of tapline\\n\", wrong);\n"
    "    return wrong > 0;\n"
    "}\n";

static void print_test(c_file *file, tl_c_text *to) {
    tl_error *error = file->network.error;
    tl_tensor x = tl_tensor_new(3, (size_t[]){TESTED_SERIES, file->in.length, file->in.channels}, error);
    tl_tensor y = tl_tensor_new(3, (size_t[]){TESTED_SERIES, file->out.length, file->out.channels}, error);
    if (!tl_failed(error)) {
        draw_series(file, &x);
        tl_c_print(to, "\n#ifdef %s_TEST\n#include <stdio.h>\n\n", file->upper);
        print_tensor(to, "series", &x);
        scale(file, &x);
        if (file->quantized)
            tl_quantized_predict(file->quantized, &x, &y, error);
        else
            tl_predict(file->model, &x, NULL, &y, error);
        print_tensor(to, "expected", &y);
        tl_c_print(to, test_program, TESTED_SERIES, file->name, file->out.length * file->out.channels);
        tl_c_print(to, "#endif\n");
    }
    tl_tensor_free(&x);
    tl_tensor_free(&y);
}

/* ---- the whole file ---- */

static void print_classes(const c_file *file, tl_c_text *to) {
    tl_c_print(to, "\nconst char *const %s_class[%zu] = {", file->name, file->out.channels);
    for (size_t c = 0; c < file->out.channels; c++) {
        tl_c_print(to, c > 0 ? ", " : "");
        tl_c_string(to, file->data->class_names[c]);
    }
    tl_c_print(to, "};\n");
}

static void print_file(c_file *file, tl_c_text *to) {
    const tl_c_network *network = &file->network;
    print_head(file, to);
    if (tl_c_uses_math(&network->helpers)) tl_c_print(to, "#include <math.h>\n\n");
    print_declarations(file, to);
    tl_c_print(to, "\n");
    tl_c_print_helpers(&network->helpers, to);
    if (network->arena)
        tl_c_print(to, "static %s %s[%zu];\n\n", network->quantized ? "signed char" : "float",
                   network->streaming ? "memory" : "arena", network->arena);
    tl_c_add(to, network->constants.start, network->constants.used);
    if (network->state.start) tl_c_add(to, network->state.start, network->state.used);
    tl_c_print(to, "\n");
    print_function(file, to);
    tl_c_print(to, " {\n");
    tl_c_add(to, network->body.start, network->body.used);
    tl_c_print(to, "}\n");
    if (file->data) print_classes(file, to);
    if (!network->streaming) print_test(file, to);
}

static void write_text(const char *path, tl_c_text *text) {
    if (!tl_failed(text->error)) tl_file_write(path, &(tl_piece){text->start, text->used}, 1, text->error);
}

static void make_network(c_file *file) {
    tl_c_network *network = &file->network;
    network->helpers.no_libm = network->cfg->no_libm;
    if (tl_export_begin(&network->net, file->model, "C", network->error) != TL_OK ||
        tl_export_fold_batch_norm(&network->net, network->error) != TL_OK)
        return;
    if (network->cfg->stream) {
        tl_c_write_stream(network, file->name);
        return;
    }
    if (tl_c_plan(network) != TL_OK) return;
    if (file->quantized) {
        write_quantized(file);
        return;
    }
    tl_c_write_scaling(network, file->in.length);
    write_steps(file);
    tl_c_write_results(network, file->out.length);
}

static void release(c_file *file) {
    tl_export_release(&file->network.net);
    tl_c_text_free(&file->network.constants);
    tl_c_text_free(&file->network.body);
    tl_c_text_free(&file->network.state);
    tl_c_text_free(&file->text);
    free(file->network.step);
    free(file->network.span);
}

static const tl_dataset *named_classes(const tl_c_export_cfg *cfg, tl_shape out) {
    return cfg->data && cfg->data->class_names && cfg->data->classes == out.channels ? cfg->data : NULL;
}

static void write_files(tl_model *model, tl_quantized *quantized, const char *path, const tl_c_export_cfg *cfg,
                        tl_c_export_result *result, tl_error *error) {
    const tl_shape out = tl_output_shape(model);
    c_file file = {.model = model,
                   .quantized = quantized,
                   .network = {.cfg = cfg,
                               .quantized = quantized != NULL,
                               .error = error,
                               .constants.error = error,
                               .body.error = error,
                               .state.error = error},
                   .in = tl_input_shape(model),
                   .out = out,
                   .data = named_classes(cfg, out),
                   .text.error = error};
    tl_c_text header = {.error = error};
    choose_name(&file, path);
    if (!tl_failed(error)) make_network(&file);
    if (!tl_failed(error)) print_file(&file, &file.text);
    write_text(path, &file.text);
    if (cfg->header && !tl_failed(error)) print_header(&file, &header);
    if (cfg->header) write_text(cfg->header, &header);
    if (!tl_failed(error))
        *result = (tl_c_export_result){.constant_bytes = file.network.constant_bytes, .memory_bytes = memory_of(&file)};
    tl_c_text_free(&header);
    release(&file);
}

tl_status tl_c_export_sized(tl_model *model, const char *path, const tl_c_export_cfg *given, tl_c_export_result *result,
                            const tl_c_export_sizes *sizes, tl_error *error) {
    tl_c_export_cfg cfg;
    tl_c_export_result found = {0};
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_model_check(model, "C", error) != TL_OK || !tl_given(path, "C: the path", error)) return error->status;
    tl_take(&cfg, sizeof cfg, given, sizes->cfg, "C", error);
    if (!tl_failed(error)) write_files(model, NULL, path, &cfg, &found, error);
    tl_hand_over(result, sizes->result, &found, sizeof found);
    return error->status;
}

tl_status tl_quantized_export_sized(tl_quantized *quantized, const char *path, const tl_c_export_cfg *given,
                                    tl_c_export_result *result, const tl_c_export_sizes *sizes, tl_error *error) {
    tl_c_export_cfg cfg;
    tl_c_export_result found = {0};
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(quantized, "C: the network", error) || !tl_given(path, "C: the path", error))
        return error->status;
    tl_take(&cfg, sizeof cfg, given, sizes->cfg, "C", error);
    if (cfg.stream)
        tl_fail(error, TL_ERROR_ARGUMENT, "C: a network in integers cannot run on a stream; export the model in floating point");
    if (!tl_failed(error)) write_files(quantized->model, quantized, path, &cfg, &found, error);
    tl_hand_over(result, sizes->result, &found, sizeof found);
    return error->status;
}
