/* Training with shards: the same model as with an undivided batch, up to rounding, and the same bits for any number of ranks. In
 * these tests, the ranks are threads that exchange numbers through memory. */
#include "check.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- an exchange between threads ---- */

enum { MAX_RANKS = 8 };

typedef struct hub {
    int ranks;
    pthread_barrier_t barrier;
    void *data[MAX_RANKS];
} hub;

typedef struct member {
    hub *of;
    int rank;
} member;

static void wait_for_all(void *self) { pthread_barrier_wait(&((member *)self)->of->barrier); }

static void add_f32(void *to, const void *from, size_t count) {
    for (size_t i = 0; i < count; i++) ((float *)to)[i] += ((const float *)from)[i];
}

static void add_f64(void *to, const void *from, size_t count) {
    for (size_t i = 0; i < count; i++) ((double *)to)[i] += ((const double *)from)[i];
}

/* The left one of two neighbours at distance 1, 2, 4 … adds the values of the right one; then all ranks copy those of rank 0. */
static void sum(member *self, void *values, size_t count, size_t element, void (*add)(void *, const void *, size_t)) {
    hub *all = self->of;
    all->data[self->rank] = values;
    wait_for_all(self);
    for (int distance = 1; distance < all->ranks; distance *= 2) {
        if (self->rank % (2 * distance) == 0 && self->rank + distance < all->ranks)
            add(values, all->data[self->rank + distance], count);
        wait_for_all(self);
    }
    if (self->rank > 0) memcpy(values, all->data[0], count * element);
    wait_for_all(self);
}

static void sum_f32(void *self, float *values, size_t count) { sum(self, values, count, sizeof *values, add_f32); }
static void sum_f64(void *self, double *values, size_t count) { sum(self, values, count, sizeof *values, add_f64); }

static void broadcast(void *self, void *data, size_t bytes, int from) {
    const member *own = self;
    if (own->rank == from) own->of->data[0] = data;
    wait_for_all(self);
    if (own->rank != from) memcpy(data, own->of->data[0], bytes);
    wait_for_all(self);
}

static void end_all(void *self, int code) {
    (void)self;
    exit(code);
}

static tl_exchange exchange_of(member *self) {
    return (tl_exchange){.bytes = sizeof(tl_exchange),
                         .rank = self->rank,
                         .ranks = self->of->ranks,
                         .host = "here",
                         .self = self,
                         .sum_f32 = sum_f32,
                         .sum_f64 = sum_f64,
                         .broadcast = broadcast,
                         .barrier = wait_for_all,
                         .abort = end_all};
}

/* ---- a training ---- */

/* The last batch has 10 series, for which 5 of 8 shards have room. With 5 channels of 13 steps, no dropout mask of a shard starts
 * at a multiple of the vector length. */
enum { SERIES = 42, LENGTH = 13, CLASSES = 3, BATCH = 16, SHARDS = 8, FILTERS = 5 };

static tl_real series[SERIES * LENGTH];
static int32_t labels[SERIES];
static tl_real targets[SERIES];
static size_t lengths[SERIES];

static void make_data(void) {
    fill_normal(series, SERIES * LENGTH, 3);
    fill_normal(targets, SERIES, 4);
    for (size_t i = 0; i < SERIES; i++) {
        labels[i] = (int32_t)(i % CLASSES);
        series[i * LENGTH + 2] += (tl_real)(2 * labels[i]);
        lengths[i] = LENGTH - i % 4;
    }
}

typedef struct scenario {
    const char *name;
    bool norm, drop, spatial, unequal, weighted, regression, validated, by_batch;
    double clip_norm, clip_value;
    size_t shards, accumulate;
    tl_augment_cfg augment;
    const char *checkpoint, *resume;
    uint64_t seed;
    int epochs;
    bool keep_running, features;
    bool synchronised; /* the batch norms of shards */
    bool frozen;       /* the first batch norm */
    size_t max_memory;
} scenario;

static tl_dataset data_of(const scenario *of, tl_real *x) {
    memcpy(x, series, sizeof series);
    for (size_t i = 0; of->unequal && i < SERIES; i++)
        for (size_t t = lengths[i]; t < LENGTH; t++) x[i * LENGTH + t] = 0;
    return (tl_dataset){.x = TL_VIEW(x, SERIES, LENGTH, 1),
                        .lengths = of->unequal ? lengths : NULL,
                        .labels = of->regression ? NULL : labels,
                        .values = of->regression ? targets : NULL,
                        .classes = of->regression ? 0 : CLASSES};
}

