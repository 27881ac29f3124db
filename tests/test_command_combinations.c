/* Random combinations of valid options of `tapline train` on tiny data: progress, report, `eval` and `predict` must not contradict
 * each other, and exit codes must be those of the documents.
 *
 * Without an argument it tries a few; `test_command_combinations 300` tries 300, `test_command_combinations 1 57` only number
 * 57. */
#include "check.h"
#include "folder.h"
#include "runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRAIN = 26, TEST = 14, LENGTH = 24, FEW = 12 };

static size_t first = 0, combinations = FEW;

/* ---- data and networks ---- */

/* Two channels; the class, or the value, is in the slope of the first. */
static void write_series(const char *name, int count, size_t classes, uint32_t seed) {
    tl_rng rng = tl_rng_at(seed, TL_STREAM_USER, 0, 0);
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fprintf(file, "@problemName Slopes\n@univariate false\n@dimensions 2\n@equalLength true\n@seriesLength %d\n%s\n@data\n", LENGTH,
            classes == 0   ? "@targetLabel true"
            : classes == 2 ? "@classLabel true 0 1"
                           : "@classLabel true 0 1 2");
    for (int i = 0; i < count; i++) {
        const size_t class = (size_t)i % (classes ? classes : 3);
        const double slope = 0.2 * ((double)class - 0.5 * (double)(classes == 2 ? 1 : 2));
        for (int c = 0; c < 2; c++) {
            for (int t = 0; t < LENGTH; t++)
                fprintf(file, "%s%.4f", t ? "," : "", (c == 0 ? slope * t : 0) + 0.5 * tl_rng_normal(&rng));
            fputc(':', file);
        }
        if (classes)
            fprintf(file, "%zu\n", class);
        else
            fprintf(file, "%.4f\n", slope);
    }
    fclose(file);
}

static void write_text(const char *name, const char *text) {
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **unused) {
    (void)unused;
    if (folder_setup() != 0) return 1;
    for (size_t classes = 0; classes <= 3; classes++) {
        char name[40];
        snprintf(name, sizeof name, "train%zu.ts", classes);
        write_series(name, TRAIN, classes, 1);
        snprintf(name, sizeof name, "test%zu.ts", classes);
        write_series(name, TEST, classes, 2);
    }
    write_text("norm.json",
               "{\"layers\": [{\"type\": \"conv1d\", \"filters\": 8, \"kernel\": 5, \"padding\": \"same\"}, {\"type\": "
               "\"batch_norm\"}, {\"type\": \"relu\"}, {\"type\": \"global_average_pool\"}, {\"type\": \"dense\", "
               "\"units\": \"outputs\"}]}");
    write_text("drop.json",
               "{\"layers\": [{\"type\": \"conv1d\", \"filters\": 8, \"kernel\": 3, \"padding\": \"causal\"}, {\"type\": "
               "\"gelu\"}, {\"type\": \"dropout\", \"rate\": 0.2}, {\"type\": \"layer_norm\"}, {\"type\": \"flatten\"}, "
               "{\"type\": \"dense\", \"units\": \"outputs\"}]}");
    write_text("vector.json", "{\"layers\": [{\"type\": \"global_max_pool\"}, {\"type\": \"batch_norm\"}, {\"type\": \"dense\", "
                              "\"units\": \"outputs\"}]}");
    return 0;
}

/* ---- a combination ---- */

typedef struct combination {
    size_t number, classes;
    bool mixup;
    const char *arguments[RUN_ARGUMENTS];
    size_t count;
    char text[40][24]; /* of numbers */
    size_t texts;
} combination;

static void add(combination *self, const char *argument) { self->arguments[self->count++] = argument; }

static void add_number(combination *self, const char *option, double value) {
    char *text = self->text[self->texts++];
    snprintf(text, sizeof self->text[0], "%g", value);
    add(self, option);
    add(self, text);
}

static bool one_of(tl_rng *rng, uint32_t of) { return tl_rng_below(rng, of) == 0; }

static const char *any(tl_rng *rng, const char *const *names) {
    uint32_t count = 0;
    while (names[count]) count++;
    return names[tl_rng_below(rng, count)];
}

