/* `tapline train`; compiled once for each precision (commands.h). */
#include "cli/files.h"
#include "cli/input.h"
#include "cli/train/job.h"
#include "cli/train/jobs.h"
#include "cli/train/ranks.h"

#include <tapline/file.h>
#include <tapline/tapline.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- data ---- */

/* Writes the test half of a data set with two halves to `path`; NULL for other data. */
static const char *test_half(const char *data, char *path, size_t size) {
    if (!tl_dataset_has_test(data)) return NULL;
    const int length = snprintf(path, size, "%s/test", data);
    return (size_t)length < size ? path : NULL;
}

/* Pads to the longest one; lengths may differ only where that is allowed. */
static void pad_all(job *self, tl_error *error) {
    tl_dataset *const sets[] = {self->data, self->test, self->validation};
    size_t length = 0;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (sets[i] && sets[i]->x.shape[1] > length) length = sets[i]->x.shape[1];
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (sets[i]) IN_PRECISION(pad_within)(sets[i], length, &self->settings->common, error);
}

static void divide(const train_settings *settings, const tl_dataset *data, size_t fold, tl_dataset **rest, tl_dataset **held_out,
                   tl_error *error) {
    if (settings->in_order)
        tl_dataset_fold_in_order(data, (size_t)settings->folds, fold, rest, held_out, error);
    else
        tl_dataset_fold(data, (size_t)settings->folds, fold, (uint64_t)settings->seed, rest, held_out, error);
}

static void hold_out(job *self, tl_error *error) {
    const train_settings *settings = self->settings;
    tl_dataset *rest = NULL;
    if (settings->folds == 0 || settings->fold == OPTION_ALL) return;
    divide(settings, self->data, settings->fold == NOT_GIVEN ? 0 : (size_t)settings->fold, &rest, &self->validation, error);
    if (tl_failed(error)) return;
    if (rest->batches.fill)
        self->whole = self->data;
    else
        tl_dataset_free(self->data);
    self->data = rest;
    if (self->test) tl_dataset_scale(self->test, TL_NORMALIZE_DEFAULT, rest, error);
    IN_PRECISION(warn_of_fold)(settings, "", self->data, self->validation);
}

enum { SOURCES = 5, FILES_EACH = 5 };

/* Lists the files of a network; with several networks, those with its number. numbered [OUT]: those paths, which the
 * caller frees. */
static void list_files(const train_settings *settings, size_t number, bool several, used_file *files, char **numbered,
                       tl_error *error) {
    const used_file all[FILES_EACH] = {{"--checkpoint", settings->checkpoint, FILE_REPLACED, number},
                                       {"--resume", settings->resume, FILE_READ, number},
                                       {"--out", settings->out, FILE_REPLACED, 0},
                                       {"--log", settings->log, FILE_LOGGED, 0},
                                       {"--report", settings->report, FILE_REPLACED, 0}};
    for (size_t i = 0; i < FILES_EACH; i++) {
        files[i] = all[i];
        if (several) files[i].path = numbered[i] = files_number(all[i].path, number, error);
    }
}

/* Returns whether the network is that of --init. */
static bool of_file(const train_settings *settings) { return settings->init && settings->architecture == settings->init; }

size_t IN_PRECISION(job_members)(const train_settings *settings) {
    return (size_t)(settings->members ? settings->members : tl_architecture_find(settings->architecture)->members);
}

static void check_files(const job *self, const tl_read_cfg *read, tl_error *error) {
    const train_settings *settings = self->settings;
    if (!ranks_lead()) return; /* it is the same on all ranks */
    const bool described = !tl_architecture_find(settings->architecture)->name && !of_file(settings);
    const bool folds = settings->fold == OPTION_ALL && settings->out; /* numbered from 0 */
    const size_t networks = folds ? (size_t)settings->folds : IN_PRECISION(job_members)(settings),
                 count = SOURCES + networks * FILES_EACH;
    used_file *files = calloc(count, sizeof *files);
    char **numbered = calloc(count, sizeof *numbered);
    if (!files || !numbered) {
        free(files);
        free(numbered);
        tl_fail(error, TL_ERROR_MEMORY, "out of memory");
        return;
    }
    files[0] = (used_file){"DATA", self->data_path, FILE_DATA, 0};
    files[1] = (used_file){"--test", self->test_path, FILE_DATA, 0};
    files[2] = (used_file){"--validation", settings->validation, FILE_DATA, 0};
    files[3] = (used_file){"--arch", described ? settings->architecture : NULL, FILE_READ, 0};
    files[4] = (used_file){"--init", settings->init, FILE_READ, 0};
    for (size_t n = 0; n < networks; n++)
        list_files(settings, n + !folds, folds || networks > 1, files + SOURCES + n * FILES_EACH, numbered + n * FILES_EACH, error);
    files_check_read(files, count, read, error);
    for (size_t i = 0; i < count; i++) free(numbered[i]);
    free(numbered);
    free(files);
}

