/* Options that have no effect together, or contradict each other: each pair is refused with a message that names both. The commands
 * run in a copy of this process, which takes less time than to start a program. */
#include "check.h"
#include "cli/commands.h"
#include "folder.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 24, TEXT = 4000 };

/* ---- running ---- */

/* Runs a command line, and does not return. */
static void run_here(int count, char **words, const char *err) {
    int used, code;
    const int file = open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600), nothing = open("/dev/null", O_RDWR);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    const command *found = command_find(count, (const char *const *)words, &used);
    if (!found) _exit(EXIT_USAGE);
    if (options_parse(found, count - used + 1, words + used - 1, &code)) {
        const common_settings *settings = found->settings;
        const char *precision = settings->precision ? settings->precision : tl_precision();
        code = strcmp(precision, "f64") == 0 ? found->run_f64(settings) : found->run_f32(settings);
    }
    fflush(stderr);
    _exit(code);
}

/* Runs the words of `line`, separated by blanks, and then `option`, which may have a value behind a blank; NULL: none. @NAME is a
 * file of the folder. Returns the exit code; what it says on stderr is in `said`. */
static int run_line(const char *line, const char *option, char said[TEXT]) {
    char text[600], paths[WORDS][90], *words[WORDS + 1] = {NULL}, *rest = NULL, err[60];
    int count = 0, status = 0;
    snprintf(text, sizeof text, "%s %s", line, option ? option : "");
    for (char *word = strtok_r(text, " ", &rest); word && count < WORDS; word = strtok_r(NULL, " ", &rest), count++) {
        snprintf(paths[count], sizeof paths[count], "%s", *word == '@' ? in_folder(word + 1) : word);
        words[count] = paths[count];
    }
    snprintf(err, sizeof err, "%s", in_folder("said"));
    const pid_t child = fork();
    if (child == 0) run_here(count, words, err);
    if (child < 0 || waitpid(child, &status, 0) != child) fail_msg("%s: cannot be run", text);
    FILE *file = fopen(err, "r");
    assert_non_null(file);
    said[fread(said, 1, TEXT - 1, file)] = '\0';
    fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* It is refused, and `message` is in what is said. */
static void check_refused(const char *line, const char *option, const char *message) {
    char said[TEXT];
    const int code = run_line(line, option, said);
    if (code != EXIT_USAGE || !strstr(said, message))
        fail_msg("tapline %s %s: expected %d and \"%s\", got %d and \"%s\"", line, option ? option : "", EXIT_USAGE, message, code,
                 said);
}

static void check_done(const char *line) {
    char said[TEXT];
    const int code = run_line(line, NULL, said);
    if (code != EXIT_DONE) fail_msg("tapline %s: %d: %s", line, code, said);
}

/* ---- data and models ---- */

#define TRAIN "train --arch @net.json --epochs 1 --quiet --threads 1"

static void write_tables(void) {
    FILE *wide = folder_create("wide.csv"), *values = folder_create("values.csv"), *steps = folder_create("steps.csv");
    fputs("label,who,a,b,c,d,e,f,g,h,i\n", wide);
    fputs("target,a,b,c,d,e,f,g,h,i\n", values);
    fputs("label,a\n", steps);
    for (int i = 0; i < 12; i++) {
        fprintf(wide, "%s,p%d", i % 2 ? "up" : "down", i % 3);
        fprintf(values, "%g", i + 0.5);
        for (int t = 0; t < 9; t++) fprintf(wide, ",%g", sin(i + t)), fprintf(values, ",%g", sin(i * t));
        fputs("\n", wide);
        fputs("\n", values);
        fprintf(steps, "%s,%g\n", i % 4 < 2 ? "up" : "down", sin(i));
    }
    fclose(wide);
    fclose(values);
    fclose(steps);
    FILE *net = folder_create("net.json");
    fputs("{\"layers\": [{\"type\": \"conv1d\", \"filters\": 2, \"kernel\": 3}, {\"type\": \"global_average_pool\"}, {\"type\": "
          "\"dense\", \"units\": \"outputs\"}]}",
          net);
    fclose(net);
}

static int set_up(void **unused) {
    (void)unused;
    if (folder_setup() != 0) return 1;
    write_tables();
    check_done("train --arch @net.json --epochs 1 --quiet --normalize none --out @model");
    check_done("train @values.csv --arch @net.json --epochs 1 --quiet --out @values");
    check_done("quantize @model --calibrate builtin:cbf --out @integers");
    check_done("export @model --out @weights.safetensors");
    check_done("export @model --out @model.onnx");
    return 0;
}

/* ---- a table of pairs ---- */

static const struct {
    const char *line, *option, *message;
} pairs[] = {
    /* networks and folds */
    {TRAIN, "--fold 0", "--fold 0 requires --folds N"},
    {TRAIN, "--fold 1", "--fold 1 requires --folds N"},
    {TRAIN, "--fold all", "--fold all requires --folds N"},
    {TRAIN " --folds 3", "--fold 3", "--fold 3 is outside 0 … 2, the folds of --folds 3"},
    {TRAIN, "--in-order", "--in-order requires --folds N"},
    {TRAIN " @wide.csv --folds 3 --group who", "--in-order", "--in-order cuts the data by its order; --group, which"},
    {TRAIN " --folds 3", "--validation builtin:cbf/test", "--validation builtin:cbf/test cannot be combined with --folds"},
    {TRAIN " --folds 3 --fold all", "--members 2",
     "--fold all trains a network for each fold; it cannot be combined with 2 members"},
    {TRAIN " --folds 1001 --fold all", "--out @out", "--folds 1001 --fold all --out /tmp/"},
    {TRAIN " --folds 3", "--jobs 2", "--jobs 2 requires several networks: --members N, or --folds N --fold all"},
    {TRAIN, "--freeze", "--freeze requires --init MODEL"},
    {TRAIN " --init @model", "--resume @state", "/state cannot be combined with --init: the checkpoint has all parameters"},
    {TRAIN, "--checkpoint-every 5", "--checkpoint-every 5 requires --checkpoint FILE"},
    {TRAIN, "--synchronise-batch-norm", "--synchronise-batch-norm requires --shards N, a power of two above 1"},
    {TRAIN " --shards 2", "--synchronise-batch-norm",
     "synchronise_batch_norm (--synchronise-batch-norm): the network has no batch norm that is trained"},
    {TRAIN " --batch 8", "--shards 16", "16 shards need batches of at least as many series, but batch is 8"},
    /* optimizers and schedules */
    {TRAIN, "--momentum 0.5", "adam: momentum 0.5 does not apply to this optimizer"},
    {TRAIN, "--nesterov", "adam: nesterov does not apply to this optimizer"},
    {TRAIN " --optimizer sgd", "--nesterov", "sgd: nesterov needs a momentum above 0"},
    {TRAIN " --optimizer adamw", "--l1 0.1", "adamw: l1 0.1 does not apply to this optimizer"},
    {TRAIN " --schedule constant", "--schedule-factor 0.5", "schedule: factor 0.5 does not apply to constant"},
    {TRAIN " --schedule step", "--schedule-patience 3", "schedule: patience 3 does not apply to step"},
    {TRAIN " --schedule plateau", "--schedule-period 3", "schedule: period 3 does not apply to plateau"},
    {TRAIN " --schedule one-cycle", "--lr-min 0.1", "schedule: minimum 0.1 does not apply to one-cycle"},
    {TRAIN " --schedule cosine --lr 0.1", "--lr-min 0.5", "--lr-min 0.5 exceeds --lr 0.1: the rate would never fall"},
    {TRAIN " --schedule noam", "--warmup 0", "--warmup 0 contradicts --schedule noam, which rises over at least 1 step"},
    {TRAIN " --schedule king", "--schedule-patience 2", "schedule: patience 2 is outside [3, 1025)"},
    /* losses and what is watched */
    {TRAIN, "--loss huber", "huber needs target values, but the data set has none"},
    {TRAIN " @values.csv", "--loss cross-entropy", "cross-entropy needs labels, but the data set has none"},
    {TRAIN " @values.csv", "--label-smoothing 0.1", "label smoothing 0.1 does not apply to squared-error"},
    {TRAIN " @values.csv", "--balance", "--balance needs classes; the data has target values"},
    {TRAIN " @values.csv", "--no-label x", "--no-label x (tl_read_cfg.no_label) is for labels, but the data has target values"},
    {TRAIN, "--watch validation-loss", "watch validation-loss: there is no validation set"},
    {TRAIN " --folds 3", "--watch validation-r2", "watch validation-r2 is for target values, but the loss is cross-entropy"},
    {TRAIN " @values.csv --folds 3", "--watch validation-f1", "watch validation-f1 is for classes, but the loss is squared-error"},
    /* data */
    {TRAIN " --normalize set", "--raw", "--raw means --normalize none and contradicts --normalize set"},
    {TRAIN, "--hop 5", "--hop requires --window"},
    {TRAIN, "--window-target last", "--window-target requires --window"},
    {TRAIN " --window 20", "--window-target last", "--window-target last (tl_read_cfg.window_target) is only for targets of steps"},
    {TRAIN " --window 20", "--window-target steps",
     "--window-target steps (tl_read_cfg.window_target) is only for targets of steps"},
    {TRAIN " builtin:cbf", "--format csv", "builtin:cbf: --format csv (tl_read_cfg.format) is only for files"},
    {TRAIN " --label 1", "--format csv", "builtin:cbf: --format csv (tl_read_cfg.format) is only for files"},
    {TRAIN " -", NULL, "-: standard input needs a format: add --format NAME"},
    {TRAIN " - --format csv", "--file who", "-: --file who names files in the folder of the table"},
    {TRAIN " @wide.csv", "--segment 5", "--segment 5 (tl_read_cfg.segment) is only for records (.hea)"},
    {TRAIN " @wide.csv --label label", "--target label", "give either label or target (--label, --target)"},
    {TRAIN " @wide.csv --series who", "--file label", "file (--file) cannot be combined with --series"},
    {TRAIN " @wide.csv --header no", "--label label", "the table has no header"},
    {"convert @steps.csv --out @x.npz --value a", "--window 3", "windows are not converted; cut them when the data is read"},
    /* models */
    {"eval @values @values.csv", "--confusion", "--confusion needs classes, but the model predicts values"},
    {"eval @values @values.csv", "--per-class", "--per-class needs classes, but the model predicts values"},
    {"predict @values @values.csv", "--top 2", "--top 2 needs classes, but the model predicts values"},
    {"predict @model builtin:cbf --top 2", "--output dense_1", "--top 2 cannot be combined with --output dense_1"},
    {"predict @model @model builtin:cbf", "--output dense_1", "--output dense_1: give only one model"},
    {"predict @integers builtin:cbf", "--engine naive", "--engine naive: "},
    {"eval @integers builtin:cbf", "--engine naive", "/integers is a network in 8-bit integers, which has no engines"},
    {"predict @integers builtin:cbf", "--no-fold-batch-norm", "--no-fold-batch-norm: "},
    {"predict @model @integers builtin:cbf", NULL, "/integers: "},
    {"stream @model", "--json", "--json: outputs are printed as soon as they are known; use --format csv or raw"},
    {"info @model", "--arch fcn", "/model or --arch fcn, not both"},
    {"info @model", "--input 9x1", "--input 9x1: only with --arch"},
    {"info @model", "--outputs 2", "--outputs 2: only with --arch"},
    {"info --arch fcn", NULL, "--arch fcn: needs --input LxC"},
    /* conversions */
    {"import @weights.safetensors builtin:cbf --arch @net.json", "--length 9", "--length is only for .onnx files"},
    {"import @weights.safetensors builtin:cbf --raw", "--normalize set", "--raw means --normalize none and contradicts"},
    {"import @model.onnx", "--arch fcn", "--arch cannot be combined with /tmp/"},
    {"import @model.onnx", "--map @map", "--map cannot be combined with /tmp/"},
    {"import @model.onnx", "--normalize series", "--normalize series: the network expects none"},
    {"import @model.onnx", "--loss huber", "the loss huber (--loss, tl_onnx_import_cfg.loss) does not go with its 3 classes"},
    {"import @model.onnx builtin:cbf", "--length 9", "--length 9 contradicts DATA, whose series have 128 steps"},
    {"export @model --out @x.c", "--window 3", "--window requires --stream"},
    {"export @model --out @x.c", "--hop 3", "--hop requires --stream"},
    {"export @integers", "--out @x.onnx", "a network in 8-bit integers can only be exported as C"},
    {"export @integers --out @x.c", "--stream", "a network in integers cannot run on a stream"},
    {"quantize @model --calibrate builtin:cbf", "--name net", "--name requires --out FILE.c"},
    {"quantize @model --calibrate builtin:cbf", "--header @x.h", "--header requires --out FILE.c"},
    {"quantize @model --calibrate builtin:cbf --out @x", "--no-libm", "--no-libm requires --out FILE.c"},
    {"quantize @model --calibrate builtin:cbf", "--out @x.onnx", "must be a C file (.c) or a model file (.safetensors)"},
    {"quantize @integers --calibrate builtin:cbf", NULL, "is a network in 8-bit integers already"},
    {"bench conv --only fcn1", "--shape channels=3,filters=4,kernel=5,length=9,batch=2",
     "--only fcn1: a shape of the grid cannot be combined with --shape"},
};

static void given_options_that_contradict_when_run_then_both_are_named(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) check_refused(pairs[i].line, pairs[i].option, pairs[i].message);
}

