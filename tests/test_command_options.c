/* Bad values for every option of every command, taken from the tables of options: a new option is tested automatically. If only its
 * command can check it, it needs a row below. */
#include "check.h"
#include "cli/commands.h"
#include "cli/train/train.h"
#include "runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT = 1000 };

/* ---- parsing, in this process ---- */

/* Redirects a stream to a file, and back. */
typedef struct capture {
    FILE *stream, *file;
    int kept;
} capture;

static capture capture_begin(FILE *stream) {
    fflush(stream);
    capture self = {.stream = stream, .file = tmpfile(), .kept = dup(fileno(stream))};
    assert_non_null(self.file);
    dup2(fileno(self.file), fileno(stream));
    return self;
}

static void capture_end(capture *self, char text[TEXT]) {
    fflush(self->stream);
    dup2(self->kept, fileno(self->stream));
    close(self->kept);
    rewind(self->file);
    text[fread(text, 1, TEXT - 1, self->file)] = '\0';
    fclose(self->file);
}

/* Parses arguments, the first being the command's name: what is said on stderr, stdout and the exit code being checked. Whether the
 * command would run. */
static bool parse_all(const command *self, int count, char **argv, char said[TEXT]) {
    char out[TEXT];
    int code = -1;
    capture of_out = capture_begin(stdout), of_err = capture_begin(stderr);
    const bool runs = options_parse(self, count, argv, &code);
    capture_end(&of_err, said);
    capture_end(&of_out, out);
    if (*out != '\0') fail_msg("%s: on stdout: %s", self->name, out);
    if (!runs) assert_int_equal(code, EXIT_USAGE);
    return runs;
}

/* The same of one or two arguments (`second` may be NULL). */
static bool parse(const command *self, const char *first, const char *second, char said[TEXT]) {
    char *argv[] = {(char *)self->name, (char *)first, (char *)second, NULL};
    return parse_all(self, second ? 3 : 2, argv, said);
}

/* It is refused with "tapline NAME: EXPECTED" and a newline. */
static void check_refused(const command *self, const char *first, const char *second, const char *expected) {
    char said[TEXT], line[TEXT + 100];
    const bool runs = parse(self, first, second, said);
    snprintf(line, sizeof line, "tapline %s: %s\n", self->name, expected);
    if (runs || strcmp(said, line) != 0) fail_msg("%s %s: expected %sgot %s", first, second ? second : "", line, said);
}

/* Nothing is wrong with it (operands may be missing, which comes later). */
static void check_accepted(const command *self, const char *first, const char *second) {
    char said[TEXT];
    if (!parse(self, first, second, said) && !strstr(said, ": needs "))
        fail_msg("%s %s: expected to be accepted, got %s", first, second ? second : "", said);
}

typedef void (*check_option)(const command *self, const option_spec *option, const char *flag);

/* Calls the check for each option of each command; `flag` is its name with the dashes. */
static void for_each_option(check_option check) {
    for (size_t c = 0; command_at(c); c++) {
        const option_spec *option;
        for (size_t i = 0; (option = command_option(command_at(c), i)); i++) {
            char flag[60];
            snprintf(flag, sizeof flag, "--%s", option->name);
            check(command_at(c), option, flag);
        }
    }
}

/* ---- names ---- */

static bool is_option(const command *self, const char *name) {
    const option_spec *option;
    for (size_t i = 0; (option = command_option(self, i)); i++)
        if (strcmp(option->name, name) == 0) return true;
    return false;
}

static void swap_letters(char *at) {
    const char first = at[0];
    at[0] = at[1];
    at[1] = first;
}

static void misspell(const command *self, const option_spec *option, const char *flag) {
    char other[60], expected[200];
    const size_t length = strlen(flag);
    snprintf(other, sizeof other, "%s", flag);
    swap_letters(other + 2);
    if (other[2] != other[3]) {
        snprintf(expected, sizeof expected, "unknown option %s; did you mean %s?", other, flag);
        check_refused(self, other, option->argument ? "1" : NULL, expected);
    }
    snprintf(other, sizeof other, "%.*s", (int)length - 1, flag); /* a beginning is not taken for the whole */
    if (is_option(self, other + 2)) return;
    char said[TEXT];
    assert_false(parse(self, other, option->argument ? "1" : NULL, said));
    if (!strstr(said, "unknown option ") || !strstr(said, other)) fail_msg("%s: got %s", other, said);
}

static void given_a_misspelt_option_when_parsed_then_a_suggestion(void **unused) {
    (void)unused;
    for_each_option(misspell);
}

static void leave_out(const command *self, const option_spec *option, const char *flag) {
    char with_value[60], expected[200];
    if (option->argument) {
        snprintf(expected, sizeof expected, "%s: needs an argument %s", flag, option->argument);
        check_refused(self, flag, NULL, expected);
    } else {
        snprintf(with_value, sizeof with_value, "%.50s=1", flag);
        snprintf(expected, sizeof expected, "%s: takes no argument", flag);
        check_refused(self, with_value, NULL, expected);
    }
}

static void given_an_option_without_its_value_when_parsed_then_refused(void **unused) {
    (void)unused;
    for_each_option(leave_out);
}

/* ---- values ---- */