static bool asks_for_scaling(const train_settings *settings) { return settings->normalize || settings->raw; }

/* The headings and, unless another one is given, the scaling of the model of --init. */
static void read_as_before(job *self, tl_read_cfg *cfg, tl_model_info *info, tl_error *error) {
    const train_settings *settings = self->settings;
    if (!settings->init || tl_failed(error)) return;
    const tl_load_cfg load = {.threads = 1, .compile.plan_only = true, .max_memory = SIZE_MAX};
    tl_model *model = tl_model_load(settings->init, &load, info, error);
    tl_model_free(model);
    cfg->value_names = info->read.value_names;
    cfg->target_names = info->read.target_names;
    if (!tl_failed(error) && !asks_for_scaling(settings))
        cfg->normalize = info->data.scaling.kind == TL_NORMALIZE_SET ? TL_NORMALIZE_NONE : info->data.scaling.kind;
}

static tl_dataset *read_one(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    return path ? tl_dataset_read(input_open(path, cfg, error), cfg, error) : NULL;
}

/* Networks whose last layer is solved take series without scaling by default, as published. */
static tl_normalization normalization(const train_settings *settings, tl_error *error) {
    const tl_normalization asked = options_normalization(settings->normalize, settings->raw, error);
    const bool usual = asked == TL_NORMALIZE_DEFAULT && !settings->init && settings->architecture &&
                       tl_architecture_find(settings->architecture)->ridge;
    return usual ? TL_NORMALIZE_NONE : asked;
}

static void read_data(job *self, char *path, size_t size, tl_error *error) {
    const train_settings *settings = self->settings;
    self->data_path = settings->common.operand[0] ? settings->common.operand[0] : "builtin:cbf";
    self->test_path = settings->test ? settings->test : test_half(self->data_path, path, size);
    tl_read_cfg cfg = {.normalize = normalization(settings, error),
                       .unequal = settings->unequal,
                       .segment = (size_t)settings->segment,
                       .warn = complain_of_data,
                       .max_memory = max_memory(&settings->common) / 2,
                       .by_batch = !settings->report}; /* which shows series */
    tl_model_info info = {0};
    tl_missing_policy_by_name(settings->missing, &cfg.missing_policy, error);
    IN_PRECISION(reading_apply)(&settings->reading, &cfg, error);
    check_files(self, &cfg, error);
    read_as_before(self, &cfg, &info, error);
    cfg.names = self->names;
    self->data = read_one(self->data_path, &cfg, error);
    cfg.names = NULL;
    cfg.value_names = self->names[0];
    cfg.target_names = self->names[1];
    self->read = cfg;
    if (self->data && info.data.scaling.kind == TL_NORMALIZE_SET && !asks_for_scaling(settings))
        tl_dataset_scale(self->data, TL_NORMALIZE_DEFAULT, &info.data, error);
    tl_model_info_release(&info);
    cfg.reference = self->data;
    cfg.normalize = TL_NORMALIZE_DEFAULT;
    if (self->data) self->test = read_one(self->test_path, &cfg, error);
    if (self->data) self->validation = read_one(settings->validation, &cfg, error);
    IN_PRECISION(reading_for_page)(settings->report, error);
    input_name(error);
    if (tl_failed(error)) return;
    pad_all(self, error);
    IN_PRECISION(warn_of_data)(settings, self->data);
    IN_PRECISION(warn_of_overlap)(settings, "", "test", self->data, self->test);
    IN_PRECISION(warn_of_overlap)(settings, "", "validation", self->data, self->validation);
    hold_out(self, error);
}

/* ---- model ---- */

/* At most the number of series. */
static size_t choose_batch(const job *self) {
    const size_t series = self->data->x.shape[0], asked = (size_t)self->settings->batch;
    if (asked == 0) return tl_architecture_batch(self->architecture, series);
    return asked < series ? asked : series;
}

/* The series of a pass. */
static size_t shard_size(const job *self) {
    const size_t shards = (size_t)self->settings->shards;
    return (self->batch + shards - 1) / shards;
}

