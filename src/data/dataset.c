#include <tapline/dataset.h>

#include "base/argument.h"
#include "base/memory.h"
#include "data/classes.h"
#include "data/generate.h"
#include "read/directory.h"
#include "read/folder.h"
#include "read/foreign.h"
#include "read/reader.h"
#include "train/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void tl_dataset_free(tl_dataset *data) {
    if (!data) return;
    tl_classes_release(data);
    tl_tensor_free(&data->x);
    tl_release(data->lengths);
    tl_release(data->labels);
    tl_release(data->values);
    free(data);
}

/* ---- normalisation ---- */

/* count values, `step` apart. In double, twice over, so that nothing cancels; relative to the first, so that the deviation of a
 * constant is exactly 0. */
static void normalise(tl_real *x, size_t count, size_t step) {
    const double first = (double)x[0];
    double sum = 0, squares = 0;
    for (size_t t = 0; t < count; t++) sum += (double)x[t * step] - first;
    const double mean = first + sum / (double)count;
    for (size_t t = 0; t < count; t++) squares += ((double)x[t * step] - mean) * ((double)x[t * step] - mean);
    const double deviation = sqrt(squares / (double)count), scale = deviation > 0 ? 1 / deviation : 1;
    for (size_t t = 0; t < count; t++) x[t * step] = (tl_real)(((double)x[t * step] - mean) * scale);
}

void tl_dataset_normalize(tl_dataset *data) {
    if (!data || !data->x.data) return;
    const size_t length = data->x.shape[1], channels = data->x.shape[2];
    for (size_t i = 0; i < data->x.shape[0]; i++)
        for (size_t c = 0; c < channels; c++)
            normalise(data->x.data + i * length * channels + c, data->lengths ? data->lengths[i] : length, channels);
}

/* ---- padding ---- */

tl_status tl_dataset_pad(tl_dataset *data, size_t length, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error) || tl_samples_check(data, "data", error) != TL_OK) return error->status;
    const size_t count = data->x.shape[0], before = data->x.shape[1], channels = data->x.shape[2];
    if (length == before) return TL_OK;
    if (length < before)
        return tl_fail(error, TL_ERROR_SHAPE, "data: series of length %zu cannot be padded to %zu", before, length);
    if (tl_labels_each(data) > 1)
        return tl_fail(error, TL_ERROR_SHAPE, "data: series with targets for %zu steps cannot be padded", tl_labels_each(data));
    tl_tensor padded = tl_tensor_new(3, (size_t[]){count, length, channels}, error);
    size_t *lengths = data->lengths ? data->lengths : tl_allocate(count, sizeof *lengths, "lengths", error);
    if (tl_failed(error)) {
        tl_tensor_free(&padded);
        if (lengths != data->lengths) tl_release(lengths);
        return error->status;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(padded.data + i * length * channels, data->x.data + i * before * channels, before * channels * sizeof(tl_real));
        if (!data->lengths) lengths[i] = before;
    }
    tl_tensor_free(&data->x);
    data->x = padded;
    data->lengths = lengths;
    return TL_OK;
}

/* ---- generated sets ---- */

static const tl_generator *find_generator(const char *name, size_t length, tl_error *error) {
    for (size_t i = 0; i < tl_generators_count; i++)
        if (strlen(tl_generators[i].name) == length && strncmp(tl_generators[i].name, name, length) == 0) return &tl_generators[i];
    tl_fail(error, TL_ERROR_ARGUMENT, "builtin:%.*s is none of builtin:cbf, builtin:synthetic-control, or those with /test",
            (int)(length < 60 ? length : 60), name);
    return NULL;
}

static tl_status generate(const tl_generator *generator, tl_split split, uint64_t seed, tl_dataset *data, tl_error *error) {
    const size_t series = generator->series[split], length = generator->length;
    data->x = tl_tensor_new(3, (size_t[]){series, length, 1}, error);
    data->labels = tl_allocate(series, sizeof *data->labels, "labels", error);
    data->class_names = calloc(generator->classes, sizeof *data->class_names);
    if (!data->class_names) tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    if (tl_failed(error)) return error->status;
    data->classes = generator->classes;
    for (size_t c = 0; c < generator->classes; c++)
        if (!(data->class_names[c] = strdup(generator->class_names[c])))
            return tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    const uint32_t part = 2 * (uint32_t)(generator - tl_generators) + (uint32_t)split;
    for (size_t i = 0; i < series; i++) {
        tl_rng rng = tl_rng_at(seed, TL_STREAM_DATA, part, i);
        data->labels[i] = (int32_t)(i % generator->classes);
        generator->draw(&rng, i % generator->classes, data->x.data + i * length);
    }
    return TL_OK;
}