static void refuse_value(const command *self, const char *flag, const char *value, const char *must) {
    char expected[300];
    snprintf(expected, sizeof expected, "%s %s: must be %s", flag, *value ? value : "''", must);
    check_refused(self, flag, value, expected);
}

static void refuse_integers(const command *self, const option_spec *option, const char *flag) {
    static const char *const wrong[] = {"",     "x",    "1.5", "1e3", "nan", "inf", "99999999999999999999", "-99999999999999999999",
                                        "1\t2", "0x10", "12a", "--"};
    char must[100], value[40];
    const long long minimum = (long long)option->minimum, maximum = (long long)option->maximum;
    snprintf(must, sizeof must, "a whole number from %lld to %lld%s", minimum, maximum,
             option->kind == OPTION_INTEGER_OR_ALL ? ", or all" : "");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) refuse_value(self, flag, wrong[i], must);
    snprintf(value, sizeof value, "%lld", minimum - 1);
    refuse_value(self, flag, value, must);
    snprintf(value, sizeof value, "%lldx", minimum);
    refuse_value(self, flag, value, must);
    snprintf(value, sizeof value, "%lld", minimum);
    check_accepted(self, flag, value);
    snprintf(value, sizeof value, "%lld", maximum);
    check_accepted(self, flag, value);
    if (option->maximum == INT64_MAX) return;
    snprintf(value, sizeof value, "%lld", maximum + 1);
    refuse_value(self, flag, value, must);
}

static void refuse_numbers(const command *self, const char *flag, const char *must, const char *const *wrong, const char *right) {
    static const char *const never[] = {"", "x", "nan", "inf", "-inf", "1e999", "-1", "1e-3x", "0,5", "0.5.5", "-1e-30"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) refuse_value(self, flag, never[i], must);
    for (; *wrong; wrong++) refuse_value(self, flag, *wrong, must);
    check_accepted(self, flag, right);
}

