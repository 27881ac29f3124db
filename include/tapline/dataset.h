/* tapline/dataset.h: series with labels or target values, from files, generators or your own arrays.
 *
 * A data set is used by one thread at a time while a function changes it. Functions that take a `const tl_dataset *` only read it,
 * and may run on several threads at once. */
#ifndef TAPLINE_DATASET_H
#define TAPLINE_DATASET_H

#include <tapline/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The place of a window in the longer series that it was cut from. */
typedef struct tl_window {
    size_t series; /* index of that series in its file or folder, from 0 */
    size_t start;  /* index of the window's first step in that series, from 0 */
} tl_window;

/* How values are scaled before they go into a model. Standard deviations are those of a population: divided by the count. */
typedef enum tl_normalization {
    /* when reading or scaling: as the reference data set, without one TL_NORMALIZE_SERIES; in a data set: not scaled */
    TL_NORMALIZE_DEFAULT = 0,
    TL_NORMALIZE_NONE,   /* values are not changed */
    TL_NORMALIZE_SERIES, /* each channel of each series, by its own mean and standard deviation; a constant channel becomes 0 */
    TL_NORMALIZE_SET     /* each channel, by its mean and standard deviation over all series of the training set, as scikit-learn's
                            StandardScaler; only the mean is subtracted from a constant channel */
} tl_normalization;

/* tl_normalization_name returns "series", "set" or "none"; NULL for any other number. tl_normalization_by_name sets *kind to the
 * value of that name, or fails with a list of all names. */
TL_API const char *tl_normalization_name(tl_normalization kind);
TL_API tl_status tl_normalization_by_name(const char *name, tl_normalization *kind, tl_error *error);

/* How the series of a data set were scaled. */
typedef struct tl_scaling {
    tl_normalization kind;
    double *mean, *deviation; /* TL_NORMALIZE_SET: (channels) each x was replaced by (x - mean) / deviation; else NULL */
} tl_scaling;

/* Fills batches with series that are not in memory: of a data set that is larger than memory, or series that a program reads or
 * makes by itself (tl_dataset.batches). */
typedef struct tl_batches {
    /* Copies the series with the numbers index: (count), each from 0 to the number of series - 1, one after the other to x: (count,
     * length, channels) [OUT]. After the end of a series (tl_dataset.lengths) x need not be written. Series are asked for in any
     * order and more than once; a series must have the same values each time. A function that fails sets `error` (tl_fail), which
     * is then the error of the function that needed the series. Threads that use the data set at the same time call it at the same
     * time. */
    tl_status (*fill)(void *user, const uint32_t *index, size_t count, tl_real *x, tl_error *error);
    void *user;                  /* passed to both functions */
    void (*release)(void *user); /* (NULL) tl_dataset_free calls it */
} tl_batches;

/* A set of series. To use your own arrays, fill in the struct yourself and do not free it with tl_dataset_free. Otherwise the
 * functions below create one, with arrays of its own, and tl_dataset_free frees it. Each sample has one target; for a network with
 * an output for every step (tl_unet, tl_wavenet_steps) it has one target for every step, and target_length is the length of that
 * output. */
