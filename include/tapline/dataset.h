/* tapline/dataset.h: series with labels or target values, from files, generators or your own arrays. */
#ifndef TAPLINE_DATASET_H
#define TAPLINE_DATASET_H

#include <tapline/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where a series was cut from a longer one. */
typedef struct tl_window {
    size_t series; /* the number of the longer one in its file or folder */
    size_t start;  /* the step of it that comes first */
} tl_window;

/* How series are brought to one scale before they go into a model; deviations are those of a population (divided by the count). */
typedef enum tl_normalization {
    TL_NORMALIZE_DEFAULT = 0, /* of what is read or scaled: as the data set that it refers to, else series; of a data set: none */
    TL_NORMALIZE_NONE,        /* values as they are */
    TL_NORMALIZE_SERIES,      /* each channel of each series by its own mean and standard deviation; a constant one becomes 0 */
    TL_NORMALIZE_SET /* each channel by its mean and standard deviation over all series of the training set, as scikit-learn's
                        StandardScaler does; of a constant one only the mean is subtracted */
} tl_normalization;

/* "series", "set", "none"; NULL for another number. And the other way round; fails listing what there is. */
TL_API const char *tl_normalization_name(tl_normalization kind);
TL_API tl_status tl_normalization_by_name(const char *name, tl_normalization *kind, tl_error *error);

/* How the series of a data set were scaled. */
typedef struct tl_scaling {
    tl_normalization kind;
    double *mean, *deviation; /* TL_NORMALIZE_SET: (channels) by which x became (x - mean) / deviation; else NULL */
} tl_scaling;

/* A set of series. Fill one yourself to use your own arrays (then do not free it with tl_dataset_free; what takes a const
 * tl_dataset reads them only, and what does not says so), or have one made by the functions below. A network with an output for
 * every step (tl_unet, tl_wavenet_steps) takes targets for every step: target_length is then the length of its output. */
typedef struct tl_dataset {
    tl_tensor x;            /* (count, length, channels) */
    size_t *lengths;        /* (count) how much of each series counts, 0 behind it; NULL: all of it */
    int32_t *labels;        /* classification: (count, target_length), each in 0 … classes - 1; else NULL */
    tl_real *values;        /* regression: (count, target_length, target_channels); else NULL */
    size_t classes;         /* 0 for regression */
    char **class_names;     /* (classes) the labels as the file spells them; NULL: they have no names */
    size_t target_length;   /* (1) */
    size_t target_channels; /* (1) of values */
    double rate;            /* steps a second; 0: unknown. Sound and records say it */
    uint32_t *groups;       /* (count) series of one number, such as those of a person, are in one fold; NULL: each is by itself */
    tl_window *windows;     /* (count) where each series was cut from; NULL: it is whole */
    double *exact_values;   /* (none) `values` before they were rounded, where a reader found more digits; one counts where `values`
                               has it rounded, so that these may be changed */
    tl_scaling scaling; /* (none) how x was scaled, as tl_dataset_read and tl_dataset_scale say; a model that is trained keeps it */
} tl_dataset;

/* What becomes of a value that a file does not have: of nothing, `?`, `NaN` or `NA` where a number should be in a text, of a NaN in
 * an array or sound, of an invalid sample of a record. */
typedef enum tl_missing_policy {
    TL_MISSING_REFUSE = 0,  /* an error that says where */
    TL_MISSING_INTERPOLATE, /* on the line between its neighbours in time; at the ends of the series, as its neighbour */
    TL_MISSING_MEAN,        /* the mean of the others of this channel of the series */
    TL_MISSING_ZERO,
    TL_MISSING_TAIL /* behind the last value that there is, the end of the series: it is shorter (tl_dataset.lengths); else an error
                     */
} tl_missing_policy;

/* "refuse", "interpolate" …; NULL where there is none. And the other way round; fails listing what there is. */
TL_API const char *tl_missing_policy_name(tl_missing_policy policy);
TL_API tl_status tl_missing_policy_by_name(const char *name, tl_missing_policy *policy, tl_error *error);

/* Whether the first line of a table has the names of its columns. */
typedef enum tl_header { TL_HEADER_AUTO = 0, TL_HEADER_YES, TL_HEADER_NO } tl_header;

/* "auto", "yes", "no"; NULL where there is none. And the other way round; fails listing what there is. */
TL_API const char *tl_header_name(tl_header header);
TL_API tl_status tl_header_by_name(const char *name, tl_header *header, tl_error *error);

/* Of labels or target values for every step: what becomes those of a window. */
typedef enum tl_window_target {
    TL_WINDOW_MAJORITY = 0, /* the label that most of its steps have, the first of several; the mean of target values */
    TL_WINDOW_LAST,         /* those of its last step */
    TL_WINDOW_STEPS         /* each step keeps its own */
} tl_window_target;

