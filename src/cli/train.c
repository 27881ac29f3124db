/* `tapline train`, compiled once for each precision (commands.h). */
#include "cli/train.h"

#include "cli/files.h"
#include "cli/input.h"
#include "cli/members.h"

#include <tapline/tapline.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A run of the command: what is read, made and found out. */
typedef struct job {
    const train_settings *settings;
    const architecture *architecture;
    const char *data_path, *test_path;
    tl_read_cfg read;                     /* how data is read */
    tl_dataset *data, *test, *validation; /* test, validation NULL: none */
    size_t batch;
    tl_model *model;
    tl_fit_result fit;
    tl_metrics train_metrics, validation_metrics, test_metrics;
    bool log_failed;
    bool spoilt;        /* training ended with an error, which was told, but there is something to report */
    char part[32];      /* which fold or member is under way, for messages: "fold 2: "; "": there is one network */
    fold_result *folds; /* NULL: no cross-validation */
    size_t folds_done;
    tl_rate_curve *rates; /* NULL: not asked for */
    members members;      /* where there are to be several networks */
} job;

static bool is_regression(const job *self) { return self->data->classes == 0; }
static size_t target_length(const job *self) { return self->data->target_length > 0 ? self->data->target_length : 1; }

/* ---- data ---- */

/* The test half of a set that has two, in `path`; NULL for anything else. */
static const char *test_half(const char *data, char *path, size_t size) {
    if (!tl_dataset_has_test(data)) return NULL;
    const int length = snprintf(path, size, "%s/test", data);
    return (size_t)length < size ? path : NULL;
}

/* To the longer one: lengths differ only where they may. */
static void pad_both(job *self, tl_error *error) {
    const size_t length = self->data->x.shape[1] > self->test->x.shape[1] ? self->data->x.shape[1] : self->test->x.shape[1];
    IN_PRECISION(pad_within)(self->data, length, &self->settings->common, error);
    IN_PRECISION(pad_within)(self->test, length, &self->settings->common, error);
}

static void hold_out(job *self, tl_error *error) {
    const train_settings *settings = self->settings;
    tl_dataset *rest = NULL;
    if (settings->folds == 0 || settings->fold == OPTION_ALL) return;
    tl_dataset_fold(self->data, (size_t)settings->folds, (size_t)settings->fold, (uint64_t)settings->seed, &rest, &self->validation,
                    error);
    if (tl_failed(error)) return;
    tl_dataset_free(self->data);
    self->data = rest;
    if (self->test) tl_dataset_scale(self->test, TL_NORMALIZE_DEFAULT, rest, error);
    IN_PRECISION(warn_of_fold)(settings, "", self->data, self->validation);
}

enum { SOURCES = 3, FILES_EACH = 4 };

/* The files of one network: of several, those with its number. Their paths are to be freed. */
static void list_files(const train_settings *settings, size_t number, bool several, used_file *files, tl_error *error) {
    const used_file all[FILES_EACH] = {{"--checkpoint", settings->checkpoint, FILE_REPLACED, number},
                                       {"--resume", settings->resume, FILE_READ, number},
                                       {"--out", settings->out, FILE_REPLACED, 0},
                                       {"--log", settings->log, FILE_LOGGED, 0}};
    for (size_t i = 0; i < FILES_EACH; i++) {
        files[i] = all[i];
        files[i].path = several ? files_number(all[i].path, number, error) : all[i].path ? strdup(all[i].path) : NULL;
    }
}

/* The networks that are to be averaged. */
static size_t count_members(const train_settings *settings) {
    return (size_t)(settings->members ? settings->members : IN_PRECISION(architecture_find)(settings->architecture)->members);
}