typedef struct tl_dataset {
    tl_tensor x;            /* (count, length, channels) */
    size_t *lengths;        /* (count) the steps of each series that are data; x is 0 from there on. NULL: all steps are data */
    int32_t *labels;        /* classification: (count, target_length), each in 0 … classes - 1, or TL_NO_LABEL; else NULL */
    tl_real *values;        /* regression: (count, target_length, target_channels), NaN for unknown ones; else NULL */
    size_t classes;         /* 0 for regression */
    char **class_names;     /* (classes) the text of each class in the file; NULL: classes have no names */
    size_t target_length;   /* (1) targets of a sample */
    size_t target_channels; /* (1) values of a target */
    double rate;            /* steps per second, where the file says it (sound, PhysioNet records); 0: unknown */
    uint32_t *groups;   /* (count) samples with the same number, such as those of one person, are never divided between folds; NULL:
                           no groups */
    tl_window *windows; /* (count) where each sample was cut from a longer series; NULL: samples are whole series */
    double *exact_values; /* (NULL) same shape as `values`: the target values before rounding to tl_real, where a reader had more
                             digits. An entry counts only while `values` holds its rounded value, so you may change `values` */
    /* how x was scaled; tl_dataset_read and tl_dataset_scale set it, and a model stores it when it is trained */
    tl_scaling scaling;
    /* (none) Fills batches with series that are not in memory. x.data is then NULL, x.rank 3, and x.shape as above; all other
     * arrays are in memory. Training, evaluation and statistics have the same results, bit for bit, as with these series in memory.
     * tl_dataset_take copies to memory; tl_dataset_part and _fold leave the series where they are; tl_dataset_pad and _windows,
     * which would copy all series, refuse such a data set. */
    tl_batches batches;
    /* (1 MB) With `batches`: limit of the bytes of series that a training reads before their batch. Many are read at a time, since
     * neighbours in a file then cost one read. Only series of at most 4 kB take more than 1 MB, and at most 256 MB. tl_dataset_read
     * sets it to what tl_read_cfg.max_memory leaves. */
    size_t read_ahead;
    void *reserved[4]; /* for later fields: NULL */
} tl_dataset;

/* What happens to missing values. Missing are: in a text an empty field, `?`, `NaN` or `NA` in place of a number; in an array or in
 * sound a NaN; in a record an invalid sample. */
typedef enum tl_missing_policy {
    TL_MISSING_REFUSE = 0,  /* an error, which names the place */
    TL_MISSING_INTERPOLATE, /* linear interpolation between the neighbours in time; at the ends of a series, the value of the
                               nearest neighbour */
    TL_MISSING_MEAN,        /* the mean of the other values of this channel in this series */
    TL_MISSING_ZERO,
    TL_MISSING_TAIL /* missing values after the last value of a series mark its end, and the series is shorter (tl_dataset.lengths);
                       an error anywhere else */
} tl_missing_policy;

/* tl_missing_policy_name returns "refuse", "interpolate" …; NULL for an unknown number. tl_missing_policy_by_name sets *policy to
 * the value of that name, or fails with a list of all names. */
TL_API const char *tl_missing_policy_name(tl_missing_policy policy);
TL_API tl_status tl_missing_policy_by_name(const char *name, tl_missing_policy *policy, tl_error *error);

/* Whether the first line of a table holds the names of its columns. TL_HEADER_AUTO decides from the line (docs/data.md,
 * "Tables"). */
typedef enum tl_header { TL_HEADER_AUTO = 0, TL_HEADER_YES, TL_HEADER_NO } tl_header;

/* tl_header_name returns "auto", "yes" or "no"; NULL for an unknown number. tl_header_by_name sets *header to the value of that
 * name, or fails with a list of all names. */
TL_API const char *tl_header_name(tl_header header);
TL_API tl_status tl_header_by_name(const char *name, tl_header *header, tl_error *error);

/* The target of a window, where the series has a label or target value for every step. */
typedef enum tl_window_target {
    /* the most frequent label of its steps, of equally frequent ones the first; the mean of its target values */
    TL_WINDOW_MAJORITY = 0,
    TL_WINDOW_LAST, /* that of its last step */
    TL_WINDOW_STEPS /* each step keeps its own */
} tl_window_target;

/* tl_window_target_name returns "majority", "last" or "steps"; NULL for an unknown number. tl_window_target_by_name sets *target to
 * the value of that name, or fails with a list of all names. */
TL_API const char *tl_window_target_name(tl_window_target target);
TL_API tl_status tl_window_target_by_name(const char *name, tl_window_target *target, tl_error *error);

/* A series that was read, for tl_read_cfg.each. */
typedef struct tl_file_series {
    size_t index, count;     /* its number, from 0; how many series there are */
    size_t length, channels; /* of the longest series */
    size_t steps;            /* of this series, at most `length` */
    const double *x;         /* (length, channels) with missing values replaced, not scaled; 0 from `steps` on */
} tl_file_series;