/* As the library expects it: 0 if the option was not given. */
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

/* labels / (classes · labels of the class): the total weight is the same as without weights. The caller frees it; NULL if the
 * option was not given. */
static double *balance_classes(const job *self, tl_error *error) {
    const size_t labels = self->data->x.shape[0] * target_length(self), classes = self->data->classes;
    if (!self->settings->balance) return NULL;
    if (classes == 0) tl_fail(error, TL_ERROR_ARGUMENT, "--balance needs classes; the data has target values");
    double *weights = calloc(classes + 1, sizeof *weights);
    if (!weights) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; weights && classes > 0 && i < labels; i++)
        if (self->data->labels[i] >= 0) weights[self->data->labels[i]]++;
    for (size_t c = 0; weights && c < classes; c++)
        if (weights[c] > 0) weights[c] = (double)labels / ((double)classes * weights[c]);
    return weights;
}

static void compile(job *self, tl_node output, tl_error *error) {
    const train_settings *settings = self->settings;
    double *class_weights = balance_classes(self, error);
    tl_compile_cfg cfg = {.batch = shard_size(self),
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

static tl_node build(const job *self) {
    const train_settings *settings = self->settings;
    const size_t *shape = self->data->x.shape;
    if (!of_file(settings)) return IN_PRECISION(network_build)(self->model, self->data, settings->architecture);
    const tl_node x = tl_input(self->model, (tl_shape){.length = shape[1], .channels = shape[2]});
    const size_t values = self->data->target_channels > 0 ? self->data->target_channels : 1;
    return tl_network_from_model(self->model, x, settings->init, is_regression(self) ? values : self->data->classes);
}

static void make_model(job *self, tl_error *error) {
    const train_settings *settings = self->settings;
    if (tl_failed(error)) return;
    self->architecture = tl_architecture_find(settings->architecture);
    self->batch = choose_batch(self);
    tl_model_cfg cfg = {.seed = (uint64_t)settings->seed, .threads = (int)settings->common.threads};
    tl_engine_by_name(settings->engine, &cfg.engine, error);
    self->model = tl_model_new(&cfg);
    compile(self, build(self), error);
    if (settings->init)
        tl_model_start_from(self->model, settings->init, &(tl_start_cfg){.data = self->data, .freeze = settings->freeze},
                            &self->new_head, error);
    tl_exchange_agree(ranks_exchange(), error);
}

/* ---- training ---- */

static tl_schedule_cfg schedule_of(const job *self, tl_error *error) {
    const train_settings *settings = self->settings;
    tl_schedule_cfg cfg = {.factor = settings->factor,
                           .patience = (int)settings->patience,
                           .period = (int)settings->period,
                           .minimum = settings->min_rate,
                           .warmup = settings->warmup == NOT_GIVEN ? 0 : (int)settings->warmup};
    cfg.kind = self->architecture->schedule;
    if (settings->schedule) tl_schedule_by_name(settings->schedule, &cfg.kind, error);
    return cfg;
}

/* Options that are given may differ from the checkpoint. */
static unsigned changes_of(const train_settings *settings) {
    const bool rate = settings->learning_rate > 0 || settings->schedule || settings->factor > 0 || settings->patience > 0 ||
                      settings->period > 0 || settings->min_rate > 0 || settings->warmup > 0;
    return (rate ? TL_CHANGE_RATE : 0u) | (settings->early_stopping > 0 ? TL_CHANGE_PATIENCE : 0u) |
           (settings->clip > 0 || settings->clip_value > 0 ? TL_CHANGE_CLIPPING : 0u);
}

static tl_watch watch_of(const train_settings *settings, tl_error *error) {
    tl_watch watch = TL_WATCH_DEFAULT;
    if (settings->watch) tl_watch_by_name(settings->watch, &watch, error);
    return watch;
}

static tl_fit_cfg fit_cfg(job *self, progress *shown, tl_error *error) {
    const train_settings *settings = self->settings;
    return (tl_fit_cfg){
        .epochs = settings->epochs ? (int)settings->epochs : self->architecture->epochs,
        .batch = self->batch,
        .accumulate = (size_t)settings->accumulate,
        .shards = (size_t)settings->shards,
        .synchronise_batch_norm = settings->synchronise_batch_norm,
        .exchange = ranks_exchange(),
        .schedule = schedule_of(self, error),
        .restore_best = true,
        .validation = self->validation,
        .patience = (int)settings->early_stopping,
        .augment = {.crop = settings->crop, .scale = settings->scale, .jitter = settings->jitter, .mixup = settings->mixup},
        .callbacks = {{progress_step, shown}, {settings->report ? run_page_step : NULL, &self->page}},
        .checkpoint = settings->checkpoint,
        .checkpoint_every = settings->checkpoint_every,
        .resume = settings->resume,
        .watch = watch_of(settings, error),
        .changes = changes_of(settings)};
}

static tl_save_cfg save_cfg(const job *self, tl_error *error) {
    tl_save_cfg cfg = {.data = self->data, .read = &self->read};
    tl_missing_policy_by_name(self->settings->missing, &cfg.missing_policy, error);
    return cfg;
}

/* Checks before training that the model can be saved. */
static tl_status check_out(const job *self, tl_error *error) {
    const tl_save_cfg cfg = save_cfg(self, error);
    return tl_model_save_check(self->model, self->settings->out, &cfg, error);
}

static void evaluate(job *self, tl_error *error) {
    self->train_metrics = self->validation_metrics = self->test_metrics = report_no_metrics;
    IN_PRECISION(job_evaluate)(self, self->data, &self->train_metrics, error);
    IN_PRECISION(job_evaluate)(self, self->validation, &self->validation_metrics, error);
    IN_PRECISION(job_evaluate)(self, self->test, &self->test_metrics, error);
}

/* Fails if a set was evaluated and its loss is not finite. */
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
                    "the loss of the trained network on the %s set is not finite; try a lower --lr, or --clip", sets[i].name);
}