static void check_files(const job *self, tl_error *error) {
    const train_settings *settings = self->settings;
    const bool described = !IN_PRECISION(architecture_find)(settings->architecture)->name;
    const size_t networks = count_members(settings), count = SOURCES + networks * FILES_EACH;
    used_file *files = calloc(count, sizeof *files);
    if (!files) {
        tl_fail(error, TL_ERROR_MEMORY, "out of memory");
        return;
    }
    files[0] = (used_file){"DATA", self->data_path, FILE_DATA, 0};
    files[1] = (used_file){"--test", self->test_path, FILE_DATA, 0};
    files[2] = (used_file){"--arch", described ? settings->architecture : NULL, FILE_READ, 0};
    for (size_t n = 0; n < networks; n++) list_files(settings, n + 1, networks > 1, files + SOURCES + n * FILES_EACH, error);
    files_check(files, count, error);
    for (size_t i = SOURCES; i < count; i++) free((char *)files[i].path);
    free(files);
}

static void read_data(job *self, char *path, size_t size, tl_error *error) {
    const train_settings *settings = self->settings;
    self->data_path = settings->common.operand[0] ? settings->common.operand[0] : "builtin:cbf";
    self->test_path = settings->test ? settings->test : test_half(self->data_path, path, size);
    check_files(self, error);
    tl_read_cfg cfg = {.normalize = options_normalization(settings->normalize, settings->raw, error),
                       .unequal = settings->unequal,
                       .segment = (size_t)settings->segment,
                       .warn = complain_of_data,
                       .user = (void *)settings->common.command,
                       .max_memory = max_memory(&settings->common) / 2};
    tl_missing_policy_by_name(settings->missing, &cfg.missing_policy, error);
    IN_PRECISION(reading_apply)(&settings->reading, &cfg, error);
    self->read = cfg;
    self->data = tl_dataset_read(input_open(self->data_path, cfg.format, error), &cfg, error);
    cfg.reference = self->data;
    if (self->test_path && self->data) self->test = tl_dataset_read(input_open(self->test_path, cfg.format, error), &cfg, error);
    input_name(error);
    if (self->data && self->test) pad_both(self, error);
    if (tl_failed(error)) return;
    IN_PRECISION(warn_of_data)(settings, self->data);
    hold_out(self, error);
}

/* Options that say nothing together. */
static void check_settings(const train_settings *settings, tl_error *error) {
    const struct {
        const char *name, *path;
    } files[] = {
        {"out", settings->out}, {"checkpoint", settings->checkpoint}, {"resume", settings->resume}, {"log", settings->log}};
    const char *none = settings->find_rate            ? "--find-lr does not train"
                       : settings->fold == OPTION_ALL ? "--fold all trains a network for each fold"
                                                      : NULL;
    if (settings->folds == 0 && settings->fold == OPTION_ALL) tl_fail(error, TL_ERROR_ARGUMENT, "--fold all requires --folds N");
    if (settings->folds == 0 && settings->fold > 0)
        tl_fail(error, TL_ERROR_ARGUMENT, "--fold %d requires --folds N", (int)settings->fold);
    if (settings->checkpoint_every > 0 && !settings->checkpoint)
        tl_fail(error, TL_ERROR_ARGUMENT, "--checkpoint-every %g: of which file? --checkpoint says it", settings->checkpoint_every);
    if (settings->find_rate && settings->fold == OPTION_ALL)
        tl_fail(error, TL_ERROR_ARGUMENT, "--find-lr does not train; --fold all does not go with it");
    if (settings->fold == OPTION_ALL && count_members(settings) > 1)
        tl_fail(error, TL_ERROR_ARGUMENT, "--fold all trains a network for each fold; %zu members do not go with it",
                count_members(settings));
    for (size_t i = 0; none && i < sizeof files / sizeof *files; i++)
        if (files[i].path) tl_fail(error, TL_ERROR_ARGUMENT, "%s; --%s does not go with it", none, files[i].name);
}

/* ---- model ---- */

enum { MIN_BATCH = 2 }; /* of one series batch norm learns nothing */

/* Never more than there are series. */
static size_t choose_batch(const job *self) {
    const architecture *chosen = self->architecture;
    const size_t series = self->data->x.shape[0], tenth = series / 10 > MIN_BATCH ? series / 10 : MIN_BATCH;
    const size_t usual = chosen->tenth && tenth < chosen->batch ? tenth : chosen->batch;
    const size_t batch = self->settings->batch > 0 ? (size_t)self->settings->batch : usual;
    return batch < series ? batch : series;
}

