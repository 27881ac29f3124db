/* A training that is interrupted and resumed from its checkpoint ends with the same bytes as one without interruption. With the
 * arguments "train FOLDER", this program is the training that the test kills; with "kills N" it is only that test, with N kills. */
#include "check.h"
#include "process.h"

#include "io/checksum.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/tapline-checkpoint-XXXXXX";
static char checkpoint[80], whole_model[80], resumed_model[80];

static void name_files(const char *where) {
    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint", where);
    snprintf(whole_model, sizeof whole_model, "%s/whole", where);
    snprintf(resumed_model, sizeof resumed_model, "%s/resumed", where);
}

static int set_up(void **unused) {
    (void)unused;
    if (!mkdtemp(folder)) return 1;
    name_files(folder);
    return 0;
}

static int tear_down(void **unused) {
    (void)unused;
    unlink(checkpoint);
    unlink(whole_model);
    unlink(resumed_model);
    return rmdir(folder);
}

/* ---- a training ---- */

enum { SERIES = 22, LENGTH = 12, BATCH = 4, BATCHES = (SERIES + BATCH - 1) / BATCH };

static tl_real series[SERIES * LENGTH];
static int32_t labels[SERIES];
static tl_real targets[SERIES];
static const tl_dataset data = {
    .x = {.data = series, .rank = 3, .shape = {SERIES, LENGTH, 1}}, .labels = labels, .values = targets, .classes = 2};

/* Its first half. */
static const tl_dataset validation = {
    .x = {.data = series, .rank = 3, .shape = {SERIES / 2, LENGTH, 1}}, .labels = labels, .values = targets, .classes = 2};

static void make_data(void) {
    fill_normal(series, SERIES * LENGTH, 11);
    fill_normal(targets, SERIES, 12);
    for (int i = 0; i < SERIES; i++) labels[i] = series[i * LENGTH + 3] > 0;
}

typedef struct scenario {
    const char *optimizer;
    double momentum, learning_rate;
    tl_schedule_cfg schedule;
    size_t accumulate;
    tl_loss_kind loss;
    int threads, epochs;
    bool restore_best, keep_order;
    bool validated; /* and varied, and given up */
    double mixup;
} scenario;

static tl_model *make_model(const scenario *of) {
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 5, .threads = of->threads});
    const tl_conv1d_cfg cfg = {.filters = 6, .kernel = 3, .padding = TL_PADDING_SAME};
    tl_node x = tl_input(m, (tl_shape){LENGTH, 1});
    x = tl_relu(m, tl_batch_norm(m, tl_conv1d(m, x, &cfg), NULL));
    x = tl_dropout(m, tl_conv1d(m, x, &cfg), &(tl_dropout_cfg){.rate = 0.3});
    x = tl_dense(m, tl_flatten(m, x), &(tl_dense_cfg){.units = of->loss == TL_LOSS_CROSS_ENTROPY ? 2 : 1});
    const tl_optimizer_cfg optimizer = {
        .ops = tl_optimizer_by_name(of->optimizer, &error), .momentum = of->momentum, .learning_rate = of->learning_rate};
    tl_model_compile(m, x, &(tl_compile_cfg){.batch = BATCH, .loss = of->loss, .optimizer = optimizer, .clip_norm = 1}, &error);
    check_ok(&error);
    return m;
}

/* Stops after so many batches; 0: never. */
static bool count_down(const tl_progress *progress, void *user) {
    (void)progress;
    size_t *left = user;
    return *left == 0 || --*left > 0;
}

static tl_fit_cfg fit_cfg(const scenario *of, size_t *stop) {
    return (tl_fit_cfg){.epochs = of->epochs,
                        .accumulate = of->accumulate,
                        .schedule = of->schedule,
                        .restore_best = of->restore_best,
                        .keep_order = of->keep_order,
                        .validation = of->validated ? &validation : NULL,
                        .patience = of->validated ? 3 : 0,
                        .augment = {.crop = of->validated ? 0.8 : 0, .jitter = of->validated ? 0.2 : 0, .mixup = of->mixup},
                        .callbacks = {{count_down, stop}}};
}

