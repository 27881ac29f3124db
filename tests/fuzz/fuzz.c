#include "fuzz.h"

#include "io/checksum.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Noreturn void fuzz_found(const char *condition, const char *file, int line) {
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

/* ---- files ---- */

static char folder[200];

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place) {
    (void)about, (void)kind, (void)place;
    return remove(path);
}

static void remove_folder(void) { nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

static char *path_of(const char *name) {
    static char paths[4][sizeof folder + 100];
    static unsigned next;
    if (!*folder) {
        const char *where = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/tapline-fuzz-XXXXXX", where ? where : "/tmp");
        REQUIRE(mkdtemp(folder));
        atexit(remove_folder);
    }
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

const char *fuzz_path(const char *name) { return path_of(name); }

const char *fuzz_file(const char *name, const void *bytes, size_t count) {
    char *path = path_of(name);
    for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "wb");
    REQUIRE(file && fwrite(bytes, 1, count, file) == count && fclose(file) == 0);
    return path;
}

/* ---- properties ---- */

void fuzz_check_error(bool succeeded, const tl_error *error) {
    REQUIRE(succeeded == !tl_failed(error));
    REQUIRE(succeeded || strlen(error->text) > 0);
    for (const char *c = error->text; *c; c++) REQUIRE((unsigned char)*c >= ' ' && *c != 0x7F);
}

static void check_sound(const tl_dataset *data) {
    const size_t count = tl_tensor_count(&data->x);
    REQUIRE(data->x.rank == 3 && count > 0);
    for (size_t i = 0; i < count; i++) REQUIRE(isfinite(data->x.data[i]));
    REQUIRE(data->target_length == 1 || data->target_length == data->x.shape[1]);
    for (size_t i = 0; i < data->x.shape[0] * data->target_length * data->target_channels; i++)
        REQUIRE(data->labels ? data->labels[i] >= 0 && (size_t)data->labels[i] < data->classes : isfinite(data->values[i]));
    for (size_t c = 0; data->class_names && c < data->classes; c++) REQUIRE(data->class_names[c]);
}

static void check_same(const tl_dataset *a, const tl_dataset *b) {
    const size_t count = a->x.shape[0] * a->target_length * a->target_channels;
    REQUIRE(a->target_length == b->target_length && a->target_channels == b->target_channels);
    REQUIRE(tl_tensor_same_shape(&a->x, &b->x) && a->classes == b->classes);
    REQUIRE(memcmp(a->x.data, b->x.data, tl_tensor_count(&a->x) * sizeof(tl_real)) == 0);
    if (a->labels) REQUIRE(memcmp(a->labels, b->labels, count * sizeof *a->labels) == 0);
    if (a->values) REQUIRE(memcmp(a->values, b->values, count * sizeof *a->values) == 0);
}

/* Whether a file of a folder that has such a series first would, without labels, itself be taken for a series, a step a line. */
static bool may_be_one(const tl_dataset *data) { return (data->lengths ? data->lengths[0] : data->x.shape[1]) == data->x.shape[2]; }

/* Reads a file without labels, which it need not have. */
static void read_bare(const char *path, const tl_read_cfg *cfg) {
    tl_error error = {0};
    tl_read_cfg bare = *cfg;
    bare.unlabelled = true;
    tl_dataset *data = tl_dataset_read(path, &bare, &error);
    fuzz_check_error(data, &error);
    tl_dataset_free(data);
}

void fuzz_read(const char *path, const tl_read_cfg *cfg) {
    tl_error error = {0};
    read_bare(path, cfg);
    tl_dataset *data = tl_dataset_read(path, cfg, &error);
    fuzz_check_error(data, &error);
    if (!data) return;
    check_sound(data);
    tl_read_cfg again = *cfg;
    again.reference = data;
    tl_dataset *same = tl_dataset_read(path, &again, &error);
    fuzz_check_error(same, &error);
    REQUIRE(same);
    check_same(data, same);
    tl_dataset_free(same);
    again.unlabelled = true;
    again.has_target = cfg->target != NULL; /* series of different lengths do not tell */
    tl_dataset *bare = tl_dataset_read(path, &again, &error);
    fuzz_check_error(bare, &error);
    if (!may_be_one(data)) {
        REQUIRE(bare && !bare->labels && !bare->values);
        REQUIRE(memcmp(bare->x.data, data->x.data, tl_tensor_count(&data->x) * sizeof *data->x.data) == 0);
    }
    tl_dataset_free(bare);
    tl_dataset_free(data);
}

uint8_t *fuzz_repair(const uint8_t *bytes, size_t count) {
    uint8_t *copy = malloc(count + 1);
    REQUIRE(copy);
    memcpy(copy, bytes, count);
    char text[TL_CHECKSUM_DIGITS + 1];
    const char *digits = tl_checksum_in((const char *)copy, count);
    if (!digits) return copy;
    tl_checksum_of(&(tl_piece){copy, count}, 1, digits, text);
    memcpy(copy + (digits - (const char *)copy), text, TL_CHECKSUM_DIGITS);
    return copy;
}
