/* The ONNX graphs of the layer rocket, run by a small evaluator that rounds each operator by itself: the features must be those of
 * tl_predict. tests/peer/onnx_export.py compares with other runtimes. */
#include "files.h"

#include "io/protobuf.h"
#include "onnx/onnx.h"

#include <tapline/onnx.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AXES = 4, MAX_ARRAYS = 4000, MAX_INPUTS = 64, NAME = 100, SERIES = 7, LENGTH = 41 };

/* ---- arrays ---- */

typedef struct array {
    char name[NAME];
    size_t rank, shape[AXES], count;
    double *data;
} array;

static array arrays[MAX_ARRAYS];
static size_t array_count;

/* Adds an array of zeros. */
static array *add(const char *name, size_t rank, const size_t *shape) {
    assert_true(array_count < MAX_ARRAYS && rank <= AXES);
    array *it = &arrays[array_count++];
    *it = (array){.rank = rank, .count = 1};
    snprintf(it->name, sizeof it->name, "%s", name);
    for (size_t axis = 0; axis < rank; axis++) it->count *= it->shape[axis] = shape[axis];
    it->data = calloc(it->count + 1, sizeof *it->data);
    assert_non_null(it->data);
    return it;
}

static const array *find(const char *name) {
    for (size_t i = array_count; i-- > 0;)
        if (strcmp(arrays[i].name, name) == 0) return &arrays[i];
    fail_msg("no value \"%s\"", name);
    return NULL;
}

static void forget_arrays(void) {
    while (array_count > 0) free(arrays[--array_count].data);
}

/* Number of elements between neighbours along an axis. */
static size_t stride(const array *a, size_t axis) {
    size_t product = 1;
    for (size_t i = axis + 1; i < a->rank; i++) product *= a->shape[i];
    return product;
}

/* The place of element i along an axis. */
static size_t place(const array *a, size_t i, size_t axis) { return i / stride(a, axis) % a->shape[axis]; }

/* The element of `a` that is broadcast to element i of `to`. */
static double broadcast(const array *a, const array *to, size_t i) {
    size_t at = 0;
    for (size_t axis = 0; axis < a->rank; axis++)
        if (a->shape[axis] > 1) at += place(to, i, axis + to->rank - a->rank) * stride(a, axis);
    return a->data[at];
}

/* ---- operators ---- */

typedef struct operation {
    char type[NAME], output[NAME];
    const array *x[MAX_INPUTS];
    size_t inputs;
    int64_t axis, keepdims; /* attributes */
} operation;

static const char *const of_elements[] = {"Add",   "Sub", "Mul",  "Div",  "Max",  "Greater", "Equal",
                                          "Where", "Neg", "Relu", "Sqrt", "Cast", "Identity"};

static double value_of(const char *type, double a, double b, double c) {
    const double results[] = {a + b, a - b, a * b, a / b, fmax(a, b), a > b, a == b, a != 0 ? b : c, -a, fmax(a, 0), sqrt(a), a, a};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (strcmp(type, of_elements[i]) == 0) return (double)(tl_real)results[i];
    return NAN;
}

static bool run_on_elements(const operation *it) {
    size_t rank = 0, shape[AXES] = {1, 1, 1, 1};
    bool known = false;
    for (size_t i = 0; i < sizeof of_elements / sizeof *of_elements; i++) known = known || strcmp(it->type, of_elements[i]) == 0;
    if (!known) return false;
    for (size_t e = 0; e < it->inputs; e++) rank = it->x[e]->rank > rank ? it->x[e]->rank : rank;
    for (size_t e = 0; e < it->inputs; e++)
        for (size_t axis = 0; axis < it->x[e]->rank; axis++) {
            size_t *size = &shape[axis + rank - it->x[e]->rank];
            if (it->x[e]->shape[axis] > *size) *size = it->x[e]->shape[axis];
        }
    array *to = add(it->output, rank, shape);
    for (size_t i = 0; i < to->count; i++) {
        double operand[3] = {0};
        for (size_t e = 0; e < it->inputs; e++) operand[e] = broadcast(it->x[e], to, i);
        to->data[i] = value_of(it->type, operand[0], operand[1], operand[2]);
    }
    return true;
}