/* Reports an error, and where the network so far was saved (`saved`; NULL: nowhere). Results are reported nevertheless, and other
 * networks are trained. */
static void tell(job *self, const char *option, const tl_error *wrong, const char *saved) {
    char where[400] = "";
    if (saved && self->fit.best_epoch > 0)
        snprintf(where, sizeof where, "; %.300s has the best network so far, from epoch %d", saved, self->fit.best_epoch);
    else if (saved)
        snprintf(where, sizeof where, "; %.300s has the network so far", saved);
    complain(self->settings->common.command, "%s%s%s%s", self->part, option, wrong->text, where);
    self->spoilt = true;
}

static void save(const job *self, tl_error *error) {
    const tl_save_cfg cfg = save_cfg(self, error);
    tl_model_save(self->model, self->settings->out, &cfg, error);
}

/* Evaluates and saves the network after training, which ended with the error `training`. Returns false if the network must not be
 * averaged. */
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

/* ---- the last layer in closed form ---- */

static bool has_ridge_head(const job *self) {
    return self->settings->head ? strcmp(self->settings->head, "ridge") == 0 : self->architecture->ridge;
}

/* Returns whether all trained parameters belong to one layer. */
static bool is_head_alone(const tl_model *model) {
    tl_parameter first = {0};
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter at = tl_parameter_at(model, i);
        if (at.gradient.rank == 0 || at.frozen) continue;
        if (first.name && at.node.id != first.node.id) return false;
        first = at;
    }
    return true;
}

/* Fails if an option is about training by gradients, but only the head has parameters, and it is solved. */
static void check_head(const job *self, tl_error *error) {
    const char *option = pairs_find_training(self->settings);
    if (option && !tl_failed(error) && has_ridge_head(self) && is_head_alone(self->model))
        tl_fail(error, TL_ERROR_ARGUMENT, "%s: the last layer of %s is solved, not trained; use --head trained", option,
                self->settings->architecture);
}

static void solve_head(job *self, tl_error *error) {
    tl_error wrong = {0};
    const tl_ridge_cfg cfg = {.max_memory = max_memory(&self->settings->common)};
    if (tl_fit_ridge(self->model, self->data, &cfg, &self->head, &wrong) == TL_OK)
        self->fit.seconds += self->head.seconds;
    else
        tl_fail(error, wrong.status, "%s%s", wrong.text, wrong.status == TL_ERROR_MEMORY ? " (--head trained)" : "");
}

/* For a network in which only the head is trained. */
static bool train_head_alone(job *self, tl_error *error) {
    const tl_error none = {0};
    self->fit = (tl_fit_result){0};
    check_head(self, error);
    if (tl_failed(error) || (self->settings->out && check_out(self, error) != TL_OK)) return false;
    if (!IN_PRECISION(job_page_begin)(self, 0)) self->spoilt = true;
    solve_head(self, error);
    const bool solved = !tl_failed(error) && conclude(self, &none);
    IN_PRECISION(job_page_end)(self, tl_failed(error) ? error : &none);
    return solved;
}