static tl_fit_result train_whole(const scenario *of) {
    tl_error error = {0};
    tl_fit_result result;
    size_t never = 0;
    tl_model *model = make_model(of);
    const tl_fit_cfg cfg = fit_cfg(of, &never);
    tl_fit(model, &data, &cfg, &result, &error);
    tl_model_save(model, whole_model, NULL, &error);
    check_ok(&error);
    tl_model_free(model);
    return result;
}

/* Resumes from the checkpoint (`resume`) and stops after so many batches. */
static tl_fit_result train_part(const scenario *of, bool resume, size_t batches) {
    tl_error error = {0};
    tl_fit_result result;
    tl_model *model = make_model(of);
    tl_fit_cfg cfg = fit_cfg(of, &batches);
    cfg.checkpoint = checkpoint;
    cfg.resume = resume ? checkpoint : NULL;
    tl_fit(model, &data, &cfg, &result, &error);
    tl_model_save(model, resumed_model, NULL, &error);
    check_ok(&error);
    tl_model_free(model);
    return result;
}

static char *read_back(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size);
    if (!bytes || fread(bytes, 1, *size, file) != *size) fail_msg("%s: cannot be read", path);
    fclose(file);
    return bytes;
}

static bool same_models(void) {
    size_t size, other_size;
    char *bytes = read_back(whole_model, &size), *other = read_back(resumed_model, &other_size);
    const bool same = size == other_size && memcmp(bytes, other, size) == 0;
    free(other);
    free(bytes);
    return same;
}

static const scenario scenarios[] = {
    {.optimizer = "adam", .epochs = 5, .restore_best = true},
    {.optimizer = "adamw", .epochs = 4, .accumulate = 4, .schedule = {.kind = TL_SCHEDULE_COSINE, .warmup = 3}},
    {.optimizer = "sgd",
     .momentum = 0.9,
     .epochs = 5,
     .accumulate = 2,
     .restore_best = true,
     .learning_rate = 0.5,
     .schedule = {.kind = TL_SCHEDULE_PLATEAU, .patience = 1}},
    {.optimizer = "rmsprop", .momentum = 0.5, .epochs = 3, .schedule = {.kind = TL_SCHEDULE_EXPONENTIAL}, .keep_order = true},
    {.optimizer = "adagrad", .epochs = 4, .loss = TL_LOSS_SQUARED_ERROR, .schedule = {.kind = TL_SCHEDULE_KING, .patience = 5}},
    {.optimizer = "adam",
     .epochs = 4,
     .loss = TL_LOSS_SQUARED_ERROR,
     .restore_best = true,
     .schedule = {.kind = TL_SCHEDULE_ONE_CYCLE}},
    {.optimizer = "sgd", .epochs = 4, .schedule = {.kind = TL_SCHEDULE_STEP, .period = 2}},
    {.optimizer = "adam", .epochs = 6, .accumulate = 2, .restore_best = true, .validated = true},
    {.optimizer = "adam", .epochs = 3, .accumulate = 3, .schedule = {.kind = TL_SCHEDULE_NOAM, .warmup = 5}},
    {.optimizer = "adam", .epochs = 4, .accumulate = 2, .restore_best = true, .mixup = 0.4},
    {.optimizer = "sgd", .epochs = 4, .loss = TL_LOSS_SQUARED_ERROR, .validated = true, .mixup = 1},
};

enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* Several interruptions of a training, at any batch. */
static void interrupt(scenario of, tl_rng *rng, int trial) {
    const uint32_t all = (uint32_t)of.epochs * BATCHES;
    of.threads = 1;
    const tl_fit_result whole = train_whole(&of);
    of.threads = 1 + trial % 2;
    train_part(&of, false, 1 + tl_rng_below(rng, all));
    for (int i = 0; i < trial % 3; i++) train_part(&of, true, 1 + tl_rng_below(rng, all));
    const tl_fit_result part = train_part(&of, true, 0);
    if (!same_models()) fail_msg("trial %d (%s): another model than without interruption", trial, of.optimizer);
    assert_int_equal(part.epochs, whole.epochs);
    assert_true(part.steps == whole.steps);
    assert_int_equal(part.best_epoch, whole.best_epoch);
    check_number("best loss", part.best_loss, whole.best_loss, 0, 0);
    assert_string_equal(part.note, "");
}

static void given_an_interruption_when_resumed_then_the_same_model(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(1, TL_STREAM_USER, 0, 0);
    for (int trial = 0; trial < 104; trial++) interrupt(scenarios[trial % SCENARIOS], &rng, trial);
}

static void given_a_finished_checkpoint_when_resumed_then_nothing_changes(void **unused) {
    (void)unused;
    size_t never = 0;
    tl_error error = {0};
    tl_fit_result result;
    const tl_fit_result whole = train_whole(&scenarios[0]);
    for (int again = 0; again < 2; again++) {
        tl_model *model = make_model(&scenarios[0]);
        tl_fit_cfg cfg = fit_cfg(&scenarios[0], &never);
        cfg.checkpoint = checkpoint;
        cfg.checkpoint_every = 1e-9;
        cfg.resume = again ? checkpoint : NULL;
        tl_fit(model, &data, &cfg, &result, &error);
        tl_model_save(model, resumed_model, NULL, &error);
        check_ok(&error);
        assert_true(same_models());
        assert_true(result.steps == whole.steps && result.epochs == whole.epochs);
        tl_model_free(model);
    }
}

static void given_a_finished_training_when_resumed_longer_then_as_longer(void **unused) {
    (void)unused;
    const size_t some[] = {0, 6}; /* the parameters of the best epoch, and of the last */
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        scenario of = scenarios[some[i]];
        train_part(&of, false, 0);
        of.epochs += 3;
        train_whole(&of);
        train_part(&of, true, 0);
        assert_true(same_models());
    }
}

/* ---- what is refused ---- */

static void expect_refused(const scenario *of, const tl_dataset *set, tl_status status, const char *text) {
    tl_error error = {0};
    size_t never = 0;
    tl_model *model = make_model(of);
    tl_fit_cfg cfg = fit_cfg(of, &never);
    cfg.resume = checkpoint;
    tl_fit(model, set, &cfg, NULL, &error);
    check_error(&error, status, text);
    check_error(&error, status, checkpoint);
    tl_model_free(model);
}

static void given_another_training_when_resumed_then_the_error_lists_what_differs(void **unused) {
    (void)unused;
    scenario of = scenarios[2];
    train_part(&of, false, 7);
    of.momentum = 0.8;
    of.accumulate = 3;
    expect_refused(&of, &data, TL_ERROR_ARGUMENT, "is of another training: optimizer.momentum 0.9, now 0.8");
    expect_refused(&of, &data, TL_ERROR_ARGUMENT, "; fit.accumulate 2, now 3");
    of = scenarios[2];
    of.learning_rate = 0.25;
    expect_refused(&of, &data, TL_ERROR_ARGUMENT, "training: learning_rate 0.5, now 0.25");
    of = scenarios[2];
    of.schedule.patience = 2;
    expect_refused(&of, &data, TL_ERROR_ARGUMENT, "training: schedule.patience 1, now 2");
    of = scenarios[2];
    of.loss = TL_LOSS_SQUARED_ERROR;
    expect_refused(&of, &data, TL_ERROR_ARGUMENT,
                   "architecture.layers[6].units 2, now 1; loss \"cross-entropy\", now \"squared-error\"");
    of = scenarios[2];
    tl_dataset fewer = data;
    fewer.x.shape[0]--;
    of.mixup = 0.5;
    expect_refused(&of, &data, TL_ERROR_ARGUMENT, "training: fit.mixup none, now 0.5");
    of = scenarios[2];
    expect_refused(&of, &fewer, TL_ERROR_ARGUMENT, "training: data.series 22, now 21; data.checksum \"");
    of.epochs = 1;
    expect_refused(&of, &data, TL_ERROR_ARGUMENT, "is in epoch 2, but epochs is 1");
}