/* Copies the elements of `from` to `to`, moved by `offset` along each axis, as far as they are inside. */
static void copy_moved(const array *from, array *to, const int64_t *offset) {
    for (size_t i = 0; i < from->count; i++) {
        size_t at = 0;
        bool inside = true;
        for (size_t axis = 0; axis < from->rank; axis++) {
            const int64_t moved = (int64_t)place(from, i, axis) + offset[axis];
            inside = inside && moved >= 0 && moved < (int64_t)to->shape[axis];
            at += (size_t)moved * stride(to, axis);
        }
        if (inside) to->data[at] = from->data[i];
    }
}

static void run_slice(const operation *it) {
    const size_t axis = (size_t)it->x[3]->data[0];
    size_t shape[AXES];
    int64_t offset[AXES] = {0};
    memcpy(shape, it->x[0]->shape, sizeof shape);
    shape[axis] = (size_t)(it->x[2]->data[0] - it->x[1]->data[0]);
    offset[axis] = -(int64_t)it->x[1]->data[0];
    copy_moved(it->x[0], add(it->output, it->x[0]->rank, shape), offset);
}

static void run_pad(const operation *it) {
    size_t shape[AXES];
    int64_t offset[AXES];
    for (size_t axis = 0; axis < it->x[0]->rank; axis++) {
        offset[axis] = (int64_t)it->x[1]->data[axis];
        shape[axis] = it->x[0]->shape[axis] + (size_t)(it->x[1]->data[axis] + it->x[1]->data[axis + it->x[0]->rank]);
    }
    copy_moved(it->x[0], add(it->output, it->x[0]->rank, shape), offset);
}

static void run_concat(const operation *it) {
    size_t shape[AXES];
    int64_t offset[AXES] = {0};
    memcpy(shape, it->x[0]->shape, sizeof shape);
    for (size_t e = 1; e < it->inputs; e++) shape[it->axis] += it->x[e]->shape[it->axis];
    array *to = add(it->output, it->x[0]->rank, shape);
    for (size_t e = 0; e < it->inputs; e++) {
        copy_moved(it->x[e], to, offset);
        offset[it->axis] += (int64_t)it->x[e]->shape[it->axis];
    }
}

static void run_gather(const operation *it) {
    size_t shape[AXES];
    memcpy(shape, it->x[0]->shape, sizeof shape);
    shape[it->axis] = it->x[1]->count;
    array *to = add(it->output, it->x[0]->rank, shape);
    for (size_t i = 0; i < to->count; i++) {
        const size_t inner = stride(to, (size_t)it->axis), row = place(to, i, (size_t)it->axis);
        const size_t outer = i / inner / shape[it->axis];
        to->data[i] = it->x[0]->data[(outer * it->x[0]->shape[it->axis] + (size_t)it->x[1]->data[row]) * inner + i % inner];
    }
}

/* Unsqueeze, Flatten and Reshape: the same elements in another shape. */
static void run_shape(const operation *it) {
    const array *x = it->x[0];
    size_t shape[AXES] = {x->shape[0], x->count / x->shape[0]}, rank = 2;
    if (strcmp(it->type, "Unsqueeze") == 0) {
        const size_t at = (size_t)it->x[1]->data[0];
        rank = x->rank + 1;
        for (size_t axis = 0; axis < rank; axis++) shape[axis] = axis == at ? 1 : x->shape[axis - (axis > at)];
    } else if (strcmp(it->type, "Reshape") == 0) {
        rank = it->x[1]->count;
        size_t known = 1;
        for (size_t axis = 1; axis < rank; axis++)
            if (it->x[1]->data[axis] > 0) known *= shape[axis] = (size_t)it->x[1]->data[axis];
        for (size_t axis = 1; axis < rank; axis++)
            if (it->x[1]->data[axis] < 0) shape[axis] = x->count / x->shape[0] / known;
    }
    array *to = add(it->output, rank, shape);
    assert_int_equal(to->count, x->count);
    memcpy(to->data, x->data, x->count * sizeof *x->data);
}