/* As the library writes it: 0 where the option was not given. */
static double weight_decay(const train_settings *settings) {
    return isnan(settings->weight_decay) ? 0 : settings->weight_decay > 0 ? settings->weight_decay : TL_NO_WEIGHT_DECAY;
}

static tl_optimizer_cfg optimizer_of(const train_settings *settings, tl_error *error) {
    return (tl_optimizer_cfg){.ops = tl_optimizer_by_name(settings->optimizer, error),
                              .learning_rate = settings->learning_rate,
                              .momentum = settings->momentum,
                              .nesterov = settings->nesterov,
                              .weight_decay = weight_decay(settings),
                              .l1 = settings->l1};
}

/* labels / (classes · labels of the class): together they weigh as much as without. To be freed; NULL where not asked for. */
static double *balance_classes(const job *self, tl_error *error) {
    const size_t labels = self->data->x.shape[0] * target_length(self), classes = self->data->classes;
    if (!self->settings->balance) return NULL;
    if (classes == 0) tl_fail(error, TL_ERROR_ARGUMENT, "--balance is for classes; the data has target values");
    double *weights = calloc(classes + 1, sizeof *weights);
    if (!weights) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; weights && classes > 0 && i < labels; i++) weights[self->data->labels[i]]++;
    for (size_t c = 0; weights && c < classes; c++)
        if (weights[c] > 0) weights[c] = (double)labels / ((double)classes * weights[c]);
    return weights;
}

static void compile(job *self, tl_node output, tl_error *error) {
    const train_settings *settings = self->settings;
    double *class_weights = balance_classes(self, error);
    tl_compile_cfg cfg = {.batch = self->batch,
                          .loss = IN_PRECISION(network_loss)(self->data, settings->loss, error),
                          .label_smoothing = settings->label_smoothing,
                          .class_weights = class_weights,
                          .optimizer = optimizer_of(settings, error),
                          .clip_norm = settings->clip,
                          .clip_value = settings->clip_value,
                          .max_memory = max_memory(&settings->common)};
    tl_model_compile(self->model, output, &cfg, error);
    free(class_weights);
}

static void make_model(job *self, tl_error *error) {
    const train_settings *settings = self->settings;
    if (tl_failed(error)) return;
    self->architecture = IN_PRECISION(architecture_find)(settings->architecture);
    self->batch = choose_batch(self);
    tl_model_cfg cfg = {.seed = (uint64_t)settings->seed, .threads = (int)settings->common.threads};
    tl_engine_by_name(settings->engine, &cfg.engine, error);
    self->model = tl_model_new(&cfg);
    compile(self, IN_PRECISION(network_build)(self->model, self->data, settings->architecture), error);
}

/* ---- training ---- */

static tl_schedule_cfg schedule_of(const job *self, tl_error *error) {
    const train_settings *settings = self->settings;
    tl_schedule_cfg cfg = {.factor = settings->factor,
                           .patience = (int)settings->patience,
                           .period = (int)settings->period,
                           .minimum = settings->min_rate,
                           .warmup = (int)settings->warmup};
    tl_schedule_by_name(settings->schedule ? settings->schedule : self->architecture->schedule, &cfg.kind, error);
    return cfg;
}

static tl_fit_cfg fit_cfg(const job *self, progress *shown, tl_error *error) {
    const train_settings *settings = self->settings;
    return (tl_fit_cfg){
        .epochs = settings->epochs ? (int)settings->epochs : self->architecture->epochs,
        .batch = self->batch,
        .accumulate = (size_t)settings->accumulate,
        .schedule = schedule_of(self, error),
        .restore_best = true,
        .validation = self->validation,
        .patience = (int)settings->give_up,
        .augment = {.crop = settings->crop, .scale = settings->scale, .jitter = settings->jitter, .mixup = settings->mixup},
        .callbacks = {{progress_step, shown}},
        .checkpoint = settings->checkpoint,
        .checkpoint_every = settings->checkpoint_every,
        .resume = settings->resume};
}

