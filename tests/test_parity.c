/* What PyTorch computes: layers, losses, optimizers, networks and schedules against the fixtures of tests/parity. */
#include "base/schedule.h"
#include "fixtures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- how a case is compiled ---- */

/* What a case says of itself. */
typedef struct case_cfg {
    tl_compile_cfg compile;
    bool class_weights, sample_weights; /* from the formula */
} case_cfg;

static const char *loss_name(size_t kind) { return tl_loss_name((tl_loss_kind)kind); }

static const tl_setting case_settings[] = {
    {"loss", TL_SETTING_CHOICE, offsetof(case_cfg, compile.loss), loss_name},
    {"label_smoothing", TL_SETTING_NUMBER, offsetof(case_cfg, compile.label_smoothing), NULL},
    {"huber_delta", TL_SETTING_NUMBER, offsetof(case_cfg, compile.huber_delta), NULL},
    {"class_weights", TL_SETTING_FLAG, offsetof(case_cfg, class_weights), NULL},
    {"sample_weights", TL_SETTING_FLAG, offsetof(case_cfg, sample_weights), NULL},
    {"clip_value", TL_SETTING_NUMBER, offsetof(case_cfg, compile.clip_value), NULL},
    {"clip_norm", TL_SETTING_NUMBER, offsetof(case_cfg, compile.clip_norm), NULL},
    {"learning_rate", TL_SETTING_NUMBER, offsetof(case_cfg, compile.optimizer.learning_rate), NULL},
    {"momentum", TL_SETTING_NUMBER, offsetof(case_cfg, compile.optimizer.momentum), NULL},
    {"nesterov", TL_SETTING_FLAG, offsetof(case_cfg, compile.optimizer.nesterov), NULL},
    {"weight_decay", TL_SETTING_NUMBER, offsetof(case_cfg, compile.optimizer.weight_decay), NULL},
    {"l1", TL_SETTING_NUMBER, offsetof(case_cfg, compile.optimizer.l1), NULL},
    {"beta1", TL_SETTING_NUMBER, offsetof(case_cfg, compile.optimizer.beta1), NULL},
    {"beta2", TL_SETTING_NUMBER, offsetof(case_cfg, compile.optimizer.beta2), NULL},
    {"alpha", TL_SETTING_NUMBER, offsetof(case_cfg, compile.optimizer.alpha), NULL},
    {"epsilon", TL_SETTING_NUMBER, offsetof(case_cfg, compile.optimizer.epsilon), NULL},
    {0},
};

/* ---- a case at work ---- */

enum { MAX_CLASSES = 8 };

typedef struct subject {
    fixtures *file;
    tl_model *model;
    tl_tensor x;
    int32_t *labels;
    tl_real *values, *weights;
} subject;

/* As `initial` of formula.py. */
static void fill_parameter(const tl_parameter *p, uint32_t array) {
    const size_t count = tl_tensor_count(&p->value);
    double scale = 0.25, centre = 0;
    if (p->value.rank > 1) {
        const double fan_in = (double)count / (double)p->value.shape[p->value.rank - 1];
        scale = exp2(round(log2(sqrt(3 / fan_in))));
    } else if (strcmp(p->name, "scale") == 0 || strcmp(p->name, "variance") == 0)
        centre = 1;
    for (size_t i = 0; i < count; i++) p->value.data[i] = (tl_real)(centre + scale * formula_uniform(array, i));
}

static void fill_parameters(tl_model *model) {
    uint32_t parameters = ARRAY_PARAMETERS, states = ARRAY_STATES;
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter p = tl_parameter_at(model, i);
        fill_parameter(&p, p.gradient.data ? parameters++ : states++);
    }
}