/* "majority", "last", "steps"; NULL where there is none. And the other way round; fails listing what there is. */
TL_API const char *tl_window_target_name(tl_window_target target);
TL_API tl_status tl_window_target_by_name(const char *name, tl_window_target *target, tl_error *error);

typedef struct tl_read_cfg {
    /* (NULL) The data set that a model is trained on: labels are mapped to its classes by their names, a label that it does not
     * have, and a channel count or length other than its own, of series or of their targets, is an error. */
    const tl_dataset *reference;
    tl_normalization normalize;       /* (as `reference`; else series) how values are scaled, in double, from what the file says */
    tl_missing_policy missing_policy; /* (TL_MISSING_REFUSE) applied before scaling; a channel with no value at all is an error */
    bool unequal;    /* series in a folder or a table may differ in length: they are padded with zeros, see tl_dataset.lengths */
    bool unlabelled; /* series alone are read, to predict what they are: labels and target values may be absent, or anything */
    size_t segment;  /* (256) of a record of PhysioNet: samples in the series around each beat, half of them before it */
    /* Columns of a table, .csv, .tsv, .txt or .npy. COLUMN is the name in the header, `first`, `last` or a number from 1, 3-8 are
     * several, name:X is a name whatever it looks like; lists are separated by commas. */
    const char *label;  /* COLUMN (one that is headed label, class, target or y, else the first) */
    const char *target; /* COLUMNS of target values: a regression; several: of so many values */
    const char *ignore; /* COLUMNS that are nothing of these */
    const char *value;  /* COLUMNS of values (all others); those that nothing is said of are then ignored */
    const char *group;  /* COLUMN of tl_dataset.groups */
    const char *series; /* COLUMN: a line is a step of the series that it names, its values are channels; ... */
    const char *time;   /* COLUMN: ... or of the only one; when that is: a number, or 2024-01-31 12:00:00. Steps are sorted by it */
    tl_header header;   /* (auto) whether there are names */
    bool decimal_comma; /* numbers are written 0,5 */
    const char *format; /* (the ending of the file's name) "csv", "ts" … */
    /* (0: none) Series are recordings, of any lengths, that are cut into windows of so many steps; a table with `value` then has a
     * line a step. A window begins every `hop` steps (window). */
    size_t window, hop;
    tl_window_target window_target; /* (majority) */
    /* (none) Called with one line that names the file and says what was left out or looks wrong, although the data was read. */
    void (*warn)(const char *text, void *user);
    void *user;        /* handed to it */
    size_t max_memory; /* (half of tl_memory_limit, tapline/machine.h) bytes that the data set may take: a small file may describe
                          one of any size. SIZE_MAX: no limit */
} tl_read_cfg;

/* Reads a file, by its ending:
 * - `.ts` and `.arff` (UCR/UEA; classification or regression, one or many channels, of equal lengths or as the header
 * says);
 * - `.tsv`, `.csv` and `.txt` (a series a line: label first, or in the column that a header line calls so, and the values; or as
 * the columns of the configuration say, also a step a line);
 * - `.npz` (NumPy: x (count, length, channels) or (count, length), y (count), or (count, length) for a target for every step:
 * whole numbers or texts are labels, floats target values, of which there may be several a step, (count, length, channels));
 * - `.npy` (NumPy: a table, label first);
 * - `.hea` (a record of PhysioNet in signal format 16, 24, 32, 61, 80, 160 or 212, with its `.atr`: a series around each beat, in
 * physical units, of each kind of beat a class);
 * - a folder, of folders named by their class, in which each file is a series (`.wav`, `.npy`, or a table with a step a line), or
 * of files named by their class, in which each line or row is one;
 * - a folder NAME with NAME_TRAIN.ts and NAME_TEST.ts (or .tsv, .arff, .txt, .csv) is its training half, NAME/test the other one;
 * so is a `.npz` with x_train, y_train, x_test and y_test;
 * - `builtin:NAME` and `builtin:NAME/test` are the halves of a generated set.
 * With `unlabelled` the data set has neither labels nor values nor classes. Then a `.npz` needs no y, a `.ts` no @classLabel, and a
 * row of a table or of a `.npy` that is as long as the series of `like` is one without a label.
 * Classes are numbered as the file declares them, else sorted (as numbers where all are numbers). NULL on failure; errors read
 * `file:line:column: expected …, got …`, of binary files `file: offset N: expected …, got …`. Free with tl_dataset_free. */
static inline tl_dataset *tl_dataset_read(const char *path, const tl_read_cfg *cfg, tl_error *error);

/* Whether a path names a training half beside which there is PATH/test. */
TL_API bool tl_dataset_has_test(const char *path);

/* Whether files of a format have columns that tl_read_cfg may name. `format` NULL: the format that the name of the file ends in. */
TL_API bool tl_dataset_is_table(const char *path, const char *format);

/* Calls `visit` with the path of each file that reading `path` as a data set may open: the file itself; of a record its samples and
 * annotations too; of a folder all files in it and in its folders; of a generated set nothing. What is no file is left to
 * tl_dataset_read to tell. Fails with TL_ERROR_FILE where a folder cannot be listed. `user` is handed to `visit`. */