static tl_save_cfg save_cfg(const job *self, tl_error *error) {
    tl_save_cfg cfg = {.data = self->data, .read = &self->read};
    tl_missing_policy_by_name(self->settings->missing, &cfg.missing_policy, error);
    return cfg;
}

/* What would keep the model from being saved is found out before it is trained. */
static tl_status check_out(const job *self, tl_error *error) {
    const tl_save_cfg cfg = save_cfg(self, error);
    return tl_model_save_check(self->model, self->settings->out, &cfg, error);
}

static void evaluate(job *self, tl_error *error) {
    self->train_metrics = self->validation_metrics = self->test_metrics = report_no_metrics;
    tl_evaluate(self->model, self->data, &self->train_metrics, error);
    if (self->validation) tl_evaluate(self->model, self->validation, &self->validation_metrics, error);
    if (self->test) tl_evaluate(self->model, self->test, &self->test_metrics, error);
}

/* Fails where a set was evaluated and its loss is not finite. */
static void check_losses(const job *self, tl_error *error) {
    const struct {
        const char *name;
        const tl_dataset *data;
        double loss;
    } sets[] = {{"training", self->data, self->train_metrics.loss},
                {"validation", self->validation, self->validation_metrics.loss},
                {"test", self->test, self->test_metrics.loss}};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (sets[i].data && !isfinite(sets[i].loss))
            tl_fail(error, TL_ERROR_NUMERIC,
                    "the loss of the trained network on the %s set is not finite: a lower --lr, or --clip, would help",
                    sets[i].name);
}

/* Says what went wrong, and where the network is that there was (`saved`; NULL: nowhere): there is something to report all the
 * same, and other networks to be trained. */
static void tell(job *self, const char *option, const tl_error *wrong, const char *saved) {
    char where[400] = "";
    if (saved && self->fit.best_epoch > 0)
        snprintf(where, sizeof where, "; %.300s has the best network so far, of epoch %d", saved, self->fit.best_epoch);
    else if (saved)
        snprintf(where, sizeof where, "; %.300s has the network so far", saved);
    complain(self->settings->common.command, "%s%s%s%s", self->part, option, wrong->text, where);
    self->spoilt = true;
}

static void save(const job *self, tl_error *error) {
    const tl_save_cfg cfg = save_cfg(self, error);
    tl_model_save(self->model, self->settings->out, &cfg, error);
}

/* Evaluates and saves what there is after training, which ended as `training` says. False where that is not to be averaged. */
static bool conclude(job *self, const tl_error *training) {
    const train_settings *settings = self->settings;
    const bool unwritten = training->status == TL_ERROR_FILE;
    tl_error losses = {0}, saving = {0};
    evaluate(self, &losses);
    check_losses(self, &losses);
    const bool sound = isfinite(self->train_metrics.loss);
    if (settings->out && sound) save(self, &saving);
    const char *saved = settings->out && sound && !tl_failed(&saving) ? settings->out : NULL;
    if (tl_failed(training)) tell(self, unwritten ? "--checkpoint " : "", training, saved);
    if (tl_failed(&losses)) tell(self, "", &losses, NULL);
    if (tl_failed(&saving)) tell(self, "--out ", &saving, NULL);
    if (sound) IN_PRECISION(warn_of_training)(settings, self->part, self->data, &self->fit, &self->train_metrics);
    return !tl_failed(&losses) && (!tl_failed(training) || unwritten);
}

