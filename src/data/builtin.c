/* Data sets that are generated. */
#include "base/argument.h"
#include "base/math.h"
#include "base/memory.h"
#include "data/classes.h"
#include "data/dataset.h"
#include "data/generate.h"

#include <stdlib.h>
#include <string.h>

static const tl_generator *find_generator(const char *name, size_t length, tl_error *error) {
    for (size_t i = 0; i < tl_generators_count; i++)
        if (strlen(tl_generators[i].name) == length && strncmp(tl_generators[i].name, name, length) == 0) return &tl_generators[i];
    tl_fail(error, TL_ERROR_ARGUMENT,
            "builtin:%.*s is unknown; choose builtin:cbf or builtin:synthetic-control, or one of them with /test",
            (int)(tl_min(length, 60)), name);
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
    if (split != TL_SPLIT_TRAIN && split != TL_SPLIT_TEST) {
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

/* Fails if the set has other classes, or series of another shape, than the training set. */
static tl_status check_like(const char *name, const tl_generator *generator, const tl_dataset *reference, bool windows,
                            tl_error *error) {
    const bool other_length = !windows && reference->x.shape[1] != generator->length;
    if (other_length || reference->x.shape[2] != 1 || reference->classes != generator->classes)
        return tl_fail(error, TL_ERROR_SHAPE,
                       "builtin:%s has series of length %zu, 1 channel and %zu classes; the training set has length %zu, %zu "
                       "channel%s and %zu classes",
                       name, generator->length, generator->classes, reference->x.shape[1], reference->x.shape[2],
                       reference->x.shape[2] == 1 ? "" : "s", reference->classes);
    if (tl_labels_each(reference) != 1)
        return tl_fail(error, TL_ERROR_SHAPE,
                       "builtin:%s has one label for each series; the training set has targets for %zu steps of each series", name,
                       tl_labels_each(reference));
    if (!reference->class_names) return tl_fail(error, TL_ERROR_SHAPE, "builtin:%s: %s", name, TL_NAMELESS_CLASSES);
    for (size_t c = 0; c < generator->classes; c++)
        if (strcmp(reference->class_names[c], generator->class_names[c]) != 0)
            return tl_fail(error, TL_ERROR_SHAPE, "builtin:%s has the class %s, which is not class %zu of the training set", name,
                           generator->class_names[c], c);
    return TL_OK;
}

tl_dataset *tl_builtin_read(const char *name, const tl_read_cfg *cfg, tl_error *error) {
    const char *slash = strchr(name, '/');
    const bool test = slash && strcmp(slash, "/test") == 0;
    const size_t length = slash && (test || strcmp(slash, "/train") == 0) ? (size_t)(slash - name) : strlen(name);
    const tl_generator *generator = find_generator(name, length, error);
    if (!generator || (cfg->reference && check_like(name, generator, cfg->reference, cfg->window > 0, error) != TL_OK)) return NULL;
    return make_builtin(generator, test ? TL_SPLIT_TEST : TL_SPLIT_TRAIN, 0, error);
}