/* The rates of the steps after a resume, in which these may differ. */
typedef struct rates {
    double rate[64];
    size_t count;
} rates;

static bool take_rate(const tl_progress *progress, void *user) {
    rates *self = user;
    if (self->count < sizeof self->rate / sizeof *self->rate) self->rate[self->count++] = progress->learning_rate;
    return true;
}

static tl_fit_result resume_with(const scenario *of, unsigned changes, rates *seen) {
    tl_error error = {0};
    tl_fit_result result;
    size_t never = 0;
    tl_model *model = make_model(of);
    tl_fit_cfg cfg = fit_cfg(of, &never);
    cfg.resume = checkpoint;
    cfg.changes = changes;
    cfg.callbacks[0] = (tl_callback){take_rate, seen};
    tl_fit(model, &data, &cfg, &result, &error);
    check_ok(&error);
    tl_model_free(model);
    return result;
}

static void given_changes_when_resumed_then_taken_over_and_noted(void **unused) {
    (void)unused;
    scenario of = {.optimizer = "sgd", .momentum = 0.9, .learning_rate = 0.5, .epochs = 4, .threads = 1};
    rates seen = {.count = 0};
    train_part(&of, false, 7);
    of.learning_rate = 0.25;
    expect_refused(&of, &data, TL_ERROR_ARGUMENT, "is of another training: learning_rate 0.5, now 0.25");
    tl_fit_result result = resume_with(&of, TL_CHANGE_RATE, &seen);
    assert_string_equal(result.note, "changed: learning_rate 0.5, now 0.25");
    for (size_t i = 0; i < seen.count; i++) check_number("rate", seen.rate[i], 0.25, 0, 0);
    of.schedule.kind = TL_SCHEDULE_EXPONENTIAL;
    seen.count = 0;
    result = resume_with(&of, TL_CHANGE_RATE | TL_CHANGE_PATIENCE | TL_CHANGE_CLIPPING, &seen);
    assert_non_null(strstr(result.note, "schedule.name"));
    assert_true(seen.rate[seen.count - 1] < seen.rate[0]);
    of.momentum = 0.8;
    expect_refused(&of, &data, TL_ERROR_ARGUMENT,
                   "is of another training: learning_rate 0.5, now 0.25; optimizer.momentum 0.9, now 0.8");
}

static void given_nothing_changed_when_resumed_with_changes_then_the_same_bits(void **unused) {
    (void)unused;
    const scenario of = scenarios[2];
    tl_error error = {0};
    size_t never = 0;
    train_whole(&of);
    train_part(&of, false, 7);
    tl_model *model = make_model(&of);
    tl_fit_cfg cfg = fit_cfg(&of, &never);
    cfg.resume = checkpoint;
    cfg.changes = TL_CHANGE_RATE | TL_CHANGE_PATIENCE | TL_CHANGE_CLIPPING;
    tl_fit_result result;
    tl_fit(model, &data, &cfg, &result, &error);
    assert_string_equal(result.note, "");
    tl_model *whole = tl_model_load(whole_model, NULL, NULL, &error);
    check_ok(&error);
    check_parameters(model, whole, 0, 0);
    tl_model_free(whole);
    tl_model_free(model);
}