/* Returns whether training may begin, on all ranks. */
static bool ready(job *self, progress *shown, int epochs, tl_error *error) {
    const train_settings *settings = self->settings;
    if (!tl_failed(error) && settings->out) check_out(self, error);
    if (tl_exchange_agree(ranks_exchange(), error) != TL_OK) return false;
    const bool begun = progress_begin(shown, settings, self->data, self->batch) && IN_PRECISION(job_page_begin)(self, epochs);
    self->log_failed = ranks_any(!begun);
    shown->quiet = shown->quiet || settings->jobs > 1 || ranks_parted(); /* bars of several processes would overwrite each other */
    return !self->log_failed;
}

/* Returns false if training failed, or if the network must not be averaged. */
static bool train(job *self, tl_error *error) {
    const train_settings *settings = self->settings;
    progress shown;
    tl_error wrong = {0};
    self->head = (tl_ridge_result){0};
    if (has_ridge_head(self) && is_head_alone(self->model)) return train_head_alone(self, error);
    const tl_fit_cfg cfg = fit_cfg(self, &shown, error);
    if (!ready(self, &shown, cfg.epochs, error)) return false;
    if (!settings->find_rate) IN_PRECISION(job_introduce)(self, &cfg);
    shown.members = self->members.count;
    shown.member = self->members.tried + 1;
    tl_fit(self->model, self->data, &cfg, &self->fit, &wrong);
    self->log_failed = ranks_any(!progress_end(&shown));
    if (*self->fit.note) complain(settings->common.command, "--resume %s: %s", settings->resume, self->fit.note);
    const bool unwritten = wrong.status == TL_ERROR_FILE && self->fit.steps > 0;
    const bool refused = wrong.status == TL_ERROR_ARGUMENT; /* before the first batch, such as a checkpoint with more epochs */
    if (has_ridge_head(self) && (!tl_failed(&wrong) || unwritten)) solve_head(self, &wrong);
    bool averaged = false;
    if (!refused && (!tl_failed(&wrong) || self->fit.best_epoch > 0 || unwritten))
        averaged = conclude(self, &wrong);
    else if (!refused && self->fit.epochs > 0 && *self->part)
        tell(self, "", &wrong, NULL); /* the other networks may succeed */
    else
        tl_fail(error, wrong.status, "%s%s", self->part, wrong.text);
    IN_PRECISION(job_page_end)(self, &wrong);
    return averaged;
}

/* ---- networks in separate processes ---- */

/* Returns whether there are several networks: ranks then divide the networks, not the batches. */
static bool has_networks(const train_settings *settings) {
    return settings->shards == 1 && (settings->fold == OPTION_ALL || IN_PRECISION(job_members)(settings) > 1);
}

/* Returns whether networks are trained in separate processes. */
static bool trains_apart(const job *self) {
    return self->settings->jobs > 1 || (ranks_count() > 1 && has_networks(self->settings));
}

/* The result of a task for its fold or member, in shared memory. */
typedef struct outcome {
    bool trained, spoilt, log_failed;
    size_t batch;
    fold_result fold; /* of a member: fit and test */
    tl_error error;
} outcome;

/* Tasks that train in separate processes. */
typedef struct apart {
    job *job;
    const tl_dataset *all; /* the data that is divided into folds */
    outcome *outcome;      /* (tasks) */
    double *learnt;        /* (tasks, numbers) of members: see count_learnt */
    size_t numbers;
} apart;

/* Each rank runs its share of the tasks. Their results are then copied to all ranks. */
static void run_on_ranks(apart *tasks, size_t count, jobs_task task) {
    const size_t ranks = ranks_count();
    ranks_part(true);
    for (size_t i = ranks_number(); i < count && !progress_interrupted(); i += ranks) task(tasks, i);
    ranks_part(false);
    for (size_t i = 0; i < count; i++) {
        ranks_share(&tasks->outcome[i], sizeof *tasks->outcome, i % ranks);
        if (tasks->learnt) ranks_share(tasks->learnt + i * tasks->numbers, tasks->numbers * sizeof *tasks->learnt, i % ranks);
    }
}

/* Runs the tasks in processes on this machine, or on the ranks. Returns whether no task was lost. */
static bool run_apart(apart *tasks, size_t count, jobs_task task) {
    const train_settings *settings = tasks->job->settings;
    if (settings->jobs > 1) return jobs_run(settings->common.command, (size_t)settings->jobs, count, task, tasks);
    run_on_ranks(tasks, count, task);
    return true;
}