/* ---- options that a whole situation excludes ---- */

/* Runs the line with each option in turn; `message` has %s for the name of the option. */
static void check_each_refused(const char *line, const char *const *options, const char *message) {
    for (; *options; options++) {
        char name[40], expected[200];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*options, " "), *options);
        if (strcmp(*options, "--head ridge") == 0) snprintf(name, sizeof name, "%s", *options);
        const char *place = strstr(message, "%s");
        snprintf(expected, sizeof expected, "%.*s%s%s", (int)(place - message), message, name, place + 2);
        check_refused(line, *options, expected);
    }
}

static void given_a_search_for_a_rate_when_it_is_no_training_then_refused(void **unused) {
    (void)unused;
    static const char *const whole[] = {"--epochs 3",
                                        "--lr 0.1",
                                        "--schedule constant",
                                        "--schedule-factor 0.5",
                                        "--schedule-patience 3",
                                        "--schedule-period 3",
                                        "--lr-min 0.1",
                                        "--warmup 0",
                                        "--watch train-loss",
                                        "--patience 3",
                                        "--head ridge",
                                        "--members 2",
                                        "--test builtin:cbf/test",
                                        "--validation builtin:cbf/test",
                                        "--out @x",
                                        "--log @x",
                                        "--report @x",
                                        "--tensorboard @x",
                                        "--checkpoint @x",
                                        "--resume @x",
                                        NULL};
    check_each_refused("train --arch timecnn --quiet --find-lr", whole, "--find-lr does not train; it cannot be combined with %s");
    check_refused("train --arch timecnn --quiet --find-lr --folds 3", "--fold all", "it cannot be combined with --fold all");
}