static tl_dataset *make_builtin(const tl_generator *generator, tl_split split, uint64_t seed, tl_error *error) {
    if (!generator) return NULL;
    if (split != TL_TRAIN && split != TL_TEST) {
        tl_fail(error, TL_ERROR_ARGUMENT, "data: split %d is unknown", (int)split);
        return NULL;
    }
    tl_dataset *data = calloc(1, sizeof *data);
    if (!data) tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    if (data && generate(generator, split, seed, data, error) == TL_OK) return data;
    tl_dataset_free(data);
    return NULL;
}

tl_dataset *tl_dataset_builtin(const char *name, tl_split split, uint64_t seed, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(name, "data: the name of the generated set", error)) return NULL;
    return make_builtin(find_generator(name, strlen(name), error), split, seed, error);
}

/* `name` is what follows "builtin:". */
static tl_dataset *read_builtin(const char *name, const tl_dataset *like, tl_error *error) {
    const char *slash = strchr(name, '/');
    const bool test = slash && strcmp(slash, "/test") == 0;
    const size_t length = slash && (test || strcmp(slash, "/train") == 0) ? (size_t)(slash - name) : strlen(name);
    const tl_generator *generator = find_generator(name, length, error);
    if (generator && like &&
        (like->x.shape[1] != generator->length || like->x.shape[2] != 1 || like->classes != generator->classes)) {
        tl_fail(error, TL_ERROR_SHAPE,
                "builtin:%s has series of length %zu in %zu classes; the training set has length %zu, %zu classes", name,
                generator->length, generator->classes, like->x.shape[1], like->classes);
        return NULL;
    }
    if (generator && like && tl_labels_each(like) != 1) {
        tl_fail(error, TL_ERROR_SHAPE, "builtin:%s has a label for each series; the training set has targets for %zu steps of each",
                name, tl_labels_each(like));
        return NULL;
    }
    if (generator && like && !like->class_names) {
        tl_fail(error, TL_ERROR_SHAPE, "builtin:%s: %s", name, TL_NAMELESS_CLASSES);
        return NULL;
    }
    for (size_t c = 0; generator && like && c < generator->classes; c++) {
        if (strcmp(like->class_names[c], generator->class_names[c]) == 0) continue;
        tl_fail(error, TL_ERROR_SHAPE, "builtin:%s has a class %s, which is not class %zu of the training set", name,
                generator->class_names[c], c);
        return NULL;
    }
    return make_builtin(generator, test ? TL_TEST : TL_TRAIN, 0, error);
}

/* ---- files ---- */

static const tl_reader *const readers[] = {&tl_ts_reader,  &tl_table_reader, &tl_arff_reader,
                                           &tl_npy_reader, &tl_npz_reader,   &tl_wfdb_reader};

static const tl_reader *find_reader(const char *path, tl_error *error) {
    char all[120];
    int end = 0;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        for (const char *const *ending = readers[i]->endings; *ending; ending++) {
            if (tl_has_ending(path, *ending)) return readers[i];
            end += snprintf(all + end, sizeof all - (size_t)end, "%s%s", end ? ", " : "", *ending);
        }
    }
    if (tl_foreign_check(path, error) == TL_OK) tl_fail(error, TL_ERROR_ARGUMENT, "%s: the name ends in none of %s", path, all);
    return NULL;
}

tl_dataset *tl_read_text(const char *path, const tl_read_cfg *cfg,
                         tl_status (*fill)(tl_samples *samples, tl_text *text, tl_error *error), tl_error *error) {
    tl_text text = {0};
    tl_samples samples = tl_samples_begin(&text, cfg);
    tl_dataset *data = NULL;
    if (tl_text_open(&text, path, error) == TL_OK && fill(&samples, &text, error) == TL_OK)
        data = tl_samples_finish(&samples, error);
    tl_samples_release(&samples);
    tl_text_release(&text);
    return data;
}

static tl_dataset *read_file(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    if (tl_is_folder(path)) return tl_read_directory(path, cfg, error);
    const tl_reader *reader = find_reader(path, error);
    return reader ? reader->read(path, cfg, error) : NULL;
}

tl_dataset *tl_dataset_read_sized(const char *path, const tl_read_cfg *given, size_t size, tl_error *error) {
    tl_read_cfg settings, *cfg = &settings;
    static const char builtin[] = "builtin:";
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(path, "data: the path", error)) return NULL;
    tl_take(cfg, sizeof *cfg, given, size, "read", error);
    if (tl_failed(error)) return NULL;
    const bool generated = strncmp(path, builtin, sizeof builtin - 1) == 0;
    tl_dataset *data = generated ? read_builtin(path + sizeof builtin - 1, cfg->like, error) : read_file(path, cfg, error);
    if (data && !cfg->raw) tl_dataset_normalize(data);
    return data;
}