/* ReduceSum without the axes that it sums over, and GlobalMaxPool. */
static void run_reduction(const operation *it) {
    const array *x = it->x[0];
    const bool maximum = strcmp(it->type, "GlobalMaxPool") == 0;
    size_t shape[AXES], rank = 0;
    bool gone[AXES] = {0};
    for (size_t i = 0; !maximum && i < it->x[1]->count; i++) gone[(size_t)it->x[1]->data[i]] = true;
    for (size_t axis = 0; axis < x->rank; axis++)
        if (!gone[axis]) shape[rank++] = maximum && axis == 2 ? 1 : x->shape[axis];
    if (!maximum) assert_int_equal(it->keepdims, 0);
    array *to = add(it->output, rank, shape);
    for (size_t i = 0; i < to->count && maximum; i++) to->data[i] = -INFINITY;
    for (size_t i = 0; i < x->count; i++) {
        size_t at = 0, kept = 0;
        for (size_t axis = 0; axis < x->rank; axis++)
            if (!gone[axis]) at += (to->shape[kept] > 1 ? place(x, i, axis) : 0) * stride(to, kept), kept++;
        to->data[at] = maximum ? fmax(to->data[at], x->data[i]) : (double)(tl_real)(to->data[at] + x->data[i]);
    }
}

/* The first of equal numbers wins. */
static void run_winner(const operation *it) {
    const array *x = it->x[0];
    size_t shape[AXES];
    memcpy(shape, x->shape, sizeof shape);
    shape[it->axis] = 1;
    array *to = add(it->output, x->rank, shape);
    const size_t inner = stride(x, (size_t)it->axis), count = x->shape[it->axis];
    for (size_t i = 0; i < to->count; i++) {
        const double *row = x->data + i / inner * inner * count + i % inner;
        for (size_t k = 1; k < count; k++) {
            const double best = row[(size_t)to->data[i] * inner];
            if (strcmp(it->type, "ArgMax") == 0 ? row[k * inner] > best : row[k * inner] < best) to->data[i] = (double)k;
        }
    }
}

static void run_operation(const operation *it) {
    static const struct {
        const char *type;
        void (*run)(const operation *it);
    } others[] = {{"Slice", run_slice},
                  {"Pad", run_pad},
                  {"Concat", run_concat},
                  {"Gather", run_gather},
                  {"Unsqueeze", run_shape},
                  {"Flatten", run_shape},
                  {"Reshape", run_shape},
                  {"ArgMax", run_winner},
                  {"ArgMin", run_winner},
                  {"ReduceSum", run_reduction},
                  {"GlobalMaxPool", run_reduction}};
    if (run_on_elements(it)) return;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(it->type, others[i].type) == 0) {
            others[i].run(it);
            return;
        }
    fail_msg("the evaluator has no %s", it->type);
}

/* ---- the file ---- */

static void copy_text(const tl_pb_field *field, char text[NAME]) {
    assert_true(field->count < NAME);
    memcpy(text, field->bytes, field->count);
    text[field->count] = '\0';
}

/* Bytes are little-endian, as those of the processors that run the tests. */
static double number_at(const tl_pb_field *raw, size_t i, int type) {
    float single;
    double number;
    int64_t whole;
    if (type == TL_ONNX_FLOAT) return memcpy(&single, raw->bytes + i * sizeof single, sizeof single), (double)single;
    if (type == TL_ONNX_DOUBLE) return memcpy(&number, raw->bytes + i * sizeof number, sizeof number), number;
    return memcpy(&whole, raw->bytes + i * sizeof whole, sizeof whole), (double)whole;
}

static void read_constant(const tl_pb_field *from) {
    tl_pb_reader reader = tl_pb_read(from->bytes, from->count);
    tl_pb_field field, raw = {0};
    char name[NAME] = "";
    size_t rank = 0, shape[AXES] = {0};
    int type = 0;
    while (tl_pb_next(&reader, &field)) {
        if (field.number == TL_ONNX_DIMS) shape[rank++] = (size_t)field.bits;
        if (field.number == TL_ONNX_DATA_TYPE) type = (int)field.bits;
        if (field.number == TL_ONNX_TENSOR_NAME) copy_text(&field, name);
        if (field.number == TL_ONNX_RAW_DATA) raw = field;
    }
    array *to = add(name, rank, shape);
    for (size_t i = 0; i < to->count; i++) to->data[i] = number_at(&raw, i, type);
}