static void given_folds_for_all_when_files_are_of_one_network_then_refused(void **unused) {
    (void)unused;
    static const char *const files[] = {"--log @x", "--report @x", "--tensorboard @x", "--checkpoint @x", "--resume @x", NULL};
    check_each_refused(TRAIN " --folds 3 --fold all", files,
                       "--fold all trains a network for each fold; it cannot be combined with %s");
}

static void given_a_solved_layer_when_steps_are_asked_for_then_refused(void **unused) {
    (void)unused;
    static const char *const steps[] = {"--epochs 3",
                                        "--accumulate 2",
                                        "--optimizer sgd",
                                        "--lr 0.1",
                                        "--weight-decay 0",
                                        "--l1 0.1",
                                        "--clip 1",
                                        "--clip-value 1",
                                        "--schedule constant",
                                        "--schedule-factor 0.5",
                                        "--schedule-patience 3",
                                        "--schedule-period 3",
                                        "--lr-min 0.1",
                                        "--warmup 0",
                                        "--find-lr",
                                        "--watch train-loss",
                                        "--patience 3",
                                        "--balance",
                                        "--label-smoothing 0.1",
                                        "--crop 0.9",
                                        "--scale 0.1",
                                        "--jitter 0.1",
                                        "--mixup 0.1",
                                        "--log @x",
                                        "--tensorboard @x",
                                        "--checkpoint @x",
                                        "--resume @x",
                                        NULL};
    check_each_refused("train @wide.csv --ignore who --arch minirocket --quiet", steps,
                       "%s: the last layer of minirocket is solved, not trained; use --head trained");
}