static void refuse_shapes(const command *self, const char *flag) {
    static const char *const wrong[] = {"",        "150",   "x1",           "150x",
                                        "0x1",     "150x0", "axb",          "150X1",
                                        "150x1x1", "-1x1",  "150x-1",       "150x 1",
                                        " 150x1",  "+1x1",  "2147483648x1", "1x2147483648",
                                        "1.5x1",   "0x10",  "1e3x1",        "99999999999999999999x1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuse_value(self, flag, wrong[i], "LENGTHxCHANNELS, such as 150x1, both from 1 to 2147483647");
    check_accepted(self, flag, "150x1");
    check_accepted(self, flag, "2147483647x2147483647");
}

/* "a, b and c", and what may stand in their place. */
static void list_choices(const option_spec *option, char list[TEXT]) {
    size_t used = 0;
    for (size_t i = 0; option->choice(i); i++)
        used += (size_t)snprintf(list + used, TEXT - used, "%s%s",
                                 i == 0                  ? ""
                                 : option->choice(i + 1) ? ", "
                                                         : " and ",
                                 option->choice(i));
    if (option->kind == OPTION_CHOICE_OR_JSON) snprintf(list + used, TEXT - used, ", or a file NAME.json");
}

static void refuse_choices(const command *self, const option_spec *option, const char *flag, const char *before) {
    char list[TEXT], value[100], expected[TEXT];
    list_choices(option, list);
    static const char *const wrong[] = {"", "elephants", "1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(value, sizeof value, "%s%s", before, wrong[i]);
        snprintf(expected, sizeof expected, "%s %s: unknown; choices: %.700s", flag, *wrong[i] ? wrong[i] : "''", list);
        check_refused(self, flag, value, expected);
    }
    for (size_t i = 0; option->choice(i); i++) {
        snprintf(value, sizeof value, "%s%s", before, option->choice(i));
        check_accepted(self, flag, value);
        char *name = value + strlen(before);
        swap_letters(name);
        if (strcmp(name, option->choice(i)) == 0) continue;
        snprintf(expected, sizeof expected, "%s %s: unknown; did you mean %s? Choices: %.700s", flag, name, option->choice(i),
                 list);
        check_refused(self, flag, value, expected);
    }
}

static void refuse_values(const command *self, const option_spec *option, const char *flag) {
    char good[60];
    switch (option->kind) {
    case OPTION_FLAG:
        return;
    case OPTION_INTEGER_OR_ALL:
        check_accepted(self, flag, "all");
        refuse_value(self, flag, "al", "a whole number from 0 to 2147483647, or all");
        refuse_integers(self, option, flag);
        return;
    case OPTION_INTEGER:
        refuse_integers(self, option, flag);
        return;
    case OPTION_POSITIVE:
        refuse_numbers(self, flag, "a positive finite number", (const char *const[]){"0", "-0", NULL}, "1e-3");
        return;
    case OPTION_FRACTION:
        refuse_numbers(self, flag, "a number from 0 to 1, 1 excluded", (const char *const[]){"1", "1.5", NULL}, "0");
        return;
    case OPTION_FACTOR:
        refuse_numbers(self, flag, "a number between 0 and 1, both excluded", (const char *const[]){"0", "-0", "1", "1.5", NULL},
                       "0.5");
        return;
    case OPTION_CHOICE:
        refuse_choices(self, option, flag, "");
        return;
    case OPTION_CHOICES:
        refuse_choices(self, option, flag, "");
        snprintf(good, sizeof good, "%s,", option->choice(0));
        refuse_choices(self, option, flag, good); /* behind a name that there is */
        return;
    case OPTION_CHOICE_OR_JSON:
        refuse_choices(self, option, flag, "");
        check_accepted(self, flag, "net.json");
        return;
    case OPTION_SHAPE:
        refuse_shapes(self, flag);
        return;
    case OPTION_TEXT:
        refuse_value(self, flag, "", "a name");
        return;
    case OPTION_ANY_TEXT:
        check_accepted(self, flag, "");
        return;
    case OPTION_GROUP:
        break;
    }
    fail_msg("%s is of a kind that this test does not know: %d", flag, (int)option->kind);
}

static void given_bad_values_when_parsed_then_option_value_and_limit_are_named(void **unused) {
    (void)unused;
    for_each_option(refuse_values);
}

/* ---- options that are given twice ---- */

/* Writes two values that the option takes, which differ where that is possible. */
static void choose_two(const option_spec *option, char values[2][40]) {
    static const char *const shapes[] = {"150x1", "9x2"}, *const numbers[] = {"0.25", "0.5"}, *const texts[] = {"a", "b"};
    for (size_t i = 0; i < 2; i++) {
        const long long number = (long long)(i == 0 ? option->maximum : option->minimum);
        const char *name = option->choice ? option->choice(option->choice(i) ? i : 0) : NULL;
        const bool real = option->kind == OPTION_POSITIVE || option->kind == OPTION_FRACTION || option->kind == OPTION_FACTOR;
        if (option->kind == OPTION_INTEGER || option->kind == OPTION_INTEGER_OR_ALL)
            snprintf(values[i], sizeof values[i], "%lld", number);
        else
            snprintf(values[i], sizeof values[i], "%s",
                     name                           ? name
                     : option->kind == OPTION_SHAPE ? shapes[i]
                     : real                         ? numbers[i]
                                                    : texts[i]);
    }
}

/* Returns whether the field has the value of this text, which is in the command line. */
static bool has_value(const command *self, const option_spec *option, const char *text) {
    const void *field = (const char *)self->settings + option->field;
    const option_shape *shape = field;
    switch (option->kind) {
    case OPTION_FLAG:
        return *(const bool *)field;
    case OPTION_INTEGER:
    case OPTION_INTEGER_OR_ALL:
        return *(const int64_t *)field == strtoll(text, NULL, 10);
    case OPTION_POSITIVE:
    case OPTION_FRACTION:
    case OPTION_FACTOR:
        return *(const double *)field == strtod(text, NULL);
    case OPTION_SHAPE:
        return shape->length == 9 && shape->channels == 2;
    default:
        return *(const char *const *)field == text;
    }
}

static void give_twice(const command *self, const option_spec *option, const char *flag) {
    char values[2][40], said[TEXT];
    choose_two(option, values);
    char *argv[] = {(char *)self->name, (char *)flag, values[0], (char *)flag, values[1], NULL};
    char *flags[] = {(char *)self->name, (char *)flag, (char *)flag, NULL};
    if (strcmp(option->name, "help") == 0) return;
    if (!parse_all(self, option->argument ? 5 : 3, option->argument ? argv : flags, said) && !strstr(said, ": needs "))
        fail_msg("%s %s %s %s: %s", flag, values[0], flag, values[1], said);
    if (!has_value(self, option, values[1])) fail_msg("%s %s %s %s: the second does not count", flag, values[0], flag, values[1]);
}

static void given_an_option_twice_when_parsed_then_the_second_counts(void **unused) {
    (void)unused;
    for_each_option(give_twice);
}

/* ---- what only the command itself finds ---- */

enum { WORDS = 9 };

typedef struct row {
    const char *words[WORDS]; /* of the command line, before the option; the first ones are the command */
    const char *option, *value;
    int code;
    const char *text; /* on stderr, behind "tapline COMMAND: " */
} row;

#ifdef TAPLINE_F64 /* both builds of this test may run at a time */
#define MODEL "options_f64.model"
#define WEIGHTS "options_f64.weights"
#else
#define MODEL "options.model"
#define WEIGHTS "options.weights"
#endif
#define NAME(name)                                                                                                                 \
    "C: name \"" name "\" is no identifier; use up to 60 letters, digits and underscores, and no digit at the beginning\n"
#define MISSING "/nonexistent/x: No such file or directory\n"
#define UNWRITABLE_AS(ending) "/nonexistent/x" ending ": cannot be written: No such file or directory; nothing was written\n"
#define UNWRITABLE UNWRITABLE_AS("")
#define FORMAT(path) path ": format \"doc\" is unknown; choose one of .ts, .tsv, .csv, .txt, .arff, .npy, .npz, .hea\n"
#define NO_TABLE(path, name) path ": --" name " (tl_read_cfg." name ") is only for tables: .csv, .tsv, .txt, .npy\n"
#define ANNOTATOR(path)                                                                                                            \
    path ": --annotator x (tl_read_cfg.annotator) is only for records (.hea): the ending of the file of annotations\n"
#define NO_LABEL(path) path ": --no-label (tl_read_cfg.no_label) is not for generated sets, which have a label for each series\n"
#define TRAIN "train", "--arch", "timecnn", "--epochs", "1", "--quiet"
#define QUANTIZE "quantize", MODEL, "--calibrate", "builtin:cbf"
#define CONVERT "convert", "builtin:cbf/test", "--out", "/tmp/x.npy"
#define IMPORT "import", WEIGHTS, "builtin:cbf", "--arch", "timecnn"

static const row rows[] = {
    {{TRAIN}, "test", "/nonexistent/x.ts", 1, "/nonexistent/x.ts: No such file or directory\n"},
    {{TRAIN}, "validation", "/nonexistent/x.ts", 1, "/nonexistent/x.ts: No such file or directory\n"},
    {{TRAIN}, "init", "/nonexistent/x", 1, MISSING},
    {{"predict", MODEL, "builtin:cbf/test"},
     "output",
     "x",
     2,
     MODEL ": no layer has the name \"x\" (tapline info lists the layers)\n"},
    {{TRAIN}, "arch", "/nonexistent/x.json", 1, "/nonexistent/x.json: No such file or directory\n"},
    {{TRAIN}, "log", "/nonexistent/x", 1, "--log /nonexistent/x: cannot be written: No such file or directory\n"},
    {{TRAIN}, "out", "/nonexistent/x", 1, "--out " UNWRITABLE},
    {{TRAIN}, "tensorboard", "/nonexistent/x", 1, "--tensorboard /nonexistent/x: cannot be created: No such file or directory\n"},
    {{TRAIN}, "report", "/nonexistent/x", 1, "--report " UNWRITABLE},
    {{"eval", MODEL, "builtin:cbf/test"}, "report", "/nonexistent/x", 1, "--report " UNWRITABLE},
    {{TRAIN}, "checkpoint", "/nonexistent/x", 1, "--checkpoint " UNWRITABLE},
    {{TRAIN}, "resume", "/nonexistent/x", 1, MISSING},
    {{IMPORT}, "arch", "/nonexistent/x.json", 1, "/nonexistent/x.json: No such file or directory\n"},
    {{IMPORT}, "map", "/nonexistent/x", 1, MISSING},
    {{IMPORT}, "out", "/nonexistent/x", 1, "--out " UNWRITABLE},
    {{"export", MODEL}, "out", "/nonexistent/x", 1, "--out " UNWRITABLE},
    {{"export", MODEL, "--out", WEIGHTS}, "map", "/nonexistent/x", 1, MISSING},
    {{"export", MODEL, "--out", WEIGHTS ".c"}, "header", "/nonexistent/x", 1, "--header " UNWRITABLE},
    {{"export", MODEL, "--out", WEIGHTS ".c"}, "name", "2nd", 2, NAME("2nd")},
    {{"export", MODEL, "--out", WEIGHTS}, "name", "x", 2, "--name cannot be combined with --out " WEIGHTS "\n"},
    {{"quantize", MODEL}, "calibrate", "/nonexistent/x.ts", 1, "/nonexistent/x.ts: No such file or directory\n"},
    {{QUANTIZE},
     "calibration",
     "x",
     2,
     "--calibration \"x\" is unknown; use range, or percentile:P with P above 50 and at most 100\n"},
    {{QUANTIZE}, "test", "/nonexistent/x.ts", 1, "/nonexistent/x.ts: No such file or directory\n"},
    {{QUANTIZE}, "out", "/nonexistent/x", 1, "--out " UNWRITABLE},
    {{QUANTIZE}, "header", "/nonexistent/x", 1, "--header " UNWRITABLE},
    {{QUANTIZE, "--out", WEIGHTS ".c"}, "name", "2nd", 2, NAME("2nd")},
    {{"info", "--input", "9x1"}, "arch", "/nonexistent/x.json", 1, "/nonexistent/x.json: No such file or directory\n"},
    {{TRAIN}, "label", "x", 2, NO_TABLE("builtin:cbf", "label")},
    {{IMPORT}, "label", "x", 2, NO_TABLE("builtin:cbf", "label")},
    {{"eval", MODEL, "builtin:cbf/test"}, "label", "x", 2, NO_TABLE("builtin:cbf/test", "label")},
    {{"show", "builtin:cbf/test"}, "label", "x", 2, NO_TABLE("builtin:cbf/test", "label")},
    {{CONVERT}, "label", "x", 2, NO_TABLE("builtin:cbf/test", "label")},
    {{"predict", MODEL, "builtin:cbf/test"}, "label", "x", 2, NO_TABLE("builtin:cbf/test", "label")},
    {{TRAIN}, "target", "x", 2, NO_TABLE("builtin:cbf", "target")},
    {{IMPORT}, "target", "x", 2, NO_TABLE("builtin:cbf", "target")},
    {{"eval", MODEL, "builtin:cbf/test"}, "target", "x", 2, NO_TABLE("builtin:cbf/test", "target")},
    {{"show", "builtin:cbf/test"}, "target", "x", 2, NO_TABLE("builtin:cbf/test", "target")},
    {{CONVERT}, "target", "x", 2, NO_TABLE("builtin:cbf/test", "target")},
    {{"predict", MODEL, "builtin:cbf/test"}, "target", "x", 2, NO_TABLE("builtin:cbf/test", "target")},
    {{TRAIN}, "ignore", "x", 2, NO_TABLE("builtin:cbf", "ignore")},
    {{IMPORT}, "ignore", "x", 2, NO_TABLE("builtin:cbf", "ignore")},
    {{"eval", MODEL, "builtin:cbf/test"}, "ignore", "x", 2, NO_TABLE("builtin:cbf/test", "ignore")},
    {{"show", "builtin:cbf/test"}, "ignore", "x", 2, NO_TABLE("builtin:cbf/test", "ignore")},
    {{CONVERT}, "ignore", "x", 2, NO_TABLE("builtin:cbf/test", "ignore")},
    {{"predict", MODEL, "builtin:cbf/test"}, "ignore", "x", 2, NO_TABLE("builtin:cbf/test", "ignore")},
    {{TRAIN}, "value", "x", 2, NO_TABLE("builtin:cbf", "value")},
    {{IMPORT}, "value", "x", 2, NO_TABLE("builtin:cbf", "value")},
    {{"eval", MODEL, "builtin:cbf/test"}, "value", "x", 2, NO_TABLE("builtin:cbf/test", "value")},
    {{"show", "builtin:cbf/test"}, "value", "x", 2, NO_TABLE("builtin:cbf/test", "value")},
    {{CONVERT}, "value", "x", 2, NO_TABLE("builtin:cbf/test", "value")},
    {{"predict", MODEL, "builtin:cbf/test"}, "value", "x", 2, NO_TABLE("builtin:cbf/test", "value")},
    {{TRAIN}, "group", "x", 2, NO_TABLE("builtin:cbf", "group")},
    {{IMPORT}, "group", "x", 2, NO_TABLE("builtin:cbf", "group")},
    {{"eval", MODEL, "builtin:cbf/test"}, "group", "x", 2, NO_TABLE("builtin:cbf/test", "group")},
    {{"show", "builtin:cbf/test"}, "group", "x", 2, NO_TABLE("builtin:cbf/test", "group")},
    {{CONVERT}, "group", "x", 2, NO_TABLE("builtin:cbf/test", "group")},
    {{"predict", MODEL, "builtin:cbf/test"}, "group", "x", 2, NO_TABLE("builtin:cbf/test", "group")},
    {{TRAIN}, "series", "x", 2, NO_TABLE("builtin:cbf", "series")},
    {{IMPORT}, "series", "x", 2, NO_TABLE("builtin:cbf", "series")},
    {{"eval", MODEL, "builtin:cbf/test"}, "series", "x", 2, NO_TABLE("builtin:cbf/test", "series")},
    {{"show", "builtin:cbf/test"}, "series", "x", 2, NO_TABLE("builtin:cbf/test", "series")},
    {{CONVERT}, "series", "x", 2, NO_TABLE("builtin:cbf/test", "series")},
    {{"predict", MODEL, "builtin:cbf/test"}, "series", "x", 2, NO_TABLE("builtin:cbf/test", "series")},
    {{TRAIN}, "time", "x", 2, NO_TABLE("builtin:cbf", "time")},
    {{IMPORT}, "time", "x", 2, NO_TABLE("builtin:cbf", "time")},
    {{"eval", MODEL, "builtin:cbf/test"}, "time", "x", 2, NO_TABLE("builtin:cbf/test", "time")},
    {{"show", "builtin:cbf/test"}, "time", "x", 2, NO_TABLE("builtin:cbf/test", "time")},
    {{CONVERT}, "time", "x", 2, NO_TABLE("builtin:cbf/test", "time")},
    {{"predict", MODEL, "builtin:cbf/test"}, "time", "x", 2, NO_TABLE("builtin:cbf/test", "time")},
    {{TRAIN}, "file", "x", 2, NO_TABLE("builtin:cbf", "file")},
    {{TRAIN}, "no-label", "x", 2, NO_LABEL("builtin:cbf")},
    {{IMPORT}, "file", "x", 2, NO_TABLE("builtin:cbf", "file")},
    {{IMPORT}, "no-label", "x", 2, NO_LABEL("builtin:cbf")},
    {{"eval", MODEL, "builtin:cbf/test"}, "file", "x", 2, NO_TABLE("builtin:cbf/test", "file")},
    {{"show", "builtin:cbf/test"}, "file", "x", 2, NO_TABLE("builtin:cbf/test", "file")},
    {{CONVERT}, "file", "x", 2, NO_TABLE("builtin:cbf/test", "file")},
    {{"eval", MODEL, "builtin:cbf/test"}, "no-label", "x", 2, NO_LABEL("builtin:cbf/test")},
    {{"show", "builtin:cbf/test"}, "no-label", "x", 2, NO_LABEL("builtin:cbf/test")},
    {{CONVERT}, "no-label", "x", 2, NO_LABEL("builtin:cbf/test")},
    {{"predict", MODEL, "builtin:cbf/test"}, "file", "x", 2, NO_TABLE("builtin:cbf/test", "file")},
    {{"predict", MODEL, "builtin:cbf/test"}, "no-label", "x", 2, NO_LABEL("builtin:cbf/test")},
    {{TRAIN}, "annotator", "x", 2, ANNOTATOR("builtin:cbf")},
    {{IMPORT}, "annotator", "x", 2, ANNOTATOR("builtin:cbf")},
    {{"eval", MODEL, "builtin:cbf/test"}, "annotator", "x", 2, ANNOTATOR("builtin:cbf/test")},
    {{"show", "builtin:cbf/test"}, "annotator", "x", 2, ANNOTATOR("builtin:cbf/test")},
    {{CONVERT}, "annotator", "x", 2, ANNOTATOR("builtin:cbf/test")},
    {{"predict", MODEL, "builtin:cbf/test"}, "annotator", "x", 2, ANNOTATOR("builtin:cbf/test")},
    {{TRAIN, "/nonexistent/x"}, "format", "doc", 2, FORMAT("/nonexistent/x")},
    {{"import", WEIGHTS, "/nonexistent/x"}, "format", "doc", 2, FORMAT("/nonexistent/x")},
    {{"eval", MODEL, "/nonexistent/x"}, "format", "doc", 2, FORMAT("/nonexistent/x")},
    {{"show", "/nonexistent/x"}, "format", "doc", 2, FORMAT("/nonexistent/x")},
    {{"convert", "--out", "/tmp/x.npy", "/nonexistent/x"}, "format", "doc", 2, FORMAT("/nonexistent/x")},
    {{"predict", MODEL, "/nonexistent/x"}, "format", "doc", 2, FORMAT("/nonexistent/x")},
    {{TRAIN}, "hop", "3", 2, "--hop requires --window\n"},
    {{TRAIN}, "window-target", "last", 2, "--window-target requires --window\n"},
    {{TRAIN}, "window", "129", 1, "builtin:cbf: windows of 129 steps: all 30 series are shorter; the longest has 128\n"},
    {{"convert", "builtin:cbf"}, "out", "/nonexistent/x.npy", 1, "--out " UNWRITABLE_AS(".npy")},
    {{"show", "builtin:cbf"}, "out", "/nonexistent/x.svg", 1, "--out " UNWRITABLE_AS(".svg")},
    {{"plot", "/nonexistent/x"}, "out", "x.png", 2, "--out x.png: must end with .svg\n"},
    {{"bench", "conv"}, "shape", "channels=3", 2, "shape: channels, filters, kernel, length and batch must all be given\n"},
};

static bool is_of(const row *self, const command *of) {
    char two[60];
    snprintf(two, sizeof two, "%s %s", self->words[0], self->words[1]);
    return strcmp(of->name, self->words[0]) == 0 || strcmp(of->name, two) == 0;
}

static bool has_row(const command *self, const option_spec *option) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (is_of(&rows[i], self) && strcmp(rows[i].option, option->name) == 0) return true;
    return false;
}