static void read_attribute(const tl_pb_field *from, operation *it) {
    tl_pb_reader reader = tl_pb_read(from->bytes, from->count);
    tl_pb_field field;
    char name[NAME] = "";
    while (tl_pb_next(&reader, &field)) {
        if (field.number == TL_ONNX_ATTRIBUTE_NAME) copy_text(&field, name);
        if (field.number == TL_ONNX_I && strcmp(name, "axis") == 0) it->axis = (int64_t)field.bits;
        if (field.number == TL_ONNX_I && strcmp(name, "keepdims") == 0) it->keepdims = (int64_t)field.bits;
    }
}

static void run_node(const tl_pb_field *from) {
    tl_pb_reader reader = tl_pb_read(from->bytes, from->count);
    tl_pb_field field;
    operation it = {.keepdims = 1};
    char name[NAME];
    while (tl_pb_next(&reader, &field)) {
        if (field.number == TL_ONNX_NODE_INPUT) copy_text(&field, name), it.x[it.inputs++] = find(name);
        if (field.number == TL_ONNX_NODE_OUTPUT) copy_text(&field, it.output);
        if (field.number == TL_ONNX_NODE_OPERATOR) copy_text(&field, it.type);
        if (field.number == TL_ONNX_ATTRIBUTE) read_attribute(&field, &it);
    }
    run_operation(&it);
}

/* Runs the graph; its constants and its input must be there. */
static void run_graph(const tl_pb_field *graph, uint32_t number, void (*take)(const tl_pb_field *field)) {
    tl_pb_reader reader = tl_pb_read(graph->bytes, graph->count);
    tl_pb_field field;
    while (tl_pb_next(&reader, &field))
        if (field.number == number) take(&field);
}

/* Returns the output of the file for x: (series, length, channels). The layout of the file is (batch, channels, length). */
static const array *evaluate(const char *path, const tl_tensor *x) {
    FILE *file = fopen(path, "rb");
    unsigned char *whole = malloc(1 << 23);
    if (!file || !whole) fail_msg("%s: not read", path);
    const size_t channels = x->shape[2], count = fread(whole, 1, 1 << 23, file);
    fclose(file);
    array *series = add("series", 3, (size_t[]){x->shape[0], channels, x->shape[1]});
    for (size_t i = 0; i < series->count; i++)
        series->data[i / channels / LENGTH * channels * LENGTH + i % channels * LENGTH + i / channels % LENGTH] =
            (double)x->data[i];
    tl_pb_reader reader = tl_pb_read(whole, count);
    tl_pb_field field;
    while (tl_pb_next(&reader, &field))
        if (field.number == TL_ONNX_GRAPH) {
            run_graph(&field, TL_ONNX_INITIALIZER, read_constant);
            run_graph(&field, TL_ONNX_NODE, run_node);
        }
    free(whole);
    return find("values");
}

/* ---- the tests ---- */

static tl_tensor some_series(size_t channels) {
    tl_error error = {0};
    tl_tensor x = tl_tensor_new(3, (size_t[]){SERIES, LENGTH, channels}, &error);
    check_ok(&error);
    fill_normal(x.data, tl_tensor_count(&x), (uint32_t)channels);
    return x;
}

static tl_model *new_model(const tl_rocket_cfg *cfg, const tl_tensor *x, bool drawn) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 2, .threads = 1});
    const tl_node y = tl_rocket(model, tl_input(model, (tl_shape){.length = LENGTH, .channels = x->shape[2]}), cfg);
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = SERIES, .loss = TL_LOSS_SQUARED_ERROR, .inference_only = true}, &error);
    if (drawn) tl_update_statistics(model, &(tl_dataset){.x = *x}, &error);
    check_ok(&error);
    return model;
}

static const tl_onnx_export_cfg channels_first = {.layout = TL_ONNX_LAYOUT_NCL, .normalize = TL_NORMALIZE_NONE};