/* Options of the reading of data, where none is read. */
static const char *const reading[] = {
    "--label 1",    "--target 1", "--ignore 1",   "--value 1",     "--group 1",   "--series 1",
    "--time 1",     "--file 1",   "--no-label x", "--annotator x", "--header no", "--decimal-comma",
    "--format csv", "--window 3", "--unequal",    "--segment 3",   NULL};

/* Those are all options that a model file keeps, or that say how files are read. */
static void given_options_for_data_when_counted_then_none_is_left_out(void **unused) {
    (void)unused;
    static const char *const others[] = {"arch", "map",  "out",     "loss", "length",     "normalize", "raw",          "missing",
                                         "hop",  "help", "threads", "json", "max-memory", "precision", "window-target"};
    const option_spec *option;
    for (size_t i = 0; (option = command_option(&import_command, i)); i++) {
        bool found = false;
        for (size_t k = 0; reading[k]; k++)
            found = found || strncmp(reading[k] + 2, option->name, strcspn(reading[k] + 2, " ")) == 0;
        for (size_t k = 0; k < sizeof others / sizeof *others; k++) found = found || strcmp(others[k], option->name) == 0;
        if (!found) fail_msg("--%s of import: is it for data? It is in no list of this test", option->name);
    }
}

static void given_no_data_when_options_are_for_data_then_refused(void **unused) {
    (void)unused;
    static const char *const shown[] = {"--channel 1", "--normalize set", "--missing tail", "--unlabelled", NULL};
    check_each_refused("import @model.onnx", reading, "%s says how DATA is read; name DATA behind the .onnx file");
    check_each_refused("show @model", reading, "/model: is a model; %s is for data, and does not apply to it");
    check_each_refused("show @model", shown, "/model: is a model; %s is for data, and does not apply to it");
}