static void need_row(const command *self, const option_spec *option, const char *flag) {
    const bool text = option->kind == OPTION_TEXT || option->kind == OPTION_CHOICE_OR_JSON;
    if (text && !has_row(self, option)) fail_msg("tapline %s %s: what a bad value does is not in this test", self->name, flag);
}

static void run_row(const row *self) {
    const char *arguments[RUN_ARGUMENTS] = {NULL};
    char option[60], expected[200];
    size_t count = 0;
    const command *of;
    for (size_t c = 0; (of = command_at(c)) && !is_of(self, of);) c++;
    assert_non_null(of);
    while (count < WORDS && self->words[count]) {
        arguments[count] = self->words[count];
        count++;
    }
    snprintf(option, sizeof option, "--%s=%s", self->option, self->value);
    snprintf(expected, sizeof expected, "tapline %s: %s", of->name, self->text);
    arguments[count] = option;
    run done = run_to_end(arguments);
    if (done.code != self->code || strcmp(done.err, expected) != 0 || *done.out)
        fail_msg("%s %s: expected %d and %sgot %d and %son stdout: %s", of->name, option, self->code, expected, done.code, done.err,
                 done.out);
    run_free(&done);
}

static void make(const char *const *arguments) {
    run done = run_to_end(arguments);
    if (done.code != EXIT_DONE) fail_msg("%s: %s", arguments[0], done.err);
    run_free(&done);
}