/* Stores the state of the job after a task. */
static void leave(const job *self, outcome *to) {
    to->spoilt = self->spoilt;
    to->log_failed = self->log_failed;
    to->batch = self->batch;
}

/* Combines the states after all tasks, as if this process had run them. The first error of a task is reported. */
static void gather(job *self, const outcome *from, size_t count, bool whole, tl_error *error) {
    self->spoilt = self->spoilt || !whole;
    for (size_t i = 0; i < count; i++) {
        if (tl_failed(&from[i].error)) tl_fail(error, from[i].error.status, "%s", from[i].error.text);
        self->spoilt = self->spoilt || from[i].spoilt;
        self->log_failed = self->log_failed || from[i].log_failed;
    }
}

/* ---- cross-validation ---- */

/* Returns the test set with the scaling of a fold: a copy, which the caller frees, if the fold is scaled by its own statistics. */
static tl_dataset *scaled_test(tl_dataset *test, const tl_dataset *fold, tl_error *error) {
    const bool copied = test && test->scaling.kind == TL_NORMALIZE_SET && !tl_failed(error);
    if (!copied) return test;
    const size_t series = test->x.shape[0];
    uint32_t *all = calloc(series + 1, sizeof *all);
    if (!all) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (uint32_t i = 0; all && i < series; i++) all[i] = i;
    tl_dataset *copy = all ? tl_dataset_part(test, all, series, error) : NULL;
    tl_dataset_scale(copy, TL_NORMALIZE_DEFAULT, fold, error);
    free(all);
    return copy;
}

/* Returns whether there is a result. */
static bool train_fold(job *self, const tl_dataset *all, size_t fold, fold_result *result, tl_error *error) {
    const train_settings *settings = self->settings;
    const size_t folds = (size_t)settings->folds;
    tl_dataset *test = self->test;
    divide(settings, all, fold, &self->data, &self->validation, error);
    self->test = scaled_test(test, self->data, error);
    tl_model_free(self->model);
    self->model = NULL;
    snprintf(self->part, sizeof self->part, "fold %zu: ", fold);
    self->own = *settings;
    char *out = files_number(settings->out, fold, error);
    self->own.out = out;
    self->settings = &self->own;
    make_model(self, error);
    if (!settings->quiet && !tl_failed(error)) fprintf(stderr, "fold %zu of %zu\n", fold, folds);
    if (!tl_failed(error)) IN_PRECISION(warn_of_fold)(settings, self->part, self->data, self->validation);
    const bool trained = !tl_failed(error) && train(self, error);
    if (trained)
        *result = (fold_result){
            fold, self->validation->x.shape[0], self->fit, self->train_metrics, self->validation_metrics, self->test_metrics};
    tl_dataset_free(self->data);
    tl_dataset_free(self->validation);
    if (self->test != test) tl_dataset_free(self->test);
    self->test = test;
    self->data = self->validation = NULL;
    free(out);
    self->settings = settings;
    return trained;
}

static void train_folds(job *self, const tl_dataset *all, tl_error *error) {
    const size_t folds = (size_t)self->settings->folds;
    for (size_t f = 0; f < folds && !tl_failed(error) && !self->log_failed && !ranks_any(progress_interrupted()); f++)
        if (train_fold(self, all, f, &self->folds[self->folds_done], error)) self->folds_done++;
}

static void fold_apart(void *context, size_t fold) {
    const apart *self = context;
    outcome *to = &self->outcome[fold];
    self->job->introduced = fold > 0; /* only one process prints the introduction */
    to->trained = train_fold(self->job, self->all, fold, &to->fold, &to->error);
    leave(self->job, to);
}

static void train_folds_apart(job *self, tl_dataset *all, tl_error *error) {
    const size_t folds = (size_t)self->settings->folds, bytes = folds * sizeof(outcome);
    apart tasks = {.job = self, .all = all, .outcome = jobs_memory(bytes, error)};
    if (tl_exchange_agree(ranks_exchange(), error) != TL_OK) return;
    const bool whole = run_apart(&tasks, folds, fold_apart);
    gather(self, tasks.outcome, folds, whole, error);
    self->data = all;
    tl_model_free(self->model);
    self->model = NULL;
    make_model(self, error); /* for the report */
    for (size_t f = 0; f < folds; f++) {
        if (!tasks.outcome[f].trained) continue;
        self->folds[self->folds_done++] = tasks.outcome[f].fold;
        self->batch = tasks.outcome[f].batch;
    }
    jobs_free(tasks.outcome, bytes);
}