static void given_options_of_another_format_when_exported_then_refused(void **unused) {
    (void)unused;
    static const char *const c[] = {"--header @x.h", "--name net", "--no-libm", "--stream", "--window 3", "--hop 3", NULL},
                             *const onnx[] = {"--layout ncl", "--logits", "--fold-batch-norm", NULL},
                             *const weights[] = {"--map @map", NULL};
    check_each_refused("export @model --out @x.onnx", c, "%s cannot be combined with --out /tmp/");
    check_each_refused("export @model --out @x", c, "%s cannot be combined with --out /tmp/");
    check_each_refused("export @model --out @x.c", onnx, "%s cannot be combined with --out /tmp/");
    check_each_refused("export @model --out @x", onnx, "%s cannot be combined with --out /tmp/");
    check_each_refused("export @model --out @x.c", weights, "%s cannot be combined with --out /tmp/");
    check_each_refused("export @model --out @x.onnx", weights, "%s cannot be combined with --out /tmp/");
}

/* What goes together is not refused. */
static void given_options_that_go_together_when_run_then_done(void **unused) {
    (void)unused;
    check_done(TRAIN " --folds 3 --fold 0 --window 30 --hop 5");
    check_done("train @steps.csv --arch @net.json --epochs 1 --quiet --value a --window 3 --window-target last");
    check_done("train --arch timecnn --find-lr --quiet --optimizer sgd --batch 4 --folds 3");
    check_done("import @model.onnx builtin:cbf --length 128 --normalize none --unequal");
    check_done(TRAIN " --head ridge --watch train-loss");
    check_done("show @model");
    check_done("import @model.onnx --missing zero --out @x.safetensors");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_options_that_contradict_when_run_then_both_are_named),
        cmocka_unit_test(given_a_search_for_a_rate_when_it_is_no_training_then_refused),
        cmocka_unit_test(given_folds_for_all_when_files_are_of_one_network_then_refused),
        cmocka_unit_test(given_a_solved_layer_when_steps_are_asked_for_then_refused),
        cmocka_unit_test(given_options_for_data_when_counted_then_none_is_left_out),
        cmocka_unit_test(given_no_data_when_options_are_for_data_then_refused),
        cmocka_unit_test(given_options_of_another_format_when_exported_then_refused),
        cmocka_unit_test(given_options_that_go_together_when_run_then_done),
    };
    return cmocka_run_group_tests(tests, set_up, folder_teardown) != 0;
}