static void given_names_of_nothing_when_run_then_the_command_says_so(void **unused) {
    (void)unused;
    for_each_option(need_row);
    make((const char *const[RUN_ARGUMENTS]){TRAIN, "--out", MODEL});
    make((const char *const[RUN_ARGUMENTS]){"export", MODEL, "--out", WEIGHTS});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) run_row(&rows[i]);
    remove(MODEL);
    remove(WEIGHTS);
}

/* Numbers that the parser takes and the library does not. */
static void refuse_huge(const command *self, const option_spec *option, const char *flag) {
    static const char *const any[] = {"checkpoint-every"}; /* seconds */
    if (self != &train_command || option->kind != OPTION_POSITIVE || strcmp(option->name, any[0]) == 0) return;
    run done = run_command("train", flag, "1e300", "--arch", "timecnn", "--schedule", "plateau", "--epochs", "1", "--quiet");
    if (done.code != EXIT_USAGE || *done.out || !strstr(done.err, "1e+300 exceeds 1e+30\n"))
        fail_msg("%s 1e300: got %d and %s", flag, done.code, done.err);
    run_free(&done);
}

static void given_numbers_that_float_cannot_hold_when_run_then_the_limit_is_named(void **unused) {
    (void)unused;
    for_each_option(refuse_huge);
}