/* False where it failed, or where what came of it is not to be averaged with others. */
static bool train(job *self, tl_error *error) {
    const train_settings *settings = self->settings;
    progress shown;
    tl_error wrong = {0};
    const tl_fit_cfg cfg = fit_cfg(self, &shown, error);
    if (tl_failed(error) || (settings->out && check_out(self, error) != TL_OK)) return false;
    if (!progress_begin(&shown, settings, self->data, self->batch)) {
        self->log_failed = true;
        return false;
    }
    shown.members = self->members.count;
    shown.member = self->members.tried + 1;
    tl_fit(self->model, self->data, &cfg, &self->fit, &wrong);
    self->log_failed = !progress_end(&shown);
    if (*self->fit.note) complain(settings->common.command, "--resume %s: %s", settings->resume, self->fit.note);
    const bool unwritten = wrong.status == TL_ERROR_FILE && self->fit.steps > 0;
    if (!tl_failed(&wrong) || self->fit.best_epoch > 0 || unwritten) return conclude(self, &wrong);
    if (self->fit.epochs > 0 && *self->part)
        tell(self, "", &wrong, NULL); /* the others may fare better */
    else
        tl_fail(error, wrong.status, "%s%s", self->part, wrong.text);
    return false;
}

/* ---- cross-validation ---- */

/* The test set as a fold is scaled: where that is by statistics of the fold, a copy, to be freed. */
static tl_dataset *scaled_test(tl_dataset *test, const tl_dataset *fold, tl_error *error) {
    const bool copied = test && test->scaling.kind == TL_NORMALIZE_SET && !tl_failed(error);
    if (!copied) return test;
    const size_t series = test->x.shape[0];
    uint32_t *all = calloc(series + 1, sizeof *all);
    if (!all) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (uint32_t i = 0; all && i < series; i++) all[i] = i;
    tl_dataset *copy = all ? tl_dataset_take(test, all, series, error) : NULL;
    tl_dataset_scale(copy, TL_NORMALIZE_DEFAULT, fold, error);
    free(all);
    return copy;
}

static void train_fold(job *self, const tl_dataset *all, size_t fold, tl_error *error) {
    const train_settings *settings = self->settings;
    const size_t folds = (size_t)settings->folds;
    tl_dataset *test = self->test;
    tl_dataset_fold(all, folds, fold, (uint64_t)settings->seed, &self->data, &self->validation, error);
    self->test = scaled_test(test, self->data, error);
    tl_model_free(self->model);
    self->model = NULL;
    snprintf(self->part, sizeof self->part, "fold %zu: ", fold);
    make_model(self, error);
    if (!settings->quiet && !tl_failed(error)) fprintf(stderr, "fold %zu of %zu\n", fold, folds);
    if (!tl_failed(error)) IN_PRECISION(warn_of_fold)(settings, self->part, self->data, self->validation);
    if (!tl_failed(error) && train(self, error))
        self->folds[self->folds_done++] = (fold_result){
            fold, self->validation->x.shape[0], self->fit, self->train_metrics, self->validation_metrics, self->test_metrics};
    tl_dataset_free(self->data);
    tl_dataset_free(self->validation);
    if (self->test != test) tl_dataset_free(self->test);
    self->test = test;
    self->data = self->validation = NULL;
}

/* Trains on all folds but one, for each of them; metrics are then means over the folds. */
static void cross_validate(job *self, tl_error *error) {
    const size_t folds = (size_t)self->settings->folds;
    tl_dataset *all = self->data;
    if (tl_failed(error)) return;
    self->folds = calloc(folds, sizeof *self->folds);
    if (!self->folds) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t f = 0; f < folds && !tl_failed(error) && !self->log_failed && !progress_interrupted(); f++)
        train_fold(self, all, f, error);
    self->data = all;
    if (self->spoilt && self->folds_done == 0) tl_fail(error, TL_ERROR_NUMERIC, "no fold could be trained");
    const fold_result mean = folds_mean(self->folds, self->folds_done);
    self->fit = mean.fit;
    self->train_metrics = mean.train;
    self->validation_metrics = mean.validation;
    self->test_metrics = mean.test;
}

/* ---- the learning-rate finder ---- */

static void find_rate(job *self, tl_error *error) {
    progress shown;
    if (!tl_failed(error)) make_model(self, error);
    if (tl_failed(error)) return;
    self->rates = tl_rate_curve_new(error);
    if (self->rates && progress_begin(&shown, self->settings, self->data, self->batch)) {
        const tl_fit_cfg cfg = fit_cfg(self, &shown, error);
        tl_find_learning_rate(self->model, self->data, &cfg, NULL, self->rates, error);
        progress_end(&shown);
        self->fit.stopped = progress_interrupted();
    }
}

