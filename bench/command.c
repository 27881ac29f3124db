/* The options of `tapline bench conv`, `bench step`, `bench stream` and `bench read`. */
#include "bench.h"

#include "cli/report.h"

static const char *case_name(size_t index) { return bench_cases_f32[index].name; }

int bench_finish(const bench_settings *settings, json_t *report, const tl_error *error) {
    if (settings->common.json && !tl_failed(error))
        report_json(report);
    else
        json_decref(report);
    return exit_code(settings->common.command, error);
}

#define FIELD(name) offsetof(bench_settings, name)

/* ---- conv ---- */

static const option_spec conv_options[] = {
    {"only", "NAME", OPTION_CHOICE, FIELD(only), 0, 0, bench_shape_name, "only this shape of the grid (all)"},
    {"shape", "LIST", OPTION_TEXT, FIELD(shape), 0, 0, NULL,
     "instead of the grid, a shape such as channels=32,filters=64,kernel=5,length=1000,batch=16; also stride= (1), dilation= "
     "(1), padding= valid, same, causal (same)"},
    {"engine", "LIST", OPTION_CHOICES, FIELD(engines), 0, 0, engine_name, "engines, separated by commas (all)"},
    {"seconds", "S", OPTION_POSITIVE, FIELD(seconds), 0, 0, NULL, "seconds for each engine and pass of a shape (0.2)"},
    {0},
};

static bench_settings conv_settings = {.common = {.precision = "f32"}, .seconds = 0.2};

const command bench_conv_command = {
    .name = "bench conv",
    .operands = "",
    .summary = "Time the convolution engines, forward and backward, on layers of published networks.",
    .example = "tapline bench conv --seconds 0.1",
    .details = "Each result is compared with that of the naive engine before it is timed. dx is the gradient of the input, dw that "
               "of the weights and the bias; all is the three passes one after the other.",
    .options = conv_options,
    .settings = &conv_settings,
    .run_f32 = bench_conv_f32,
    .run_f64 = bench_conv_f64,
};

/* ---- step ---- */

static const option_spec step_options[] = {
    {"only", "MODEL", OPTION_CHOICE, FIELD(only), 0, 0, case_name, "only this network (all)"},
    {"seconds", "S", OPTION_POSITIVE, FIELD(seconds), 0, 0, NULL, "seconds for each measurement (1)"},
    {"no-fold-batch-norm", NULL, OPTION_FLAG, FIELD(no_fold), 0, 0, NULL,
     "inference without folding batch norms into the weights of the layers before them"},
    {"profile", NULL, OPTION_FLAG, FIELD(profile), 0, 0, NULL, "also the times of each layer: forward, and the parts of backward"},
    {0},
};

static bench_settings step_settings = {.common = {.precision = "f32"}, .seconds = 1};

const command bench_step_command = {
    .name = "bench step",
    .operands = "",
    .summary = "Time a training step and inference of published networks.",
    .example = "tapline bench step --only fcn",
    .details = "A step is forward, loss, backward and Adam. The convolution passes of the network alone are timed too.",
    .options = step_options,
    .settings = &step_settings,
    .run_f32 = bench_step_f32,
    .run_f64 = bench_step_f64,
};

/* ---- read ---- */

static const option_spec read_options[] = {
    {"only", "FORMAT", OPTION_CHOICE, FIELD(only), 0, 0, bench_format_name_f32, "only this format (all)"},
    {"seconds", "S", OPTION_POSITIVE, FIELD(seconds), 0, 0, NULL, "seconds for each measurement (1)"},
    {0},
};

static bench_settings read_settings = {.common = {.precision = "f32"}, .seconds = 1};

const command bench_read_command = {
    .name = "bench read",
    .operands = "",
    .summary = "Time the reading of files of each format.",
    .example = "tapline bench read --only csv",
    .details = "The files have a million random numbers. They are written to the folder TMPDIR (/tmp) and then removed.",
    .options = read_options,
    .settings = &read_settings,
    .run_f32 = bench_read_f32,
    .run_f64 = bench_read_f64,
};

/* ---- stream ---- */

static const option_spec stream_options[] = {
    {"only", "MODEL", OPTION_CHOICE, FIELD(only), 0, 0, bench_stream_name_f32, "only this network (all)"},
    {0},
};

static bench_settings stream_settings = {.common = {.precision = "f32"}};

const command bench_stream_command = {
    .name = "bench stream",
    .operands = "",
    .summary = "Time networks on streams, with different numbers of steps in a push.",
    .example = "tapline bench stream --only stack",
    .details = "stack: ten causal convolutions of 16 filters, kernel 3, dilation 1 to 512. Always one thread.",
    .options = stream_options,
    .settings = &stream_settings,
    .run_f32 = bench_stream_f32,
    .run_f64 = bench_stream_f64,
};