/* The training of a rank, and its results. */
typedef struct training {
    scenario of;
    member place;
    tl_callback callback;
    void (*change)(struct training *self, tl_dataset *data); /* changes model or data on this rank; NULL: nothing */
    tl_real x[SERIES * LENGTH];
    tl_model *model;
    tl_fit_result result;
    int fails;   /* batches that cannot be read */
    size_t read; /* series */
    tl_error error;
} training;

/* Steps after the end of a series are not written. */
static tl_status fill_batch(void *user, const uint32_t *index, size_t count, tl_real *x, tl_error *error) {
    training *from = user;
    for (size_t i = 0; i < count; i++)
        for (size_t t = 0; t < (from->of.unequal ? lengths[index[i]] : LENGTH); t++)
            x[i * LENGTH + t] = from->x[index[i] * LENGTH + t];
    from->read += count;
    if (from->fails == 0) return TL_OK;
    from->fails--;
    return tl_fail(error, TL_ERROR_FILE, "the disk is gone");
}

static tl_model *make_model(const scenario *of, size_t batch) {
    static const double weights[CLASSES] = {0.5, 1, 2};
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = of->seed ? of->seed : 5, .threads = 1});
    const tl_conv1d_cfg cfg = {.filters = FILTERS, .kernel = 3, .padding = TL_PADDING_SAME};
    const tl_node in = tl_input(m, (tl_shape){LENGTH, 1});
    tl_node x = tl_conv1d(m, in, &cfg);
    if (of->norm) x = tl_batch_norm(m, x, NULL);
    if (of->frozen) tl_freeze(m, x);
    x = tl_relu(m, x);
    if (of->drop) x = tl_dropout(m, x, &(tl_dropout_cfg){.rate = 0.3, .spatial = of->spatial});
    x = tl_conv1d(m, x, &cfg);
    if (of->norm) x = tl_batch_norm(m, x, NULL);
    x = tl_global_average_pool(m, tl_relu(m, x));
    if (of->features) x = tl_concat(m, (tl_node[]){x, tl_rocket(m, in, &(tl_rocket_cfg){.features = 84})}, 2);
    if (of->features) x = tl_batch_norm(m, x, NULL);
    x = tl_dense(m, x, &(tl_dense_cfg){.units = of->regression ? 1 : CLASSES});
    tl_model_compile(m, x,
                     &(tl_compile_cfg){.batch = batch,
                                       .loss = of->regression ? TL_LOSS_SQUARED_ERROR : TL_LOSS_CROSS_ENTROPY,
                                       .class_weights = of->weighted ? weights : NULL,
                                       .optimizer = {.ops = tl_sgd(), .learning_rate = 0.05, .momentum = 0.9},
                                       .max_memory = of->max_memory,
                                       .clip_norm = of->clip_norm,
                                       .clip_value = of->clip_value},
                     &error);
    check_ok(&error);
    return m;
}

/* The same series, which are then not in the memory of the data set. */
static void take_from_memory(training *self, tl_dataset *data) {
    data->x.data = NULL;
    data->batches = (tl_batches){.fill = fill_batch, .user = self};
}

static void *train(void *argument) {
    training *self = argument;
    const scenario *of = &self->of;
    const tl_exchange exchange = exchange_of(&self->place);
    tl_dataset data = data_of(of, self->x), validation = {.x = tl_tensor_slice(&data.x, 0, 11),
                                                          .lengths = data.lengths,
                                                          .labels = data.labels,
                                                          .values = data.values,
                                                          .classes = data.classes};
    if (self->change) self->change(self, &data);
    if (of->by_batch) take_from_memory(self, &data);
    if (of->by_batch) take_from_memory(self, &validation);
    self->model = make_model(of, of->shards > 1 ? BATCH / of->shards : BATCH);
    const tl_fit_cfg cfg = {.epochs = of->epochs ? of->epochs : 3,
                            .batch = BATCH,
                            .accumulate = of->accumulate,
                            .validation = of->validated ? &validation : NULL,
                            .restore_best = of->validated,
                            .augment = of->augment,
                            .callbacks = {self->callback},
                            .checkpoint = of->checkpoint,
                            .resume = of->resume,
                            .keep_running = of->keep_running,
                            .shards = of->shards,
                            .synchronise_batch_norm = of->synchronised,
                            .exchange = self->place.of->ranks > 1 ? &exchange : NULL};
    tl_fit(self->model, &data, &cfg, &self->result, &self->error);
    return NULL;
}