typedef struct tl_read_cfg {
    /* (NULL) The data set that the model is trained on. Labels get the numbers of its classes, by name. It is an error where the
     * data that is read has a label that the reference does not have, or another length or number of channels, of series or of
     * targets. */
    const tl_dataset *reference;
    /* (as in `reference`, else series) how values are scaled; computed in double, then rounded to tl_real */
    tl_normalization normalize;
    tl_missing_policy missing_policy; /* (TL_MISSING_REFUSE) applied before scaling; a channel without any value is an error */
    bool unequal; /* series in a folder or a table may differ in length; shorter ones are padded with zeros (tl_dataset.lengths) */
    bool unlabelled; /* ignore labels and target values, which may be missing or unknown: for prediction */
    size_t segment;  /* (256) PhysioNet records: samples of the series around each beat; half of them are before the beat */
    /* Columns of a table (.csv, .tsv, .txt or .npy). COLUMN is the name in the header, `first`, `last` or a number from 1; `name:X`
     * is the column named X, also where X looks like a number. COLUMNS is a list with commas; 3-8 is a range. */
    const char *label;  /* COLUMN (headed label, class, target or y; without such a heading the first column); with `unlabelled`
                           also none: there is no such column */
    const char *target; /* COLUMNS of the target values of a regression; several columns give several values for each sample; with
                           `unlabelled` also none */
    const char *ignore; /* COLUMNS that are not read */
    const char *value;  /* COLUMNS of values (all others); with it, columns that no field names are not read */
    const char *group;  /* COLUMN of the group (tl_dataset.groups); for a pair of .npy and a .npz only "groups": the array with the
                           group of each series, (count), whole numbers or texts, such as groups.npy beside x.npy */
    const char *series; /* COLUMN that names a series: each line is then one step of that series, and the values of the line are its
                           channels */
    const char *time; /* COLUMN of the time of a step, by which steps are sorted: a number, or such as 2024-01-31 12:00:00. Without
                         `series`, all lines are one series */
    tl_header header; /* (auto) whether the table has a header line */
    bool decimal_comma; /* numbers are written 0,5 */
    const char *format; /* (from the name of the file) the format: "csv", "ts" … */
    /* (0: no windows) Cuts series, which may then have any length, into windows of `window` steps. A new window begins every `hop`
     * steps (window). A table must then name `value` columns and has one step in each line. */
    size_t window, hop;
    tl_window_target window_target; /* (majority) the target of a window */
    /* (NULL) Called with one line of text when data was read but a part was left out or looks wrong. The text names the file. */
    void (*warn)(const char *text, void *user);
    void *user;           /* passed to `warn` */
    size_t max_memory;    /* (half of tl_memory_limit, tapline/machine.h) limit of the bytes that the data set takes, since a small
                             file may describe a data set of any size. SIZE_MAX: no limit */
    const char *no_label; /* (none) the label that stands for "unknown": such a series or step does not count (TL_NO_LABEL) */
    const char *file; /* COLUMN with the name of a file, relative to the folder of the table; each file is one series: .wav, .npy,
                         a table with a step per line, or a whole PhysioNet record (its .hea, with or without the ending) */
    bool keep_labels; /* with `unlabelled`: keep the labels or target values if every series has one that `reference` knows. Not
                         for target values in tables with series of different lengths */
    const char *annotator; /* ("atr") ending of the annotation file of a PhysioNet record, such as "qrs" */
    /* Where the series take more than max_memory, leave them in the file and read them batch by batch (tl_dataset.batches). This
     * works with a pair of `.npy` and with a `.npz` whose arrays are not compressed; tl_dataset_convert makes such files of
     * others. Targets are in memory. The file is read once, and checked, before the function returns, and must
     * not change while the data set is used. */
    bool by_batch;
    /* Only with `unlabelled`: the table has the columns that `label` or `target` name; they are skipped. If this is false, these
     * columns may be missing: headings and the lengths of rows decide, and it is an error if they cannot. */
    bool has_target;
    char reserved[6];
    /* (NULL) Called with each series in turn, which is then not kept: the data set that is returned has x.shape, lengths and
     * targets, but no series. Returns TL_OK, or fails, which ends the reading. Not with `window` and not for generated sets. */
    tl_status (*each)(const tl_file_series *series, void *user, tl_error *error);
    /* (NULL: unknown) The headings of the columns of values, and of target values, in the table that the model was trained on, in
     * their order, each on a line. It is an error if this table has the same headings in another order, or one more column.
     * With `names`, one more column is allowed: for a training that starts from a model. Other headings are a warning. A table
     * without a header is not compared. */
    const char *value_names, *target_names;
    /* (NULL) (2) [OUT] value_names and target_names of this table, which the caller frees with free(). NULL: there is no header, or
     * they are longer than 64 KiB. Both must be NULL before. */
    char **names;
} tl_read_cfg;

