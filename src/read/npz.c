/* `.npz`: an archive of NumPy arrays: series and targets, under their usual names. */
#include "io/zip.h"
#include "read/arrays.h"
#include "read/halves.h"
#include "read/reader.h"

#include <stdlib.h>

typedef struct names {
    const char *x[2], *y[2], *groups[2];
} names;

static const names plain = {{"x.npy", "X.npy"}, {"y.npy", "Y.npy"}, {"groups.npy", "Groups.npy"}},
                   train = {{"x_train.npy", "X_train.npy"},
                            {"y_train.npy", "Y_train.npy"},
                            {"groups_train.npy", "Groups_train.npy"}},
                   test = {{"x_test.npy", "X_test.npy"}, {"y_test.npy", "Y_test.npy"}, {"groups_test.npy", "Groups_test.npy"}},
                   numbered = {{"arr_0.npy", "arr_0.npy"}, {"arr_1.npy", "arr_1.npy"}, {"groups.npy", "Groups.npy"}},
                   third = {{"arr_2.npy", "arr_2.npy"}, {NULL, NULL}, {NULL, NULL}};

static bool has_one(const char *path, const char *const members[2], tl_error *error) {
    tl_source archive;
    tl_source_open(&archive, path, error);
    const bool there = tl_zip_has(&archive, members, 2, error);
    tl_source_close(&archive);
    return there;
}

static bool has(const char *path, const names *of, tl_error *error) { return has_one(path, of->x, error); }

/* Whether the groups are asked for; only those of the training set are needed, for its folds. */
static bool needs_groups(const char *path, const names *of, const tl_read_cfg *cfg, tl_error *error) {
    return cfg->group && (!cfg->reference || has_one(path, of->groups, error));
}

/* Finds the names of the arrays in this archive. */
static const names *find_names(const char *path, tl_half half, const tl_read_cfg *cfg, tl_error *error) {
    const bool whole = has(path, &plain, error), halves = has(path, &train, error), tests = has(path, &test, error);
    if (tl_failed(error)) return NULL;
    if (half == TL_HALF_TEST) return &test;
    if (half == TL_HALF_TRAIN) return &train;
    if (whole && halves)
        tl_fail(error, TL_ERROR_FORMAT, "%s: has x and x_train; read x_train as %s/train, or remove one of the arrays", path, path);
    if (halves && tests && cfg->reference)
        tl_fail(error, TL_ERROR_ARGUMENT, "%s: has two halves; name one of them: %s/test or %s/train", path, path, path);
    if (halves) return &train;
    return !whole && has(path, &numbered, error) && !has(path, &third, error) ? &numbered : &plain;
}

bool tl_npz_has_test(const char *path) {
    tl_error ignored = {0};
    return has(path, &train, &ignored) && has(path, &test, &ignored) && !tl_failed(&ignored);
}

static tl_dataset *read_npz(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    tl_half half;
    char *archive = tl_half_cut(path, &half, error);
    const names *of = archive ? find_names(archive, half, cfg, error) : NULL;
    tl_dataset *data = NULL;
    const char *groups = of && !tl_failed(error) && needs_groups(archive, of, cfg, error) ? archive : NULL;
    if (of && !tl_failed(error))
        data = tl_read_arrays(&(tl_two_arrays){archive, archive, of->x, of->y, groups, of->groups}, cfg, error);
    free(archive);
    return data;
}

static const char *const endings[] = {".npz", ".npz/train", ".npz/test", NULL};

const tl_reader tl_npz_reader = {.endings = endings, .read = read_npz};