/* Runs all ranks. Rank r trains of[r]; sets of[r].place. */
static void run_ranks(training *of, int ranks) {
    hub all = {.ranks = ranks};
    pthread_t thread[MAX_RANKS];
    pthread_barrier_init(&all.barrier, NULL, (unsigned)ranks);
    for (int rank = 0; rank < ranks; rank++) {
        of[rank].place = (member){&all, rank};
        assert_int_equal(pthread_create(&thread[rank], NULL, train, &of[rank]), 0);
    }
    for (int rank = 0; rank < ranks; rank++) pthread_join(thread[rank], NULL);
    pthread_barrier_destroy(&all.barrier);
}

static void free_models(training *of, int ranks) {
    for (int rank = 0; rank < ranks; rank++) tl_model_free(of[rank].model);
}

/* Runs the same training on all ranks. */
static void run_alike(training *of, const scenario *how, int ranks) {
    memset(of, 0, (size_t)ranks * sizeof *of);
    for (int rank = 0; rank < ranks; rank++) of[rank].of = *how;
    run_ranks(of, ranks);
    for (int rank = 0; rank < ranks; rank++) check_ok(&of[rank].error);
}

static void check_same(const training *actual, const training *expected) {
    check_parameters(actual->model, expected->model, 0, 0);
    assert_true(actual->result.steps == expected->result.steps);
    assert_int_equal(actual->result.epochs, expected->result.epochs);
    assert_int_equal(actual->result.best_epoch, expected->result.best_epoch);
    check_number("best loss", actual->result.best_loss, expected->result.best_loss, 0, 0);
}

static training one[1], some[MAX_RANKS];

/* ---- trained models ---- */

static void given_no_batch_norm_when_divided_then_as_undivided_up_to_rounding(void **unused) {
    (void)unused;
    static const scenario scenarios[] = {
        {.name = "dropout", .drop = true},
        {.name = "dropout of channels", .drop = true, .spatial = true},
        {.name = "weights and limits", .weighted = true, .clip_norm = 0.2, .clip_value = 0.1},
        {.name = "lengths", .unequal = true, .augment = {.crop = 0.7, .scale = 0.1, .jitter = 0.1}},
        {.name = "accumulate", .drop = true, .accumulate = 2},
        {.name = "mixup", .augment = {.mixup = 0.4, .jitter = 0.2}},
        {.name = "mixup of lengths", .unequal = true, .augment = {.mixup = 1}},
        {.name = "regression", .regression = true, .augment = {.mixup = 1}},
    };
    const double off = sizeof(tl_real) == 8 ? 1e-11 : 1e-4;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        scenario divided = scenarios[i];
        divided.shards = SHARDS;
        run_alike(one, &scenarios[i], 1);
        run_alike(some, &divided, 1);
        check_parameters(some->model, one->model, off, off);
        check_number(scenarios[i].name, some->result.best_loss, one->result.best_loss, off, off);
        free_models(one, 1);
        free_models(some, 1);
    }
}

/* Makes the trainings of `of` with an undivided batch in `one`, and with synchronised shards in `some`. */
static void train_both(const scenario *of, tl_callback callback) {
    scenario divided = *of;
    divided.shards = SHARDS;
    divided.synchronised = true;
    memset(one, 0, sizeof *one);
    memset(some, 0, sizeof *some);
    one->of = *of;
    some->of = divided;
    one->callback = some->callback = callback;
    run_ranks(one, 1);
    run_ranks(some, 1);
    check_ok(&one->error);
    check_ok(&some->error);
}

static const double rounding = sizeof(tl_real) == 8 ? 1e-12 : 3e-4;

static void given_synchronised_norm_when_divided_then_as_undivided_up_to_rounding(void **unused) {
    (void)unused;
    static const scenario scenarios[] = {
        {.name = "dropout", .norm = true, .drop = true},
        {.name = "weights and limits", .norm = true, .weighted = true, .clip_norm = 0.2, .clip_value = 0.1},
        {.name = "lengths", .norm = true, .unequal = true, .augment = {.crop = 0.7, .scale = 0.1, .jitter = 0.1}},
        {.name = "accumulate", .norm = true, .drop = true, .spatial = true, .accumulate = 2},
        {.name = "running statistics", .norm = true, .keep_running = true},
        {.name = "running statistics of lengths", .norm = true, .unequal = true, .keep_running = true},
        {.name = "a frozen norm", .norm = true, .frozen = true},
        {.name = "mixup, regression", .norm = true, .regression = true, .augment = {.mixup = 1}},
        {.name = "features", .norm = true, .features = true},
        {.name = "by batch", .norm = true, .validated = true, .by_batch = true},
    };
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        train_both(&scenarios[i], (tl_callback){0});
        check_parameters(some->model, one->model, rounding, rounding);
        check_number(scenarios[i].name, some->result.best_loss, one->result.best_loss, rounding, rounding);
        free_models(one, 1);
        free_models(some, 1);
    }
}