/* ---- several networks ---- */

static void train_member(job *self, tl_error *error) {
    const train_settings *all = self->settings;
    self->settings = IN_PRECISION(members_next)(&self->members, error);
    self->fit = (tl_fit_result){0};
    tl_model_free(self->model);
    self->model = NULL;
    snprintf(self->part, sizeof self->part, "member %zu: ", self->members.tried + 1);
    if (!tl_failed(error)) make_model(self, error);
    if (!tl_failed(error) && train(self, error) && self->fit.epochs > 0)
        IN_PRECISION(members_add)(&self->members, self->model, &self->fit, &self->test_metrics, error);
    self->members.tried++;
    self->settings = all;
}

static void train_members(job *self, size_t count, tl_error *error) {
    members *all = &self->members;
    IN_PRECISION(members_begin)(all, self->settings, count, self->data, self->validation, self->test, error);
    while (all->tried < count && !tl_failed(error) && !self->log_failed && !progress_interrupted()) train_member(self, error);
    if (self->spoilt && all->trained == 0) tl_fail(error, TL_ERROR_NUMERIC, "no member could be trained");
    if (tl_failed(error) || all->trained == 0) return;
    self->fit = IN_PRECISION(members_fit)(all);
    self->fit.stopped = progress_interrupted();
    tl_ensemble_evaluate(all->train, &self->train_metrics, error);
    if (all->validation) tl_ensemble_evaluate(all->validation, &self->validation_metrics, error);
    if (all->test) tl_ensemble_evaluate(all->test, &self->test_metrics, error);
}

static void train_all(job *self, tl_error *error) {
    if (tl_failed(error)) return;
    const size_t count = count_members(self->settings);
    if (count > 1) {
        train_members(self, count, error);
        return;
    }
    make_model(self, error);
    if (!tl_failed(error)) train(self, error);
}

/* ---- report ---- */

/* The series that were learnt from, an epoch after the other. */
static double count_seen(const job *self) {
    double epochs = self->members.count ? 0 : self->fit.epochs;
    for (size_t i = 0; i < self->members.trained; i++) epochs += self->members.of[i].epochs;
    return epochs * (double)self->data->x.shape[0];
}

/* The trained numbers of all networks. */
static size_t count_parameters(const job *self) {
    return tl_parameter_count(self->model) * (self->members.count ? self->members.trained : 1);
}

static void report_as_json(const job *self) {
    const train_settings *settings = self->settings;
    json_t *object = json_object();
    report_text(object, "model", settings->architecture);
    report_text(object, "engine", settings->engine);
    report_text(object, "precision", tl_precision());
    report_count(object, "threads", (size_t)tl_model_threads(self->model));
    report_count(object, "seed", (size_t)settings->seed);
    report_count(object, "epochs", (size_t)self->fit.epochs);
    report_count(object, "steps", self->fit.steps);
    report_count(object, "parameters", count_parameters(self));
    report_metrics(object, "train", &self->train_metrics, is_regression(self));
    if (self->validation || self->folds) report_metrics(object, "validation", &self->validation_metrics, is_regression(self));
    report_metrics(object, "test", &self->test_metrics, is_regression(self));
    json_object_set_new(object, "seconds", report_number(self->fit.seconds));
    json_object_set_new(object, "peak_rss_mb", report_number(report_peak_rss_mb()));
    json_object_set_new(object, "interrupted", json_boolean(self->fit.stopped));
    if (self->members.count) {
        json_object_set_new(object, "best_epoch", json_null());
        report_members(object, self->members.of, self->members.trained, is_regression(self));
    } else
        report_count(object, "best_epoch", (size_t)self->fit.best_epoch);
    report_text(object, "data", self->data_path);
    report_text(object, "test", self->test_path);
    report_count(object, "train_series", self->data->x.shape[0]);
    report_count(object, "test_series", self->test ? self->test->x.shape[0] : 0);
    report_shape(object, self->data);
    report_count(object, "batch", self->batch);
    if (self->folds) folds_as_json(self->folds, self->folds_done, self->test != NULL, is_regression(self), object);
    if (self->rates) rates_as_json(self->rates, object);
    report_json(object);
}