static void given_no_sound_checkpoint_when_resumed_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    unlink(checkpoint);
    expect_refused(&scenarios[0], &data, TL_ERROR_FILE, "No such file or directory");
    tl_model *model = make_model(&scenarios[0]);
    tl_model_save(model, checkpoint, NULL, &error);
    check_ok(&error);
    expect_refused(&scenarios[0], &data, TL_ERROR_FORMAT, "metadata \"kind\": expected checkpoint, found \"model\"");
    train_part(&scenarios[0], false, 3);
    assert_null(tl_model_load(checkpoint, NULL, NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, "metadata \"kind\": expected model, found \"checkpoint\"");
    const int file = open(checkpoint, O_WRONLY);
    assert_int_equal(pwrite(file, "x", 1, lseek(file, 0, SEEK_END) - 1), 1);
    close(file);
    expect_refused(&scenarios[0], &data, TL_ERROR_FORMAT, "is damaged: its checksum is ");
    tl_model_free(model);
}

/* A network for series of their own lengths, or one with other layers. */
static tl_model *make_pooled(bool activated) {
    tl_error error = {0};
    tl_model *m = tl_model_new(NULL);
    tl_node x = tl_global_average_pool(m, tl_input(m, (tl_shape){LENGTH, 1}));
    if (activated) x = tl_relu(m, x);
    tl_model_compile(m, tl_dense(m, x, &(tl_dense_cfg){.units = 1}),
                     &(tl_compile_cfg){.batch = BATCH, .loss = TL_LOSS_SQUARED_ERROR}, &error);
    check_ok(&error);
    return m;
}

static void resume_pooled(bool activated, const tl_dataset *set, const char *text) {
    tl_error error = {0};
    tl_model *model = make_pooled(activated);
    tl_fit(model, set, &(tl_fit_cfg){.epochs = 2, .resume = checkpoint}, NULL, &error);
    if (text)
        check_error(&error, TL_ERROR_ARGUMENT, text);
    else
        check_ok(&error);
    tl_model_free(model);
}

static void given_unequal_series_when_resumed_then_lengths_must_be_equal(void **unused) {
    (void)unused;
    tl_error error = {0};
    size_t lengths[SERIES];
    tl_real x[SERIES * LENGTH] = {0};
    for (size_t i = 0; i < SERIES; i++) {
        lengths[i] = 1 + i % LENGTH;
        memcpy(x + i * LENGTH, series + i * LENGTH, lengths[i] * sizeof *x);
    }
    const tl_dataset own = {.x = TL_VIEW(x, SERIES, LENGTH, 1), .values = targets, .lengths = lengths},
                     whole = {.x = own.x, .values = targets};
    tl_model *model = make_pooled(false);
    tl_fit(model, &own, &(tl_fit_cfg){.epochs = 1, .checkpoint = checkpoint}, NULL, &error);
    check_ok(&error);
    tl_model_free(model);
    resume_pooled(false, &own, NULL);
    resume_pooled(false, &whole, "is of another training: data.checksum \"");
    resume_pooled(true, &own, "; architecture.layers[2] none, now {\"");
    model = make_pooled(true);
    tl_fit(model, &own, &(tl_fit_cfg){.epochs = 1, .checkpoint = checkpoint}, NULL, &error);
    check_ok(&error);
    tl_model_free(model);
    resume_pooled(false, &own, ", now none");
}

/* Replaces `from` by `to`, which has the same length, in the checkpoint, and corrects the checksum. */
static void forge(const char *from, const char *to) {
    size_t size;
    char *bytes = read_back(checkpoint, &size), *at = memmem(bytes, size, from, strlen(from));
    char digits[TL_CHECKSUM_DIGITS + 1];
    if (!at) fail_msg("the checkpoint has no %s", from);
    memcpy(at, to, strlen(to)); // NOLINT(bugprone-not-null-terminated-result): bytes of a file
    const char *place = tl_checksum_in(bytes, size);
    tl_checksum_of(&(tl_piece){.data = bytes, .size = size}, 1, place, digits);
    memcpy(bytes + (place - bytes), digits, TL_CHECKSUM_DIGITS);
    FILE *file = fopen(checkpoint, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    free(bytes);
}

static void given_numbers_that_cannot_be_when_resumed_then_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *from, *to, *text;
    } cases[] = {
        {"{\\\"epoch\\\":1", "{\\\"epoch\\\":0", "metadata \"training\": does not belong to an epoch"},
        {"{\\\"epoch\\\":1", "{\\\"epocH\\\":1", "metadata \"training\": key \"epocH\" is unknown; did you mean \"epoch\"?"},
        {"\\\"batch\\\":3,\\\"order", "\\\"batch\\\":9,\\\"order", "metadata \"training\": does not belong to an epoch"},
        {"\"version\":\"1\"", "\"version\":\"2\"", "has format version 2, written by tapline "},
        {"\\\"losses\\\":[", "\\\"losses\\\":{", "checkpoint: training:1:"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        train_part(&scenarios[0], false, 3);
        forge(cases[i].from, cases[i].to);
        expect_refused(&scenarios[0], &data, TL_ERROR_FORMAT, cases[i].text);
    }
}