/* The first batch norm is frozen in the second epoch. */
static bool freeze_norm(const tl_progress *progress, void *user) {
    (void)user;
    if (progress->epoch_end && progress->epoch == 1) tl_freeze(progress->model, (tl_node){2});
    return true;
}

static void given_a_norm_frozen_in_a_callback_when_synchronised_then_as_undivided(void **unused) {
    (void)unused;
    train_both(&(scenario){.norm = true}, (tl_callback){freeze_norm, NULL});
    assert_true(tl_parameter_at(some->model, 2).frozen);
    check_parameters(some->model, one->model, rounding, rounding);
    free_models(one, 1);
    free_models(some, 1);
}

static const scenario everything[] = {
    {.name = "batch norm and dropout", .norm = true, .drop = true, .weighted = true, .clip_norm = 0.2},
    {.name = "lengths, validation", .norm = true, .unequal = true, .validated = true, .augment = {.crop = 0.7, .jitter = 0.1}},
    {.name = "accumulate, mixup", .norm = true, .drop = true, .spatial = true, .accumulate = 2, .augment = {.mixup = 0.4}},
    {.name = "regression", .norm = true, .regression = true, .validated = true, .clip_value = 0.1, .augment = {.mixup = 1}},
    {.name = "running statistics", .norm = true, .keep_running = true},
    {.name = "features that every rank draws", .norm = true, .features = true},
    {.name = "synchronised", .norm = true, .drop = true, .weighted = true, .clip_norm = 0.2, .synchronised = true},
    {.name = "synchronised lengths", .norm = true, .unequal = true, .validated = true, .accumulate = 2, .synchronised = true},
    {.name = "synchronised running statistics", .norm = true, .keep_running = true, .frozen = true, .synchronised = true},
    {.name = "synchronised features", .norm = true, .features = true, .augment = {.mixup = 0.4}, .synchronised = true},
};

enum { EVERYTHING = sizeof everything / sizeof *everything };

static void given_any_number_of_ranks_when_trained_then_the_same_bits(void **unused) {
    (void)unused;
    for (size_t i = 0; i < EVERYTHING; i++) {
        scenario of = everything[i];
        of.shards = SHARDS;
        run_alike(one, &of, 1);
        for (int ranks = 2; ranks <= SHARDS; ranks *= 2) {
            run_alike(some, &of, ranks);
            for (int rank = 0; rank < ranks; rank++) check_same(&some[rank], one);
            free_models(some, ranks);
        }
        free_models(one, 1);
    }
}

static void given_series_that_are_read_by_batch_when_trained_then_the_same_bits(void **unused) {
    (void)unused;
    for (size_t i = 0; i < EVERYTHING; i++) {
        scenario of = everything[i];
        for (size_t shards = of.synchronised ? SHARDS : 1; shards <= SHARDS; shards *= SHARDS) {
            of.by_batch = false;
            of.shards = shards;
            run_alike(one, &of, 1);
            of.by_batch = true;
            const int ranks = shards > 1 ? 4 : 1;
            run_alike(some, &of, ranks);
            for (int rank = 0; rank < ranks; rank++) check_same(&some[rank], one);
            free_models(some, ranks);
            free_models(one, 1);
        }
    }
}

/* After the checksum of the data, which reads all, in the second of three epochs; the rest of an epoch is already in memory. */
static bool break_disk(const tl_progress *progress, void *user) {
    training *self = user;
    if (self->place.rank == 2 && progress->steps == 4) self->fails = 1;
    return true;
}

static void given_a_rank_that_cannot_read_when_trained_then_all_end(void **unused) {
    (void)unused;
    for (int synchronised = 0; synchronised <= 1; synchronised++) {
        memset(some, 0, sizeof some);
        for (int rank = 0; rank < 4; rank++) {
            some[rank].of = (scenario){.norm = true, .shards = SHARDS, .by_batch = true, .synchronised = synchronised};
            some[rank].callback = (tl_callback){break_disk, &some[rank]};
        }
        run_ranks(some, 4);
        for (int rank = 0; rank < 4; rank++) {
            check_error(&some[rank].error, TL_ERROR_FILE, "rank 2 on here: the disk is gone");
            assert_true(some[rank].result.steps == 6);
        }
        for (int rank = 1; rank < 4; rank++) check_parameters(some[rank].model, some->model, 0, 0);
        free_models(some, 4);
    }
}

/* When only the pass for the statistics of batch norm is left. */
static bool break_disk_at_the_end(const tl_progress *progress, void *user) {
    training *self = user;
    if (self->place.rank == 2 && progress->epoch_end) self->fails = 1;
    return true;
}