/* Reads a data set. The ending of the path, or cfg->format, gives the format:
 * - `.ts`, `.arff`: UCR/UEA archives, classification or regression, one or more channels; equal lengths, or as the header says;
 * - `.tsv`, `.csv`, `.txt`: a table. Without further configuration each line is a series: label and values;
 * - `.npz`: NumPy arrays x, (count, length, channels) or (count, length), and y: (count), or (count, length) for a target for every
 * step. Whole numbers and texts are labels, floats are target values; (count, length, channels) are several target values for every
 * step;
 * - `.npy`: one NumPy array, which is a table with the label first; or the x of a pair of arrays like those of `.npz`, if the file
 * with y in place of x in its name exists: x.npy and y.npy, X_train.npy and y_train.npy;
 * - `.hea`: a PhysioNet record in signal format 16, 24, 32, 61, 80, 160 or 212, with its `.atr`. Each beat is a series in physical
 * units, and its class is the kind of beat;
 * - a folder of folders, one for each class; each file in them is a series (`.wav`, `.npy`, or a table with one step in each line);
 * - a folder of files, one for each class; each line or row of them is a series;
 * - a folder NAME with NAME_TRAIN.ts and NAME_TEST.ts (or .tsv, .arff, .txt, .csv): NAME is the training half, NAME/test is the
 * test half. A `.npz` with x_train, y_train, x_test and y_test has the same two halves;
 * - `builtin:NAME`, `builtin:NAME/test`: the two halves of a generated set.
 *
 * With cfg->unlabelled the result has no labels, values or classes. A `.npz` then needs no y and a `.ts` no @classLabel, and a row
 * of a table or `.npy` that is as long as the series of cfg->reference has no label (rows of different lengths: docs/data.md).
 *
 * Classes are numbered in the order that the file declares, else in sorted order (as numbers where all are numbers).
 *
 * Returns NULL on failure. Messages have the form `file:line:column: expected …, got …`, of binary files `file: offset N: expected
 * …, got …`. Free the data set with tl_dataset_free. cfg NULL: all defaults. */
static inline tl_dataset *tl_dataset_read(const char *path, const tl_read_cfg *cfg, tl_error *error);

/* Returns whether `path` is a training half that has a test half, PATH/test. */
TL_API bool tl_dataset_has_test(const char *path);

/* Returns whether files of this format are tables, whose columns tl_read_cfg may name. `format` NULL: the ending of `path` gives
 * the format. */
TL_API bool tl_dataset_is_table(const char *path, const char *format);

/* Calls `visit`(file, user) for each file that tl_dataset_read(path, cfg, …) may open: the file itself; for a record also its
 * samples and annotations; for a table with cfg->file also the files that it names; for a folder all files in it and in its
 * subfolders; for a generated set no file. cfg NULL: all defaults. What cannot be read is not an error here, but in
 * tl_dataset_read. Fails with TL_ERROR_FILE where a folder cannot be listed. */
static inline tl_status tl_dataset_files(const char *path, const tl_read_cfg *cfg, void (*visit)(const char *file, void *user),
                                         void *user, tl_error *error);