static void report_training(const job *self) {
    const size_t *shape = self->data->x.shape, folds = self->folds_done;
    const double share = self->folds ? (double)(self->settings->folds - 1) / (double)self->settings->folds : 1;
    const double seen = count_seen(self) * share;
    printf("training   ");
    if (self->members.count) printf("%zu of %zu networks, ", self->members.trained, self->members.count);
    printf("%d epochs, %llu steps of batch %zu", self->fit.epochs, (unsigned long long)self->fit.steps, self->batch);
    if (self->folds)
        printf(", %zu of %d folds\n", folds, (int)self->settings->folds);
    else if (self->members.count)
        printf(" in all\n");
    else
        printf(", best epoch %d\n", self->fit.best_epoch);
    printf("cost       %.2f s, %.0f series/s, %.0f MB at most\n\n", self->fit.seconds, seen / self->fit.seconds,
           report_peak_rss_mb());
    if (self->folds) {
        folds_as_text(self->folds, folds, self->test ? self->test->x.shape[0] : 0, is_regression(self));
        return;
    }
    report_metrics_head(is_regression(self));
    report_metrics_line("train", shape[0], &self->train_metrics, is_regression(self));
    if (self->validation)
        report_metrics_line("validation", self->validation->x.shape[0], &self->validation_metrics, is_regression(self));
    if (!self->test) return;
    report_metrics_line("test", self->test->x.shape[0], &self->test_metrics, is_regression(self));
    report_members_lines(self->members.of, self->members.trained, self->test->x.shape[0], is_regression(self));
}

static void report_as_text(const job *self) {
    const size_t *shape = self->data->x.shape;
    printf("model      ");
    print_shown(stdout, self->settings->architecture);
    printf(", %zu parameters, %s, engine %s, %d threads\n", count_parameters(self), tl_precision(), self->settings->engine,
           tl_model_threads(self->model));
    printf("data       ");
    print_shown(stdout, self->data_path);
    printf(", length %zu, channels %zu", shape[1], shape[2]);
    if (is_regression(self))
        printf(", regression");
    else
        printf(", classes %zu", self->data->classes);
    printf("%s\n", target_length(self) > 1 ? " for every step" : "");
    if (self->rates)
        rates_as_text(self->rates, self->fit.stopped);
    else
        report_training(self);
}

static int report(const job *self, const tl_error *error) {
    if (tl_failed(error)) {
        complain(self->settings->common.command, "%s", error->text);
        return error->status == TL_ERROR_ARGUMENT ? EXIT_USAGE : EXIT_FAILED;
    }
    if (self->log_failed && self->fit.epochs == 0) return EXIT_FAILED; /* the log could not be opened, which was said */
    if (self->settings->common.json)
        report_as_json(self);
    else
        report_as_text(self);
    return self->log_failed || self->spoilt ? EXIT_FAILED : EXIT_DONE;
}

int IN_PRECISION(train)(const void *settings) {
    tl_error error = {0};
    char path[4096];
    job self = {.settings = settings, .train_metrics = report_no_metrics, .test_metrics = report_no_metrics};
    check_settings(self.settings, &error);
    read_data(&self, path, sizeof path, &error);
    if (self.settings->fold == OPTION_ALL)
        cross_validate(&self, &error);
    else if (self.settings->find_rate)
        find_rate(&self, &error);
    else
        train_all(&self, &error);
    const int code = report(&self, &error);
    tl_rate_curve_free(self.rates);
    free(self.folds);
    IN_PRECISION(members_free)(&self.members);
    tl_model_free(self.model);
    tl_dataset_free(self.test);
    tl_dataset_free(self.validation);
    tl_dataset_free(self.data);
    return code;
}