static void given_an_unwritable_checkpoint_when_training_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = make_model(&scenarios[0]);
    tl_fit(model, &data, &(tl_fit_cfg){.checkpoint = "/tmp/tapline-no-such-folder/c"}, NULL, &error);
    check_error(&error, TL_ERROR_FILE, "/tmp/tapline-no-such-folder/c: cannot be written: No such file or directory");
    assert_true(tl_steps(model) == 0);
    error = (tl_error){0};
    tl_fit(model, &data, &(tl_fit_cfg){.checkpoint = checkpoint, .checkpoint_every = -1}, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "fit: checkpoint_every -1 is below 0");
    tl_model_free(model);
}

static void given_another_instruction_set_when_resumed_then_a_note(void **unused) {
    (void)unused;
    const char *before = getenv("TAPLINE_ISA");
    char was[20];
    snprintf(was, sizeof was, "%s", tl_isa());
    if (strcmp(was, "baseline") == 0) skip();
    train_part(&scenarios[0], false, 7);
    setenv("TAPLINE_ISA", "baseline", 1);
    const tl_fit_result result = train_part(&scenarios[0], true, 0);
    if (before)
        setenv("TAPLINE_ISA", was, 1);
    else
        unsetenv("TAPLINE_ISA");
    if (!strstr(result.note, "the last bits may differ") || !strstr(result.note, was) || !strstr(result.note, "now \"baseline\""))
        fail_msg("the note says: %s", result.note);
    assert_int_equal(result.epochs, scenarios[0].epochs);
}

/* What the note says after part of a training whose checkpoint says `to` in the place of `from`. */
static void expect_note(const char *from, const char *to, const char *text) {
    train_part(&scenarios[0], false, 7);
    forge(from, to);
    const tl_fit_result result = train_part(&scenarios[0], true, 0);
    if (!strstr(result.note, "the last bits may differ from uninterrupted training: ") || !strstr(result.note, text))
        fail_msg("expected a note with %s; it says: %s", text, result.note);
    assert_int_equal(result.epochs, scenarios[0].epochs);
}

static void given_another_machine_when_resumed_then_a_note_with_reasons(void **unused) {
    (void)unused;
    /* A letter of each key's value, or of the key itself, so that the length stays. */
    expect_note("{\\\"tapline\\\":\\\"0", "{\\\"tapline\\\":\\\"9", "tapline \"9");
    expect_note("\\\"build\\\":", "\\\"built\\\":", "build none, now \"");
    expect_note("\\\"isa\\\":", "\\\"iso\\\":", "isa none, now \"");
    expect_note("\\\"tuning\\\":", "\\\"toning\\\":", "tuning none, now \"");
    expect_note("\\\"processor\\\":", "\\\"precursor\\\":", "processor none, now \"");
    expect_note("\\\"blas\\\":", "\\\"blaz\\\":", "blas none, now \"");
    expect_note("\\\"libc\\\":", "\\\"lib_\\\":", "libc none, now \"");
    expect_note("\\\"engine\\\":\\\"auto", "\\\"engine\\\":\\\"gemm", "engine \"gemm\", now \"auto\"");
    expect_note("\\\"largest_batch\\\":4", "\\\"largest_batch\\\":8", "largest_batch 8, now 4");
}