static void given_all_commands_when_listed_then_all_are_in_the_help(void **unused) {
    (void)unused;
    run done = run_command("help");
    for (size_t c = 0; command_at(c); c++) {
        char line[80];
        snprintf(line, sizeof line, "\n  tapline %s ", command_at(c)->name);
        if (!strstr(done.out, line)) fail_msg("tapline help does not list %s", command_at(c)->name);
    }
    run_free(&done);
}

/* ---- help ---- */

/* The words of an example are taken by the command. */
static void check_example(const command *self, const char *example) {
    char text[200], said[TEXT], *argv[40] = {(char *)self->name}, *rest = text;
    int count = 1;
    snprintf(text, sizeof text, "%s", example);
    common_settings *common = self->settings;
    const size_t name = strlen(self->name);
    if (strncmp(text, "tapline ", 8) != 0 || strncmp(text + 8, self->name, name) != 0)
        fail_msg("%s: is no example of %s", text, self->name);
    for (char *word = strtok_r(text + 8 + name, " ", &rest); word && *word != '<' && *word != '>';
         word = strtok_r(NULL, " ", &rest))
        argv[count++] = word;
    memset(common->operand, 0, sizeof common->operand);
    if (!parse_all(self, count, argv, said)) fail_msg("%s: %s", example, said);
    memset(common->operand, 0, sizeof common->operand);
}