static void given_a_rank_that_cannot_read_for_statistics_then_all_keep_theirs(void **unused) {
    (void)unused;
    for (int synchronised = 0; synchronised <= 1; synchronised++) {
        scenario of = {.norm = true, .shards = SHARDS, .by_batch = true, .epochs = 1, .synchronised = synchronised};
        memset(some, 0, sizeof some);
        for (int rank = 0; rank < 4; rank++) {
            some[rank].of = of;
            some[rank].callback = (tl_callback){break_disk_at_the_end, &some[rank]};
        }
        run_ranks(some, 4);
        for (int rank = 0; rank < 4; rank++) check_error(&some[rank].error, TL_ERROR_FILE, "rank 2 on here: the disk is gone");
        of.by_batch = false;
        of.keep_running = true;
        run_alike(one, &of, 1);
        for (int rank = 0; rank < 4; rank++) check_parameters(some[rank].model, one->model, 0, 0);
        free_models(some, 4);
        free_models(one, 1);
    }
}

/* Series that a rank reads after the last step. */
static bool count_at_the_end(const tl_progress *progress, void *user) {
    if (progress->epoch_end) ((training *)user)->read = 0;
    return true;
}

/* The ranks divide the batches; if synchronised, the shards of each batch: 7 shards of 2 series in 3 batches of 14, of which rank 3
 * has one. */
static void given_ranks_when_statistics_are_estimated_then_each_reads_a_part(void **unused) {
    (void)unused;
    for (int synchronised = 0; synchronised <= 1; synchronised++) {
        size_t all = 0;
        memset(some, 0, sizeof some);
        for (int rank = 0; rank < 4; rank++) {
            some[rank].of = (scenario){.norm = true, .shards = SHARDS, .by_batch = true, .epochs = 1, .synchronised = synchronised};
            some[rank].callback = (tl_callback){count_at_the_end, &some[rank]};
        }
        run_ranks(some, 4);
        for (int rank = 0; rank < 4; rank++) {
            check_ok(&some[rank].error);
            assert_in_range(some[rank].read, 1, SERIES / 3);
            all += some[rank].read;
        }
        assert_int_equal(all, SERIES);
        free_models(some, 4);
    }
}

static void given_another_number_of_shards_when_trained_then_other_bits(void **unused) {
    (void)unused;
    scenario of = {.norm = true, .shards = SHARDS};
    run_alike(one, &of, 1);
    of.shards = SHARDS / 2;
    run_alike(some, &of, 1);
    const tl_parameter a = tl_parameter_at(one->model, 0), b = tl_parameter_at(some->model, 0);
    assert_memory_not_equal(a.value.data, b.value.data, tl_tensor_count(&a.value) * sizeof(tl_real));
    free_models(one, 1);
    free_models(some, 1);
}

static bool stop(const tl_progress *progress, void *user) {
    (void)progress;
    (void)user;
    return false;
}

/* After one batch, the running mean is the mean of the shards' running means. */
static void given_batch_norm_when_divided_then_running_means_of_the_batch(void **unused) {
    (void)unused;
    scenario of = {.norm = true, .keep_running = true, .epochs = 1, .shards = SHARDS};
    memset(some, 0, sizeof *some);
    memset(one, 0, sizeof *one);
    some->of = of;
    of.shards = 1;
    one->of = of;
    some->callback = one->callback = (tl_callback){stop, NULL};
    run_ranks(some, 1);
    run_ranks(one, 1);
    size_t compared = 0;
    for (size_t i = 0; i < tl_parameter_arrays(one->model); i++) {
        const tl_parameter whole = tl_parameter_at(one->model, i), divided = tl_parameter_at(some->model, i);
        if (strcmp(whole.layer, "batch_norm_1") != 0 || strcmp(whole.name, "mean") != 0) continue;
        check_close("mean", divided.value.data, whole.value.data, FILTERS, 1e-5, 1e-6);
        compared++;
    }
    assert_int_equal(compared, 1);
    free_models(one, 1);
    free_models(some, 1);
}

/* ---- interruptions ---- */

static void refuse(const scenario *of, int ranks, tl_status status, const char *text) {
    memset(some, 0, sizeof some);
    for (int rank = 0; rank < ranks; rank++) some[rank].of = *of;
    run_ranks(some, ranks);
    for (int rank = 0; rank < ranks; rank++) check_error(&some[rank].error, status, text);
    free_models(some, ranks);
}

/* Stops rank 2 after batch 4, the first one of the second epoch. */
static bool stop_in_epoch_2(const tl_progress *progress, void *user) {
    const training *self = user;
    return !(self->place.rank == 2 && progress->epoch == 2);
}