static void add_optimizer(combination *self, tl_rng *rng) {
    const char *optimizer = any(rng, (const char *const[]){"adam", "adamw", "sgd", "rmsprop", "adagrad", NULL});
    add(self, "--optimizer"), add(self, optimizer);
    const bool sgd = strcmp(optimizer, "sgd") == 0, momentum = sgd || strcmp(optimizer, "rmsprop") == 0;
    if (one_of(rng, 2)) add_number(self, "--lr", pow(10, -4 + 3 * tl_rng_uniform(rng)));
    if (momentum && one_of(rng, 2)) {
        add_number(self, "--momentum", 0.9);
        if (sgd && one_of(rng, 2)) add(self, "--nesterov");
    }
    if (one_of(rng, 4)) add_number(self, "--weight-decay", 0.01);
    if (strcmp(optimizer, "adamw") != 0 && one_of(rng, 5)) add_number(self, "--l1", 1e-4);
    if (one_of(rng, 4)) add_number(self, "--clip", 1);
    if (one_of(rng, 5)) add_number(self, "--clip-value", 0.5);
}

static void add_schedule(combination *self, tl_rng *rng) {
    static const char *const names[] = {"constant", "plateau", "step", "exponential", "cosine", "one-cycle", "noam", "king", NULL};
    if (one_of(rng, 2)) add(self, "--schedule"), add(self, any(rng, names));
    if (one_of(rng, 4)) add_number(self, "--warmup", 5);
}

static void add_data(combination *self, tl_rng *rng) {
    static const char *const train[] = {"train0.ts", "train2.ts", "train3.ts"}, *const test[] = {"test0.ts", "test2.ts",
                                                                                                 "test3.ts"};
    const uint32_t which = tl_rng_below(rng, 3);
    self->classes = which ? which + 1 : 0;
    add(self, "train"), add(self, in_folder(train[which]));
    add(self, "--test"), add(self, in_folder(test[which]));
    if (one_of(rng, 2)) add(self, "--raw");
    if (self->classes == 0 && one_of(rng, 2))
        add(self, "--loss"), add(self, any(rng, (const char *const[]){"squared-error", "absolute-error", "huber", NULL}));
    if (self->classes > 0 && one_of(rng, 4)) add_number(self, "--label-smoothing", 0.1);
    if (self->classes > 0 && one_of(rng, 4)) add(self, "--balance");
}

static void add_batches(combination *self, tl_rng *rng) {
    if (one_of(rng, 2)) add_number(self, "--batch", 2 + tl_rng_below(rng, TRAIN));
    if (one_of(rng, 4)) add_number(self, "--accumulate", 2);
    if (one_of(rng, 5)) add_number(self, "--crop", 0.8);
    if (one_of(rng, 5)) add_number(self, "--scale", 0.1);
    if (one_of(rng, 5)) add_number(self, "--jitter", 0.1);
    self->mixup = one_of(rng, 6);
    if (self->mixup) add_number(self, "--mixup", 0.2);
    if (one_of(rng, 4)) add_number(self, "--folds", 3);
    if (one_of(rng, 4)) add_number(self, "--patience", 5);
}

static combination combine(size_t number) {
    static const char *const networks[] = {"norm.json", "norm.json", "drop.json", "vector.json", NULL};
    tl_rng rng = tl_rng_at(11, TL_STREAM_USER, 0, number);
    combination self = {.number = number};
    add_data(&self, &rng);
    add(&self, "--arch"), add(&self, one_of(&rng, 6) ? "timecnn" : in_folder(any(&rng, networks)));
    add_number(&self, "--epochs", 5 + tl_rng_below(&rng, 40));
    add_batches(&self, &rng);
    add_optimizer(&self, &rng);
    add_schedule(&self, &rng);
    add_number(&self, "--seed", tl_rng_below(&rng, 100));
    add(&self, "--engine"), add(&self, any(&rng, (const char *const[]){"auto", "gemm", "direct", "naive", NULL}));
    add_number(&self, "--threads", 1 + tl_rng_below(&rng, 2));
    add(&self, "--precision"), add(&self, tl_precision());
    return self;
}

/* ---- what must agree ---- */

static void disagree(const combination *self, const run *done, const char *what, double a, double b) {
    char line[3000] = "";
    for (size_t i = 0; i < self->count; i++) {
        strncat(line, " ", sizeof line - strlen(line) - 1);
        strncat(line, self->arguments[i], sizeof line - strlen(line) - 1);
    }
    fail_msg("combination %zu: %s: %.9g and %.9g\ntapline%s\nexit code %d: %s", self->number, what, a, b, line, done->code,
             done->err);
}

static void same(const combination *self, const run *done, const char *what, double a, double b, double relative) {
    if (!(fabs(a - b) <= relative * (1 + fabs(b)))) disagree(self, done, what, a, b);
}