static void given_examples_of_the_help_when_parsed_then_taken(void **unused) {
    (void)unused;
    for (size_t c = 0; command_at(c); c++) {
        const command *self = command_at(c);
        check_example(self, self->example);
        for (const option_spec *option = self->options; option->name; option++)
            if (option->kind == OPTION_GROUP) check_example(self, option->help);
    }
}

/* Characters, not bytes. */
static size_t width_of(const char *line, size_t bytes) {
    size_t width = 0;
    for (size_t i = 0; i < bytes; i++) width += ((unsigned char)line[i] & 0xC0) != 0x80;
    return width;
}

static void check_width(run done) {
    for (const char *line = done.out; *line; line += strcspn(line, "\n") + 1)
        if (width_of(line, strcspn(line, "\n")) >= 80) fail_msg("80 columns or more: %.*s", (int)strcspn(line, "\n"), line);
    assert_int_equal(done.code, 0);
    assert_true(strlen(done.out) > 200);
    run_free(&done);
}

static void given_help_when_printed_then_below_80_columns(void **unused) {
    (void)unused;
    check_width(run_command("help"));
    for (size_t c = 0; command_at(c); c++) {
        char first[20];
        const char *name = command_at(c)->name, *second = strchr(name, ' ');
        snprintf(first, sizeof first, "%.*s", (int)(second ? second - name : (long)strlen(name)), name);
        check_width(run_command("help", first, second ? second + 1 : NULL));
    }
    run done = run_command("train", "-h");
    assert_non_null(strstr(done.out, "\n  -o, --out FILE "));
    assert_non_null(strstr(done.out, "\n  -q, --quiet "));
    assert_non_null(strstr(done.out, "\nValidation, as in\n  tapline train "));
    run_free(&done);
}

static void given_letters_when_parsed_then_as_the_options_they_stand_for(void **unused) {
    (void)unused;
    const command *self = &train_command;
    check_accepted(self, "-q", NULL);
    check_accepted(self, "-o", "m.safetensors");
    check_accepted(self, "-om.safetensors", NULL);
    check_refused(self, "-o", NULL, "-o: needs an argument FILE");
    check_refused(self, "-out", "m", "unknown option -out; did you mean --out?");
    check_refused(self, "-quiet", NULL, "unknown option -quiet; did you mean --quiet?");
    check_refused(self, "-e", "3", "unknown option -e; `tapline help train` lists the options");
    check_refused(&eval_command, "-q", NULL, "unknown option -q; `tapline help eval` lists the options");
}

/* ---- progress ---- */

static bool prints(progress *self, int epoch, bool end, double seconds) {
    char said[TEXT];
    capture of_err = capture_begin(stderr);
    const tl_progress at = {.epoch = epoch,
                            .epochs = 1000,
                            .batch = end ? 4 : 2,
                            .batches = 4,
                            .epoch_end = end,
                            .seconds = seconds,
                            .validation.loss = NAN};
    progress_step(&at, self);
    capture_end(&of_err, said);
    return *said != '\0';
}

static void given_no_terminal_when_trained_then_a_line_each_minute_at_least(void **unused) {
    (void)unused;
    progress self = {.series = 8, .batch = 2, .drawn = -INFINITY};
    assert_false(prints(&self, 1, false, 1));
    assert_true(prints(&self, 1, true, 2)); /* the first epoch */
    assert_false(prints(&self, 2, true, 3));
    assert_false(prints(&self, 3, false, 61.9));
    assert_true(prints(&self, 3, false, 62)); /* a minute later */
    assert_false(prints(&self, 4, true, 63));
    assert_true(prints(&self, 100, true, 64)); /* a tenth */
    progress slow = {.series = 8, .batch = 2, .drawn = -INFINITY};
    assert_true(prints(&slow, 1, false, 60));
}

/* ---- the documentation ---- */

static char documents[1 << 17];