static void interrupt(bool synchronised) {
    char path[] = "/tmp/tapline-shards-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    scenario of = {.norm = true, .drop = true, .validated = true, .accumulate = 2, .shards = SHARDS, .synchronised = synchronised};
    run_alike(one, &of, 1);
    of.checkpoint = path;
    memset(some, 0, sizeof some);
    for (int rank = 0; rank < 4; rank++) {
        some[rank].of = of;
        some[rank].callback = (tl_callback){stop_in_epoch_2, &some[rank]};
    }
    run_ranks(some, 4);
    for (int rank = 0; rank < 4; rank++) {
        check_ok(&some[rank].error);
        assert_true(some[rank].result.stopped && some[rank].result.epochs == 2);
    }
    free_models(some, 4);
    of.resume = path;
    of.by_batch = true; /* which makes no difference, of checkpoints either */
    run_alike(some, &of, 2);
    for (int rank = 0; rank < 2; rank++) check_same(&some[rank], one);
    free_models(some, 2);
    free_models(one, 1);
    of.synchronised = !synchronised;
    refuse(&of, 2, TL_ERROR_ARGUMENT,
           synchronised ? "fit.synchronise_batch_norm true, now none" : "fit.synchronise_batch_norm none, now true");
    unlink(path);
}

static void given_a_rank_that_stops_when_others_resume_then_the_same_bits(void **unused) {
    (void)unused;
    interrupt(false);
    interrupt(true);
}

/* ---- messages ---- */

static void given_numbers_that_do_not_fit_when_trained_then_messages(void **unused) {
    (void)unused;
    refuse(&(scenario){.shards = 6}, 1, TL_ERROR_ARGUMENT, "fit: shards is 6; it must be a power of two, at most 1024");
    refuse(&(scenario){.shards = 16}, 3, TL_ERROR_ARGUMENT,
           "fit: 16 shards cannot be divided among 3 ranks; start 1, 2, 4, 8 or 16 ranks");
    refuse(&(scenario){.shards = 0}, 2, TL_ERROR_ARGUMENT,
           "fit: 2 ranks share one shard; set shards to a power of two that is a multiple of the number of ranks");
    refuse(&(scenario){.shards = 2, .norm = true, .epochs = -1}, 2, TL_ERROR_ARGUMENT, "fit: -1 epochs are below 0");
}

static void given_nothing_to_synchronise_when_trained_then_messages(void **unused) {
    (void)unused;
    refuse(&(scenario){.norm = true, .synchronised = true}, 1, TL_ERROR_ARGUMENT,
           "fit: synchronise_batch_norm needs a batch that is divided; set shards to a power of two above 1");
    refuse(&(scenario){.shards = 2, .synchronised = true}, 2, TL_ERROR_ARGUMENT,
           "fit: synchronise_batch_norm (--synchronise-batch-norm): the network has no batch norm that is trained");
}

/* A limit for the activations of 4 of 8 shards: one rank of two needs no more. */
static void given_a_memory_limit_when_synchronised_then_more_ranks_train(void **unused) {
    (void)unused;
    scenario of = {.norm = true, .shards = SHARDS, .synchronised = true};
    training *whole = some;
    run_alike(whole, &of, 1);
    const size_t model = tl_model_memory(whole->model);
    free_models(whole, 1);
    of.max_memory = 10 * model; /* most of the memory of such a small model is that of its layers */
    run_alike(some, &of, 2);
    free_models(some, 2);
    refuse(&of, 1, TL_ERROR_MEMORY, "fit: synchronise_batch_norm keeps the activations of 8 shards and needs ");
    refuse(&of, 1, TL_ERROR_MEMORY, "(max_memory, --max-memory); with more ranks or a smaller batch, a rank needs less");
}

static void given_more_shards_than_series_when_trained_then_an_error(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset data = data_of(&(scenario){0}, one->x);
    tl_model *model = make_model(&(scenario){0}, BATCH);
    tl_fit(model, &data, &(tl_fit_cfg){.batch = 4, .shards = 8}, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT,
                "fit: 8 shards need batches of at least as many series, but batch is 4; use fewer shards, or a larger batch");
    error = (tl_error){0};
    tl_fit(model, &data, &(tl_fit_cfg){.batch = 2 * BATCH + 1, .shards = 2}, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "fit: batch 33 exceeds the compiled batch times the shards, 32");
    tl_model_free(model);
}