/* For each fold, trains on the other folds; metrics are then means over the folds. */
static void cross_validate(job *self, tl_error *error) {
    const size_t folds = (size_t)self->settings->folds;
    tl_dataset *all = self->data;
    if (!tl_failed(error) && folds > all->x.shape[0])
        tl_fail(error, TL_ERROR_ARGUMENT, "--folds %zu: the data has only %zu series", folds, all->x.shape[0]);
    if (tl_failed(error)) return;
    self->folds = calloc(folds, sizeof *self->folds);
    if (!self->folds) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    if (self->folds && trains_apart(self))
        train_folds_apart(self, all, error);
    else if (self->folds)
        train_folds(self, all, error);
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
    check_head(self, error);
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

/* Trains the next member. Returns whether it belongs to the average. */
static bool train_next(job *self, tl_error *error) {
    const train_settings *all = self->settings;
    self->settings = IN_PRECISION(members_next)(&self->members, error);
    self->fit = (tl_fit_result){0};
    tl_model_free(self->model);
    self->model = NULL;
    snprintf(self->part, sizeof self->part, "member %zu: ", self->members.tried + 1);
    if (!tl_failed(error)) make_model(self, error);
    const bool trained = !tl_failed(error) && train(self, error) && (self->fit.epochs > 0 || self->head.features > 0);
    self->settings = all;
    return trained;
}

static void train_member(job *self, tl_error *error) {
    if (train_next(self, error)) IN_PRECISION(members_add)(&self->members, self->model, &self->fit, &self->test_metrics, error);
    self->members.tried++;
}

/* ---- members in separate processes ---- */

/* Returns the number of numbers that a network has learnt: parameters, states, and the scale of the target values. */
static size_t count_learnt(const tl_model *model) {
    size_t count = 2 * tl_output_shape(model).channels;
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        count += tl_tensor_count(&parameter.value);
    }
    return count;
}

static void write_learnt(const tl_model *model, double *to) {
    for (size_t c = 0; c < tl_output_shape(model).channels; c++) {
        const tl_target_scale target = tl_model_target_scale(model, c);
        *to++ = target.mean;
        *to++ = target.deviation;
    }
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        for (size_t k = 0; k < tl_tensor_count(&parameter.value); k++) *to++ = (double)parameter.value.data[k];
    }
}

/* The inverse of write_learnt. Only a regression has a scale of targets. */
static void read_learnt(tl_model *model, const double *from, bool regression, tl_error *error) {
    const size_t outputs = tl_output_shape(model).channels;
    double *mean = calloc(2 * outputs + 1, sizeof *mean);
    if (!mean) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t c = 0; mean && c < outputs; c++) {
        mean[c] = from[2 * c];
        mean[outputs + c] = from[2 * c + 1];
    }
    if (mean && regression) tl_model_set_target_scale(model, mean, mean + outputs, error);
    free(mean);
    from += 2 * outputs;
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        for (size_t k = 0; k < tl_tensor_count(&parameter.value); k++) parameter.value.data[k] = (tl_real)*from++;
    }
}

static void member_apart(void *context, size_t number) {
    const apart *self = context;
    outcome *to = &self->outcome[number];
    self->job->members.tried = number;
    self->job->introduced = number > 0; /* only one process prints the introduction */
    to->trained = train_next(self->job, &to->error);
    to->fold.fit = self->job->fit;
    to->fold.test = self->job->test_metrics;
    if (to->trained) write_learnt(self->job->model, self->learnt + number * self->numbers);
    leave(self->job, to);
}

/* The threads of all processes, which have ended; results do not depend on threads. */
static int64_t threads_of_all(const train_settings *settings) {
    const int64_t each = settings->common.threads, all = each * settings->jobs;
    return all <= tl_processors() ? all : each;
}

/* Adds a network that another process has trained to the average. */
static void join_member(job *self, const outcome *from, const double *learnt, tl_error *error) {
    const train_settings *all = self->settings;
    tl_model_free(self->model);
    self->model = NULL;
    self->settings = IN_PRECISION(members_next)(&self->members, error);
    if (all->jobs > 1) self->members.own.common.threads = threads_of_all(all);
    make_model(self, error);
    if (!tl_failed(error)) read_learnt(self->model, learnt, is_regression(self), error);
    if (!tl_failed(error)) IN_PRECISION(members_add)(&self->members, self->model, &from->fold.fit, &from->fold.test, error);
    self->settings = all;
}