static void look_up(const command *self, const option_spec *option, const char *flag) {
    char word[80];
    snprintf(word, sizeof word, "`%.50s%s", flag, option->argument ? " " : "`");
    if (strcmp(option->name, "help") != 0 && !strstr(documents, word))
        fail_msg("%s of tapline %s is not in docs/command.md or docs/benchmarks.md", flag, self->name);
    const bool named = self == &train_command && option->choice;
    for (size_t i = 0; named && option->choice(i); i++) {
        snprintf(word, sizeof word, "`%s`", option->choice(i));
        if (!strstr(documents, word)) fail_msg("%s %s is not in docs/command.md", flag, option->choice(i));
    }
}

static void given_the_options_when_compared_with_the_docs_then_all_are_there(void **unused) {
    (void)unused;
    static const char *const paths[] = {EXAMPLES "/../docs/command.md", EXAMPLES "/../docs/benchmarks.md"};
    size_t used = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        FILE *file = fopen(paths[i], "r");
        assert_non_null(file);
        used += fread(documents + used, 1, sizeof documents - 1 - used, file);
        fclose(file);
    }
    for_each_option(look_up);
}

/* ---- operands ---- */

static void check_operands(const command *self, size_t count, const char *expected) {
    char *argv[MAX_OPERANDS + 3] = {(char *)self->name}, said[TEXT], line[TEXT];
    common_settings *common = self->settings;
    for (size_t i = 1; i <= count; i++) argv[i] = (char *)(i > self->max_operands ? "more" : "some");
    memset(common->operand, 0, sizeof common->operand);
    const bool runs = parse_all(self, (int)count + 1, argv, said);
    memset(common->operand, 0, sizeof common->operand);
    snprintf(line, sizeof line, "tapline %s: %s\n", self->name, expected);
    if (runs || strcmp(said, line) != 0) fail_msg("%zu operands: expected %sgot %s", count, line, said);
}

static void given_too_many_arguments_or_too_few_when_parsed_then_said(void **unused) {
    (void)unused;
    for (size_t c = 0; command_at(c); c++) {
        const command *self = command_at(c);
        char needs[200];
        snprintf(needs, sizeof needs, "needs %s; see `tapline help %s`", self->operands, self->name);
        for (size_t count = 0; count < self->min_operands; count++) check_operands(self, count, needs);
        check_operands(self, self->max_operands + 1,
                       self->max_operands ? "unexpected argument more after some" : "unexpected argument more");
    }
}

/* `arguments` end with the file that would be written. */
static void check_kept(const char *const *arguments, const char *path, const char *message) {
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    run done = run_to_end(arguments);
    assert_int_equal(stat(path, &after), 0);
    assert_true(done.code == 2 && before.st_size == after.st_size && before.st_ino == after.st_ino);
    if (!strstr(done.err, message)) fail_msg("expected \"%s\" in \"%s\"", message, done.err);
    run_free(&done);
}

#define KEPT(path, message, ...) check_kept((const char *const[RUN_ARGUMENTS]){__VA_ARGS__, path}, path, message)

static void given_a_file_that_is_read_when_written_too_then_refused(void **unused) {
    (void)unused;
    char folder[] = "/tmp/tapline-options-XXXXXX", data[64], other[64], same[64];
    assert_non_null(mkdtemp(folder));
    snprintf(data, sizeof data, "%s/data.csv", folder);
    snprintf(other, sizeof other, "%s/other.csv", folder);
    snprintf(same, sizeof same, "%s/./data.csv", folder);
    const char *const paths[] = {data, other};
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(paths[i], "w");
        assert_non_null(file);
        fputs("a,1,2\nb,2,1\n", file);
        fclose(file);
    }
    KEPT(data, "data.csv: this file is also DATA, and would be overwritten", "train", data, "--out");
    KEPT(data, "data.csv: this file is also DATA, and would be overwritten", "train", same, "--log");
    KEPT(data, "this file is also --test, and would be overwritten", "train", other, "--test", data, "--checkpoint");
    KEPT(data, "this file is also --resume, and would be overwritten", "train", other, "--resume", data, "--out");
    KEPT(data, "this file is also --out, and would be overwritten", "train", other, "--out", data, "--log");
    KEPT(data, "this file is also DATA, and would be overwritten", "import", other, data, "--out");
    unlink(data);
    unlink(other);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_file_that_is_read_when_written_too_then_refused),
        cmocka_unit_test(given_a_misspelt_option_when_parsed_then_a_suggestion),
        cmocka_unit_test(given_an_option_without_its_value_when_parsed_then_refused),
        cmocka_unit_test(given_bad_values_when_parsed_then_option_value_and_limit_are_named),
        cmocka_unit_test(given_an_option_twice_when_parsed_then_the_second_counts),
        cmocka_unit_test(given_names_of_nothing_when_run_then_the_command_says_so),
        cmocka_unit_test(given_numbers_that_float_cannot_hold_when_run_then_the_limit_is_named),
        cmocka_unit_test(given_all_commands_when_listed_then_all_are_in_the_help),
        cmocka_unit_test(given_examples_of_the_help_when_parsed_then_taken),
        cmocka_unit_test(given_help_when_printed_then_below_80_columns),
        cmocka_unit_test(given_letters_when_parsed_then_as_the_options_they_stand_for),
        cmocka_unit_test(given_no_terminal_when_trained_then_a_line_each_minute_at_least),
        cmocka_unit_test(given_the_options_when_compared_with_the_docs_then_all_are_there),
        cmocka_unit_test(given_too_many_arguments_or_too_few_when_parsed_then_said),
    };
    return check_run(tests);
}