/* After a global pool, batch norm has one value for each channel and series. */
static void given_shards_of_one_series_when_norm_sees_one_value_then_an_error(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset data = data_of(&(scenario){0}, one->x);
    tl_model *m = tl_model_new(&(tl_model_cfg){.threads = 1});
    tl_node x =
        tl_global_average_pool(m, tl_conv1d(m, tl_input(m, (tl_shape){LENGTH, 1}), &(tl_conv1d_cfg){.filters = 4, .kernel = 3}));
    tl_model_compile(m, tl_dense(m, tl_batch_norm(m, x, NULL), &(tl_dense_cfg){.units = CLASSES}), &(tl_compile_cfg){.batch = 8},
                     &error);
    check_ok(&error);
    tl_fit(m, &data, &(tl_fit_cfg){.batch = 8, .shards = 8}, NULL, &error);
    check_error(
        &error, TL_ERROR_ARGUMENT,
        "fit: with one series in a shard, layer 3 (batch_norm) has a single value for each channel; use a shard of at least 2");
    error = (tl_error){0};
    tl_fit(m, &data, &(tl_fit_cfg){.batch = 8, .shards = 8, .synchronise_batch_norm = true}, NULL, &error);
    check_ok(&error);
    data.x.shape[0] = 1;
    tl_fit(m, &data, &(tl_fit_cfg){.batch = 8, .shards = 8, .synchronise_batch_norm = true}, NULL, &error);
    check_error(
        &error, TL_ERROR_ARGUMENT,
        "fit: with one series in a batch, layer 3 (batch_norm) has a single value for each channel; use a batch of at least 2");
    tl_model_free(m);
}

static void change_value(training *self, tl_dataset *data) {
    (void)self;
    data->x.data[7] += 1;
}

static void change_seed(training *self, tl_dataset *data) {
    (void)data;
    self->of.seed = 6;
}

static void given_ranks_that_differ_when_trained_then_the_rank_is_named(void **unused) {
    (void)unused;
    void (*const changes[])(training *, tl_dataset *) = {change_value, change_seed};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        memset(some, 0, sizeof some);
        for (int rank = 0; rank < 4; rank++) some[rank].of = (scenario){.shards = SHARDS};
        some[2].change = changes[i];
        run_ranks(some, 4);
        for (int rank = 0; rank < 4; rank++)
            check_error(
                &some[rank].error, TL_ERROR_STATE,
                "fit: rank 2 on here has other data, another network or other settings than rank 0; give all ranks the same");
        free_models(some, 4);
    }
}

static bool drift(const tl_progress *progress, void *user) {
    (void)user;
    if (progress->epoch == 1 && progress->batch == 1) tl_parameter_at(progress->model, 0).value.data[0] += 1;
    return true;
}

static void given_a_rank_that_drifts_when_the_epoch_ends_then_it_is_named(void **unused) {
    (void)unused;
    memset(some, 0, sizeof some);
    for (int rank = 0; rank < 2; rank++) some[rank].of = (scenario){.shards = SHARDS};
    some[1].callback = (tl_callback){drift, NULL};
    run_ranks(some, 2);
    for (int rank = 0; rank < 2; rank++) {
        check_error(&some[rank].error, TL_ERROR_STATE,
                    "fit: rank 1 on here has other parameters than rank 0 at the end of an epoch");
        assert_int_equal(some[rank].result.epochs, 1);
    }
    free_models(some, 2);
}

static void make_infinite(training *self, tl_dataset *data) {
    (void)self;
    data->x.data[30 * LENGTH] = (tl_real)INFINITY;
}

/* The value is in a shard of one rank. */
static void given_a_value_not_finite_when_trained_then_all_ranks_fail_alike(void **unused) {
    (void)unused;
    for (int i = 0; i < 4; i++) {
        const int ranks = i & 1 ? 4 : 1;
        memset(some, 0, sizeof some);
        for (int rank = 0; rank < ranks; rank++) {
            some[rank].of = (scenario){.shards = SHARDS, .norm = true, .synchronised = i & 2};
            some[rank].change = make_infinite;
        }
        run_ranks(some, ranks);
        for (int rank = 0; rank < ranks; rank++) {
            check_error(&some[rank].error, TL_ERROR_NUMERIC, "sample 30 of the data is not finite");
            check_parameters(some[rank].model, some[0].model, 0, 0);
        }
        free_models(some, ranks);
    }
}