static void fill_target(subject *s, bool weights) {
    const tl_shape out = tl_output_shape(s->model);
    const size_t batch = s->x.shape[0], rows = batch * out.length, count = rows * out.channels;
    const bool shares = tl_model_loss(s->model) == TL_LOSS_BINARY_CROSS_ENTROPY;
    s->labels = calloc(rows, sizeof *s->labels);
    s->values = calloc(count, sizeof *s->values);
    s->weights = weights ? calloc(batch, sizeof *s->weights) : NULL;
    assert_true(s->labels && s->values && (s->weights || !weights));
    for (size_t i = 0; i < rows; i++) s->labels[i] = (int32_t)(formula_hash(ARRAY_TARGET, i) % out.channels);
    for (size_t i = 0; i < count; i++) {
        const double value = formula_uniform(ARRAY_TARGET, i);
        s->values[i] = (tl_real)(shares ? (value + 1) / 2 : value);
    }
    for (size_t i = 0; weights && i < batch; i++) s->weights[i] = (tl_real)(1 + formula_uniform(ARRAY_SAMPLE_WEIGHTS, i));
}

/* The network with the momentum of Keras, which its batch norms then move by PyTorch's formula; to be freed. */
static char *with_momentum(const char *network) {
    static const char norm[] = "\"type\": \"batch_norm\"", added[] = ", \"momentum\": 0.99";
    size_t size = strlen(network) + 1;
    for (const char *at = network; (at = strstr(at, norm)); at += strlen(norm)) size += strlen(added);
    char *text = malloc(size), *to = text;
    assert_non_null(text);
    for (const char *at = network, *next; at; at = next) {
        next = strstr(at, norm);
        if (next) next += strlen(norm);
        to += snprintf(to, size - (size_t)(to - text), "%.*s%s", next ? (int)(next - at) : (int)strlen(at), at, next ? added : "");
    }
    return text;
}

/* One of the library's networks, as it describes it itself. */
static tl_node rebuild(tl_model *model, tl_node x, tl_shape shape, tl_node (*builder)(tl_model *model, tl_node x, size_t outputs)) {
    tl_error error = {0};
    tl_model *first = tl_model_new(NULL);
    tl_model_compile(first, builder(first, tl_input(first, shape), 3), &(tl_compile_cfg){.batch = 1, .inference_only = true},
                     &error);
    char *text = tl_architecture_to_json(first, &error);
    check_ok(&error);
    char *changed = with_momentum(text);
    const tl_node y = tl_architecture_from_json(model, x, changed, NULL);
    free(changed);
    free(text);
    tl_model_free(first);
    return y;
}

/* A network in JSON, or the name of one of the library's. */
static tl_node build(tl_model *model, tl_node x, tl_shape shape, const char *text) {
    static const struct {
        const char *name;
        tl_node (*build)(tl_model *model, tl_node x, size_t outputs);
    } builders[] = {{"fcn", tl_fcn}, {"resnet", tl_resnet}, {"inception", tl_inception}, {"tcn", tl_tcn}};
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++)
        if (strcmp(text, builders[i].name) == 0) return rebuild(model, x, shape, builders[i].build);
    return tl_architecture_from_json(model, x, text, NULL);
}

/* Makes what the head of a case describes. */
static subject read_subject(fixtures *file) {
    tl_error error = {0};
    subject s = {.file = file, .model = tl_model_new(&(tl_model_cfg){.threads = 1}), .x = fixtures_input(file)};
    fixtures_line(file, "network");
    const tl_shape shape = {s.x.shape[1], s.x.shape[2]};
    const tl_node y = build(s.model, tl_input(s.model, shape), shape, file->line);
    case_cfg cfg = {.compile = {.batch = s.x.shape[0], .input_gradient = true}};
    fixtures_line(file, "optimizer");
    cfg.compile.optimizer.ops = tl_optimizer_by_name(file->line, &error);
    fixtures_settings(file, "compile", case_settings, &cfg);
    double class_weights[MAX_CLASSES];
    for (uint32_t i = 0; i < MAX_CLASSES; i++) class_weights[i] = 1 + formula_uniform(ARRAY_CLASS_WEIGHTS, i);
    if (cfg.class_weights) cfg.compile.class_weights = class_weights;
    tl_model_compile(s.model, y, &cfg.compile, &error);
    check_ok(&error);
    fill_parameters(s.model);
    fill_target(&s, cfg.sample_weights);
    return s;
}