/* The training accuracy in the log's line of an epoch. */
static double logged_accuracy(int epoch) {
    char line[400];
    double value = NAN;
    FILE *file = fopen(in_folder("log.csv"), "r");
    assert_non_null(file);
    for (int i = 0; i <= epoch; i++) assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    const char *at = line;
    for (int i = 0; i < 3; i++) at = strchr(at, ',') + 1;
    if (*at != ',') value = strtod(at, NULL);
    return value;
}

/* The report's accuracy on the training set is not below what was seen in the epoch that is kept, but by chance; a warning says
 * where it is. */
static void check_progress(const combination *self, const run *done, json_t *report) {
    if (self->classes == 0 || self->mixup) return;
    const double seen = logged_accuracy((int)json_number(report, "best_epoch")), found = json_number(report, "train_accuracy");
    const double chance = 3 * sqrt((seen * (1 - seen) + found * (1 - found)) / json_number(report, "train_series"));
    if (seen - found > 0.05 + chance + 1e-9) disagree(self, done, "accuracy in progress and report", seen, found);
    if (strstr(done->err, "warning: accuracy on the training set")) disagree(self, done, "warned for nothing", seen, found);
}

static void check_eval(const combination *self, const run *done, json_t *report) {
    static const char *const of_classes[] = {"loss", "accuracy", "f1", "auroc", NULL}, *const of_values[] = {"loss", "rmse", "mae",
                                                                                                             "r2", NULL};
    const char *const *metrics = self->classes ? of_classes : of_values;
    run eval = run_command("eval", in_folder("m.safetensors"), self->arguments[3], "--json");
    if (eval.code != 0) disagree(self, &eval, "eval", 0, 0);
    json_t *again = run_json(&eval);
    for (size_t i = 0; metrics[i]; i++) {
        char key[40];
        snprintf(key, sizeof key, "test_%s", metrics[i]);
        same(self, done, key, json_number(report, key), json_number(again, key), 1e-6);
    }
    json_decref(again);
    run_free(&eval);
}

/* The accuracy, or the root of the mean squared error, of what `predict` prints, with the targets as they were written. */
static double measure_rows(const combination *self, char *out) {
    double sum = 0;
    int i = -1; /* the head */
    for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"), i++) {
        if (i < 0) continue;
        const size_t class = (size_t)i % (self->classes ? self->classes : 3);
        const double value = strtod(line, NULL), slope = 0.2 * ((double)class - 1);
        sum += self->classes ? value == (double)class : (value - slope) * (value - slope);
    }
    assert_int_equal(i, TEST);
    return self->classes ? sum / TEST : sqrt(sum / TEST);
}

static void check_predict(const combination *self, const run *done, json_t *report) {
    run predict = run_command("predict", in_folder("m.safetensors"), self->arguments[3]);
    if (predict.code != 0) disagree(self, &predict, "predict", 0, 0);
    const char *key = self->classes ? "test_accuracy" : "test_rmse";
    same(self, done, key, json_number(report, key), measure_rows(self, predict.out), 1e-4);
    run_free(&predict);
}

static void check_combination(size_t number) {
    combination self = combine(number);
    const char *const files[] = {"--quiet", "--json", "--out", in_folder("m.safetensors"), "--log", in_folder("log.csv")};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) add(&self, files[i]);
    run done = run_to_end(self.arguments);
    if (done.code == 1 && strstr(done.err, "finite") && !strstr(done.err, "has the best network")) {
        run_free(&done); /* a rate that is too high: said, and nothing else to compare */
        return;
    }
    if (done.code != 0 && !(done.code == 1 && strstr(done.err, "has the best network so far")))
        disagree(&self, &done, "exit code", 0, 0);
    json_t *report = run_json(&done);
    check_progress(&self, &done, report);
    check_eval(&self, &done, report);
    check_predict(&self, &done, report);
    json_decref(report);
    run_free(&done);
    remove(in_folder("m.safetensors"));
    remove(in_folder("log.csv"));
}

static void given_random_options_when_trained_then_nothing_contradicts_itself(void **unused) {
    (void)unused;
    for (size_t i = 0; i < combinations; i++) check_combination(first + i);
}

int main(int argc, char **argv) {
    if (argc > 1) combinations = strtoul(argv[1], NULL, 10);
    if (argc > 2) first = strtoul(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_random_options_when_trained_then_nothing_contradicts_itself),
    };
    return cmocka_run_group_tests(tests, set_up, folder_teardown) != 0;
}