static void given_an_invalid_table_when_trained_then_an_error(void **unused) {
    (void)unused;
    hub all = {.ranks = 1};
    member self = {&all, 0};
    tl_dataset data = data_of(&(scenario){0}, one->x);
    tl_model *model = make_model(&(scenario){0}, BATCH);
    tl_exchange tables[4] = {exchange_of(&self), exchange_of(&self), exchange_of(&self), exchange_of(&self)};
    static const char *const texts[] = {"exchange: bytes is 0; set it to sizeof(tl_exchange)",
                                        "exchange: a function of the table is NULL; all are needed",
                                        "exchange: rank 1 is outside 0 … 0", "exchange: ranks is 0; it must be at least 1"};
    tables[0].bytes = 0;
    tables[1].barrier = NULL;
    tables[2].rank = 1;
    tables[3].ranks = 0;
    for (size_t i = 0; i < 4; i++) {
        tl_error error = {0};
        tl_fit(model, &data, &(tl_fit_cfg){.shards = 2, .exchange = &tables[i]}, NULL, &error);
        check_error(&error, TL_ERROR_ARGUMENT, texts[i]);
    }
    tl_model_free(model);
}

/* ---- agreement on errors ---- */

typedef struct agreement {
    member place;
    tl_error error;
} agreement;

static void *agree(void *argument) {
    agreement *self = argument;
    const tl_exchange exchange = exchange_of(&self->place);
    tl_exchange_agree(&exchange, &self->error);
    return NULL;
}

static void given_an_error_of_one_rank_when_they_agree_then_all_have_it(void **unused) {
    (void)unused;
    enum { RANKS = 3 };
    for (int failing = -1; failing < RANKS; failing++) {
        hub all = {.ranks = RANKS};
        agreement agreements[RANKS] = {{.error = {0}}};
        pthread_t thread[RANKS];
        pthread_barrier_init(&all.barrier, NULL, RANKS);
        for (int rank = 0; rank < RANKS; rank++) {
            agreements[rank].place = (member){&all, rank};
            if (rank == failing) tl_fail(&agreements[rank].error, TL_ERROR_FILE, "x.ts: no such file");
            pthread_create(&thread[rank], NULL, agree, &agreements[rank]);
        }
        for (int rank = 0; rank < RANKS; rank++) pthread_join(thread[rank], NULL);
        pthread_barrier_destroy(&all.barrier);
        char text[60] = "x.ts: no such file";
        if (failing > 0) snprintf(text, sizeof text, "rank %d on here: x.ts: no such file", failing);
        for (int rank = 0; rank < RANKS; rank++) {
            if (failing < 0)
                check_ok(&agreements[rank].error);
            else
                check_error(&agreements[rank].error, TL_ERROR_FILE, text);
        }
    }
    tl_error error = {0};
    assert_int_equal(tl_exchange_agree(NULL, &error), TL_OK);
}

int main(void) {
    make_data();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_no_batch_norm_when_divided_then_as_undivided_up_to_rounding),
        cmocka_unit_test(given_synchronised_norm_when_divided_then_as_undivided_up_to_rounding),
        cmocka_unit_test(given_a_norm_frozen_in_a_callback_when_synchronised_then_as_undivided),
        cmocka_unit_test(given_any_number_of_ranks_when_trained_then_the_same_bits),
        cmocka_unit_test(given_series_that_are_read_by_batch_when_trained_then_the_same_bits),
        cmocka_unit_test(given_a_rank_that_cannot_read_when_trained_then_all_end),
        cmocka_unit_test(given_a_rank_that_cannot_read_for_statistics_then_all_keep_theirs),
        cmocka_unit_test(given_ranks_when_statistics_are_estimated_then_each_reads_a_part),
        cmocka_unit_test(given_another_number_of_shards_when_trained_then_other_bits),
        cmocka_unit_test(given_batch_norm_when_divided_then_running_means_of_the_batch),
        cmocka_unit_test(given_a_rank_that_stops_when_others_resume_then_the_same_bits),
        cmocka_unit_test(given_numbers_that_do_not_fit_when_trained_then_messages),
        cmocka_unit_test(given_nothing_to_synchronise_when_trained_then_messages),
        cmocka_unit_test(given_a_memory_limit_when_synchronised_then_more_ranks_train),
        cmocka_unit_test(given_more_shards_than_series_when_trained_then_an_error),
        cmocka_unit_test(given_shards_of_one_series_when_norm_sees_one_value_then_an_error),
        cmocka_unit_test(given_ranks_that_differ_when_trained_then_the_rank_is_named),
        cmocka_unit_test(given_a_rank_that_drifts_when_the_epoch_ends_then_it_is_named),
        cmocka_unit_test(given_a_value_not_finite_when_trained_then_all_ranks_fail_alike),
        cmocka_unit_test(given_an_invalid_table_when_trained_then_an_error),
        cmocka_unit_test(given_an_error_of_one_rank_when_they_agree_then_all_have_it),
    };
    return check_run(tests);
}