static void free_subject(subject *s) {
    tl_tensor_free(&s->x);
    free(s->labels);
    free(s->values);
    free(s->weights);
    tl_model_free(s->model);
}

static double loss_of(const subject *s) {
    const bool labels = tl_model_loss(s->model) == TL_LOSS_CROSS_ENTROPY;
    return tl_loss(s->model, &(tl_target){.labels = labels ? s->labels : NULL, .values = s->values, .weights = s->weights});
}

/* ---- comparing ---- */

static const bool is_single = sizeof(tl_real) == 4;

/* PyTorch's own tolerances for tests (torch.testing.assert_close); double precision keeps closer through a training. */
static const tolerance usual[2] = {{.relative = 1e-7, .absolute = 1e-7}, {.relative = 1.3e-6, .absolute = 1e-5}};
static const tolerance trained[2] = {{.relative = 1e-9, .absolute = 1e-11}, {.relative = 1.3e-6, .absolute = 1e-5}};

static void compare(const subject *s, const char *name, const tl_tensor *values) {
    fixtures_compare(s->file, name, values->data, tl_tensor_count(values));
}

static void compare_loss(const subject *s, const char *name) {
    const tl_real loss = (tl_real)loss_of(s);
    fixtures_compare(s->file, name, &loss, 1);
}

/* Inference, then a training pass and its gradients. */
static void compare_pass(const subject *s) {
    s->file->within = usual[is_single];
    tl_forward(s->model, &s->x, TL_MODE_INFERENCE);
    tl_tensor y = tl_output(s->model);
    compare(s, "inference", &y);
    tl_forward(s->model, &s->x, TL_MODE_TRAINING);
    y = tl_output(s->model);
    compare(s, "output", &y);
    compare_loss(s, "loss");
    tl_backward(s->model);
    const tl_tensor dx = tl_input_gradient(s->model);
    compare(s, "input gradient", &dx);
    for (size_t i = 0; i < tl_parameter_arrays(s->model); i++) {
        const tl_parameter p = tl_parameter_at(s->model, i);
        char name[100];
        snprintf(name, sizeof name, "%s %s gradient", p.layer, p.name);
        if (p.gradient.data) compare(s, name, &p.gradient);
    }
}

static void compare_arrays(const subject *s, unsigned long step) {
    char name[100];
    s->file->within = trained[is_single];
    for (size_t i = 0; i < tl_parameter_arrays(s->model); i++) {
        const tl_parameter p = tl_parameter_at(s->model, i);
        snprintf(name, sizeof name, "step %lu: %s %s", step, p.layer, p.name);
        compare(s, name, &p.value);
    }
    tl_forward(s->model, &s->x, TL_MODE_INFERENCE);
    snprintf(name, sizeof name, "step %lu: loss", step);
    compare_loss(s, name);
}

/* A step; all but the first need a pass before, which was compared. */
static void step(const subject *s, bool first) {
    tl_error error = {0};
    if (!first) {
        tl_forward(s->model, &s->x, TL_MODE_TRAINING);
        loss_of(s);
        tl_backward(s->model);
    }
    tl_step(s->model, &error);
    check_ok(&error);
}

/* Trains until the fixture has arrays for the last step, or `most` steps. */
static void compare_steps(const subject *s, unsigned long maximum) {
    unsigned long last = 0, done = 0;
    while (fixtures_at_step(s->file, &last) && last <= maximum) {
        for (; done < last; done++) step(s, done == 0);
        compare_arrays(s, done);
    }
}