/* ---- killed ---- */

static const scenario killed = {.optimizer = "adam", .epochs = 40, .accumulate = 2, .restore_best = true, .threads = 1};

/* The killed process: trains, resumes if there is a checkpoint, and writes one after each batch. */
static int train_to_be_killed(const char *where) {
    tl_error error = {0};
    size_t never = 0;
    name_files(where);
    tl_model *model = make_model(&killed);
    tl_fit_cfg cfg = fit_cfg(&killed, &never);
    cfg.checkpoint = checkpoint;
    cfg.checkpoint_every = 1e-9;
    cfg.resume = access(checkpoint, F_OK) == 0 ? checkpoint : NULL;
    tl_fit(model, &data, &cfg, NULL, &error);
    tl_model_save(model, resumed_model, NULL, &error);
    tl_model_free(model);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    return tl_failed(&error);
}

/* Starts it and kills it after at most so many milliseconds. Returns whether it was killed; if it ended before, it must have
 * succeeded. */
static bool run_and_kill(tl_rng *rng, uint32_t milliseconds) {
    char what[] = "train", *program = realpath("/proc/self/exe", NULL);
    const pid_t child = start_program((char *[]){program, what, folder, NULL}, NULL);
    free(program);
    int status;
    const long wait = (long)tl_rng_below(rng, milliseconds * 1000) * 1000;
    if (milliseconds < 1000) {
        nanosleep(&(struct timespec){.tv_nsec = wait}, NULL);
        kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) assert_int_equal(WEXITSTATUS(status), 0);
    return WIFSIGNALED(status);
}

static size_t kills = 20;

static void given_kills_at_any_moment_when_resumed_then_the_same_model(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(2, TL_STREAM_USER, 0, 0);
    size_t done = 0, trainings = 0;
    train_whole(&killed);
    while (done < kills) {
        unlink(checkpoint);
        unlink(resumed_model);
        while (access(resumed_model, F_OK) != 0) done += run_and_kill(&rng, done < kills ? 80 : 1000);
        if (!same_models()) fail_msg("after %zu kills: another model than without", done);
        trainings++;
    }
    print_message("%zu kills in %zu trainings\n", done, trainings);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_kills_at_any_moment_when_resumed_then_the_same_model),
        cmocka_unit_test(given_unequal_series_when_resumed_then_lengths_must_be_equal),
        cmocka_unit_test(given_an_interruption_when_resumed_then_the_same_model),
        cmocka_unit_test(given_a_finished_checkpoint_when_resumed_then_nothing_changes),
        cmocka_unit_test(given_a_finished_training_when_resumed_longer_then_as_longer),
        cmocka_unit_test(given_another_training_when_resumed_then_the_error_lists_what_differs),
        cmocka_unit_test(given_changes_when_resumed_then_taken_over_and_noted),
        cmocka_unit_test(given_nothing_changed_when_resumed_with_changes_then_the_same_bits),
        cmocka_unit_test(given_no_sound_checkpoint_when_resumed_then_refused),
        cmocka_unit_test(given_numbers_that_cannot_be_when_resumed_then_refused),
        cmocka_unit_test(given_an_unwritable_checkpoint_when_training_then_refused),
        cmocka_unit_test(given_another_instruction_set_when_resumed_then_a_note),
        cmocka_unit_test(given_another_machine_when_resumed_then_a_note_with_reasons),
    };
    make_data();
    if (argc == 3 && strcmp(argv[1], "train") == 0) return train_to_be_killed(argv[2]);
    if (argc == 3 && strcmp(argv[1], "kills") == 0) {
        kills = (size_t)strtoul(argv[2], NULL, 10);
        cmocka_set_test_filter("given_kills*");
    }
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