/* Shares of kind mini must be equal; the others are sums, which the evaluator adds in another order. */
static void check_graph(const tl_rocket_cfg *cfg, size_t channels, double tolerance) {
    tl_error error = {0};
    char what[60];
    const char *path = files_path("rocket.onnx");
    tl_tensor x = some_series(channels);
    tl_model *model = new_model(cfg, &x, true);
    const size_t features = tl_output_shape(model).channels;
    tl_tensor y = tl_tensor_new(3, (size_t[]){SERIES, 1, features}, &error);
    tl_onnx_export(model, path, &channels_first, &error);
    tl_predict(model, &x, NULL, &y, &error);
    check_ok(&error);
    const array *found = evaluate(path, &x);
    snprintf(what, sizeof what, "kind %d, %zu channels", (int)cfg->kind, channels);
    assert_int_equal(found->count, SERIES * features);
    for (size_t i = 0; i < found->count; i++) check_number(what, found->data[i], (double)y.data[i], tolerance, tolerance);
    forget_arrays();
    tl_tensor_free(&x);
    tl_tensor_free(&y);
    tl_model_free(model);
    remove(path);
}

static void given_each_kind_of_rocket_when_exported_then_the_same_features(void **unused) {
    (void)unused;
    const double unit = sizeof(tl_real) == sizeof(float) ? 6e-8 : 1e-16;
    check_graph(&(tl_rocket_cfg){.features = 500}, 1, 0);
    check_graph(&(tl_rocket_cfg){.features = 300}, 12, 0);
    check_graph(&(tl_rocket_cfg){.kind = TL_ROCKET_MULTI, .features = 2100}, 1, 50 * unit);
    check_graph(&(tl_rocket_cfg){.kind = TL_ROCKET_MULTI, .features = 700}, 3, 50 * unit);
    check_graph(&(tl_rocket_cfg){.kind = TL_ROCKET_HYDRA, .features = 64}, 1, 50 * unit);
    check_graph(&(tl_rocket_cfg){.kind = TL_ROCKET_HYDRA, .features = 96}, 5, 50 * unit);
}

static void given_nan_in_a_series_when_evaluated_then_in_its_features_alone(void **unused) {
    (void)unused;
    tl_error error = {0};
    const char *path = files_path("nan.onnx");
    tl_tensor x = some_series(1);
    tl_model *model = new_model(&(tl_rocket_cfg){.features = 100}, &x, true);
    const size_t features = tl_output_shape(model).channels;
    tl_onnx_export(model, path, &channels_first, &error);
    check_ok(&error);
    x.data[3 * LENGTH + 5] = (tl_real)NAN;
    const array *found = evaluate(path, &x);
    for (size_t i = 0; i < found->count; i++)
        if (isnan(found->data[i]) != (i / features == 3)) fail_msg("feature %zu is %g", i, found->data[i]);
    forget_arrays();
    tl_tensor_free(&x);
    tl_model_free(model);
    remove(path);
}

static void given_nothing_drawn_when_exported_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_tensor x = some_series(1);
    tl_model *model = new_model(&(tl_rocket_cfg){.features = 100}, &x, false);
    tl_onnx_export(model, files_path("undrawn.onnx"), NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "(rocket_1): its biases were not drawn yet; tl_update_statistics draws them");
    tl_tensor_free(&x);
    tl_model_free(model);
}

static void given_a_graph_of_rocket_when_imported_then_a_node_is_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    const char *path = files_path("import.onnx");
    tl_tensor x = some_series(1);
    tl_model *model = new_model(&(tl_rocket_cfg){.features = 100}, &x, true);
    tl_onnx_export(model, path, NULL, &error);
    check_ok(&error);
    tl_model_free(model);
    model = tl_onnx_import(path, NULL, NULL, &error);
    assert_null(model);
    check_error(&error, TL_ERROR_FORMAT, "\"rocket_1/");
    tl_tensor_free(&x);
    remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_each_kind_of_rocket_when_exported_then_the_same_features),
        cmocka_unit_test(given_nan_in_a_series_when_evaluated_then_in_its_features_alone),
        cmocka_unit_test(given_nothing_drawn_when_exported_then_refused),
        cmocka_unit_test(given_a_graph_of_rocket_when_imported_then_a_node_is_named),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