static void compare_file(const char *name, unsigned long max_steps) {
    fixtures *file = fixtures_open(name);
    while (fixtures_next(file, is_single)) {
        subject s = read_subject(file);
        compare_pass(&s);
        compare_steps(&s, max_steps);
        free_subject(&s);
    }
    fixtures_close(file);
}

static void given_a_layer_when_run_then_as_pytorch(void **unused) {
    (void)unused;
    compare_file("layers.txt", is_single ? 10 : 100);
}

static void given_a_loss_or_an_optimizer_when_stepped_then_as_pytorch(void **unused) {
    (void)unused;
    compare_file("training.txt", 10);
}

/* In single precision Adam makes steps of any size out of what rounding leaves of small gradients, from the first one on. */
static void given_a_network_when_trained_then_as_pytorch(void **unused) {
    (void)unused;
    compare_file("networks.txt", is_single ? 0 : 100);
}

/* ---- schedules ---- */

static const char *schedule_name(size_t kind) { return tl_schedule_name((tl_schedule_kind)kind); }

static const tl_setting schedule_settings[] = {
    {"kind", TL_SETTING_CHOICE, offsetof(tl_schedule_cfg, kind), schedule_name},
    {"factor", TL_SETTING_NUMBER, offsetof(tl_schedule_cfg, factor), NULL},
    {"period", TL_SETTING_INTEGER, offsetof(tl_schedule_cfg, period), NULL},
    {"minimum", TL_SETTING_NUMBER, offsetof(tl_schedule_cfg, minimum), NULL},
    {0},
};

/* Every step is an epoch by itself. */
static void given_a_schedule_when_stepped_then_the_rates_of_pytorch(void **unused) {
    (void)unused;
    enum { STEPS = 50 };
    tl_error error = {0};
    fixtures *file = fixtures_open("schedules.txt");
    while (fixtures_next(file, false)) {
        tl_schedule_cfg cfg = {0};
        tl_schedule schedule;
        tl_real rates[STEPS];
        fixtures_line(file, "rate");
        const double rate = strtod(file->line, NULL);
        fixtures_settings(file, "schedule", schedule_settings, &cfg);
        tl_schedule_prepare(&schedule, &cfg, rate, STEPS, &error);
        check_ok(&error);
        for (int i = 0; i < STEPS; i++) {
            rates[i] = (tl_real)tl_schedule_rate(&schedule);
            tl_schedule_step(&schedule, 1);
            tl_schedule_epoch(&schedule, 1);
        }
        file->within = (tolerance){.relative = is_single ? 1e-7 : 1e-13, .absolute = 1e-16};
        fixtures_compare(file, "rates", rates, STEPS);
    }
    fixtures_close(file);
}

/* ---- the numbers that both sides start from ---- */

static void given_the_formula_when_evaluated_then_as_in_python(void **unused) {
    (void)unused;
    enum { COUNT = 8 };
    double expected[COUNT];
    fixtures *file = fixtures_open("formula.txt");
    while (fixtures_next(file, false)) {
        const uint32_t array = (uint32_t)strtoul(file->name, NULL, 10);
        fixtures_array(file, "hashes", expected, COUNT);
        for (size_t i = 0; i < COUNT; i++) check_number(file->name, formula_hash(array, i), expected[i], 0, 0);
        fixtures_array(file, "uniform", expected, COUNT);
        for (size_t i = 0; i < COUNT; i++) check_number(file->name, formula_uniform(array, i), expected[i], 0, 0);
    }
    fixtures_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_the_formula_when_evaluated_then_as_in_python),
        cmocka_unit_test(given_a_layer_when_run_then_as_pytorch),
        cmocka_unit_test(given_a_loss_or_an_optimizer_when_stepped_then_as_pytorch),
        cmocka_unit_test(given_a_network_when_trained_then_as_pytorch),
        cmocka_unit_test(given_a_schedule_when_stepped_then_the_rates_of_pytorch),
    };
    return check_run(tests);
}