/* Writes a data set as NumPy arrays, for other programs, and for training with more series than fit into memory
 * (tl_read_cfg.by_batch). `x`: either the file for the series, whose name ends with .npy and contains x as a word, such as x.npy or
 * train_x.npy; the files of targets and groups have y and groups in its place. Or an archive, whose name ends with .npz; its
 * arrays, which are not compressed, are x, y and groups. Where the data has two halves, the archive has both: x_train, y_train,
 * x_test … The values are not scaled; they are float64, or float32 if `single`, with NaN after the end of series that are shorter
 * than the longest (read them with TL_MISSING_TAIL). Labels are int64 if they are whole numbers, else texts; target values are
 * float64, groups numbers.
 *
 * `path` and cfg as for tl_dataset_read; with cfg->unlabelled no targets are written. Series are written one after the other: the
 * memory of the targets and of one series suffices, except for tables with a column `series` or `time`, and for folders with a file
 * for each channel, which need all series in memory. cfg->warn is told what the arrays do not contain: steps per second, and an
 * order of the classes other than the sorted one. *shape [OUT], may be NULL: of the series, without those of a second half. Fails
 * with the old files in place. */
static inline tl_status tl_dataset_convert(const char *path, const char *x, const tl_read_cfg *cfg, bool single, size_t shape[3],
                                           tl_error *error);

typedef enum tl_split { TL_SPLIT_TRAIN = 0, TL_SPLIT_TEST } tl_split;

/* Generates a data set, without scaling: "cbf" (Cylinder–Bell–Funnel, Saito 1994; length 128, 3 classes, 30 series for training and
 * 900 for testing) or "synthetic-control" (Alcock & Manolopoulos 1999; length 60, 6 classes, 300 and 300). NULL on failure. Free it
 * with tl_dataset_free. */
TL_API tl_dataset *tl_dataset_builtin(const char *name, tl_split split, uint64_t seed, tl_error *error);

/* Pads every series with zeros at its end to `length` steps, so that a training set and a test set fit the same model, and sets
 * data->lengths. Fails, without a change, where a series is longer than `length`, and where there are targets for every step. */
TL_API tl_status tl_dataset_pad(tl_dataset *data, size_t length, tl_error *error);

/* Zero means the default in brackets. */
typedef struct tl_window_cfg {
    size_t length;           /* steps of a window; required */
    size_t hop;              /* (length) steps from the start of a window to the start of the next */
    tl_window_target target; /* (majority) the target of a window */
    char reserved[4];
} tl_window_cfg;

/* Cuts all series into windows and returns them as a new data set; free it with tl_dataset_free. Its `windows` tell where each
 * window was cut from. Its `groups` are those of the series, or else the indices of the series, so that the windows of a series are
 * never divided between folds. A series shorter than a window gives none; steps after the last whole window are left out. NULL on
 * failure, also where there is no window at all. */
static inline tl_dataset *tl_dataset_windows(const tl_dataset *data, const tl_window_cfg *cfg, tl_error *error);

/* Copies the series with the numbers index: (count) to x: (count, length, channels) [OUT], whether or not they are in memory. Fails
 * where a number is not below the number of series, and where data->batches fails. */
TL_API tl_status tl_dataset_series(const tl_dataset *data, const uint32_t *index, size_t count, tl_real *x, tl_error *error);

/* Scales data->x in the way that tl_dataset_read does, and records it in data->scaling. For data sets from your own arrays:
 *     tl_dataset_scale(&train, TL_NORMALIZE_SET, NULL, &error)        by the statistics of this data set
 *     tl_dataset_scale(&other, TL_NORMALIZE_DEFAULT, &train, &error)  in the same way as the data set `train`
 *     tl_dataset_scale(&other, TL_NORMALIZE_DEFAULT, &info.data, …)   in the way that a model from tl_model_load expects
 * Where data->scaling says that x is scaled already, x is converted from that scaling to the new one. Fails, without a change,
 * where that is impossible: TL_NORMALIZE_SERIES cannot be undone, because the level and the amplitude of each series are lost.
 * Series that are not in memory are scaled when a batch is filled, to the same bits; for statistics of the set, all are read three
 * times. With TL_NORMALIZE_SET, data->scaling owns its arrays: tl_dataset_free frees them, and tl_scaling_free those of a data set
 * that you filled in yourself. */