static void train_members_apart(job *self, size_t count, tl_error *error) {
    make_model(self, error);
    if (tl_failed(error)) return;
    const size_t numbers = count_learnt(self->model), outcomes = count * sizeof(outcome), bytes = count * numbers * sizeof(double);
    apart tasks = {.job = self, .numbers = numbers, .outcome = jobs_memory(outcomes, error), .learnt = jobs_memory(bytes, error)};
    if (tl_exchange_agree(ranks_exchange(), error) == TL_OK) {
        const bool whole = run_apart(&tasks, count, member_apart);
        gather(self, tasks.outcome, count, whole, error);
        for (self->members.tried = 0; self->members.tried < count; self->members.tried++)
            if (tasks.outcome[self->members.tried].trained)
                join_member(self, &tasks.outcome[self->members.tried], tasks.learnt + self->members.tried * numbers, error);
    }
    jobs_free(tasks.outcome, outcomes);
    jobs_free(tasks.learnt, bytes);
}

static void train_members(job *self, size_t count, tl_error *error) {
    members *all = &self->members;
    IN_PRECISION(members_begin)(all, self->settings, count, self->data, self->validation, self->test, error);
    if (!tl_failed(error) && trains_apart(self)) train_members_apart(self, count, error);
    while (all->tried < count && !tl_failed(error) && !self->log_failed && !ranks_any(progress_interrupted()))
        train_member(self, error);
    if (self->spoilt && all->trained == 0) tl_fail(error, TL_ERROR_NUMERIC, "no member could be trained");
    if (tl_failed(error) || all->trained == 0) return;
    self->fit = IN_PRECISION(members_fit)(all);
    self->fit.stopped = ranks_any(progress_interrupted());
    tl_ensemble_evaluate(all->train, &self->train_metrics, error);
    if (all->validation) tl_ensemble_evaluate(all->validation, &self->validation_metrics, error);
    if (all->test) tl_ensemble_evaluate(all->test, &self->test_metrics, error);
}

static void train_all(job *self, tl_error *error) {
    if (tl_failed(error)) return;
    const size_t count = IN_PRECISION(job_members)(self->settings);
    if (count > 1) {
        train_members(self, count, error);
        return;
    }
    make_model(self, error);
    if (!tl_failed(error)) train(self, error);
}

/* ---- the command ---- */

static int report(const job *self, const tl_error *error) {
    if (tl_failed(error)) return exit_code(self->settings->common.command, error);
    if (self->log_failed && self->fit.epochs == 0) return EXIT_FAILED; /* the log could not be opened, which was reported */
    IN_PRECISION(job_report)(self);
    return self->log_failed || self->spoilt ? EXIT_FAILED : EXIT_DONE;
}

/* Returns the settings of this process. Only the first rank writes files, but all ranks read checkpoints. The processes of --jobs
 * divide the processors. */
static train_settings settings_here(const train_settings *given) {
    train_settings own = *given;
    if (!own.architecture) own.architecture = own.init ? own.init : "fcn";
    if (!ranks_lead() && !has_networks(&own)) own.out = own.log = own.report = own.tensorboard = NULL;
    if (own.jobs > 1 && own.common.threads == 0) own.common.threads = jobs_threads((size_t)own.jobs);
    return own;
}

int IN_PRECISION(train)(const void *settings) {
    tl_error error = {0};
    char path[4096];
    const train_settings asked = settings_here(settings);
    job self = {.settings = &asked, .train_metrics = report_no_metrics, .test_metrics = report_no_metrics};
    pairs_check(&asked, IN_PRECISION(job_members)(&asked), &error);
    if (!tl_failed(&error)) read_data(&self, path, sizeof path, &error);
    tl_exchange_agree(ranks_exchange(), &error);
    if (self.settings->fold == OPTION_ALL)
        cross_validate(&self, &error);
    else if (self.settings->find_rate)
        find_rate(&self, &error);
    else
        train_all(&self, &error);
    const int code = report(&self, &error);
    tl_rate_curve_free(self.rates);
    free(self.folds);
    free(self.names[0]);
    free(self.names[1]);
    IN_PRECISION(members_free)(&self.members);
    tl_model_free(self.model);
    tl_dataset_free(self.test);
    tl_dataset_free(self.validation);
    tl_dataset_free(self.data);
    tl_dataset_free(self.whole);
    return code;
}