TL_API tl_status tl_dataset_files(const char *path, void (*visit)(const char *file, void *user), void *user, tl_error *error);

typedef enum tl_split { TL_SPLIT_TRAIN = 0, TL_SPLIT_TEST } tl_split;

/* A generated set, raw: "cbf" (Cylinder–Bell–Funnel, Saito 1994; length 128, 3 classes, 30 train / 900 test) or
 * "synthetic-control" (Alcock & Manolopoulos 1999; length 60, 6 classes, 300 / 300). NULL on failure. */
TL_API tl_dataset *tl_dataset_builtin(const char *name, tl_split split, uint64_t seed, tl_error *error);

/* Makes every series as long as `length` by zeros behind it, so that a training and a test set fit one model; the lengths are then
 * set. Fails, the set unchanged, where a series is longer, and where there are targets for every step. */
TL_API tl_status tl_dataset_pad(tl_dataset *data, size_t length, tl_error *error);

/* Zero means the default in brackets. */
typedef struct tl_window_cfg {
    size_t length;           /* steps of a window; needed */
    size_t hop;              /* (length) steps from the beginning of a window to that of the next */
    tl_window_target target; /* (majority) */
} tl_window_cfg;

/* The windows of all series, as a data set of its own: `windows` says where each is from, `groups` are those of the series, or
 * their numbers, so that no fold has what another one has too. Series shorter than a window have none, and steps behind the last
 * whole one are left out. NULL on failure, also where there is no window at all. */
static inline tl_dataset *tl_dataset_windows(const tl_dataset *data, const tl_window_cfg *cfg, tl_error *error);

/* Scales x of a data set of your own as tl_dataset_read does with these two settings, and says so in data->scaling:
 *     tl_dataset_scale(&train, TL_NORMALIZE_SET, NULL, &error)     by the statistics of the set itself
 *     tl_dataset_scale(&other, TL_NORMALIZE_DEFAULT, &train, …)    as the training set was
 *     tl_dataset_scale(&other, TL_NORMALIZE_DEFAULT, &info.data, …) as the model of tl_model_load expects it
 * What data->scaling says it is already is changed into what is asked. Fails, the set unchanged, where that cannot be: levels and
 * amplitudes of series that were scaled each by itself are lost. The statistics of TL_NORMALIZE_SET are the data set's: of one of
 * your own, tl_scaling_free frees them. */
TL_API tl_status tl_dataset_scale(tl_dataset *data, tl_normalization how, const tl_dataset *reference, tl_error *error);

/* Frees the statistics; the scaling is then none. NULL is fine. */
TL_API void tl_scaling_free(tl_scaling *scaling);

/* Gives each channel of each series mean 0 and standard deviation 1 (population); a constant channel becomes 0:
 * TL_NORMALIZE_SERIES. */
TL_API void tl_dataset_normalize(tl_dataset *data);

/* A copy of `count` of the samples, in the order of `index`: (count), each below the set's count. Its classes are those of the set.
 * NULL on failure. */
TL_API tl_dataset *tl_dataset_take(const tl_dataset *data, const uint32_t *index, size_t count, tl_error *error);

/* Fold `fold` of `folds` for cross-validation: *held_out gets it, *rest everything else, both copies. Folds are drawn at random
 * from `seed` (stream TL_STREAM_SPLIT) and differ by at most one sample of each class (stratified; in
 * regression, and where there are labels for every step, of all samples).
 * Where samples have groups, a fold has whole ones, as many samples as their sizes allow, divided at random.
 * A validation share of 1 / folds is fold 0. Of a set of TL_NORMALIZE_SET both parts are scaled anew, by the statistics of *rest
 * alone: the held-out part has no influence on the scaling. Fails, both NULL, where there are fewer samples, or groups, than folds.
 */
TL_API tl_status tl_dataset_fold(const tl_dataset *data, size_t folds, size_t fold, uint64_t seed, tl_dataset **rest,
                                 tl_dataset **held_out, tl_error *error);

/* Frees what a function above made. NULL is fine. */
TL_API void tl_dataset_free(tl_dataset *data);

/* ---- how structs may grow (see tapline/base.h) ---- */

TL_API tl_dataset *tl_dataset_read_sized(const char *path, const tl_read_cfg *cfg, size_t size, tl_error *error);

TL_API tl_dataset *tl_dataset_windows_sized(const tl_dataset *data, const tl_window_cfg *cfg, size_t size, tl_error *error);

static inline tl_dataset *tl_dataset_windows(const tl_dataset *data, const tl_window_cfg *cfg, tl_error *error) {
    return tl_dataset_windows_sized(data, cfg, sizeof *cfg, error);
}

static inline tl_dataset *tl_dataset_read(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    return tl_dataset_read_sized(path, cfg, sizeof *cfg, error);
}

#ifdef __cplusplus
}
#endif
#endif