TL_API tl_status tl_dataset_scale(tl_dataset *data, tl_normalization how, const tl_dataset *reference, tl_error *error);

/* Frees the arrays of a scaling and sets it to "not scaled". NULL is allowed. */
TL_API void tl_scaling_free(tl_scaling *scaling);

/* Scales each channel of each series to mean 0 and standard deviation 1 (of a population); a constant channel becomes 0. The same
 * as TL_NORMALIZE_SERIES. Does nothing with a data set that tl_dataset_scale would refuse. */
TL_API void tl_dataset_normalize(tl_dataset *data);

/* Returns a copy of `count` samples in the order of index: (count), each below the number of samples of `data`. The copy has the
 * same classes. NULL on failure. Free it with tl_dataset_free. */
TL_API tl_dataset *tl_dataset_take(const tl_dataset *data, const uint32_t *index, size_t count, tl_error *error);

/* The same, but series that are not in memory (tl_dataset.batches) are not copied: the part reads its batches through `data`,
 * which must then outlive it. */
TL_API tl_dataset *tl_dataset_part(const tl_dataset *data, const uint32_t *index, size_t count, tl_error *error);

/* Divides a data set for cross-validation: *held_out [OUT] is a copy of fold number `fold` of `folds`, *rest [OUT] a copy of all
 * other samples; free both with tl_dataset_free. Folds are drawn at random from `seed` (stream TL_STREAM_SPLIT). Their sizes differ
 * by at most one sample in each class (stratified), or by at most one sample in all in a regression or with labels for every step.
 * Groups are never divided: folds then have about equal sizes, as far as the sizes of groups allow. Fold 0 serves as a validation
 * set of 1 / folds of the samples.
 *
 * Where `data` was scaled by TL_NORMALIZE_SET, both copies are scaled again by the statistics of *rest alone, so that the held-out
 * samples have no influence on the scaling. Where the series of `data` are not in memory, both are parts (tl_dataset_part), and
 * `data` must live longer. Fails, with both NULL, where there are more folds than samples or groups. */
TL_API tl_status tl_dataset_fold(const tl_dataset *data, size_t folds, size_t fold, uint64_t seed, tl_dataset **rest,
                                 tl_dataset **held_out, tl_error *error);

/* The same with folds that are runs of neighbouring samples, in the order of the data: for windows of recordings, folds by time.
 * Groups are not regarded. Windows of *rest that share steps with windows of *held_out are left out. Also fails where nothing
 * remains. */
TL_API tl_status tl_dataset_fold_in_order(const tl_dataset *data, size_t folds, size_t fold, tl_dataset **rest,
                                          tl_dataset **held_out, tl_error *error);

/* Frees a data set that a function above created. NULL is allowed. */
TL_API void tl_dataset_free(tl_dataset *data);

/* ---- how structs may grow (see tapline/base.h) ---- */

TL_API tl_dataset *tl_dataset_read_sized(const char *path, const tl_read_cfg *cfg, size_t size, tl_error *error);

TL_API tl_status tl_dataset_files_sized(const char *path, const tl_read_cfg *cfg, size_t size,
                                        void (*visit)(const char *file, void *user), void *user, tl_error *error);

TL_API tl_status tl_dataset_convert_sized(const char *path, const char *x, const tl_read_cfg *cfg, size_t size, bool single,
                                          size_t shape[3], tl_error *error);

static inline tl_status tl_dataset_convert(const char *path, const char *x, const tl_read_cfg *cfg, bool single, size_t shape[3],
                                           tl_error *error) {
    return tl_dataset_convert_sized(path, x, cfg, sizeof *cfg, single, shape, error);
}

TL_API tl_dataset *tl_dataset_windows_sized(const tl_dataset *data, const tl_window_cfg *cfg, size_t size, tl_error *error);

static inline tl_status tl_dataset_files(const char *path, const tl_read_cfg *cfg, void (*visit)(const char *file, void *user),
                                         void *user, tl_error *error) {
    return tl_dataset_files_sized(path, cfg, sizeof *cfg, visit, user, error);
}

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
